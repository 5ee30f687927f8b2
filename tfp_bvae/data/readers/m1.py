"""The public motor-cortex recording that `fetch("m1-isometric-day0")` brings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ... import checks
from ..arrays import read_arrays
from ..container import trials_dataset
from ..files import hdf5_file
from ..limits import reading
from ..spike_times import need
from ..trials import trials_from_events
from .formats import recognise
from .mat5_check import require_mat5

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["M1_BIN_WIDTH", "is_m1", "read_m1_arrays", "read_m1_trials"]

M1_BIN_WIDTH = 0.05  # s
WINDOW = (-0.2, 1.4)  # s, around the event
TRIAL_COLUMNS = {  # of `trialtable`, as `trialtablelabels` names them
    "start": "trial start time",
    "outer_target_on": "outer target time",
    "go": "go/catch",
    "end": "trial end time",
}
EVENTS = tuple(TRIAL_COLUMNS)


def is_m1(variables: dict[str, str]) -> bool:
    """Whether a MATLAB file is of that repository, by its variables and their classes."""
    return variables.get("binnedData") == "struct"


def read_m1_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The whole recording; counts from the unsmoothed rates (spikes/s).

    Args:
        path: `Day0.mat` of the repository SachsLab/IntracranialNeurophysDL.

    Returns:
        `counts` `[time, channel]` uint8, spikes per bin; `time` `[time]`, s; `force` `[time, 2]`,
        `emg` `[time, muscle]`, arbitrary units; `emg_names`; and of each trial `trials/start`,
        `outer_target_on`, `go`, `end` (s), `result` (R, A, I or F) and `target` (1 to 8).

    Raises:
        ImportError: scipy is not installed.
        ValueError: the file is damaged, is another, or does not hold counts.
    """
    scipy_io = need("scipy.io")
    with reading(path):
        require_mat5(Path(path))
    try:
        found = scipy_io.loadmat(path, squeeze_me=True, struct_as_record=False)
        binned = found["binnedData"]
        counts = binned.spikeratedata * M1_BIN_WIDTH
        labels = [str(label) for label in binned.trialtablelabels]
        table = {label: binned.trialtable[:, column] for column, label in enumerate(labels)}
        trials = {f"trials/{name}": table[label] for name, label in TRIAL_COLUMNS.items()}
        letters = [chr(int(code)) for code in table["Result(R,A,I,orN)"]]
        arrays = {
            "time": binned.timeframe,
            "force": binned.forcedatabin.astype(np.float32),
            "emg": binned.emgdatabin.astype(np.float32),
            **trials,
            "trials/result": np.array(letters, dtype="S1"),
            "trials/target": table["tgt_id"].astype(np.int32),
            "emg_names": np.array([str(name) for name in binned.emgguide]),
        }
    except (FileNotFoundError, ImportError):
        raise
    except Exception as error:  # scipy raises whatever a damaged byte leads to
        raise ValueError(f"{path} must be Day0.mat, complete and not damaged: {error}") from error
    whole = np.round(counts)
    if np.abs(counts - whole).max() > 1e-6 or whole.max() > 255:
        raise ValueError(f"{path}: spikeratedata must be whole counts per bin of {M1_BIN_WIDTH} s")
    return {"counts": whole.astype(np.uint8), **arrays}


def read_m1_trials(
    path: str | os.PathLike[str],
    align: str = "go",
    window: tuple[float, float] = WINDOW,
    result: str | None = "R",
) -> xr.Dataset:
    """Labelled trials of the recording: spikes, force and muscle activity around an event.

    Args:
        path: `Day0.mat`, or the HDF5 file that `benchmarks/make_m1_day0.py` makes of it.
        align: "go", "start", "outer_target_on" or "end".
        window: begin and end of a trial relative to it, s; bins are 0.05 s wide.
        result: which trials: "R" for rewarded ones, None for all.

    Returns:
        Trials with `condition` (target, 1 to 8), `start` (s) and behaviour (force x and y, then
        muscles); those whose window leaves the recording are left out.

    Raises:
        ValueError: the file is damaged or another, no trial is left, or an argument is wrong.
    """
    checks.one_of("align", align, EVENTS)
    arrays = _arrays(Path(path))
    results = np.asarray(arrays["trials/result"]).astype(np.str_)
    events = np.asarray(arrays[f"trials/{align}"], np.float64)
    rows = np.flatnonzero(np.ones(len(results), bool) if result is None else results == result)
    samples = [np.asarray(arrays[name], np.float32) for name in ("counts", "force", "emg")]
    cut, kept = trials_from_events(
        np.concatenate(samples, axis=-1),
        events[rows],
        window,
        M1_BIN_WIDTH,
        start=float(arrays["time"][0]),
        outside="drop",
    )
    if not len(kept):
        raise ValueError(f"window must leave a trial inside the recording, got {window}")
    rows, channels = rows[kept], samples[0].shape[1]
    coords = {
        "time": np.round(window[0] + M1_BIN_WIDTH * np.arange(cut.shape[1]), 9),
        "trial": rows,
        "condition": np.asarray(arrays["trials/target"])[rows],
        "start": events[rows] + window[0],
        "result": results[rows],
        "behavior_channel": ["force x", "force y", *(f"emg {m}" for m in arrays["emg_names"])],
    }
    attrs = {"align": align, "subject": "macaque J", "area": "primary motor cortex (M1)"}
    return trials_dataset(
        cut[..., :channels],
        M1_BIN_WIDTH,
        behavior=cut[..., channels:],
        coords=coords,
        attrs=attrs,
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The whole recording, of either of its two files."""
    if recognise(path).kind != "recording":
        return read_m1_arrays(path)
    arrays = read_arrays(path)[0]
    with hdf5_file(path) as file:
        names = file["emg"].attrs.get("names", range(arrays["emg"].shape[1]))
        return arrays | {"emg_names": np.array([str(name) for name in names])}
