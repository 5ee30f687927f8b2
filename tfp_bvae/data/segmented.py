"""The trials of a split as segments of one length."""

from __future__ import annotations

import numpy as np

from .containers import ARRAYS, Split
from .segments import segment_positions
from .stored import StoredArray

__all__ = ["segments_of"]


def segments_of(split: Split, length: int, stride: int) -> tuple[Split, np.ndarray]:
    """Cut the trials of a split, each up to its own end, into segments of one length.

    Args:
        split: the trials; without forward prediction. What is on disk stays there.
        length: of a segment, bins.
        stride: from the begin of one segment to that of the next, bins; at most `length`.

    Returns:
        The segments as trials, with the groups and sessions of theirs (one may have no observed
        entry), and the trial and first bin of each, `[segment, 2]`, as of `cut_segments`.

    Raises:
        ValueError: if a trial is shorter than a segment, or bins would be left out.

    >>> spikes = np.ones([2, 6, 3])
    >>> spikes[1, 5:] = np.nan
    >>> segments, where = segments_of(Split(spikes, spikes, length=[6, 5]), 4, 2)
    >>> segments.num_trials, where.tolist()
    (4, [[0, 0], [0, 2], [1, 0], [1, 1]])
    """
    where = segment_positions(split.bins, length, stride)
    trial, first = where.T
    fields = {}
    for name in ARRAYS:
        array = getattr(split, name)
        if isinstance(array, StoredArray):
            fields[name] = array.segments(where, length)
        elif array is not None:
            fields[name] = array[trial[:, np.newaxis], first[:, np.newaxis] + np.arange(length)]
    for name in ("group", "session"):
        numbers = getattr(split, name)
        fields[name] = None if numbers is None else numbers[trial]
    return Split._as_checked(fields), where
