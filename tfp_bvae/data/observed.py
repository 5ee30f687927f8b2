"""Which bins of trials are observed, and that what a split says of its trials is true of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Observed",
    "as_lengths",
    "observed",
    "require_all",
    "require_observed",
    "require_padding",
]


class Observed(NamedTuple):
    """Where the values of trials are; the others are NaN."""

    missing: np.ndarray  # number of entries that are NaN, [trial]
    whole: np.ndarray  # bins before the first that lacks an entry, [trial]
    until: np.ndarray  # bins up to the last that has an entry, [trial]


def observed(trials: np.ndarray) -> Observed:
    """Say which bins of some trials are observed.

    Args:
        trials: `[trial, time, channel]`; NaN where nothing was observed.

    >>> [x.tolist() for x in observed(np.array([[[1.0, 2.0], [3.0, np.nan], [np.nan, np.nan]]]))]
    [[3], [1], [2]]
    """
    nan = np.isnan(trials)
    bins = np.arange(1, trials.shape[1] + 1)
    lacks, has = nan.any(axis=2), ~nan.all(axis=2)
    whole = np.where(lacks.any(axis=1), lacks.argmax(axis=1), trials.shape[1])
    return Observed(nan.sum(axis=(1, 2)), whole, (has * bins).max(axis=1))


def as_lengths(value: Any, num_trials: int, num_bins: int) -> np.ndarray:
    """An int32 `[trial]` array of the bins of each trial.

    Raises:
        ValueError: another shape, not whole numbers, below 1 or above `num_bins`.

    >>> as_lengths([3, 5], 2, 5)
    array([3, 5], dtype=int32)
    """
    length = np.asarray(value)
    if length.shape != (num_trials,):
        raise ValueError(f"length must have shape ({num_trials},), got {length.shape}")
    if length.dtype.kind not in "iu" or (length < 1).any() or (length > num_bins).any():
        raise ValueError(f"length must hold whole numbers from 1 to {num_bins}, got {length!r}")
    return length.astype(np.int32)


def require_observed(arrays: dict[str, Observed]) -> None:
    """Refuse a trial of which no array holds anything.

    Raises:
        ValueError: naming the arrays and the trial.

    >>> require_observed({"recon": observed(np.full([1, 2, 3], np.nan))})
    Traceback (most recent call last):
    ...
    ValueError: recon must have an observed entry in every trial, got only NaN in trial 0 (1 such)
    """
    empty = np.flatnonzero(np.all([found.until == 0 for found in arrays.values()], axis=0))
    if len(empty):
        raise ValueError(
            f"{' or '.join(arrays)} must have an observed entry in every trial, got only NaN in "
            f"trial {empty[0]} ({len(empty)} such)"
        )


def require_padding(name: str, found: Observed, length: np.ndarray) -> None:
    """Refuse values after the end of a trial.

    Raises:
        ValueError: naming the array and the trial.

    >>> require_padding("recon", observed(np.ones([1, 4, 2])), np.array([3]))
    Traceback (most recent call last):
    ...
    ValueError: recon must be NaN from bin length on, got values up to bin 3 of trial 0, of length 3
    """
    longer = np.flatnonzero(found.until > length)
    if len(longer):
        trial = longer[0]
        raise ValueError(
            f"{name} must be NaN from bin length on, got values up to bin {found.until[trial] - 1} "
            f"of trial {trial}, of length {length[trial]}"
        )


def require_all(name: str, found: Observed, length: np.ndarray) -> None:
    """Refuse NaN before the end of a trial, in what must be known.

    Raises:
        ValueError: naming the array, the trial and the bin.
    """
    gaps = np.flatnonzero(found.whole < length)
    if len(gaps):
        trial = gaps[0]
        raise ValueError(
            f"{name} must be finite in every bin of a trial, got NaN in bin {found.whole[trial]} "
            f"of trial {trial}, of length {length[trial]}"
        )
