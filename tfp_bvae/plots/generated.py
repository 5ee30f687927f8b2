"""Trials that a model made up: along one latent, and of the latents of two trials."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.plots.maps import by_peak, high_rate, plot_rates
from tfp_bvae.plots.style import COLOURS, colour_bar, grid_of, legend, new_axes, title
from tfp_bvae.plots.timeline import bin_centres, mean_and_error, set_time

__all__ = ["plot_swaps", "plot_traversals"]


def plot_traversals(
    values: np.ndarray,
    rates: np.ndarray,
    bin_width: float,
    *,
    dims: Sequence[int] | None = None,
    channels: Sequence[int] | None = None,
    start: float = 0.0,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Rates while one dimension of f moves and all else stays: means over trials.

    Args:
        values: what each dimension was set to, `[dim, step]`, as of `inference.traverse`.
        rates: expected spikes per bin, `[dim, step, trial, time, output]`, of the same.
        bin_width: s.
        dims: a row each; None for the three that change rates most.
        channels: a column each; None for the three that these dimensions change most.
        start: of the first bin, s relative to the event.
        axes: `[dim, channel]`, in any shape; None for a figure of its own.

    Returns:
        The axes, `[dim, channel]`.

    Raises:
        ValueError: if shapes do not match, or `axes` are not as many.

    >>> rates = np.random.default_rng(0).gamma(2.0, size=(4, 5, 2, 20, 6))
    >>> plot_traversals(np.tile(np.arange(5.0), [4, 1]), rates, bin_width=0.02).shape
    (3, 3)
    """
    values, rates = np.asarray(values, float), np.asarray(rates, float)
    checks.rank("values", values.shape, 2)
    _, _, _, bins, _ = checks.rank("rates", rates.shape, 5)
    if rates.shape[:2] != values.shape:
        raise ValueError(
            f"rates must have the dimensions and steps of values, {values.shape}, "
            f"got {rates.shape[:2]}"
        )
    time = bin_centres(bins, bin_width, start)
    mean = np.moveaxis(mean_and_error(np.moveaxis(rates, 2, 0))[0], -1, 1) / bin_width
    effect = np.ma.masked_invalid(np.ptp(mean, axis=2)).mean(axis=-1).filled(0.0)  # [dim, output]
    if dims is None:
        dims = np.argsort(-effect.sum(axis=1), kind="stable")[:3]
    if channels is None:
        channels = np.argsort(-effect[dims].max(axis=0), kind="stable")[:3]
    rows, columns = len(dims), len(channels)
    if axes is None:
        axes = new_axes(rows, columns, (7.0, 1.5 * rows + 0.8), share="col")
    axes = grid_of(axes, rows, columns)
    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.9, values.shape[1]))
    for row, dim in zip(axes, dims, strict=True):
        for ax, channel in zip(row, channels, strict=True):
            for value, colour, line in zip(values[dim], colours, mean[dim, channel], strict=True):
                ax.plot(time, line, color=colour, lw=1.3, label=_written(value, values[dim]))
            set_time(ax, bins, bin_width, start)
            ax.yaxis.set_major_locator(MaxNLocator(3))
        row[0].set_ylabel("rate (spikes/s)")
        legend(row[-1], head=f"f {dim} at")
    for ax in axes[:-1].ravel():
        ax.set_xlabel("")
    for ax, channel in zip(axes[0], channels, strict=True):
        title(ax, f"channel {channel}")
    for ax in axes[0]:
        ax.set_ylim(bottom=0)
    return axes


def _written(value: float, values: np.ndarray) -> str:
    """A value with as many digits as tell it from its neighbours."""
    step = np.abs(np.diff(values)).min(initial=np.inf)
    digits = 0 if not 0 < step < np.inf else max(0, 1 - math.floor(math.log10(step)))
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def plot_swaps(
    rates: np.ndarray,
    bin_width: float,
    *,
    names: Sequence[str] | None = None,
    start: float = 0.0,
    order: np.ndarray | None = None,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Rates of the static latent of each trial (row) with the dynamic one of each (column).

    If the two are parted, what is constant over time follows the row, and what moves the column.
    Framed, on the diagonal, are the trials themselves.

    Args:
        rates: expected spikes per bin, `[trial, trial, time, output]`, as of
            `inference.swap_grid`.
        bin_width: s.
        names: of the trials; None for their places.
        start: of the first bin, s relative to the event.
        order: channels from the top down; None for the time of their peak in the first trial.
        axes: as many as combinations; None for a figure of its own.

    Returns:
        The axes, `[trial, trial]`.

    Raises:
        ValueError: if `rates` are not of all pairs, or `names` or `axes` not as many.

    >>> rates = np.random.default_rng(0).gamma(2.0, size=(2, 2, 20, 6))
    >>> plot_swaps(rates, bin_width=0.02, names=["left", "right"])[0, 1].get_title()
    'z of right'
    """
    rates = np.asarray(rates, float)
    count, second, _, _ = checks.rank("rates", rates.shape, 4)
    if count != second:
        raise ValueError(f"rates must be of as many rows as columns, got {count} and {second}")
    names = [f"trial {n}" for n in range(count)] if names is None else list(names)
    checks.same_length(["rates", "names"], [count, len(names)], "trials")
    checks.positive("bin_width", bin_width)
    if axes is None:
        side = 7.0 / max(count, 3)
        axes = new_axes(count, count, (7.0, 0.75 * side * count + 0.6), share="all")
    axes = grid_of(axes, count, count)
    order = by_peak(rates[0, 0]) if order is None else order
    top = high_rate(rates) / bin_width
    for i, row in enumerate(axes):
        for j, ax in enumerate(row):
            plot_rates(rates[i, j], bin_width, start=start, order=order, vmax=top, ax=ax)
            ax.set_xlabel("time (s)" if i == count - 1 else "")
            ax.set_ylabel("")
            if i == j:
                for spine in ax.spines.values():
                    spine.set(visible=True, color=COLOURS["mark"], linewidth=2.0)
        row[0].set_ylabel(f"f of {names[i]}\nchannel")
    for ax, name in zip(axes[0], names, strict=True):
        title(ax, f"z of {name}")
    whole = MaxNLocator(5, integer=True)
    colour_bar(
        axes[0, 0].images[-1], list(axes.ravel()), "rate (spikes/s)", ticks=whole, extend="max"
    )
    return axes
