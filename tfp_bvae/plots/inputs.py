"""Inferred inputs, the dynamic latent, against time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.plots.colours import Conditions
from tfp_bvae.plots.style import COLOURS, grid_of, new_axes
from tfp_bvae.plots.timeline import bin_centres, mean_and_error, set_time, variance

__all__ = ["plot_inputs"]


def plot_inputs(
    inferred: np.ndarray,
    bin_width: float,
    *,
    scale: np.ndarray | None = None,
    conditions: Sequence | None = None,
    trial: int | None = None,
    dims: Sequence[int] | None = None,
    start: float = 0.0,
    order: str | None = None,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Inferred inputs against time, a row for each dimension.

    Of one `trial`: its posterior mean, with a band of one standard deviation. Else means over
    trials, of each condition or of all, with a band of one standard error.

    Args:
        inferred: posterior means, `[trial, time, dim]`; nothing is drawn where it is NaN.
        bin_width: s.
        scale: posterior standard deviations, same shape; only those of `trial` are drawn.
        conditions: of each trial, numbers or names, `[trial]`.
        trial: the one to show.
        dims: which dimensions; None for the four of largest variance, in their own order.
        start: of the first bin, s relative to the event.
        order: of the conditions: "kinds", "sequence" or "circle"; None for kinds up to eight.
        axes: one for each dimension; None for a figure of its own.

    Returns:
        The axes, `[dim]`.

    Raises:
        ValueError: if shapes differ, `trial` is none of them, or `axes` are not as many.

    >>> axes = plot_inputs(np.ones([6, 20, 2]), bin_width=0.02, conditions=["a", "b"] * 3)
    >>> [ax.get_ylabel() for ax in axes]
    ['input 0 (a.u.)', 'input 1 (a.u.)']
    """
    inferred = np.asarray(inferred, float)
    trials, bins, size = checks.rank("inferred", inferred.shape, 3)
    time = bin_centres(bins, bin_width, start)
    if dims is None:
        flat = inferred.reshape(-1, size)
        dims = np.sort(np.argsort(-variance(flat, 0), kind="stable")[:4])
    rows = len(dims)
    if axes is None:
        axes = new_axes(rows, 1, (5.0, 1.4 * rows + 0.7), share="row")
    axes = grid_of(axes, rows, 1)[:, 0]
    if trial is not None:
        checks.whole_number("trial", trial, 0)
        if trial >= trials:
            raise ValueError(f"trial must be below {trials}, got {trial}")
        curves, kinds = [_of_trial(inferred, scale, trial)], None
    elif conditions is not None:
        checks.same_length(["inferred", "conditions"], [trials, len(conditions)], "trials")
        kinds = Conditions.of(conditions, order)
        curves = [mean_and_error(x) for x in kinds.split(inferred)]
    else:
        curves, kinds = [mean_and_error(inferred)], None
    looks = [(COLOURS["inferred"], "-")]
    if kinds is not None:
        looks = list(zip(kinds.colours, kinds.lines, strict=True))
    for ax, dim in zip(axes, dims, strict=True):
        ax.axhline(0, color=COLOURS["faint"], lw=0.5, zorder=0)
        for (colour, line), (mean, error) in zip(looks, curves, strict=True):
            middle, half = mean[:, dim], error[:, dim]
            ax.fill_between(time, middle - half, middle + half, color=colour, alpha=0.25, lw=0)
            ax.plot(time, middle, color=colour, linestyle=line, lw=1.3)
        set_time(ax, bins, bin_width, start)
        ax.set_ylabel(f"input {dim} (a.u.)")
        ax.yaxis.set_major_locator(MaxNLocator(3))
    for ax in axes[:-1]:
        ax.set_xlabel("")
    if kinds is not None:
        kinds.key(axes[0])
    return axes


def _of_trial(
    inferred: np.ndarray, scale: np.ndarray | None, trial: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the posterior of a trial; no band if that is not known."""
    if scale is None:
        return inferred[trial], np.zeros(inferred.shape[1:])
    if np.shape(scale) != inferred.shape:
        raise ValueError(
            f"scale must have the shape of inferred, {inferred.shape}, got {np.shape(scale)}"
        )
    return inferred[trial], np.asarray(scale)[trial]
