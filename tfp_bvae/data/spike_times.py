"""From times of spikes to counts per bin."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .. import checks
from .limits import claim
from .set_aside import SetAside

__all__ = ["bin_spike_times", "need"]

TOLERANCE = 1e-6  # of a bin
QUIET = 10.0  # mean intervals between spikes: longer, and the recording is over


def need(module: str, extra: str = "data") -> ModuleType:
    """Import a module that comes with an extra.

    Raises:
        ImportError: it is not installed; the extra is named.

    >>> need("no_such_module")
    Traceback (most recent call last):
        ...
    ImportError: no_such_module must be installed for this: pip install "tfp_bvae[data]"
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(
            f'{module} must be installed for this: pip install "tfp_bvae[{extra}]"'
        ) from error


def bin_spike_times(
    spike_times: Mapping[Any, np.ndarray] | Sequence[np.ndarray],
    windows: np.ndarray,
    bin_width: float,
    support: tuple[float, float] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Count the spikes of each channel in the bins of each trial, by `pynapple.build_tensor`.

    Trials may overlap in time, and may be of unequal length; a last bin that is not whole is left
    out. Times that are not finite, or the same twice on a channel, and trials that leave the
    recording are set aside, with a warning that counts them; times that are not sorted are.

    Args:
        spike_times: of each channel, s; a list, or by name.
        windows: begin and end of each trial, `[trial, 2]`, s; events plus (-0.2, 1.4), say.
        bin_width: width of a bin, s.
        support: begin and end of the recording, s. Without it, from the first to the last spike
            of all channels and ten mean intervals between spikes further.

    Returns:
        Counts `[trial, time, channel]`, NaN after the end of a shorter trial; and the indices of
        their windows, `[trial]`.

    Raises:
        ImportError: pynapple is not installed.
        ValueError: a shape is wrong, a window is shorter than a bin, or no trial is left.

    >>> counts, kept = bin_spike_times([[0.1, 0.2, 1.3], [0.9, 1.1]], [[0, 1], [0.5, 1.5]], 0.5)
    >>> counts.tolist(), kept.tolist()
    ([[[2.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]], [0, 1])
    """
    aside = SetAside()
    found = binned(spike_times, windows, bin_width, support, aside)
    aside.warn("spike_times")
    return found


def binned(
    spike_times: Mapping[Any, np.ndarray] | Sequence[np.ndarray],
    windows: np.ndarray,
    bin_width: float,
    support: tuple[float, float] | None,
    aside: SetAside,
    names: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """As `bin_spike_times`; what is set aside is noted, and nothing is said."""
    windows = np.asarray(windows, np.float64)
    checks.rank("windows", windows.shape, 2)
    checks.last_dim("windows", windows.shape, 2)
    bin_width = checks.positive("bin_width", bin_width)
    times = clean_times(spike_times, aside)
    names = np.arange(len(windows)) if names is None else names
    kept = _inside(windows, support or _support(times), aside, names)
    bins = np.floor(np.diff(windows[kept])[:, 0] / bin_width + TOLERANCE)
    claim("windows in bins", (len(kept), int(bins.max()), len(times)), 8)
    bins = bins.astype(int)
    if (bins < 1).any():
        worst = kept[np.argmin(bins)]
        raise ValueError(
            f"windows must last at least a bin of {bin_width:g} s, got {windows[worst]} "
            f"of trial {worst}"
        )
    return _count(times, windows[kept, 0], bins, bin_width), kept


def clean_times(
    spike_times: Mapping[Any, np.ndarray] | Sequence[np.ndarray], aside: SetAside
) -> list[np.ndarray]:
    """Times of each channel: finite, sorted, none twice."""
    by_name = isinstance(spike_times, Mapping)
    named = spike_times.items() if by_name else enumerate(spike_times)
    found, lost, twice, unsorted = [], [], [], []
    for name, given in named:
        times = np.asarray(given, np.float64)
        checks.rank(f"spike_times[{name!r}]", times.shape, 1)
        finite = times[np.isfinite(times)]
        unique = np.unique(finite)
        lost += [name] * (len(times) - len(finite))
        twice += [name] * (len(finite) - len(unique))
        unsorted += [name] if (np.diff(finite) < 0).any() else []
        found.append(unique)
    if not found:
        raise ValueError("spike_times must hold at least one channel, got none")
    for names, why in ((lost, "not finite, of channels"), (twice, "there twice, of channels")):
        which = list(dict.fromkeys(names))
        aside.add(len(names), "spike time", why, which)
    aside.add(len(unsorted), "channel", "unsorted: sorted, not lost", unsorted)
    return found


def _support(times: list[np.ndarray]) -> tuple[float, float]:
    """When the recording began and ended, as far as spikes tell."""
    count = sum(map(len, times))
    if not count:
        raise ValueError("spike_times must hold a spike, got none")
    first = min(t[0] for t in times if len(t))
    last = max(t[-1] for t in times if len(t))
    margin = QUIET * (last - first) / max(count - 1, 1)
    return first - margin, last + margin


def _inside(
    windows: np.ndarray, support: tuple[float, float], aside: SetAside, names: np.ndarray
) -> np.ndarray:
    """Which trials lie in the recording."""
    known = np.isfinite(windows).all(axis=1)
    aside.add(int(np.sum(~known)), "trial", "without a time", names[~known])
    begin, end = support
    inside = known & (windows[:, 0] >= begin - TOLERANCE) & (windows[:, 1] <= end + TOLERANCE)
    out = names[known & ~inside]
    aside.add(len(out), "trial", f"out of the recording, {begin:.6g} to {end:.6g} s", out)
    if not inside.any():
        raise ValueError(
            f"windows must lie in the recording, {begin:.6g} to {end:.6g} s, "
            f"got none of {len(windows)} that does"
        )
    return np.flatnonzero(inside)


def _count(
    times: list[np.ndarray], start: np.ndarray, bins: np.ndarray, bin_width: float
) -> np.ndarray:
    """Counts of each trial; trials that overlap go to pynapple one set after the other."""
    nap = need("pynapple")
    stop = start + bins * bin_width
    counts = np.full([len(start), bins.max(), len(times)], np.nan, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of channels without a spike
        everything = nap.IntervalSet(start.min() - 1.0, stop.max() + 1.0)
        group = nap.TsGroup({i: nap.Ts(t) for i, t in enumerate(times)}, time_support=everything)
        for rows in _apart(start, stop):
            epochs = nap.IntervalSet(start[rows], stop[rows])
            tensor = nap.build_tensor(group, epochs, bin_size=bin_width)
            found = tensor.transpose(1, 2, 0)[:, : bins[rows].max()]
            counts[rows, : found.shape[1]] = found
    return counts


def _apart(start: np.ndarray, stop: np.ndarray) -> list[np.ndarray]:
    """Sets of trials, sorted in time, of which no two touch: pynapple would join those."""
    sets: list[list[int]] = []
    for trial in np.argsort(start, kind="stable"):
        for members in sets:
            if stop[members[-1]] < start[trial] - TOLERANCE:
                members.append(int(trial))
                break
        else:
            sets.append([int(trial)])
    return [np.array(members) for members in sets]
