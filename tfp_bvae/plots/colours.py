"""Colours of conditions: of a few kinds, of an order, or of a circle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, LinearSegmentedColormap, ListedColormap
from matplotlib.lines import Line2D

from tfp_bvae import checks
from tfp_bvae.plots.style import colour_bar, legend

__all__ = ["CIRCLE", "KINDS", "Conditions"]

# Okabe and Ito (2008). The last four are dashed: in thin lines the colour-blind take vermilion for
# orange, and purple for green; yellow is last, since it is weak on white
KINDS = ("#0072B2", "#E69F00", "#009E73", "#000000", "#56B4E9", "#D55E00", "#CC79A7", "#F0E442")
SOLID, DASHED = "-", (0, (4, 1.2))
# A ring in CIELab, of lightness and of blue against yellow, both of which the colour-blind see:
# L = 51 + 22 cos h, a = 10 + 32 cos h, b = -58 sin h
_RING = (
    "#fb95b5", "#d694e0", "#8f8aef", "#137add", "#0066b1", "#005578",
    "#0d4d44", "#3d521b", "#695f00", "#9f7100", "#d5823b", "#f88f79",
)  # fmt: skip
CIRCLE: Colormap = LinearSegmentedColormap.from_list("tfp_bvae_circle", [*_RING, _RING[0]])


@dataclass(frozen=True)
class Conditions:
    """The conditions that trials are of, each with its colour and kind of line.

    Args:
        labels: the conditions, in order.
        colours: of each, `[condition, 4]`.
        lines: solid, or dashed, of each.
        index: the condition of each trial, -1 for none, `[trial]`.
    """

    labels: tuple
    colours: np.ndarray
    lines: tuple
    index: np.ndarray

    @classmethod
    def of(cls, labels: Sequence, order: str | None = None) -> Conditions:
        """Find the conditions in the labels of trials, and colours for them.

        Args:
            labels: of each trial, numbers or names, `[trial]`; NaN, "" or None for none.
            order: "kinds" without an order, at most eight; "sequence"; or "circle", where the
                first comes after the last, as directions do. None for kinds, or for a sequence
                where there are more than eight.

        Raises:
            ValueError: labels are not one for each trial, or there are too many kinds, or none.

        >>> Conditions.of(["left", "right", "left", ""]).index.tolist()
        [0, 1, 0, -1]
        """
        labels = np.asarray(labels)
        checks.rank("conditions", labels.shape, 1)
        none = np.array([x is None or x == "" or x != x for x in labels.tolist()], bool)
        known = labels[~none]
        found, places = np.unique(
            known.astype(str) if known.dtype == object else known, return_inverse=True
        )
        if not len(found):
            raise ValueError("conditions must name at least one, got none")
        order = order or ("kinds" if len(found) <= len(KINDS) else "sequence")
        index = np.full(len(labels), -1)
        index[~none] = places
        dashed = range(4, len(found)) if order == "kinds" else ()
        lines = tuple(DASHED if n in dashed else SOLID for n in range(len(found)))
        return cls(tuple(found.tolist()), _colours(len(found), order), lines, index)

    def split(self, x: np.ndarray) -> list[np.ndarray]:
        """The trials of each condition, `[trial, ...]` in a list."""
        return [x[self.index == number] for number in range(len(self.labels))]

    def key(self, ax: Axes, head: str = "condition") -> None:
        """Say which colour is which: beside the axes, or of more than twelve, as a colour bar."""
        count = len(self.labels)
        if count <= 12:
            handles = [
                Line2D([], [], color=colour, linestyle=line, lw=1.6, label=_short(label))
                for label, colour, line in zip(self.labels, self.colours, self.lines, strict=True)
            ]
            legend(ax, handles, head=head)
            return
        scale = ScalarMappable(
            BoundaryNorm(np.arange(count + 1) - 0.5, count), ListedColormap(self.colours)
        )
        at = np.unique(np.linspace(0, count - 1, 5).round().astype(int))
        colour_bar(scale, ax, head, ticks=at).set_ticklabels([_short(self.labels[i]) for i in at])


def _colours(count: int, order: str) -> np.ndarray:
    checks.one_of("order", order, ("kinds", "sequence", "circle"))
    if order == "kinds":
        if count > len(KINDS):
            raise ValueError(
                f'order must be "sequence" or "circle" for more than {len(KINDS)} conditions, '
                f'got "kinds" for {count}'
            )
        return np.array([matplotlib.colors.to_rgba(colour) for colour in KINDS[:count]])
    if order == "circle":
        return CIRCLE(np.arange(count) / count)
    return matplotlib.colormaps["viridis"](np.linspace(0.0, 0.9, count))  # yellow is weak on white


def _short(label: object) -> str:
    return f"{label:g}" if isinstance(label, float) else str(label)
