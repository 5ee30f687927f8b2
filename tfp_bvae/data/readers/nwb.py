"""Labelled trials of an NWB file: its units, its table of trials, its time series."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import checks
from ..container import trials_dataset
from ..container_checks import COORDS, SPLITS
from ..files import hdf5_file
from ..hdf5_nodes import datasets, require_attrs
from ..limits import claim, reading, require_held
from ..set_aside import SetAside, listed
from ..spike_times import binned, need
from .nwb_series import binned_series, claim_values, damage_is_told, damaged

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["read_nwb"]

BEGIN, END = "start_time", "stop_time"
NOT_READ = ("tags", "timeseries", "spike_times", "electrodes", "waveform_mean", "waveform_sd")
NOT_READ += ("waveforms", "electrode_group")
TOLERANCE = 1e-6  # s


def read_nwb(
    path: Path,
    bin_width: float,
    align: str | None,
    window: tuple[float, float] | None,
    trials: Mapping[str, Any] | None,
    units: Mapping[str, Any] | Sequence[Any] | None,
    behavior: str | Sequence[str] | None,
    names: Mapping[str, str],
    aside: SetAside,
) -> xr.Dataset:
    """Labelled trials of an NWB file; arguments are those of `load`.

    Raises:
        ImportError: pynwb or pynapple is not installed.
        KeyError: no units, no trials, or a column, unit or time series that is not there.
        ValueError: the file is damaged, or an argument does not fit.
    """
    if window is not None:
        begin, end = (checks.real_number("window", edge) for edge in window)
        if end <= begin:
            raise ValueError(f"window must end after it begins, got ({begin:g}, {end:g})")
    with _opened(path) as file:
        table, neurons = _tables(path, file)
        rows = _chosen(path, "trials", table, trials)
        chosen = _chosen(path, "units", neurons, units)
        named = _named(neurons, chosen)
        spike_times = _spike_times(path, file.units, named)
        windows = _windows(path, table.iloc[rows], align, window)
        numbers = table.index.to_numpy()[rows]
        counts, kept = binned(spike_times, windows, bin_width, None, aside, numbers)
        rows, windows = rows[kept], windows[kept]
        _mask_unobserved(counts, neurons, chosen, windows)
        coords = {
            "channel": list(spike_times),
            "trial": numbers[kept],
            "start": windows[:, 0],
            "time": (window[0] if window else 0.0) + bin_width * np.arange(counts.shape[1]),
            **_columns(table.iloc[rows], aside),
        }
        bins = np.floor(np.diff(windows)[:, 0] / bin_width + TOLERANCE).astype(np.int32)
        if bins.min() < bins.max():
            coords["length"] = bins
        for ours, theirs in names.items():
            coords[ours] = coords.pop(checks.known_key(f"the column for {ours}", theirs, coords))
        series = None
        if behavior is not None:
            asked = [behavior] if isinstance(behavior, str) else list(behavior)
            series, coords["behavior_channel"] = binned_series(
                path, file, asked, windows, bins, bin_width
            )
        about = {"align": align or BEGIN, "session_id": str(file.identifier)}
    return trials_dataset(counts, bin_width, behavior=series, coords=coords, attrs=about)


@contextmanager
def _opened(path: Path):
    """The file as pynwb has it; what goes wrong while it is read is said as of its content."""
    pynwb = need("pynwb")
    with ExitStack() as stack:
        stack.enter_context(reading(path))
        with hdf5_file(path) as file:
            for name, node in datasets(path, file, of_all_kinds=True):  # none in other files
                require_attrs(path, node)
                with damage_is_told(path):
                    shape, width = node.shape or (), node.dtype.itemsize
                require_held(f"{path}: {name}", shape, width)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of versions of the schema
                io = pynwb.NWBHDF5IO(str(path), "r", load_namespaces=True)
                file = stack.enter_context(io).read()
        except Exception as error:  # whatever a damaged byte leads to
            raise damaged(path, error) from error
        yield file


def _tables(path: Path, file: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of trials and of units."""
    if file.units is None or "spike_times" not in file.units.colnames:
        raise KeyError(f"{path} must hold units with spike_times, got none")
    if file.trials is None or not len(file.trials):
        raise KeyError(f"{path} must hold a table of trials, got none")
    return _table(path, file.trials), _table(path, file.units)


def _table(path: Path, table: Any) -> pd.DataFrame:
    """A table without what is not needed: that may be large, or refer to other tables."""
    left = {name for name in table.colnames if name in NOT_READ}
    for column in table.columns:
        if hasattr(column, "table"):
            left.add(column.name)
        elif hasattr(column, "target"):
            _require_ends(path, column)
        elif column.name not in left:
            claim_values(f"{path}: {column.name}", column.data)
    with damage_is_told(path):
        return table.to_dataframe(exclude=left)


def _require_ends(path: Path, index: Any) -> None:
    """Refuse an index by which rows of a column share values: few values are then any number."""
    claim_values(f"{path}: {index.name}", index.data)
    with damage_is_told(path):
        ends = np.asarray(index.data[:], np.int64)
        count = len(index.target.data)
    if (np.diff(ends, prepend=0) < 0).any() or ends.max(initial=0) > count:
        raise ValueError(f"{path}: {index.name} must rise to at most {count}, the file is damaged")


def _spike_times(path: Path, units: Any, named: Sequence[tuple[int, Any]]) -> dict[Any, np.ndarray]:
    """Times of the spikes of each unit, s; places in the file may name the same ones again."""
    index = units["spike_times_index"]
    claim_values(f"{path}: spike_times_index", index.data)
    with damage_is_told(path):
        ends = [0, *np.asarray(index.data[:]).astype(int).tolist()]
    found = {}
    for place, name in named:
        claim(f"{path}: spike times of unit {name}", (max(ends[place + 1] - ends[place], 0),), 8)
        with damage_is_told(path):
            found[name] = np.asarray(units.get_unit_spike_times(place), np.float64)
    return found


def _chosen(path: Path, what: str, table: pd.DataFrame, wanted: Any) -> np.ndarray:
    """Places of the rows that a filter lets pass."""
    if wanted is None:
        return np.arange(len(table))
    if isinstance(wanted, Mapping):
        keep = np.ones(len(table), bool)
        for column, values in wanted.items():
            checks.known_key(f"{path}: column of {what}", column, map(str, table.columns))
            one = isinstance(values, str) or np.ndim(values) == 0
            allowed = [values] if one else list(values)
            found = table[column].to_numpy()
            keep &= np.array([any(_same(value, other) for other in allowed) for value in found])
        rows = np.flatnonzero(keep)
    else:
        wanted = np.asarray(wanted)
        if wanted.dtype == bool:
            checks.same_length([what, f"{path}: {what}"], [len(wanted), len(table)], "rows")
            rows = np.flatnonzero(wanted)
        else:
            there = table.index.tolist()
            gone = [name for name in wanted.tolist() if name not in there]
            if gone:
                raise KeyError(f"{what} must be among {listed(there)} of {path}, got {gone[0]!r}")
            rows = np.flatnonzero(np.isin(table.index.to_numpy(), wanted))
    if not len(rows):
        raise ValueError(f"{what} must let something of {path} pass, got none of {len(table)}")
    return rows


def _same(value: Any, wanted: Any) -> bool:
    """Whether a value of a table is the one that is wanted, which may have been typed."""
    if isinstance(wanted, str) and not isinstance(value, str):
        try:
            return float(value) == float(wanted)
        except (TypeError, ValueError):
            return str(value) == wanted
    return bool(value == wanted)


def _named(neurons: pd.DataFrame, chosen: np.ndarray) -> list[tuple[int, Any]]:
    """Place and name of each unit: `unit_name` where that is one of its own, else its id."""
    names = neurons.index.to_numpy()
    if "unit_name" in neurons and neurons["unit_name"].is_unique:
        names = neurons["unit_name"].astype(str).to_numpy()
    return [(int(place), names[place]) for place in chosen]


def _windows(
    path: Path, table: pd.DataFrame, align: str | None, window: tuple[float, float] | None
) -> np.ndarray:
    """Begin and end of each trial, s."""
    if window is None:
        if align is not None:
            raise ValueError(f"window must be given with align={align!r}, got none")
        return table[[BEGIN, END]].to_numpy(np.float64)
    times = [str(n) for n in table.columns if table[n].dtype.kind in "iuf"]
    checks.known_key(f"{path}: align", align or BEGIN, times)
    return table[align or BEGIN].to_numpy(np.float64)[:, None] + np.asarray(window, np.float64)


def _mask_unobserved(
    counts: np.ndarray, neurons: pd.DataFrame, chosen: np.ndarray, windows: np.ndarray
) -> None:
    """NaN where a unit was not observed during a trial, as `obs_intervals` say."""
    if "obs_intervals" not in neurons:
        return
    for channel, place in enumerate(chosen):
        spans = np.asarray(neurons["obs_intervals"].iloc[place], np.float64).reshape(-1, 2)
        if not len(spans):
            continue
        inside = (windows[:, :1] >= spans[:, 0] - TOLERANCE) & (
            windows[:, 1:] <= spans[:, 1] + TOLERANCE
        )
        counts[~inside.any(axis=1), :, channel] = np.nan


def _columns(table: pd.DataFrame, aside: SetAside) -> dict[str, np.ndarray]:
    """Columns of the table of trials that are one number or word for each."""
    found, left = {}, []
    for name in table.columns:
        values = table[name].to_numpy()
        if values.dtype.kind == "O" and all(isinstance(value, str) for value in values):
            values = values.astype(np.str_)
            values = np.where(values == "val", "valid", values) if name == "split" else values
        if values.ndim == 1 and values.dtype.kind in "biufU":
            found[_free(str(name), values)] = values
        else:
            left.append(str(name))
    aside.add(len(left), "column", "of trials that is no number or word", left)
    return found


def _free(name: str, values: np.ndarray) -> str:
    """A name for a column that is not taken by a coordinate with another meaning."""
    if name == "split" and values.dtype.kind == "U" and set(values) <= set(SPLITS):
        return name
    taken = name in COORDS and name not in ("condition", "session")
    return f"nwb_{name}" if taken else name
