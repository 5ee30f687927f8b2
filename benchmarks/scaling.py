"""Time and memory of a training step of LFADS, as trials get longer or batches larger.

    python benchmarks/scaling.py [--bins 50 100 ...] [--batches 16 32 ...] [--figure PATH]

The sizes are those of the workload "lorenz", but for bins (batch of 64) or batch (50 bins); each
step is measured in a process of its own. The slope on double logarithmic axes is 1 where cost is
proportional, and below 1 where there is a part that does not grow. Memory is the peak
during a step after the first, less that of a step of one trial of two bins, which is libraries,
weights and what the compiler left; beside it stands the peak of the whole process, compiler
included. Linux only.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import products
import tables
import turns

WORK = products.WORKLOADS["lorenz"]
BINS = (50, 100, 200, 400, 800, 1600)
BATCHES = (16, 32, 64, 128, 256, 512, 1024)
SMALLEST = (1, 2)  # trials, bins
FIGURE = Path(__file__).parent / "results" / "scaling.png"


def serve(batch: int, bins: int) -> None:
    """The worker that takes steps of one size."""
    import speed

    step = speed.compiled_step(
        *speed.build("lfads", WORK._replace(batch=batch, bins=bins, encoded=bins))
    )
    about = {"first_s": turns.seconds(step), "whole_mb": turns.peak_memory()}
    about["step_mb"] = turns.memory_during(step)
    turns.serve(about, lambda: {"ms": turns.milliseconds(step)})


def measure(batch: int, bins: int, rounds: int, idle_mb: float = 0.0) -> dict:
    """One size; `idle_mb` is taken off the memory of a step."""
    command = [sys.executable, __file__, "--serve", json.dumps([batch, bins])]
    found = turns.turns({"step": command}, rounds)["step"]
    return {
        "batch": batch,
        "bins": bins,
        "ms": float(np.median(found["ms"])),
        "first_s": found["first_s"],
        "step_mb": found["step_mb"] - idle_mb,
        "whole_mb": max(found["whole_mb"], *found["peak_mb"]),
    }


def slope(group: list[dict], size: str, figure: str) -> float:
    """That of the straight line through the logarithms, by least squares."""
    sizes, values = ([r[name] for r in group] for name in (size, figure))
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def groups(runs: list[dict]) -> dict[str, list[dict]]:
    """The runs that differ in bins, and those that differ in batch, in order."""
    return {
        "bins": sorted((r for r in runs if r["batch"] == WORK.batch), key=lambda r: r["bins"]),
        "batch": sorted((r for r in runs if r["bins"] == WORK.bins), key=lambda r: r["batch"]),
    }


def table(runs: list[dict]) -> str:
    """A row for each size, and the slopes."""
    header = ["trials x bins", "step, ms", "memory of a step, MB", "peak of the process, MB",
              "first step, s"]  # fmt: skip
    names = ("ms", "step_mb", "whole_mb", "first_s")
    rows = [[f"{r['batch']} x {r['bins']}", *(f"{r[n]:.0f}" for n in names)] for r in runs]
    slopes = [
        [f"{size}, {len(part)} sizes", *(f"{slope(part, size, n):.2f}" for n in names[:2])]
        for size, group in groups(runs).items()
        for part in ((group, group[-3:]) if len(group) > 3 else (group,))
        if len(group) > 1
    ]
    of_slopes = ["slope over", "of time", "of memory of a step"]
    both = f"{tables.markdown(header, rows)}\n{tables.markdown(of_slopes, slopes)}"
    return f"{both}\n{tables.machine()}.\n"


def draw(runs: list[dict], path: Path) -> None:
    """Time and memory against bins and batch, with lines of slope 1."""
    from tfp_bvae import plots

    labels = {
        "bins": f"bins per trial ({WORK.batch} trials)",
        "batch": f"trials per batch ({WORK.bins} bins)",
    }
    with matplotlib.rc_context(plots.STYLE):
        figure = plots.NotebookFigure(figsize=(6.5, 4.6), layout="constrained")
        axes = figure.subplots(2, 2, sharex="col", sharey="row")
        for column, (name, group) in enumerate(groups(runs).items()):
            sizes = np.array([r[name] for r in group])
            for ax, figures in zip(axes[:, column], ("ms", "step_mb"), strict=True):
                values = np.array([r[figures] for r in group])
                proportional = values[-1] * sizes / sizes[-1]
                ax.loglog(sizes, proportional, "--", color=plots.COLOURS["faint"], label="slope 1")
                ax.loglog(sizes, values, "o-", ms=4, color=plots.COLOURS["inferred"])
                ax.set_xticks(sizes, sizes)
                ax.minorticks_off()
            axes[1, column].set_xlabel(labels[name])
        axes[0, 0].set_ylabel("training step (ms)")
        axes[1, 0].set_ylabel("memory of a step (MB)")
        axes[0, 0].legend()
        plots.save_figure(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bins", type=int, nargs="+", default=BINS)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--name", default="scaling", help="of the results")
    parser.add_argument("--figure", type=Path, default=FIGURE)
    parser.add_argument("--serve", type=json.loads, help="be the worker of one size")
    args = parser.parse_args()
    if args.serve:
        serve(*args.serve)
        return
    sizes = {(WORK.batch, bins) for bins in args.bins}
    sizes |= {(batch, WORK.bins) for batch in args.batches}
    runs, idle_mb = [], measure(*SMALLEST, rounds=1)["step_mb"]
    for batch, bins in sorted(sizes):
        runs.append(measure(batch, bins, args.rounds, idle_mb))
        tables.write(args.name, runs, table(runs))
    draw(runs, args.figure)


if __name__ == "__main__":
    main()
