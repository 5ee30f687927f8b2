"""What a latent is used for: KL of each dimension, and its posterior against its prior."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tfp_bvae import checks
from tfp_bvae.plots.style import COLOURS, legend, new_axes

__all__ = ["plot_kl", "plot_posterior"]

DEAD = {"facecolor": "none", "edgecolor": COLOURS["dead"], "hatch": "////", "linewidth": 0.0}


def plot_kl(
    kl: np.ndarray, *, threshold: float = 0.01, name: str = "latent", ax: Axes | None = None
) -> Axes:
    """KL of each dimension of a latent, the largest first; dead ones are grey and hatched.

    A dimension is dead whose posterior is its prior: it tells nothing about the data, and costs
    nothing.

    Args:
        kl: nats per trial, `[dim]`, as `metrics.kl_per_dimension` gives it.
        threshold: KL below which a dimension is called dead, nats per trial.
        name: of the latent, for the label.
        ax: where; None for a figure of its own.

    Returns:
        The axes: a bar for each dimension, under its number.

    Raises:
        ValueError: if `kl` does not have one axis, is not finite, or `threshold` is not above 0.

    >>> ax = plot_kl(np.array([0.0, 2.0, 0.5]), name="f")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['1', '2', '0']
    """
    kl = np.asarray(kl, float)
    (count,) = checks.rank("kl", kl.shape, 1)
    if not np.isfinite(kl).all():
        raise ValueError(f"kl must be finite, got {kl[~np.isfinite(kl)][0]}")
    checks.positive("threshold", threshold)
    ax = new_axes()[0, 0] if ax is None else ax
    order = np.argsort(-kl, kind="stable")
    dead = int((kl < threshold).sum())
    used = count - dead
    places = np.arange(count)
    ax.bar(places, kl[order], width=0.8, color=COLOURS["inferred"])
    if dead:  # their bars have no height: the ground behind them is what is seen
        ax.axvspan(used - 0.5, count - 0.5, zorder=0, **DEAD)
        for bar in ax.patches[used:count]:
            bar.set_facecolor(COLOURS["faint"])
    step = max(1, -(-count // 20))
    ax.set_xticks(places[::step], order[::step])
    ax.set(xlim=(-0.6, count - 0.4), ylim=(0, 1.05 * max(kl.max(initial=0.0), threshold)))
    ax.set(xlabel=f"dimension of {name}, by KL", ylabel="KL (nats/trial)")
    handles = [Patch(color=COLOURS["inferred"], label=f"{used} of {count} used")]
    if dead:
        handles.append(Patch(**DEAD, label=f"{dead} dead (below {threshold:g} nats)"))
    legend(ax, handles, columns=2)
    return ax


def plot_posterior(
    loc: np.ndarray,
    scale: np.ndarray,
    prior_loc: np.ndarray | float = 0.0,
    prior_scale: np.ndarray | float = 1.0,
    *,
    kl: np.ndarray | None = None,
    threshold: float = 0.01,
    name: str = "latent",
    ax: Axes | None = None,
) -> Axes:
    """The posterior of each dimension against its prior, in standard deviations of the prior.

    Dots are posterior means of trials (of at most 200 trials and bins, evenly chosen); the bar
    beside them is one posterior standard deviation either way, the median of those. If the
    posterior is used, its means spread over the prior and its bar is short; if it is the prior,
    its means are at 0 and its bar is that of the prior.

    Args:
        loc: means of the posterior, `[trial, dim]` or `[trial, time, dim]`; NaN is left out.
        scale: its standard deviations, same shape.
        prior_loc: mean of the prior, broadcast to that shape.
        prior_scale: standard deviation of the prior, broadcast to that shape.
        kl: nats per trial, `[dim]`, to mark dead dimensions.
        threshold: KL below which a dimension is called dead, nats per trial.
        name: of the latent, for the label.
        ax: where; None for a figure of its own.

    Returns:
        The axes.

    Raises:
        ValueError: if shapes do not match, or a standard deviation of the prior is not above 0.

    >>> ax = plot_posterior(np.array([[1.0], [-1.0]]), np.ones([2, 1]), prior_scale=0.5, name="f")
    >>> [x.tolist() for x in ax.lines[0].get_data()][1]
    [2.0, -2.0]
    """
    loc, scale, centre, width = _same_shape(loc, scale, prior_loc, prior_scale)
    relative = ((loc - centre) / width).reshape(-1, loc.shape[-1])
    spread = (scale / width).reshape(relative.shape)
    ax = new_axes()[0, 0] if ax is None else ax
    for sd, shade in ((2, "#EEEEEE"), (1, "#DDDDDD")):
        ax.axhspan(-sd, sd, color=shade, lw=0, zorder=0)
    dims = relative.shape[-1]
    for dim in range(dims):
        seen = relative[:, dim][~np.isnan(relative[:, dim])]
        shown = seen[np.linspace(0, len(seen) - 1, min(len(seen), 200)).astype(int)]
        jitter = 0.36 * ((np.arange(len(shown)) * 0.618034) % 1.0) - 0.36
        ax.plot(dim + jitter, shown, ".", ms=2.5, color=COLOURS["inferred"], alpha=0.6)
        if len(seen):
            middle, sd = np.median(seen), np.nanmedian(spread[:, dim])
            ax.errorbar(dim + 0.2, middle, sd, color=COLOURS["true"], lw=1.8, capsize=2)
    _mark_dead(ax, kl, threshold, dims)
    step = max(1, -(-dims // 20))
    ax.set(xlim=(-0.6, dims - 0.4), xticks=range(0, dims, step), xlabel=f"dimension of {name}")
    ax.set_ylabel("value (sd of the prior)")
    handles = [
        Patch(color="#DDDDDD", label="prior, ± 1 and 2 sd"),
        Line2D([], [], color=COLOURS["inferred"], marker=".", ls="", label="posterior means"),
        Line2D([], [], color=COLOURS["true"], lw=1.8, label="posterior, ± 1 sd"),
    ]
    if kl is not None and (np.asarray(kl) < threshold).any():
        handles.append(Patch(**DEAD, label="dead"))
    legend(ax, handles, columns=2)
    return ax


def _same_shape(loc, scale, prior_loc, prior_scale) -> list[np.ndarray]:
    loc = np.asarray(loc, float)
    if loc.ndim not in (2, 3):
        raise ValueError(f"loc must be [trial, dim] or [trial, time, dim], got shape {loc.shape}")
    found = [loc]
    for name, x in (("scale", scale), ("prior_loc", prior_loc), ("prior_scale", prior_scale)):
        try:
            found.append(np.broadcast_to(np.asarray(x, float), loc.shape))
        except ValueError:
            raise ValueError(
                f"{name} must have the shape of loc, {loc.shape}, got {np.shape(x)}"
            ) from None
    if not (found[-1] > 0).all():
        raise ValueError(f"prior_scale must be above 0, got {np.min(found[-1]):g}")
    return found


def _mark_dead(ax: Axes, kl: np.ndarray | None, threshold: float, dims: int) -> None:
    """Hatch the ground of dead dimensions."""
    if kl is None:
        return
    checks.same_length(["loc", "kl"], [dims, len(kl)], "dimensions")
    for dim in np.flatnonzero(np.asarray(kl) < checks.positive("threshold", threshold)):
        ax.axvspan(dim - 0.5, dim + 0.5, zorder=0.5, **DEAD)
