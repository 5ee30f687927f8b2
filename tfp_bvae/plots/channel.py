"""One channel of one trial."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.plots.style import COLOURS, legend, new_axes
from tfp_bvae.plots.timeline import bin_centres, set_time

__all__ = ["plot_channel"]


def plot_channel(
    inferred: np.ndarray,
    bin_width: float,
    *,
    scale: np.ndarray | None = None,
    true: np.ndarray | None = None,
    spikes: np.ndarray | None = None,
    start: float = 0.0,
    key: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """The rate of one channel in one trial, with a band of one standard deviation.

    Args:
        inferred: expected spikes per bin, `[time]`; nothing is drawn where it is NaN.
        bin_width: s.
        scale: standard deviation of `inferred` over posterior samples, `[time]`.
        true: true rate, `[time]`, spikes per bin.
        spikes: counts, `[time]`: a tick for each bin with spikes, the taller the more.
        start: of the first bin, s relative to the event.
        key: say above the axes what is what.
        ax: where; None for a figure of its own.

    Returns:
        The axes.

    Raises:
        ValueError: if `inferred` does not have one axis, or others have another length.

    >>> ax = plot_channel(np.full(5, 0.5), bin_width=0.02, true=np.ones(5))
    >>> [line.get_label() for line in ax.lines]
    ['inferred', 'true']
    """
    inferred = np.asarray(inferred, float)
    (bins,) = checks.rank("inferred", inferred.shape, 1)
    for name, other in (("scale", scale), ("true", true), ("spikes", spikes)):
        if other is not None:
            checks.same_length(["inferred", name], [bins, len(other)], "time bins")
    time = bin_centres(bins, bin_width, start)
    ax = new_axes()[0, 0] if ax is None else ax
    inferred = inferred / bin_width
    if scale is not None:
        sd = np.asarray(scale) / bin_width
        low, high = np.maximum(inferred - sd, 0.0), inferred + sd
        ax.fill_between(
            time, low, high, color=COLOURS["inferred"], alpha=0.25, lw=0, label="± 1 sd"
        )
    ax.plot(time, inferred, color=COLOURS["inferred"], label="inferred", lw=1.8)
    if true is not None:  # thin, and on top: where the two agree, both are seen
        ax.plot(time, np.asarray(true) / bin_width, color=COLOURS["true"], label="true", lw=0.9)
    highest = ax.dataLim.ymax
    top = highest if np.isfinite(highest) and highest > 0 else 1e-9
    ax.set_ylim(0, 1.05 * top)
    if spikes is not None:
        _ticks_below(ax, time, np.asarray(spikes), top)
    set_time(ax, bins, bin_width, start)
    ax.set_ylabel("rate (spikes/s)")
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    if key:
        legend(ax, columns=4)
    return ax


def _ticks_below(ax: Axes, time: np.ndarray, spikes: np.ndarray, top: float) -> None:
    """Spikes in a strip of their own below zero."""
    strip = 0.16 * top
    some = spikes > 0
    height = 0.8 * strip * spikes[some] / spikes[some].max(initial=1)
    ax.vlines(time[some], -strip, -strip + height, color=COLOURS["faint"], lw=1.2, label="spikes")
    ax.axhline(0, color=COLOURS["faint"], lw=0.5)
    ax.set_ylim(-1.1 * strip, ax.get_ylim()[1])
