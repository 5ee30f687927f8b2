"""Where the time of a training step of LFADS goes: products and the rest, in loops and outside.

    python benchmarks/profile_step.py [--workloads lorenz maze long] [--top 0]

Every operation of the compiled step as TensorFlow's profiler reports it, on one core, where
operations do not wait for each other; operations that run once for each bin are those of a loop.
Beside it the time of the step on one core and on all. Linux only. `--top` prints that many
operations with the most time.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import sys
import tempfile
from pathlib import Path

import products
import tables
import turns

STEPS = 5  # that are profiled
PRODUCT = re.compile(r"matmul|dot", re.IGNORECASE)
NOT_OPERATIONS = re.compile(
    r"^end: |^while|Threadpool|ThunkExecutor|train_step|^Eager|BlockUntil|^Cpu|TFE_"
)
GROUPS = ("products in loops", "others in loops", "products outside", "others outside")


def serve(workload: str, one_core: bool) -> None:
    """The worker that takes steps; on one core it also reports what they are made of."""
    if one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import speed

    step = speed.compiled_step(*speed.build("lfads", products.WORKLOADS[workload]))
    for _ in range(3):
        step()
    about = {"operations": operations(step)} if one_core else {}
    turns.serve(about, lambda: {"ms": turns.milliseconds(step)})


def operations(step) -> list[tuple[str, float, float]]:
    """Name, ms per step and calls per step of each operation."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(STEPS):
                step()
        (trace,) = Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(trace.read_bytes())
    ms, calls = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            if not NOT_OPERATIONS.search(name):
                ms[name] += event.duration_ps / 1e9 / STEPS
                calls[name] += 1 / STEPS
    return [(name, ms[name], calls[name]) for name, _ in ms.most_common()]


def group(name: str, calls: float, bins: int) -> str:
    """Which of the `GROUPS` an operation is of."""
    what = "products" if PRODUCT.search(name) else "others"
    return f"{what} {'in loops' if calls >= bins - 1 else 'outside'}"


def measure(workload: str, rounds: int) -> dict:
    """The step of a workload on one core and on all, and the ms of each group."""
    command = [sys.executable, __file__, "--serve", workload]
    found = turns.turns({"one": [*command, "--one-core"], "all": command}, rounds)
    bins = products.WORKLOADS[workload].encoded
    ms, calls = collections.Counter(), 0.0
    for name, time, count in found["one"]["operations"]:
        ms[group(name, count, bins)] += time
        calls += count
    return {
        "workload": workload,
        "ms": {cores: sorted(found[cores]["ms"]) for cores in ("one", "all")},
        "groups": ms,
        "calls": calls,
        "operations": found["one"]["operations"],
    }


def table(runs: list[dict]) -> str:
    """A row for each workload."""
    header = ["LFADS", *(f"{name}, ms" for name in GROUPS), "operations run"]
    header += ["step on one core, ms", "on all, ms", "ratio"]
    rows = []
    for run in runs:
        one, every = (run["ms"][cores][len(run["ms"][cores]) // 2] for cores in ("one", "all"))
        cells = [f"{run['groups'][name]:.0f}" for name in GROUPS]
        steps = f"{one:.0f}", f"{every:.0f}", f"{one / every:.2f}"
        rows.append([run["workload"], *cells, f"{run['calls']:,.0f}", *steps])
    return tables.markdown(header, rows) + f"\n{tables.machine()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="+", default=list(products.WORKLOADS))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--top", type=int, default=0)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--one-core", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.one_core)
        return
    runs = []
    for workload in args.workloads:
        runs.append(measure(workload, args.rounds))
        for name, ms, calls in runs[-1]["operations"][: args.top]:
            print(f"{workload} {ms:8.3f} ms {calls:7.1f} calls  {name}")
        runs[-1]["operations"] = runs[-1]["operations"][:100]
        tables.write("profile", runs, table(runs))


if __name__ == "__main__":
    main()
