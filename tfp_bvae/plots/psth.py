"""Peri-stimulus time histograms: what was measured, and what was inferred."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfp_bvae import checks
from tfp_bvae.plots.colours import Conditions
from tfp_bvae.plots.style import grid_of, new_axes, title
from tfp_bvae.plots.timeline import bin_centres, mean_and_error, set_time, smoothed, variance

__all__ = ["plot_psth"]


def plot_psth(
    spikes: np.ndarray,
    rates: np.ndarray,
    conditions: Sequence,
    bin_width: float,
    *,
    channels: Sequence[int] | None = None,
    smooth: float = 0.0,
    start: float = 0.0,
    order: str | None = None,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Mean response of each condition: measured counts to the left, inferred rates to the right.

    The band is one standard error over trials. A row has one scale, so that the two can be
    compared. Trials whose condition is NaN, None or "" are left out.

    Args:
        spikes: spikes per bin, `[trial, time, channel]`; NaN counts for nothing.
        rates: expected spikes per bin, same shape.
        conditions: of each trial, numbers or names, `[trial]`.
        bin_width: s.
        channels: a row each; None for three: those that tell the conditions apart most, by the
            variance of their inferred means over conditions and time.
        smooth: standard deviation of a Gaussian window over counts and rates alike, s; 0 for none.
        start: of the first bin, s relative to the event.
        order: of the conditions: "kinds", "sequence" or "circle"; None for kinds up to eight.
        axes: two for each channel; None for a figure of its own.

    Returns:
        The axes, `[channel, 2]`.

    Raises:
        ValueError: if shapes differ, or `axes` are not as many.

    >>> rates = np.random.default_rng(0).gamma(2.0, size=(6, 20, 4))
    >>> axes = plot_psth(np.round(rates), rates, ["a", "b"] * 3, bin_width=0.02, channels=[3])
    >>> [ax.get_title() for ax in axes[0]]
    ['measured', 'inferred']
    """
    spikes, rates = np.asarray(spikes, float), np.asarray(rates, float)
    trials, bins, _ = checks.rank("spikes", spikes.shape, 3)
    if spikes.shape != rates.shape:
        raise ValueError(f"rates must have the shape of spikes, {spikes.shape}, got {rates.shape}")
    checks.same_length(["spikes", "conditions"], [trials, len(conditions)], "trials")
    checks.in_interval("smooth", smooth, 0.0)
    time, kinds = bin_centres(bins, bin_width, start), Conditions.of(conditions, order)
    measured, inferred = (
        [mean_and_error(_smoothed(x, smooth / bin_width) / bin_width) for x in kinds.split(both)]
        for both in (spikes, rates)
    )
    if channels is None:
        channels = np.argsort(-variance(np.array([mean for mean, _ in inferred]), (0, 1)))[:3]
    rows = len(channels)
    if axes is None:
        axes = new_axes(rows, 2, (7.0, 1.7 * rows + 0.7), share="row")
    axes = grid_of(axes, rows, 2)
    for row, channel in zip(axes, channels, strict=True):
        for ax, means in zip(row, (measured, inferred), strict=True):
            looks = zip(kinds.colours, kinds.lines, strict=True)
            for (colour, line), (mean, error) in zip(looks, means, strict=True):
                mean, error = mean[:, channel], error[:, channel]
                low, high = np.maximum(mean - error, 0.0), mean + error
                ax.fill_between(time, low, high, color=colour, alpha=0.2, lw=0)
                ax.plot(time, mean, color=colour, linestyle=line, lw=1.3)
            set_time(ax, bins, bin_width, start)
        row[0].set_ylabel(f"channel {channel}\nrate (spikes/s)")
        row[0].set_ylim(bottom=0)
    for ax in axes[:-1].ravel():
        ax.set_xlabel("")
    for ax, text in zip(axes[0], ("measured", "inferred"), strict=True):
        title(ax, text)
    kinds.key(axes[0, 1])
    return axes


def _smoothed(x: np.ndarray, sd: float) -> np.ndarray:
    """Along the axis of time of `[trial, time, channel]`."""
    return np.swapaxes(smoothed(np.swapaxes(x, 1, 2), sd), 1, 2)
