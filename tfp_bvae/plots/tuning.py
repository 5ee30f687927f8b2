"""The course of a search over hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from tfp_bvae.plots.style import COLOURS, grid_of, legend, new_axes

__all__ = ["plot_tuning"]

NOT_SEARCHED = (
    "generation", "member", "parent", "score", "best", "epochs", "skipped_steps", "seconds",
)  # fmt: skip
LOG_FROM = 10.0  # ratio of the largest to the smallest value that asks for a log axis
FEW_DECADES = 2.5  # of values: fewer have ticks at 1 and 3 of each, more at 1


def plot_tuning(
    table: Sequence[Mapping[str, float]],
    *,
    unit: str = "bits/spike",
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Scores and hyperparameters of all members of a search, generation by generation.

    A panel for the score and one for each hyperparameter. A line goes from each member to what it
    is a generation later, and from a parent to its copies; the line that leads to the best member
    of the last generation stands out. Scores that are not finite are left out.

    Args:
        table: rows of `tuning.csv`, or of what a search returns: `generation`, `member`, `parent`
            (of which it was a copy when the generation began), `score`, and the hyperparameters.
        unit: of the score: "nats/entry" for data that are no counts.
        axes: one more than there are hyperparameters; None for a figure of its own.

    Returns:
        The axes, `[panel]`.

    Raises:
        ValueError: if the table has no rows, no finite score, or `axes` are not as many.

    >>> row = {"member": 0, "score": 0.1, "beta_f": 0.2}
    >>> axes = plot_tuning([row | {"generation": 1}, row | {"generation": 2, "beta_f": 0.3}])
    >>> [ax.get_ylabel() for ax in axes]
    ['held-out score (bits/spike)', 'beta_f']
    """
    rows = {(int(row["generation"]), int(row["member"])): row for row in table}
    if not any(math.isfinite(row["score"]) for row in rows.values()):
        raise ValueError(f"table must have a finite score, got {len(rows)} rows")
    names = [name for name in next(iter(rows.values())) if name not in NOT_SEARCHED]
    line = _line_of_the_best(rows)
    if axes is None:
        columns = min(len(names) + 1, 3)
        count = -(-(len(names) + 1) // columns)
        grid = new_axes(count, columns, (7.2, 1.9 * count + 0.3))
        for empty in grid.ravel()[len(names) + 1 :]:
            empty.remove()
        axes = grid.ravel()[: len(names) + 1]
    axes = grid_of(axes, 1, len(names) + 1)[0]
    for ax, name in zip(axes, ["score", *names], strict=True):
        _panel(ax, rows, line, name)
        ax.set(xlabel="generation", ylabel=name if name != "score" else f"held-out score ({unit})")
    legend(axes[0], columns=2)
    return axes


def _panel(ax: Axes, rows: Mapping, line: Sequence[tuple[int, int]], name: str) -> None:
    """All members, and the line of the best."""
    steps = []
    for (generation, member), row in rows.items():
        before = rows.get((generation - 1, _parent(row, member)))
        if before is not None:
            steps.append([(generation - 1, before[name]), (generation, row[name])])
    steps = [step for step in steps if np.isfinite(step).all()]
    ax.add_collection(
        LineCollection(steps, colors=COLOURS["faint"], lw=0.5, alpha=0.7, label="all members")
    )
    known = [key for key in rows if math.isfinite(rows[key][name])]
    values = np.array([rows[key][name] for key in known], float)
    ax.plot([g for g, _ in known], values, ".", color=COLOURS["faint"], ms=2)
    of_line = [(g, rows[g, m][name]) for g, m in line]
    ax.plot(*zip(*of_line, strict=True), color=COLOURS["inferred"], lw=1.6, marker=".", ms=3,
            label="to the best")  # fmt: skip
    if name == "score":  # the first generations may be far below
        top, low = values.max(), np.quantile(values, 0.1)
        ax.set_ylim(low - 0.1 * (top - low) - 1e-3, top + 0.1 * (top - low) + 1e-3)
    elif values.min() > 0.0 and values.max() > LOG_FROM * values.min():
        ax.set_yscale("log")
        decades = math.log10(values.max() / values.min())
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 3) if decades < FEW_DECADES else (1,)))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _line_of_the_best(rows: Mapping[tuple[int, int], Mapping]) -> list[tuple[int, int]]:
    """From the first generation to the best member of the last."""
    last = max(g for g, m in rows if math.isfinite(rows[g, m]["score"]))
    scores = {m: row["score"] for (g, m), row in rows.items() if g == last}
    member = max(scores, key=scores.__getitem__)
    line = []
    for generation in range(last, 0, -1):
        if (generation, member) not in rows:
            break
        line.append((generation, member))
        member = _parent(rows[generation, member], member)
    return line[::-1]


def _parent(row: Mapping, member: int) -> int:
    """Which member this one was a generation before."""
    parent = row.get("parent")
    return member if parent is None or parent == "" else int(parent)
