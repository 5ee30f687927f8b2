"""Time series of an NWB file, in the bins of trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ... import checks
from ..limits import claim

__all__ = ["binned_series", "claim_values", "damage_is_told", "damaged", "time_series"]

TOLERANCE = 1e-6  # of a bin


def time_series(file: Any) -> dict[str, Any]:
    """The time series of numbers in a file of pynwb, by name; "container/name" where two share one.

    Args:
        file: `NWBFile`.
    """
    found: dict[str, Any] = {}
    for series in file.objects.values():
        if not hasattr(series, "data") or not hasattr(series, "starting_time"):
            continue
        shape = getattr(series.data, "shape", None)
        if (
            shape is None
            or len(shape) not in (1, 2)
            or np.dtype(series.data.dtype).kind not in "biuf"
        ):
            continue
        name = series.name
        if name in found:
            name = f"{series.parent.name}/{name}"
        found[name] = series
    return found


def binned_series(
    path: Path,
    file: Any,
    asked: Sequence[str],
    windows: np.ndarray,
    bins: np.ndarray,
    bin_width: float,
) -> tuple[np.ndarray, list[str]]:
    """Means of the samples in each bin; NaN in bins without any, and after a trial's end.

    Args:
        path: of the file, for errors.
        file: `NWBFile`.
        asked: names of time series.
        windows: begin and end of each trial, `[trial, 2]`, s.
        bins: of each trial.
        bin_width: s.

    Returns:
        `[trial, time, channel]`, in the unit of the series, and the name of each channel.

    Raises:
        KeyError: there is no such time series.
    """
    there = time_series(file)
    parts, names = [], []
    for name in asked:
        series = there[checks.known_key(f"{path}: behavior", name, there)]
        claim_values(f"{path}: {name}", series.data, itemsize=16)
        with damage_is_told(path):
            values = np.asarray(series.data[()], np.float64) * (series.conversion or 1.0)
            values = values.reshape(len(values), -1) + (getattr(series, "offset", 0.0) or 0.0)
            times = _times(series, len(values))
        checks.same_length([f"{path}: {name}", "its times"], [len(values), len(times)], "samples")
        claim(f"{path}: {name} in bins", (len(windows), int(bins.max()), values.shape[1]))
        parts.append(_means(times, values, windows, bins, bin_width))
        width = values.shape[1]
        axes = "xyz"[:width] if width in (2, 3) else range(width)
        names += [name] if width == 1 else [f"{name} {axis}" for axis in axes]
    return np.concatenate(parts, axis=-1), names


def claim_values(name: str, data: Any, itemsize: int = 8) -> None:
    """Ask for room for what an NWB file holds, before it is read.

    Raises:
        ValueError: it does not fit.
    """
    claim(name, getattr(data, "shape", None) or (len(data),), itemsize)


@contextmanager
def damage_is_told(path: Path) -> Iterator[None]:
    """What reading leads to is said as of the content of the file: pynwb raises all kinds."""
    try:
        yield
    except Exception as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> ValueError:
    """What is said of a file that pynwb cannot read."""
    return ValueError(f"{path} must be an NWB file, complete and not damaged: {error}")


def _times(series: Any, count: int) -> np.ndarray:
    """When each sample was taken, s."""
    if series.timestamps is not None:
        return np.asarray(series.timestamps[()], np.float64)
    return series.starting_time + np.arange(count) / series.rate


def _means(
    times: np.ndarray,
    values: np.ndarray,
    windows: np.ndarray,
    bins: np.ndarray,
    bin_width: float,
) -> np.ndarray:
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    binned = np.full([len(windows), bins.max(), values.shape[1]], np.nan, np.float32)
    for trial, (begin, count) in enumerate(zip(windows[:, 0], bins, strict=True)):
        edges = begin + bin_width * (np.arange(count + 1) - TOLERANCE)
        first = np.searchsorted(times, edges)
        samples = np.diff(first)
        filled = np.flatnonzero(samples)
        if len(filled):
            sums = np.add.reduceat(values[: first[-1]], first[filled], axis=0)
            binned[trial, filled] = sums / samples[filled, None]
    return binned
