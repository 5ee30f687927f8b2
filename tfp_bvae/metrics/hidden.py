"""Trials with hidden entries, and what is said of these without a fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import checks

__all__ = ["Hidden", "mean_response", "smooth_observed"]


@dataclass(frozen=True, eq=False)
class Hidden:
    """Trials of which some entries are hidden, and are to be predicted from the others.

    With held-out channels `scored` is those channels, with forward prediction the later bins;
    else entries here and there, which `seen` then must not show.

    Args:
        seen: what may be seen, `[trial, time_in, channel_in]`, spikes per bin; NaN is hidden.
        targets: all that was measured, `[trial, time, channel]`: its first bins and channels are
            those of `seen`; NaN was not.
        scored: which entries are to be predicted, truth values of that shape.
        condition: of each trial, `[trial]`; or None.

    Raises:
        ValueError: shapes do not match, nothing is to be predicted, or `seen` shows some of it.
    """

    seen: np.ndarray
    targets: np.ndarray
    scored: np.ndarray
    condition: np.ndarray | None = None

    def __post_init__(self):
        trials, bins, channels = checks.rank("seen", self.seen.shape, 3)
        checks.rank("targets", self.targets.shape, 3)
        if self.scored.shape != self.targets.shape:
            raise ValueError(
                f"scored must have the shape of targets, {self.targets.shape}, "
                f"got {self.scored.shape}"
            )
        checks.same_length(["seen", "targets"], [trials, len(self.targets)], "trials")
        if self.condition is not None:
            checks.same_length(["seen", "condition"], [trials, len(self.condition)], "trials")
        if not (self.scored & np.isfinite(self.targets)).any():
            raise ValueError("scored must name an entry that was measured, got none")
        shown = np.isfinite(self.seen) & self.scored[:, :bins, :channels]
        if shown.any():
            raise ValueError(f"seen must be NaN where scored, got {shown.sum()} numbers there")

    @property
    def wanted(self) -> np.ndarray:
        """Targets that are scored; NaN elsewhere."""
        return np.where(self.scored, self.targets, np.nan)

    def select(self, trials: np.ndarray) -> Hidden:
        """Some of the trials."""
        condition = None if self.condition is None else np.asarray(self.condition)[trials]
        return Hidden(self.seen[trials], self.targets[trials], self.scored[trials], condition)


def mean_response(
    targets: np.ndarray,
    condition: np.ndarray | None = None,
    condition_valid: np.ndarray | None = None,
    pseudo_trials: float = 1.0,
) -> np.ndarray:
    """The mean over training trials, for each bin and channel.

    Args:
        targets: of training trials, `[trial, time, channel]`; NaN was not observed.
        condition: of each of them, for a mean of each condition, `[trial]`; or None.
        condition_valid: of the trials to predict, `[trial]`.
        pseudo_trials: how many trials are added that are as all (those of a condition: as the mean
            of all conditions; those of all: as the mean of the channel), so that a bin without a
            spike in a few trials is not taken for silent.

    Returns:
        `[1, time, channel]`, or one for each trial to predict; a condition that no training trial
        has is given the mean of all.

    >>> mean_response(np.array([[[1.0], [3.0]], [[3.0], [5.0]]]), pseudo_trials=0).tolist()
    [[[2.0], [4.0]]]
    """
    known = np.isfinite(targets)
    channel = np.nansum(targets, axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)

    def mean(trials: np.ndarray, before: np.ndarray) -> np.ndarray:
        number = known[trials].sum(axis=0) + pseudo_trials
        total = np.nansum(targets[trials], axis=0) + pseudo_trials * before
        return np.where(number > 0, total / np.maximum(number, 1e-9), before)

    overall = mean(np.ones(len(targets), bool), channel)
    if condition is None:
        return overall[np.newaxis]
    condition = np.asarray(condition)
    means = {kind: mean(condition == kind, overall) for kind in np.unique(condition)}
    return np.stack([means.get(kind, overall) for kind in np.asarray(condition_valid)])


def smooth_observed(counts: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing of each trial by itself, mirrored at its ends; NaN is left out.

    A bin with nothing observed in its reach gets the mean of its channel. Needs scipy.

    Args:
        counts: `[trial, time, channel]`.
        sigma: standard deviation, bins.

    Raises:
        ImportError: scipy is not installed.

    >>> smooth_observed(np.array([[[2.0], [np.nan], [2.0]]]), sigma=1.0).round(3).tolist()
    [[[2.0], [2.0], [2.0]]]
    """
    try:
        from scipy.ndimage import gaussian_filter1d
    except ImportError as error:
        raise ImportError('smoothing needs scipy: pip install "tfp_bvae[metrics]"') from error
    counts = np.asarray(counts, np.float64)
    known = np.isfinite(counts)
    if known.all():
        return gaussian_filter1d(counts, sigma, axis=1, mode="reflect")
    total = gaussian_filter1d(np.where(known, counts, 0.0), sigma, axis=1, mode="reflect")
    weight = gaussian_filter1d(known.astype(np.float64), sigma, axis=1, mode="reflect")
    mean = np.nansum(counts, axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)
    return np.where(weight > 1e-6, total / np.maximum(weight, 1e-6), mean)
