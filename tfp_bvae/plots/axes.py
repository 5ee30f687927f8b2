"""What is drawn on one pair of axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.plots.style import COLOURS

__all__ = ["plot_channel", "plot_history", "plot_rates", "plot_spikes"]


def plot_spikes(
    ax: Axes,
    spikes: np.ndarray,
    bin_width: float,
    order: np.ndarray | None = None,
    vmax: float | None = None,
) -> Axes:
    """Counts of one trial as a map: the darker the more, by their square root.

    Args:
        ax: where.
        spikes: spikes per bin, `[time, channel]`.
        bin_width: s.
        order: channels from the top down; None for that of the array.
        vmax: count that is black; None for the largest.

    Returns:
        The axes; the map, for a colour bar, is `ax.images[-1]`.

    Raises:
        ValueError: if `spikes` does not have two axes.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_spikes(Figure().subplots(), np.eye(5), bin_width=0.02)
    >>> ax.get_xlabel()
    'time (s)'
    """
    return _map(ax, "spikes", spikes, bin_width, order, vmax, COLOURS["spikes"])


def plot_rates(
    ax: Axes,
    rates: np.ndarray,
    bin_width: float,
    order: np.ndarray | None = None,
    vmax: float | None = None,
) -> Axes:
    """Rates of one trial as a map, true or inferred, in spikes/s.

    Colours follow the square root, which evens out Poisson noise: low rates stay visible.

    Args:
        ax: where.
        rates: expected spikes per bin, `[time, channel]`.
        bin_width: s.
        order: channels from the top down; None for that of the array.
        vmax: rate at the top of the colour scale, spikes/s; None for the largest.

    Returns:
        The axes; the map, for a colour bar, is `ax.images[-1]`.

    Raises:
        ValueError: if `rates` does not have two axes.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_rates(Figure().subplots(), np.full([5, 2], 0.5), bin_width=0.02)
    >>> float(ax.images[-1].get_array().max())
    25.0
    """
    rates = np.asarray(rates) / bin_width
    return _map(ax, "rates", rates, bin_width, order, vmax, COLOURS["rates"])


def plot_channel(
    ax: Axes,
    inferred: np.ndarray,
    bin_width: float,
    scale: np.ndarray | None = None,
    true: np.ndarray | None = None,
    spikes: np.ndarray | None = None,
) -> Axes:
    """The rate of one channel in one trial, with a band of one standard deviation.

    Args:
        ax: where.
        inferred: expected spikes per bin, `[time]`.
        bin_width: s.
        scale: standard deviation of `inferred` over posterior samples, `[time]`.
        true: true rate, `[time]`, spikes per bin.
        spikes: counts, `[time]`: a tick for each bin with spikes, the taller the more.

    Returns:
        The axes.

    Raises:
        ValueError: if `inferred` does not have one axis.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_channel(Figure().subplots(), np.full(5, 0.5), bin_width=0.02, true=np.ones(5))
    >>> [line.get_label() for line in ax.lines]
    ['inferred', 'true']
    """
    inferred = np.asarray(inferred) / bin_width
    checks.rank("inferred", inferred.shape, 1)
    time = (np.arange(len(inferred)) + 0.5) * bin_width
    if scale is not None:
        sd = np.asarray(scale) / bin_width
        low, high = np.maximum(inferred - sd, 0.0), inferred + sd
        ax.fill_between(
            time, low, high, color=COLOURS["inferred"], alpha=0.25, lw=0, label="± 1 sd"
        )
    ax.plot(time, inferred, color=COLOURS["inferred"], label="inferred", lw=1.8)
    if true is not None:  # thin, and on top: where the two agree, both are seen
        ax.plot(time, np.asarray(true) / bin_width, color=COLOURS["true"], label="true", lw=0.9)
    top = max(ax.dataLim.ymax, 1e-9)
    ax.set(xlim=(0, len(inferred) * bin_width), ylim=(0, 1.05 * top))
    if spikes is not None:
        _ticks_below(ax, time, np.asarray(spikes), top)
    ax.set(xlabel="time (s)", ylabel="rate (spikes/s)")
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    return ax


def plot_history(ax: Axes, history: Sequence[Mapping[str, float]]) -> Axes:
    """The held-out score after each epoch of a fit.

    Args:
        ax: where.
        history: figures of each epoch, as `training.fit` returns them.

    Returns:
        The axes.

    Raises:
        ValueError: if no epoch was validated.

    >>> from matplotlib.figure import Figure
    >>> plot_history(Figure().subplots(), [{"epoch": 1, "val_heldout": 0.3}]).get_xlabel()
    'epoch'
    """
    rows = [row for row in history if "val_heldout" in row]
    if not rows:
        raise ValueError("history must hold val_heldout in at least one epoch, got none")
    epochs, scores = zip(*((row["epoch"], row["val_heldout"]) for row in rows), strict=True)
    ax.plot(epochs, scores, color=COLOURS["mark"], marker="." if len(rows) == 1 else None)
    # the first epochs may be far below; what matters is how the score levels off
    top, low = max(scores), np.quantile(scores, 0.1)
    ax.set_ylim(low - 0.1 * (top - low) - 1e-3, top + 0.1 * (top - low) + 1e-3)
    ax.set(xlabel="epoch", ylabel="held-out score (bits/spike)")
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    return ax


def _map(
    ax: Axes,
    name: str,
    values: np.ndarray,
    bin_width: float,
    order: np.ndarray | None,
    vmax: float | None,
    colours: str,
) -> Axes:
    values = np.asarray(values)
    checks.rank(name, values.shape, 2)
    bins, channels = values.shape
    shown = values if order is None else values[:, order]
    extent = (0, bins * bin_width, channels, 0)
    norm = PowerNorm(0.5, vmin=0, vmax=vmax or max(values.max(), 1e-9))
    ax.imshow(shown.T, cmap=colours, norm=norm, extent=extent, aspect="auto")
    ax.set(xlabel="time (s)", ylabel="channel")
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    return ax


def _ticks_below(ax: Axes, time: np.ndarray, spikes: np.ndarray, top: float) -> None:
    """Spikes in a strip of their own below zero."""
    strip = 0.16 * top
    some = spikes > 0
    height = 0.8 * strip * spikes[some] / max(spikes.max(), 1)
    ax.vlines(time[some], -strip, -strip + height, color=COLOURS["faint"], lw=1.2, label="spikes")
    ax.axhline(0, color=COLOURS["faint"], lw=0.5)
    ax.set_ylim(-1.1 * strip, ax.get_ylim()[1])
