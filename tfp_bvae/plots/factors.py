"""Factors as paths in two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.plots.colours import Conditions
from tfp_bvae.plots.style import COLOURS, new_axes
from tfp_bvae.plots.timeline import mean_and_error

__all__ = ["plot_factors"]


def plot_factors(
    factors: np.ndarray,
    *,
    conditions: Sequence | None = None,
    dims: int = 2,
    components: bool = True,
    num_trials: int = 3,
    order: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Paths of trials through the space of factors, in the colours of their conditions.

    Thick is the mean of a condition, thin are some of its trials, evenly chosen; a dot is where a
    path begins.

    Args:
        factors: `[trial, time, factor]`; a path ends where it is NaN.
        conditions: of each trial, numbers or names, `[trial]`; None for trials alone.
        dims: 2, or 3 for axes with the projection "3d".
        components: the first principal components of all trials and bins; False for the first
            factors as they are.
        num_trials: how many are shown of each condition, or of all; 0 for means alone.
        order: of the conditions: "kinds", "sequence" or "circle"; None for kinds up to eight.
        ax: where; None for a figure of its own.

    Returns:
        The axes.

    Raises:
        ValueError: if `factors` do not have three axes or are fewer than `dims`, or the axes given
            do not have as many dimensions.

    >>> factors = np.random.default_rng(0).normal(size=(6, 20, 4))
    >>> plot_factors(factors, conditions=["a", "b"] * 3, dims=3).get_zlabel()[:5]
    'PC 3 '
    """
    factors = np.asarray(factors, float)
    trials, _, size = checks.rank("factors", factors.shape, 3)
    checks.one_of("dims", dims, (2, 3))
    checks.whole_number("num_trials", num_trials, 0)
    if size < dims:
        raise ValueError(f"factors must be {dims} or more, got {size}")
    if ax is None:
        ax = new_axes(size=(4.8, 3.6), projection="3d" if dims == 3 else None)[0, 0]
    if (ax.name == "3d") != (dims == 3):
        raise ValueError(f"ax must have {dims} dimensions, got axes of projection {ax.name!r}")
    path, labels = _components(factors, dims) if components else _first(factors, dims)
    if conditions is None:
        for trial in _evenly(np.arange(trials), num_trials):
            _draw(ax, path[trial], COLOURS["inferred"], 0.9, 0.8)
    else:
        checks.same_length(["factors", "conditions"], [trials, len(conditions)], "trials")
        kinds = Conditions.of(conditions, order)
        for number, (colour, line) in enumerate(zip(kinds.colours, kinds.lines, strict=True)):
            mine = np.flatnonzero(kinds.index == number)
            for trial in _evenly(mine, num_trials):
                _draw(ax, path[trial], colour, 0.5, 0.4)
            _draw(ax, mean_and_error(path[mine])[0], colour, 1.6, 1.0, line)
        kinds.key(ax)
    for axis, label in zip("xyz", labels, strict=False):
        getattr(ax, f"set_{axis}label")(label)
        getattr(ax, f"{axis}axis").set_major_locator(MaxNLocator(4))
    if dims == 3:
        _make_room(ax)
    else:
        ax.set_aspect("equal", adjustable="datalim")  # a distance is the same in all directions
    return ax


def _components(factors: np.ndarray, dims: int) -> tuple[np.ndarray, list[str]]:
    """Scores on the first principal components, and the share of variance of each."""
    flat = factors.reshape(-1, factors.shape[-1])
    known = flat[~np.isnan(flat).any(axis=-1)]
    _, sizes, directions = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)
    # of the two signs of a direction, that with its largest entry positive
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, np.newaxis], 1)
    share = 100 * np.square(sizes) / max(np.square(sizes).sum(), 1e-300)
    of = " of variance" if dims == 2 else ""  # there is little room in three dimensions
    path = (factors - known.mean(axis=0)) @ (directions * np.sign(largest))[:dims].T
    return path, [f"PC {d + 1} ({share[d]:.0f} %{of})" for d in range(dims)]


def _first(factors: np.ndarray, dims: int) -> tuple[np.ndarray, list[str]]:
    return factors[..., :dims], [f"factor {d}" for d in range(dims)]


def _evenly(trials: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of some trials, evenly spread."""
    return trials[np.unique(np.linspace(0, len(trials) - 1, min(count, len(trials))).astype(int))]


def _draw(ax: Axes, path: np.ndarray, colour, width: float, alpha: float, line="-") -> None:
    order = 2 + (width > 1)
    ax.plot(*path.T, color=colour, linestyle=line, lw=width, alpha=alpha, zorder=order)
    begins = path[~np.isnan(path).any(axis=-1)][:1]
    size = 5 if width > 1 else 2.5
    ax.plot(*begins.T, "o", color=colour, ms=size, alpha=alpha, zorder=order)


def _make_room(ax: Axes) -> None:
    """Axes of three dimensions without grey walls, and small enough that labels are whole."""
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.pane.set_visible(False)
        axis.labelpad = 1
    ax.grid(False)
    ax.tick_params(pad=0)
    ax.set_box_aspect(None, zoom=0.88)
    key = ax.get_legend()
    if key is not None:
        key.set_bbox_to_anchor((1.1, 1.0))
