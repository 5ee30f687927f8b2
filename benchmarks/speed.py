"""What a training step costs: beside lfads-torch's, and beside the matrix products in it.

    python benchmarks/speed.py [--workloads lorenz maze long] [--models lfads ...] [--rounds 10]
        [--lfads-torch CHECKOUT [--torch-python PYTHON]]

For each workload and model: the step of `training.fit`, compiled by XLA, on one batch. For LFADS
two floors, which no code can go below: the time that its multiplications and additions take at the
rate of one large product, and the matrix products themselves, as numpy's BLAS does them one after
the other. With a checkout of https://github.com/arsedler9/lfads-torch, its step on the same
sizes (`peers.py`), both with torch's default number of threads and with one; the quicker counts.

All of these take turns, each in a process of its own (`turns.py`), and each round gives one ratio.
A time is the best of three in a row. The first step includes tracing and compiling; memory is that
of the whole process at its peak, libraries included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import tables
import turns
from products import F_SIZE, WORKLOADS, Z_SIZE, Workload

HERE = Path(__file__).parent
MODELS = ("lfads", "dsae-full", "dsae-factorized", "fhvae")
DROPOUT = {"dropout": 0.3, "coordinated_dropout": 0.3}
OF_LFADS = DROPOUT | {"l2_generator": 1e-4, "l2_controller": 1e-4}


def build(name: str, work: Workload):
    """A model for a workload, and as many random trials as its batch has."""
    from tfp_bvae import data, models

    counts = np.random.default_rng(0).poisson(0.3, (work.batch, work.bins, work.outputs))
    split = data.Split(counts[:, : work.encoded, : work.channels], counts)
    arguments = {
        "channels": work.channels,
        "outputs": work.outputs,
        "forward_bins": work.bins - work.encoded,
    }
    recipe = models.RECIPES[name]
    if recipe.of_groups:
        arguments |= {"num_groups": work.batch, "forward_bins": 0}
        encoded = counts[:, : work.encoded]
        split = data.Split(encoded[..., : work.channels], encoded, group=np.arange(work.batch))
    return recipe.build(arguments, recipe.params(params_of(name, work))), split


def params_of(name: str, work: Workload) -> dict:
    """Settings that give a model the sizes of a workload."""
    params = {
        "f_size": F_SIZE, "z_size": Z_SIZE, "f_encoder_units": work.units,
        "z_encoder_units": work.units, "generator_units": work.generator, "factors": work.factors,
    }  # fmt: skip
    return params | ({"controller_units": work.units, **OF_LFADS} if name == "lfads" else {})


def compiled_step(model, split):
    """The step of `training.fit` on all trials of a split: a function without arguments."""
    import tensorflow as tf

    from tfp_bvae import models, training

    inputs, targets = models.model_arrays(model, split)
    batch = {name: tf.constant(x) for name, x in inputs.items()}, tf.constant(targets)
    settings = training.FitSettings.of({"epochs": 1, "batch_size": len(targets)})
    training.compile_model(model, settings, steps=1000)
    step = tf.function(model.train_step, jit_compile=True)
    return lambda: tf.nest.map_structure(lambda x: x.numpy(), step(batch))


def serve_step(name: str, work: Workload) -> None:
    """The worker that takes this package's steps."""
    step = compiled_step(*build(name, work))
    about = {"first_s": turns.seconds(step)}
    step()
    turns.serve(about, lambda: {"ms": turns.milliseconds(step)})


def commands(workload: str, model: str, args: argparse.Namespace) -> dict[str, list[str]]:
    """What starts each worker of a comparison."""
    work = WORKLOADS[workload]
    own = [sys.executable, __file__, "--serve", "--workloads", workload, "--models", model]
    if model != "lfads":
        return {"step": own}
    floor = [sys.executable, str(HERE / "products.py"), json.dumps(work._asdict())]
    return {"step": own, "floor": floor} | peer_commands(args, "step", sizes_of_peer(work))


def sizes_of_peer(work: Workload) -> dict:
    """A workload as `peers.build` takes it."""
    latents = {"static_units": work.units, "f_size": F_SIZE, "z_size": Z_SIZE}
    return work._asdict() | latents | DROPOUT | {"beta": 0.1, "warm_up": 20}


def peer_commands(args: argparse.Namespace, job: str, sizes: dict) -> dict[str, list[str]]:
    """Workers of lfads-torch, with torch's default of threads and with one; none without it."""
    if not args.lfads_torch:
        return {}
    command = [args.torch_python, str(HERE / "peers.py"), args.lfads_torch, job, json.dumps(sizes)]
    return {"peer": command, "peer, one thread": [*command, "--threads", "1"]}


def quicker_peer(found: dict[str, dict], figure: str) -> dict | None:
    """Of the workers of lfads-torch the one whose median is lower."""
    peers = [found[name] for name in found if name.startswith("peer")]
    return min(peers, key=lambda peer: np.median(peer[figure]), default=None)


def table(runs: list[dict]) -> str:
    """LFADS beside its floors and lfads-torch, then all models: medians over rounds."""
    floors = [[r["workload"], *beside(r["found"])] for r in runs if "floor" in r["found"]]
    header = [
        "LFADS", "step, ms", "GFLOP of its products", "these at the rate of one large product, ms",
        "step over that", "these one by one, ms", "step over that", "lfads-torch's step, ms",
        "lfads-torch over ours",
    ]  # fmt: skip
    of_first = ["workload", "model", "step, ms", "first step, s", "peak memory, MB"]
    parts = [tables.markdown(header, floors)] if floors else []
    parts.append(tables.markdown(of_first, [row for r in runs for row in costs(r)]))
    note = "Times are medians over rounds; ratios are those of each round, median (10 % to 90 %)."
    return "\n".join([*parts, f"{note} {tables.machine()}.\n"])


def beside(found: dict[str, dict]) -> list[str]:
    """The step of LFADS, its floors, and the peer."""
    step, floor, peer = found["step"]["ms"], found["floor"], quicker_peer(found, "ms")
    at_rate = 1e3 * floor["gflop"] / np.array(floor["gflop_per_s"])
    row = [f"{np.median(step):.0f}", f"{floor['gflop']:.1f}"]
    for least in (at_rate, floor["ms"]):
        row += [f"{np.median(least):.0f}", turns.ratio(step, least)]
    if not peer:
        return [*row, "", ""]
    threads = f"{np.median(peer['ms']):.0f} ({peer['threads']} threads)"
    return [*row, threads.replace("1 threads", "1 thread"), turns.ratio(peer["ms"], step)]


def costs(run: dict) -> list[list[str]]:
    """Rows of what a model costs, and lfads-torch where it was beside it."""
    found = {run["model"]: run["found"]["step"]}
    peer = quicker_peer(run["found"], "ms")
    if peer:
        found["lfads-torch"] = peer
    return [
        [
            run["workload"], name, f"{np.median(one['ms']):.0f}", f"{one['first_s']:.1f}",
            f"{max(one['peak_mb']):.0f}",
        ]
        for name, one in found.items()
    ]  # fmt: skip


def peer_options(parser: argparse.ArgumentParser) -> None:
    """Where lfads-torch is, for all benchmarks that have it beside them."""
    parser.add_argument("--lfads-torch", metavar="CHECKOUT", help="its clone; none: left out")
    parser.add_argument("--torch-python", metavar="PYTHON", default=sys.executable)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=WORKLOADS)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--name", default="speed", help="of the results")
    parser.add_argument("--serve", action="store_true", help="be the worker of one comparison")
    peer_options(parser)
    args = parser.parse_args()
    if args.serve:
        serve_step(args.models[0], WORKLOADS[args.workloads[0]])
        return
    runs = []
    for workload, model in itertools.product(args.workloads, args.models):
        found = turns.turns(commands(workload, model, args), args.rounds)
        runs.append({"workload": workload, "model": model, "found": found})
        tables.write(args.name, runs, table(runs))


if __name__ == "__main__":
    main()
