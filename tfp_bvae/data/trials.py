"""From a continuous recording to trials, and from trials to a split."""

from __future__ import annotations

import numpy as np

from .. import checks

TOLERANCE = 1e-6  # of a bin: times that differ from a bin's edge by less are on the edge


def trials_from_events(
    samples: np.ndarray,
    events: np.ndarray,
    window: tuple[float, float],
    bin_width: float,
    *,
    start: float = 0.0,
    outside: str = "raise",
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a binned recording into trials around events.

    The first bin of a trial is the one whose left edge is at or before `event + window[0]`: the bin
    `floor((event + window[0] - start) / bin_width)`. All trials have the same number of bins, so
    the window stands at most one bin earlier than asked, never later.

    Args:
        samples: the recording, `[time, channel]`, any unit; bin i begins at start + i * bin_width.
        events: times of the events, `[event]`, s.
        window: begin and end of a trial relative to its event, s; a whole number of bins.
        bin_width: width of a bin, s.
        start: left edge of the first bin, s.
        outside: what to do with an event that is NaN, or whose window leaves the recording:
            "raise", or "drop" it.

    Returns:
        The trials, `[trial, bin, channel]` with the dtype of `samples`, and the indices of their
        events, `[trial]`.

    Raises:
        ValueError: a shape is wrong, the window is no whole number of bins, or an event's window
            leaves the recording.

    >>> recording = np.arange(10).reshape(10, 1)
    >>> trials, kept = trials_from_events(
    ...     recording, [0.21, 0.55, 0.9], window=(-0.1, 0.2), bin_width=0.1, outside="drop"
    ... )
    >>> trials[..., 0].tolist(), kept.tolist()
    ([[1, 2, 3], [4, 5, 6]], [0, 1])
    """
    samples, events = np.asarray(samples), np.asarray(events, dtype=np.float64)
    checks.rank("samples", samples.shape, 2)
    checks.rank("events", events.shape, 1)
    checks.one_of("outside", outside, ("raise", "drop"))
    bin_width = checks.positive("bin_width", bin_width)
    num_bins = _window_bins(window, bin_width)

    # a NaN event gets a first bin that cannot be, and is outside like any other
    bins = (events + window[0] - start) / bin_width
    first = np.floor(np.where(np.isfinite(bins), bins, -1.0) + TOLERANCE).astype(np.int64)
    inside = (first >= 0) & (first + num_bins <= len(samples))
    if outside == "raise" and not inside.all():
        worst = int(np.flatnonzero(~inside)[0])
        end = start + len(samples) * bin_width
        raise ValueError(
            f"events must have their window inside the recording, {start:g} to {end:g} s; "
            f"{np.sum(~inside)} have not, the first is event {worst} at {events[worst]:g} s"
        )
    kept = np.flatnonzero(inside)
    return samples[first[kept, None] + np.arange(num_bins)], kept


def _window_bins(window: tuple[float, float], bin_width: float) -> int:
    begin, end = (checks.real_number("window", edge) for edge in window)
    bins = (end - begin) / bin_width
    num_bins = round(bins)
    if num_bins < 1 or abs(bins - num_bins) > TOLERANCE * max(num_bins, 1):
        raise ValueError(
            f"window must end a whole number of bins of {bin_width:g} s after it begins, "
            f"got ({begin:g}, {end:g}), {bins:g} bins"
        )
    return num_bins


def stratified_split(
    labels: np.ndarray, valid_fraction: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the same fraction of the trials of each class for validation.

    Of a class of n trials, `round(valid_fraction * n)` (a half goes up) are drawn, but never all.

    Args:
        labels: class of each trial, `[trial]`; numbers or strings.
        valid_fraction: between 0 and 1, both excluded.
        seed: seed of `numpy.random.default_rng`; the same seed gives the same split.

    Returns:
        Indices of the training trials and of the validation trials, each ascending.

    Raises:
        ValueError: `labels` is not one-dimensional, the fraction is out of range, or so small
            that no class gives a validation trial.

    >>> train, valid = stratified_split(["a"] * 10 + ["b"] * 5, valid_fraction=0.2, seed=0)
    >>> len(train), (valid < 10).sum(), (valid >= 10).sum()
    (12, np.int64(2), np.int64(1))
    """
    labels = np.asarray(labels)
    checks.rank("labels", labels.shape, 1)
    fraction = checks.in_interval(
        "valid_fraction", valid_fraction, 0, 1, include_low=False, include_high=False
    )
    rng = np.random.default_rng(seed)
    is_valid = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        num_valid = min(int(fraction * len(members) + 0.5), len(members) - 1)
        is_valid[members[:num_valid]] = True
    if not is_valid.any():
        raise ValueError(
            f"valid_fraction must leave at least one validation trial, got {fraction:g} "
            f"of {len(labels)} trials in {len(np.unique(labels))} classes"
        )
    return np.flatnonzero(~is_valid), np.flatnonzero(is_valid)
