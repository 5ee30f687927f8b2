"""One look for all figures: colours that the colour-blind can tell apart, thin lines, few ticks."""

from __future__ import annotations

import io
import os
from typing import Any

from tfp_bvae.data import atomic_file

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError('figures need matplotlib: pip install "tfp_bvae[plots]"') from error

__all__ = ["COLOURS", "STYLE", "NotebookFigure", "save_figure"]

# Okabe and Ito (2008), "Color Universal Design"
COLOURS = {
    "true": "#000000",
    "inferred": "#0072B2",
    "mark": "#D55E00",
    "faint": "#999999",
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
