"""From trials, or a continuous recording, to short segments, and back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .. import checks
from .stored import StoredArray

__all__ = ["cut_segments", "segment_positions", "stitch_segments"]


def cut_segments(
    trials: np.ndarray | StoredArray | Sequence[np.ndarray], length: int, stride: int
) -> tuple[np.ndarray | StoredArray, np.ndarray]:
    """Cut trials into segments of one length, which may overlap.

    Segments begin at bins 0, stride, 2 stride, ... of each trial, and one more ends with the
    trial where these do not reach its end, so that every bin is in a segment. Segments that
    overlap are not independent: part training from validation by trial or by recording, not by
    segment.

    Args:
        trials: `[trial, time, channel]`, or a list of recordings `[time, channel]`, each as long
            as it is; a list of one for a single continuous recording. Of a `StoredArray` nothing
            is read: the segments are one too.
        length: of a segment, bins.
        stride: from the begin of one segment to that of the next, bins; at most `length`.

    Returns:
        The segments, `[segment, length, channel]` with the dtype of the trials, and for each the
        number of its trial and its first bin, `[segment, 2]`.

    Raises:
        ValueError: if a trial is shorter than a segment, bins would be left out, shapes are wrong
            or there is no trial.

    >>> recording = np.arange(10).reshape(10, 1)
    >>> segments, where = cut_segments([recording], length=4, stride=4)
    >>> segments[..., 0].tolist(), where.tolist()
    ([[0, 1, 2, 3], [4, 5, 6, 7], [6, 7, 8, 9]], [[0, 0], [0, 4], [0, 6]])
    """
    if isinstance(trials, StoredArray):
        where = segment_positions([trials.shape[1]] * len(trials), length, stride)
        return trials.segments(where, length), where
    trials = [np.asarray(trial) for trial in trials]
    if not trials:
        raise ValueError("trials must hold at least one trial, got none")
    for index, trial in enumerate(trials):
        checks.rank(f"trial {index}", trial.shape, 2)
        checks.last_dim(f"trial {index}", trial.shape, trials[0].shape[-1])
    where = segment_positions([len(trial) for trial in trials], length, stride)
    segments = np.empty([len(where), length, trials[0].shape[1]], np.result_type(*trials))
    for segment, (index, start) in zip(segments, where, strict=True):
        segment[...] = trials[index][start : start + length]
    return segments, where


def segment_positions(bins: Sequence[int], length: int, stride: int) -> np.ndarray:
    """Trial and first bin of the segments of trials that have so many bins, `[segment, 2]`.

    Arguments and errors are those of `cut_segments`.
    """
    length = checks.whole_number("length", length, 1)
    stride = checks.whole_number("stride", stride, 1)
    if stride > length:
        raise ValueError(f"stride must be at most length={length}, got {stride}: bins get lost")
    found = []
    for index, time in enumerate(bins):
        if time < length:
            raise ValueError(
                f"length must be at most the {time} bins of trial {index}, got {length}"
            )
        starts = np.arange(0, time - length + 1, stride)
        if starts[-1] + length < time:
            starts = np.append(starts, time - length)
        found.append(np.stack([np.full_like(starts, index), starts], axis=1))
    return np.concatenate(found)


def stitch_segments(
    segments: np.ndarray,
    where: np.ndarray,
    num_bins: int | Sequence[int],
    weights: str = "sine",
) -> np.ndarray | list[np.ndarray]:
    r"""Put segments together again; where they overlap, a weighted mean.

    .. math:: y_t = \frac{\sum_n w_{t - a_n} x^{(n)}_{t - a_n}}{\sum_n w_{t - a_n}}, \qquad
        w_k = \sin^2\left(\pi \frac{k + 1/2}{length}\right)

    over the segments n, from bin `a_n` on, that bin t is in: the middle of a segment, which was
    seen with most around it, counts most. What all segments agree on comes back as it is. Towards
    the ends of a segment its weight goes to zero with a slope of zero, so that nothing jumps or
    bends where it begins or ends. These weights hold for any stride, for more than two segments at
    a bin, and for a last one that lies closer.

    `weights="power"` are those of lfads-tf2 (`merge_chops`; Keshtkaran et al., 2022): over the n
    bins that two neighbours share, the earlier has :math:`1 - x^2`, the later :math:`x^2`, with x
    from 1/n to 1 - 1/n; elsewhere 1. They favour the end of the earlier.

    Args:
        segments: `[segment, length, channel]`, such as the rates of a model.
        where: number of the trial and first bin of each, `[segment, 2]`, from `cut_segments`.
        num_bins: of every trial; or a list of those of each recording.
        weights: "sine", or "power" for those of lfads-tf2.

    Returns:
        `[trial, num_bins, channel]`; for a list, a list of `[time, channel]`.

    Raises:
        ValueError: if a bin is in no segment, a segment leaves its trial, or shapes are wrong.

    >>> recording = np.arange(10.0).reshape(10, 1)
    >>> segments, where = cut_segments([recording], length=4, stride=2)
    >>> stitch_segments(segments, where, 10)[0, :, 0].round(12).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    """
    checks.one_of("weights", weights, ("sine", "power"))
    segments, where = np.asarray(segments), np.asarray(where)
    _, length, channels = checks.rank("segments", segments.shape, 3)
    if not segments.size:
        raise ValueError(f"segments must not be empty, got shape {segments.shape}")
    checks.rank("where", where.shape, 2)
    checks.last_dim("where", where.shape, 2)
    checks.same_length(["segments", "where"], [len(segments), len(where)], "segments")
    bins = _bins(num_bins, where[:, 0])
    ends = np.cumsum(bins)
    first = _first_bins(where, length, bins)
    total, weight = np.zeros([ends[-1], channels]), np.zeros([ends[-1], 1])
    shares = _sine(length) if weights == "sine" else _power(where, length)
    for k in range(length):
        share = shares[:, k, None]
        np.add.at(total, first + k, share * segments[:, k])
        np.add.at(weight, first + k, share)
    if not weight.all():
        lost = int(np.flatnonzero(weight == 0.0)[0])
        trial = int(np.searchsorted(ends, lost, side="right"))
        bin_of_trial = lost - ends[trial] + bins[trial]
        raise ValueError(
            f"segments must hold every bin, got none with bin {bin_of_trial} of trial {trial}"
        )
    stitched = (total / weight).astype(np.result_type(segments.dtype, np.float32))
    if np.ndim(num_bins) == 0:
        return stitched.reshape(len(bins), -1, channels)
    return np.split(stitched, ends[:-1])


def _bins(num_bins: int | Sequence[int], trial: np.ndarray) -> np.ndarray:
    """Number of bins of each trial."""
    if np.ndim(num_bins) == 0:
        num_bins = [num_bins] * (int(trial.max()) + 1)
    return np.array([checks.whole_number("num_bins", bins, 1) for bins in num_bins], np.int64)


def _first_bins(where: np.ndarray, length: int, bins: np.ndarray) -> np.ndarray:
    """Where each segment begins when all trials are laid one after the other."""
    trial, start = where.T
    inside = (trial >= 0) & (trial < len(bins)) & (start >= 0)
    inside[inside] &= start[inside] + length <= bins[trial[inside]]
    if not inside.all():
        worst = int(np.flatnonzero(~inside)[0])
        raise ValueError(
            f"where must place segments of {length} bins inside trials of num_bins bins, "
            f"got trial {trial[worst]}, first bin {start[worst]} for segment {worst}"
        )
    return (np.cumsum(bins) - bins)[trial] + start


def _sine(length: int) -> np.ndarray:
    """Weights of the bins of every segment, `[1, length]`."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length)[None] ** 2


def _power(where: np.ndarray, length: int) -> np.ndarray:
    """Weights of the bins of each segment, `[segment, length]`, as of lfads-tf2."""
    shares = np.ones([len(where), length])
    order = np.lexsort(where.T[::-1])
    for earlier, later in itertools.pairwise(order):
        shared = length - int(where[later, 1] - where[earlier, 1])
        if where[earlier, 0] == where[later, 0] and 0 < shared < length:
            ramp = 1.0 - np.linspace(1 / shared, 1 - 1 / shared, shared) ** 2
            shares[earlier, -shared:] *= ramp
            shares[later, :shared] *= 1.0 - ramp
    return shares
