"""What a training step costs beside the matrix products in it, which no code can do without.

    python benchmarks/speed.py [--workloads lorenz maze long] [--models lfads ...] [--rounds 10]

For each workload and model: the step of `training.fit` (compiled by XLA), and the floor, the same
matrix products by themselves, forward and backward, as numpy's BLAS does them. The two take
turns in one process, and each round gives one ratio: times differ from machine to machine and from
hour to hour, ratios little. Each pair runs in a process of its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
import tables
import tensorflow as tf

from tfp_bvae import data, models, training


class Workload(NamedTuple):
    """Sizes of a batch, and of the generator."""

    batch: int
    bins: int
    encoded: int  # bins that the encoders see
    channels: int
    outputs: int
    generator: int
    factors: int


WORKLOADS = {
    "lorenz": Workload(64, 50, 50, 30, 30, 64, 20),
    "maze": Workload(256, 45, 35, 137, 182, 200, 100),
    "long": Workload(64, 200, 200, 100, 100, 200, 20),
}
UNITS = 100  # of the encoders
CONTROLLER = 80
LATENTS = {"f_size": 64, "z_size": 4}
OF_LFADS = {"controller_units": CONTROLLER, "dropout": 0.3}
Product = tuple[int, int, int, int]  # rows, inner, columns, how often


def build(name: str, work: Workload) -> tuple[models.BetaVAE, data.Split]:
    """A model for a workload, and as many random trials as its batch has."""
    counts = np.random.default_rng(0).poisson(0.3, (work.batch, work.bins, work.outputs))
    split = data.Split(counts[:, : work.encoded, : work.channels], counts)
    params = LATENTS | {
        "f_encoder_units": UNITS, "z_encoder_units": UNITS,
        "generator_units": work.generator, "factors": work.factors,
    } | (OF_LFADS if name == "lfads" else {})  # fmt: skip
    arguments = {
        "channels": work.channels,
        "outputs": work.outputs,
        "forward_bins": work.bins - work.encoded,
    }
    recipe = models.RECIPES[name]
    if recipe.of_groups:
        arguments |= {"num_groups": work.batch, "forward_bins": 0}
        split = data.Split(
            counts[:, : work.encoded, : work.channels],
            counts[:, : work.encoded],
            group=np.arange(work.batch),
        )
    return recipe.build(arguments, recipe.params(params)), split


def lfads_products(work: Workload) -> list[Product]:
    """Rows, inner size, columns and number of the products of LFADS' forward pass."""
    batch, wide, gen = work.batch, 2 * UNITS, work.generator
    encoder = [
        (batch * work.encoded, work.channels, 3 * UNITS, 2),
        (batch, UNITS, 3 * UNITS, 2 * work.encoded),
    ]
    step = [
        (batch, work.factors, 3 * CONTROLLER, work.bins),
        (batch, CONTROLLER, 3 * CONTROLLER, work.bins),
        (batch, CONTROLLER, 2 * LATENTS["z_size"], work.bins),
        (batch, LATENTS["z_size"], 3 * gen, work.bins),
        (batch, gen, 3 * gen, work.bins),
        (batch, gen, work.factors, work.bins),
    ]
    whole = [
        (batch * work.bins, wide, 3 * CONTROLLER, 1),
        (batch * work.bins, work.factors, work.outputs, 1),
    ]
    return [*encoder, *encoder, *step, *whole]


def floor(work: Workload):
    """A function that does the products of a training step of LFADS, and nothing else.

    Backward, the gradient of what came in is as many products of the same size; that of the
    weights is one product over all steps.
    """
    made = []
    for rows, inner, columns, count in lfads_products(work):
        made.append((rows, inner, columns, count))
        made.append((rows, columns, inner, count))
        made.append((inner, rows * count, columns, 1))
    rng = np.random.default_rng(0)
    pairs = []
    for rows, inner, columns, count in made:
        left, right, out = (
            rng.standard_normal(shape, np.float32)
            for shape in ((rows, inner), (inner, columns), (rows, columns))
        )
        pairs.append((left, right, out, count))

    def run() -> None:
        for left, right, out, count in pairs:
            for _ in range(count):
                np.matmul(left, right, out=out)

    return run


def measure(workload: str, model_name: str, rounds: int) -> dict:
    """The step and the floor in turns; ms, and the first call in seconds."""
    work = WORKLOADS[workload]
    model, split = build(model_name, work)
    inputs, targets = models.model_arrays(model, split)
    batch = {name: tf.constant(x) for name, x in inputs.items()}, tf.constant(targets)
    settings = training.FitSettings.of({"epochs": 1, "batch_size": work.batch})
    training.compile_model(model, settings, steps=1000)
    step = tf.function(model.train_step, jit_compile=True)

    def ours() -> None:
        tf.nest.map_structure(lambda x: x.numpy(), step(batch))

    first = seconds(ours)
    others = {"floor": floor(work)} if model_name == "lfads" else {}
    for run in (ours, *others.values()):
        run()
    times: dict[str, list[float]] = {"step": [], **{name: [] for name in others}}
    for _ in range(rounds):
        for name, run in ({"step": ours} | others).items():
            times[name].append(1e3 * min(seconds(run) for _ in range(3)))
    return {
        "workload": workload,
        "model": model_name,
        "first_s": first,
        "peak_mb": tables.peak_memory(),
        "ms": times,
    }


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def table(runs: list[dict]) -> str:
    """One row for each workload and model: medians, and the median ratio with its range."""
    rows = []
    for r in runs:
        step = np.array(r["ms"]["step"])
        cells = [r["workload"], r["model"], f"{np.median(step):.0f}"]
        if "floor" in r["ms"]:
            ratio = step / np.array(r["ms"]["floor"])
            low, high = np.percentile(ratio, [10, 90])
            cells += [
                f"{np.median(r['ms']['floor']):.0f}",
                f"{np.median(ratio):.1f} ({low:.1f} to {high:.1f})",
            ]
        else:
            cells += ["", ""]
        rows.append([*cells, f"{r['first_s']:.0f}", f"{r['peak_mb']:.0f}"])
    header = [
        "workload", "model", "step, ms", "its matrix products alone, ms",
        "ratio, median (10 to 90 %)", "first step, s", "peak memory, MB",
    ]  # fmt: skip
    return tables.markdown(header, rows) + f"\n{tables.machine()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=WORKLOADS)
    parser.add_argument("--models", nargs="+", default=list(models.RECIPES))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--one", action="store_true", help="print one measurement as JSON")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.workloads[0], args.models[0], args.rounds)))
        return
    runs = []
    for workload, model in itertools.product(args.workloads, args.models):
        command = [sys.executable, __file__, "--one", "--workloads", workload, "--models", model]
        command += ["--rounds", str(args.rounds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        tables.write("speed", runs, table(runs))


if __name__ == "__main__":
    main()
