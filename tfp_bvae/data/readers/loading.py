"""One door for data of all formats: recognised by content, labelled, and counted what went."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import checks
from ..container import require_trials
from ..conversion import from_splits
from ..hdf5 import read_hdf5
from ..limits import reading
from ..set_aside import STACK, SetAside, drop_silent_of, with_set_aside
from .array_files import read_hdf5_arrays, read_npz
from .formats import Format, recognise
from .labelled_files import read_netcdf, read_zarr
from .m1 import is_m1, read_m1_trials
from .matlab import read_mat5, read_mat73, variables_of_mat5
from .named_arrays import trials_of_arrays
from .nwb import read_nwb

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["load"]

OF_EVENTS = ("align", "window", "trials", "units", "behavior")


def load(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    bin_width: float | None = None,
    *,
    align: str | None = None,
    window: tuple[float, float] | None = None,
    trials: Mapping[str, Any] | Sequence[int] | None = None,
    units: Mapping[str, Any] | Sequence[Any] | None = None,
    behavior: str | Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    counts: bool = True,
    silent: str = "drop",
) -> xr.Dataset:
    r"""Read trials of spikes from a file of any format that laboratories have.

    The format is told by the content, never by the name of the file: NWB; HDF5 with the keys of
    lfads-torch, lfads-tf2, lfads-cd or the Neural Latents Benchmark (and as NDT renames them);
    npz, MATLAB v5 and v7.3 with named arrays; netCDF and zarr of `trials_dataset`. Nothing in a
    file is run: pickles are refused.

    What cannot be used, but lets the rest be used, is set aside with one warning that counts:
    see `drop_silent`, `bin_spike_times`.

    Args:
        path: the file, or the zarr folder. A list of files of the Neural Latents Benchmark, whose
            training, evaluation and target arrays are read as one.
        bin_width: width of a bin, s: needed for NWB; for other files that do not say. One that
            says otherwise is refused.
        align: for NWB, the column of the table of trials that trials are cut around, such as
            "go_cue"; the begin of the trial without.
        window: begin and end relative to that, s. Without, whole trials, of unequal length.
        trials: for NWB, which: `{"result": "R", "target": [1, 2]}` by columns, indices or a mask.
        units: for NWB, which: by columns, such as `{"quality": "good"}`, ids or a mask.
        behavior: for NWB, time series to average in the same bins: a name, or several.
        names: what is called otherwise in the file: `{"condition": "target_id"}`, our name first.
        counts: whether numbers of spikes must be whole and at least 0; False for data of a
            Gaussian likelihood.
        silent: "drop" channels and trials without a spike, or "keep" them and say how many.

    Returns:
        Labelled trials, of which `to_splits` makes what models are fitted to. `attrs["source"]`
        says what was found, `attrs["set_aside"]` what was left out.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the format needs the extra "data", which is not installed.
        KeyError: a column, key, unit or array is not there; what is there is named.
        TypeError: something is not of numbers.
        ValueError: the file is damaged, of no known format, holds no counts, or is not as told.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/a.npz", spikes=np.ones([4, 10, 3]), bin_width=0.02)
    ...     data = load(f"{folder}/a.npz")
    >>> data.attrs["source"]
    'a.npz: npz of numpy, spikes 4 x 10 x 3; 4 trials, 10 bins of 0.02 s, 3 channels'
    """
    checks.one_of("silent", silent, ("drop", "keep"))
    checks.boolean("counts", counts)
    if bin_width is not None:
        bin_width = checks.positive("bin_width", bin_width)
    events = dict(zip(OF_EVENTS, (align, window, trials, units, behavior), strict=True))
    several = isinstance(path, (list, tuple))
    if not (several and path) and not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be a path, or a list of paths, got {path!r}")
    if names is not None and not isinstance(names, Mapping):
        raise TypeError(f"names must be a mapping, our name to theirs, got {names!r}")
    paths = [Path(part) for part in path] if several else [Path(path)]
    with reading(*paths):
        return _loaded(paths, bin_width, events, dict(names or {}), counts, silent)


def _loaded(
    paths: list[Path],
    bin_width: float | None,
    events: dict[str, Any],
    names: dict[str, str],
    counts: bool,
    silent: str,
) -> xr.Dataset:
    """The trials of files that there are, or not."""
    found = [recognise(part) for part in paths]
    if len(paths) != 1 and {kind for kind, _ in found} != {"nlb"}:
        raise ValueError(
            "path must be one file, or files with the keys of the Neural Latents Benchmark, "
            f"got {', '.join(f'{p.name}: {f.name}' for p, f in zip(paths, found, strict=True))}"
        )
    aside = SetAside()
    if found[0].kind == "nwb":
        if bin_width is None:
            raise ValueError(f"bin_width must be given for NWB, which has times: {paths[0]}")
        data = read_nwb(paths[0], bin_width, *events.values(), names, aside)
        what = ""
    else:
        _require_no(events, found[0], binned_recording=_is_recording(paths[0], found[0]))
        data, what = _read(paths, found[0], events, names, bin_width, counts, aside)
    name = paths[0].name
    data = _checked(data, name, bin_width, counts)
    data, silent_ones, kept = drop_silent_of(data, silent)
    for part in (aside, silent_ones):
        data = with_set_aside(data, part)
        part.warn(name, stack=STACK + 1)
    kept.warn(name, "kept", STACK + 1)
    return data.assign_attrs(source=_source(name, found[0], what, data))


def _read(
    paths: list[Path],
    found: Format,
    events: dict[str, Any],
    names: dict[str, str],
    bin_width: float | None,
    counts: bool,
    aside: SetAside,
) -> tuple[xr.Dataset, str]:
    """Trials of a file, and further words about what it is."""
    path, kind = paths[0], found.kind
    if _is_recording(path, found):
        given = {name: events[name] for name in ("align", "window") if events[name] is not None}
        return read_m1_trials(path, **given), "isometric task of data.fetch"
    if kind in ("netcdf", "netcdf3", "zarr"):
        read = read_zarr if kind == "zarr" else read_netcdf
        return read(path, names, bin_width, counts), ""
    if kind == "splits" and not names:
        splits = read_hdf5(path, default_bin_width=bin_width, counts=counts)
        return from_splits(splits), ""
    if kind in ("mat5", "mat73"):
        arrays, attrs = (read_mat5 if kind == "mat5" else read_mat73)(path, aside), {}
    elif kind == "npz":
        arrays, attrs = read_npz(path), {}
    else:
        arrays, attrs = read_hdf5_arrays(paths, names)
    return trials_of_arrays(str(path), arrays, attrs, names, bin_width, counts, aside)


def _is_recording(path: Path, found: Format) -> bool:
    """Whether it is the continuous recording that `fetch` brings."""
    return found.kind == "recording" or (found.kind == "mat5" and is_m1(variables_of_mat5(path)))


def _require_no(events: dict[str, Any], found: Format, binned_recording: bool) -> None:
    """Refuse what only NWB can be asked for."""
    allowed = ("align", "window") if binned_recording else ()
    given = [name for name, value in events.items() if value is not None and name not in allowed]
    if given:
        raise ValueError(f"{', '.join(given)} must be left out: {found.name} holds trials already")


def _checked(data: xr.Dataset, name: str, bin_width: float | None, counts: bool) -> xr.Dataset:
    """The trials, once they are known to hold counts of bins as wide as told."""
    require_trials(data, name, counts)
    width = float(data.attrs["bin_width"])
    if bin_width is not None and abs(width - bin_width) > 1e-6 * bin_width:
        raise ValueError(f"{name} must have bins of {bin_width:g} s, got bins of {width:g} s")
    spikes = data["spikes"].values
    broken = spikes != np.floor(spikes)
    broken &= ~np.isnan(spikes)
    if counts and broken.any():
        raise ValueError(
            f"{name}: spikes must be whole numbers; {broken.sum()} of {spikes.size} are not, for "
            f"example {spikes[broken][0]:g}; counts=False reads data of a Gaussian likelihood"
        )
    return data


def _source(name: str, found: Format, what: str, data: xr.Dataset) -> str:
    """One line that says what was found."""
    trials, bins, channels = data["spikes"].shape
    names, count = np.unique(data["split"].values, return_counts=True)
    sides = ", ".join(f"{n} {side}" for side, n in zip(names, count, strict=True))
    parted = f" ({sides})" if set(names) != {"none"} else ""
    words = f"{found.name}, {what}" if what and what not in found.name else found.name
    return (
        f"{name}: {words}; {trials} trials{parted}, {bins} bins of "
        f"{data.attrs['bin_width']:g} s, {channels} channels"
    )
