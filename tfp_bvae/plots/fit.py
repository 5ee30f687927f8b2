"""The course of a fit: its terms, and the score it is chosen by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tfp_bvae.plots.style import COLOURS, grid_of, new_axes

__all__ = ["plot_history", "plot_losses"]

# of a history, what is drawn, in this order, and its label
TERMS = {
    "loss": "loss (nats/trial)",
    "kl_f": "KL of f (nats/trial)",
    "kl_z": "KL of z (nats/trial)",
    "val_heldout": "held-out score (bits/spike)",
}


def plot_history(
    history: Sequence[Mapping[str, float]],
    *,
    best: int | None = None,
    unit: str = "bits/spike",
    ax: Axes | None = None,
) -> Axes:
    """The held-out score after each epoch of a fit.

    The first epochs may be far below, and then out of the picture: what matters is how the score
    levels off.

    Args:
        history: figures of each epoch, as `training.fit` returns them.
        best: the epoch whose weights were kept, for a mark of its own.
        unit: of the score: "nats/entry" for data that are no counts.
        ax: where; None for a figure of its own.

    Returns:
        The axes.

    Raises:
        ValueError: if no epoch was validated.

    >>> plot_history([{"epoch": 1, "val_heldout": 0.3}]).get_xlabel()
    'epoch'
    """
    epochs, scores = _column(history, "val_heldout")
    if not len(epochs):
        raise ValueError("history must hold val_heldout in at least one epoch, got none")
    ax = new_axes()[0, 0] if ax is None else ax
    ax.plot(epochs, scores, color=COLOURS["inferred"], marker="." if len(epochs) == 1 else None)
    finite = scores[np.isfinite(scores)]
    if len(finite):
        top, low = finite.max(), np.quantile(finite, 0.1)
        ax.set_ylim(low - 0.1 * (top - low) - 1e-3, top + 0.1 * (top - low) + 1e-3)
    _mark(ax, epochs, scores, best, named=True)
    ax.set(xlabel="epoch", ylabel=f"held-out score ({unit})")
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    return ax


def plot_losses(
    history: Sequence[Mapping[str, float]],
    *,
    best: int | None = None,
    unit: str = "bits/spike",
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """The terms of the loss by epoch, a panel each: they differ by orders of magnitude.

    Shown are those of `loss`, `kl_f`, `kl_z` and `val_heldout` that the history has. KL is as it
    is, before beta weighs it.

    Args:
        history: figures of each epoch, as `training.fit` returns them or `Run.history()` reads.
        best: the epoch whose weights were kept, for a mark of its own.
        unit: of the held-out score: "nats/entry" for data that are no counts.
        axes: as many as there are terms; None for a figure of its own.

    Returns:
        The axes, `[term]`.

    Raises:
        ValueError: if the history has none of the terms, or `axes` are not as many.

    >>> axes = plot_losses([{"epoch": 1, "loss": 3.0, "kl_f": 0.2}, {"epoch": 2, "loss": 2.0}])
    >>> [ax.get_ylabel() for ax in axes]
    ['loss (nats/trial)', 'KL of f (nats/trial)']
    """
    columns = {name: _column(history, name) for name in TERMS}
    columns = {name: column for name, column in columns.items() if len(column[0])}
    if not columns:
        raise ValueError(f"history must hold one of {', '.join(TERMS)}, got none")
    if axes is None:
        rows = -(-len(columns) // 2)
        grid = new_axes(rows, min(len(columns), 2), (7.0, 2.1 * rows + 0.3))
        for empty in grid.ravel()[len(columns) :]:
            empty.remove()
        axes = grid.ravel()[: len(columns)]
    axes = grid_of(axes, 1, len(columns))[0]
    for ax, (name, (epochs, values)) in zip(axes, columns.items(), strict=True):
        if name == "val_heldout":
            plot_history(history, best=best, unit=unit, ax=ax)
            continue
        ax.plot(epochs, values, color=COLOURS["inferred"], marker="." if len(epochs) == 1 else None)
        _mark(ax, epochs, values, best, named=False)
        ax.set(xlabel="epoch", ylabel=TERMS[name])
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    return axes


def _column(history: Sequence[Mapping[str, float]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs that have a figure, and the figure."""
    rows = [(row["epoch"], row[name]) for row in history if row.get(name) is not None]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows], float)


def _mark(ax: Axes, epochs: np.ndarray, values: np.ndarray, best: int | None, named: bool) -> None:
    """A dot where the fit was best."""
    at = np.flatnonzero(epochs == best) if best is not None else []
    if len(at):
        ax.plot(best, values[at[0]], "o", color=COLOURS["mark"], ms=5, label="best epoch")
        if named:
            ax.annotate(
                "best epoch", (best, values[at[0]]), xytext=(0, -8), textcoords="offset points",
                ha="right", va="top", color=COLOURS["mark"], fontsize=8,
            )  # fmt: skip
