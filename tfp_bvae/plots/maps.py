"""Maps of time and channels: spikes, rates, and both side by side."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.plots.style import COLOURS, colour_bar, grid_of, new_axes, title
from tfp_bvae.plots.timeline import bin_centres, set_time

__all__ = ["by_peak", "high_rate", "plot_rates", "plot_spikes", "plot_spikes_with_rates"]


def plot_spikes(
    spikes: np.ndarray,
    bin_width: float,
    *,
    start: float = 0.0,
    order: np.ndarray | None = None,
    vmax: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Counts of one trial as a map: the darker the more, by their square root.

    Args:
        spikes: spikes per bin, `[time, channel]`. What is NaN, not observed, is hatched.
        bin_width: s.
        start: of the first bin, s relative to the event.
        order: channels from the top down; None for that of the array.
        vmax: count that is black; None for the largest.
        ax: where; None for a figure of its own.

    Returns:
        The axes; the map, for a colour bar, is `ax.images[-1]`.

    Raises:
        ValueError: if `spikes` does not have two axes, or the bin width is not above 0.

    >>> ax = plot_spikes(np.eye(5), bin_width=0.02)
    >>> ax.get_xlabel()
    'time (s)'
    """
    return _map("spikes", spikes, bin_width, start, order, vmax, ax)


def plot_rates(
    rates: np.ndarray,
    bin_width: float,
    *,
    start: float = 0.0,
    order: np.ndarray | None = None,
    vmax: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Rates of one trial as a map, true or inferred, in spikes/s.

    Colours follow the square root, which evens out Poisson noise: low rates stay visible.

    Args:
        rates: expected spikes per bin, `[time, channel]`. What is NaN is hatched.
        bin_width: s.
        start: of the first bin, s relative to the event.
        order: channels from the top down; None for that of the array.
        vmax: rate at the top of the colour scale, spikes/s; None for the largest.
        ax: where; None for a figure of its own.

    Returns:
        The axes; the map, for a colour bar, is `ax.images[-1]`.

    Raises:
        ValueError: if `rates` does not have two axes, or the bin width is not above 0.

    >>> ax = plot_rates(np.full([5, 2], 0.5), bin_width=0.02)
    >>> float(ax.images[-1].get_array().max())
    25.0
    """
    rates = np.asarray(rates) / checks.positive("bin_width", bin_width)
    return _map("rates", rates, bin_width, start, order, vmax, ax)


def plot_spikes_with_rates(
    spikes: np.ndarray,
    rates: np.ndarray,
    bin_width: float,
    *,
    start: float = 0.0,
    order: np.ndarray | None = None,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Spikes of one trial, and beside them its rates, each with a colour bar.

    The colours of rates end at the highest but for one in 200, so that one peak does not darken
    all.

    Args:
        spikes: spikes per bin, `[time, channel]`.
        rates: expected spikes per bin, same shape.
        bin_width: s.
        start: of the first bin, s relative to the event.
        order: channels from the top down; None for that of the time of their highest rate.
        axes: two; None for a figure of its own.

    Returns:
        The two axes, `[2]`.

    Raises:
        ValueError: if shapes differ, do not have two axes, or `axes` are not two.

    >>> rates = np.random.default_rng(0).gamma(2.0, size=(50, 30))
    >>> [ax.get_title() for ax in plot_spikes_with_rates(np.round(rates), rates, bin_width=0.02)]
    ['spikes', 'rates']
    """
    spikes, rates = np.asarray(spikes), np.asarray(rates)
    if spikes.shape != rates.shape:
        raise ValueError(f"rates must have the shape of spikes, {spikes.shape}, got {rates.shape}")
    checks.rank("rates", rates.shape, 2)
    if axes is None:
        axes = new_axes(1, 2, (7.0, 2.8), share="all")
    left, right = grid_of(axes, 1, 2)[0]
    order = by_peak(rates) if order is None else order
    top = high_rate(rates) / checks.positive("bin_width", bin_width)
    plot_spikes(spikes, bin_width, start=start, order=order, ax=left)
    plot_rates(rates, bin_width, start=start, order=order, vmax=top, ax=right)
    for ax, text, label, extend in (
        (left, "spikes", "spikes per bin", "neither"),
        (right, "rates", "rate (spikes/s)", "max"),
    ):
        title(ax, text)
        colour_bar(ax.images[-1], ax, label, ticks=MaxNLocator(4, integer=True), extend=extend)
    right.set_ylabel("")
    return np.array([left, right])


def by_peak(rates: np.ndarray) -> np.ndarray:
    """Channels in the order of the time of their highest rate, `[channel]`.

    Args:
        rates: `[time, channel]`; NaN is no peak.

    >>> by_peak(np.array([[0.0, 2.0], [1.0, np.nan]])).tolist()
    [1, 0]
    """
    return np.argsort(np.where(np.isnan(rates), -np.inf, rates).argmax(axis=0), kind="stable")


def high_rate(rates: np.ndarray) -> float:
    """What all rates but one in 200 are below; NaN, if all are."""
    known = rates[~np.isnan(rates)]
    return float(np.quantile(known, 0.995)) if known.size else np.nan


def _map(
    name: str,
    values: np.ndarray,
    bin_width: float,
    start: float,
    order: np.ndarray | None,
    vmax: float | None,
    ax: Axes | None,
) -> Axes:
    values = np.asarray(values, float)
    bins, channels = checks.rank(name, values.shape, 2)
    bin_centres(bins, bin_width, start)
    ax = new_axes()[0, 0] if ax is None else ax
    shown = values if order is None else values[:, order]
    extent = (start, start + bins * bin_width, channels, 0)
    known = values[~np.isnan(values)]
    norm = PowerNorm(
        0.5, vmin=0, vmax=vmax if vmax and vmax > 0 else max(known.max(initial=0.0), 1e-9)
    )
    if known.size < values.size:
        ax.patch.set(hatch="////", edgecolor=COLOURS["dead"], linewidth=0.0)
    ax.imshow(shown.T, cmap=COLOURS[name], norm=norm, extent=extent, aspect="auto")
    set_time(ax, bins, bin_width, start)
    ax.set_ylabel("channel")
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    return ax
