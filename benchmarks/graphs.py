"""Boxes, circles and arrows, from which `draw_models.py` puts together the graph of a model."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

INFERENCE = ("#A65E00", "#FFEFCC")  # line and ground; Okabe and Ito's orange and blue, darker
GENERATION = ("#0072B2", "#DCECF7")
DATA = ("#444444", "#DDDDDD")
KL = "#8F2D6B"
STYLE = {
    "svg.hashsalt": "tfp_bvae",  # the same file each time
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavuserif",
    "font.size": 8,
}
INCH = 0.62  # of a unit of the coordinates


class Graph:
    """A figure of boxes, circles and arrows, that remembers the layers it names."""

    def __init__(self, width: float, height: float):
        self.figure = Figure(figsize=(width * INCH, height * INCH), facecolor="white")
        self.ax = self.figure.add_axes((0, 0, 1, 1))
        self.ax.set_axis_off()
        self.ax.set_xlim(0, width)
        self.ax.set_ylim(0, height)
        self.layers: set[str] = set()

    def box(self, x, y, layer, symbol="", look=GENERATION, width=1.5, height=0.62):
        """A deterministic layer: its name in the code, and its symbol."""
        left, low = x - width / 2, y - height / 2
        style = "round,pad=0,rounding_size=0.1"
        patch = FancyBboxPatch((left, low), width, height, boxstyle=style, ec=look[0], fc=look[1])
        return self._node(patch, x, y, layer, symbol)

    def circle(self, x, y, layer, symbol, look, radius=0.42, beside=(0.0, -0.6)):
        """A distribution; its name stands beside it."""
        patch = Circle((x, y), radius, ec=look[0], fc=look[1], lw=1.3)
        self._node(patch, x, y, "", symbol)
        self.name(layer, x + beside[0], y + beside[1], look[0])
        return patch

    def _node(self, patch, x, y, layer, symbol):
        patch.set_zorder(3)
        patch.centre = (x, y)
        self.ax.add_patch(patch)
        apart = 0.13 if layer and symbol else 0.0
        if layer:
            self.name(layer, x, y + apart, "black")
        if symbol:
            size = 9.0 if layer else 9.5
            self.text(x, y - 1.2 * apart, symbol, size=size)
        return patch

    def name(self, layer, x, y, colour):
        """The name of a layer, and nothing else."""
        self.layers.add(layer)
        self.text(x, y, layer, family="DejaVu Sans Mono", size=7.4, color=colour)

    def text(self, x, y, words, **how):
        """Words, centred unless told otherwise."""
        self.ax.text(x, y, words, **({"ha": "center", "va": "center", "zorder": 5} | how))

    def arrow(self, start, end, look=GENERATION, bend=0.0, style="-|>", **how):
        """From a node, or a point, to another."""
        (a, from_patch), (b, to_patch) = self._end(start), self._end(end)
        self.ax.add_patch(
            FancyArrowPatch(
                a, b, patchA=from_patch, patchB=to_patch, shrinkA=0, shrinkB=0, color=look[0],
                arrowstyle=style, mutation_scale=8, lw=1.0, zorder=2,
                connectionstyle=f"arc3,rad={bend}", **how,
            )
        )  # fmt: skip

    @staticmethod
    def _end(node):
        return (node, None) if isinstance(node, tuple) else (node.centre, node)

    def line(self, *points, look=GENERATION, end=None, **how):
        """Through points, and to a node at the end."""
        self.ax.plot(*zip(*points, strict=True), color=look[0], lw=1.0, zorder=1, **how)
        if end is not None:
            self.arrow(points[-1], end, look)

    def kl(self, q, p, layer, beside=(0.0, 0.17)):
        """The divergence of one from the other; its name stands beside the middle."""
        self.arrow(q, p, (KL, KL), style="-", linestyle=(0, (2.5, 1.6)))
        (x, y), (u, v) = q.centre, p.centre
        self.name(layer, (x + u) / 2 + beside[0], (y + v) / 2 + beside[1], KL)

    def plate(self, left, low, right, high, words):
        """What is there several times."""
        style = "round,pad=0,rounding_size=0.15"
        size = (right - left, high - low)
        patch = FancyBboxPatch((left, low), *size, boxstyle=style, ec="#777777", fc="none", lw=0.9)
        self.ax.add_patch(patch)
        self.text(right - 0.12, low + 0.2, words, ha="right", size=8, color="#444444")

    def key(self, y=0.35):
        """What the signs mean."""
        items = [(0.5, INFERENCE, "inference"), (2.75, GENERATION, "generation")]
        for x, look, words in items:
            style = "round,pad=0,rounding_size=0.06"
            square = FancyBboxPatch((x, y - 0.13), 0.4, 0.26, boxstyle=style, ec=look[0])
            square.set_facecolor(look[1])
            self.ax.add_patch(square)
            self.text(x + 0.52, y, words, ha="left", size=7.6)
        self.ax.add_patch(Circle((5.25, y), 0.15, ec="black", fc="white"))
        self.text(5.5, y, "distribution", ha="left", size=7.6)
        self.ax.add_patch(Circle((7.35, y), 0.15, ec=DATA[0], fc=DATA[1]))
        self.text(7.6, y, "observed", ha="left", size=7.6)
        self.line((9.1, y), (9.65, y), look=(KL,), linestyle=(0, (2.5, 1.6)))
        self.text(9.75, y, "KL, in the loss", ha="left", size=7.6)
