"""One look for all figures: colours that the colour-blind can tell apart, thin lines, few ticks."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfp_bvae.data import atomic_file

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError('figures need matplotlib: pip install "tfp_bvae[plots]"') from error

__all__ = [
    "COLOURS",
    "STYLE",
    "NotebookFigure",
    "colour_bar",
    "grid_of",
    "legend",
    "new_axes",
    "save_figure",
    "title",
]

# Okabe and Ito (2008), "Color Universal Design"
COLOURS = {
    "true": "#000000",
    "inferred": "#0072B2",
    "mark": "#D55E00",
    "faint": "#999999",
    "dead": "#CCCCCC",
    "rates": "viridis",  # maps
    "spikes": "Greys",
}
STYLE: dict[str, Any] = {
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.labelsize": 8.5,
    "figure.dpi": 100,
    "font.size": 8.5,
    "image.interpolation": "nearest",
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "savefig.dpi": 200,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}
# In figures of our own, names of conditions, say, are text and no formulas. Not in STYLE: who takes
# that for figures of their own may write formulas, and log axes have them as labels.
PLAIN = {"text.parse_math": False}


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, whether or not pyplot was imported.

    >>> NotebookFigure(figsize=(1, 1))._repr_png_()[1:4]
    b'PNG'
    """

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.savefig(written, format="png", dpi=STYLE["figure.dpi"])
        return written.getvalue()


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG: whole or not at all.

    Args:
        figure: what to write.
        path: the file.

    Raises:
        FileNotFoundError: the folder does not exist.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(Figure(figsize=(1, 1)), f"{folder}/empty.png")
    ...     os.listdir(folder)
    ['empty.png']
    """
    with atomic_file(path) as beside:
        figure.savefig(beside, format="png", dpi=STYLE["savefig.dpi"])


def new_axes(
    rows: int = 1,
    columns: int = 1,
    size: tuple[float, float] = (4.5, 3.0),
    share: str = "none",
    projection: str | None = None,
) -> np.ndarray:
    """Axes of a figure of their own, in the style of this package, and unknown to pyplot.

    A figure 7.2 inches wide shows no text below 9 pixels where it is shown 600 pixels wide.

    Args:
        rows: of the grid.
        columns: of the grid.
        size: width and height of the figure, inches.
        share: which axes of the grid have one range: "none", "all", "row" or "col" of y, where
            those of a column have one time axis too.
        projection: "3d", or None for two dimensions.

    Returns:
        Array of axes, `[row, column]`; `axes[0, 0].figure` is the figure, which a notebook shows.

    >>> new_axes(2, 3).shape
    (2, 3)
    """
    with matplotlib.rc_context(STYLE | PLAIN):
        figure = NotebookFigure(figsize=size, layout="constrained")
        return figure.subplots(
            rows,
            columns,
            squeeze=False,
            sharex=False if share == "none" else "col",
            sharey=False if share == "none" else share,
            subplot_kw={"projection": projection},
        )


def grid_of(axes: Axes | np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Axes that were given, as an array `[row, column]`.

    Args:
        axes: one pair of axes, or an array or list of them.
        rows: how many are needed.
        columns: how many are needed.

    Raises:
        ValueError: if there are more of them, or fewer.

    >>> grid_of(new_axes(2, 3).ravel(), 2, 3).shape
    (2, 3)
    """
    given = np.array(axes, dtype=object)
    if given.size != rows * columns:
        raise ValueError(
            f"axes must be {rows * columns} ({rows} rows of {columns}), got {given.size}"
        )
    return given.reshape(rows, columns)


def title(ax: Axes, text: str) -> None:
    """A title in the size of the style, whatever that of the figure is."""
    ax.set_title(text, fontsize=STYLE["axes.titlesize"])


def legend(ax: Axes, handles: Sequence | None = None, columns: int = 1, head: str = "") -> None:
    """A key outside of the data: above the axes, or in one column to the right of them.

    Args:
        ax: whose.
        handles: what it shows; None for all that has a label.
        columns: in one row above; 1 for the right.
        head: its title.
    """
    above = columns > 1
    key = ax.legend(
        handles=ax.get_legend_handles_labels()[0] if handles is None else handles,
        title=head or None,
        loc="lower left" if above else "upper left",
        bbox_to_anchor=(0.0, 1.0) if above else (1.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=STYLE["legend.fontsize"],
        title_fontsize=STYLE["legend.fontsize"],
        borderaxespad=0.2,
        columnspacing=1.2,
        handlelength=1.9,
        labelspacing=0.3,
    )
    for text in (key.get_title(), *key.get_texts()):
        text.set_parse_math(False)  # it is made now, and not with the axes under STYLE


def colour_bar(
    mapped: ScalarMappable, axes: Axes | Sequence[Axes], label: str, **ticks
) -> Colorbar:
    """A colour bar with text in the size of the style.

    Args:
        mapped: a map, such as `ax.images[-1]`.
        axes: beside which.
        label: what is mapped, and its unit.
        ticks: `ticks` and `extend` of matplotlib's colour bar.
    """
    first = np.ravel(np.array(axes, dtype=object))[0]
    bar = first.figure.colorbar(mapped, ax=axes, aspect=30, pad=0.02, **ticks)
    bar.set_label(label, fontsize=STYLE["axes.labelsize"])
    bar.ax.tick_params(labelsize=STYLE["ytick.labelsize"])
    bar.ax.minorticks_off()
    return bar
