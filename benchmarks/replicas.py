"""One process, and two of them on this host that share each batch: the same fit, side by side.

    python benchmarks/replicas.py [--epochs 4]

LFADS with its defaults on the Lorenz system (1040 trials, seed 0), first in one process without a
strategy, then in two under `MultiWorkerMirroredStrategy`, which talk over loopback. The two share
the cores that the one has for itself: the time of their step says what the exchange costs, and
not what a second host would gain.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tables

SHOWN = {"loss": 2, "kl_f": 3, "kl_z": 3, "val_heldout": 4}  # figures, and digits after the point
HOSTS = 2


def run(how: str, out: str, epochs: int) -> None:
    """One fit, in this process: its rows, and seconds of the steps after each epoch's first."""
    import tensorflow as tf
    import tf_keras

    strategy = tf.distribute.MultiWorkerMirroredStrategy() if how == "hosts" else None
    from tfp_bvae import data, models, training

    ends: list[float] = []
    clock = tf_keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter())
    )
    dataset = data.lorenz(seed=0)
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = models.lfads(
            training.data_arguments(dataset), mean_rates=training.mean_rates(dataset.train)
        )
    rows = training.fit(
        model, dataset, {"epochs": epochs}, verbose=False, callbacks=[clock], strategy=strategy
    )
    steps = np.diff(np.reshape(ends, [epochs, -1]), axis=1)[1:]  # the first epoch compiles
    Path(out).write_text(json.dumps({"rows": rows, "step_ms": (1e3 * steps).ravel().tolist()}))


def measure(epochs: int) -> dict[str, dict]:
    """Both ways, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder) / f"{n}.json" for n in range(1 + HOSTS)]
        _wait(_started("alone", outs[:1], epochs))
        _wait(_started("hosts", outs[1:], epochs))
        alone, chief, other = (json.loads(out.read_text()) for out in outs)
    return {"alone": alone, "hosts": chief, "agree": chief["rows"] == other["rows"]}


def _started(how: str, outs: list[Path], epochs: int) -> list[subprocess.Popen]:
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(socket.socket()) for _ in outs]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{one.getsockname()[1]}" for one in taken]
    processes = []
    for index, out in enumerate(outs):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        environment = os.environ | ({"TF_CONFIG": json.dumps(task)} if how == "hosts" else {})
        command = [sys.executable, __file__, "--serve", how, str(out), "--epochs", str(epochs)]
        processes.append(subprocess.Popen(command, env=environment))
    return processes


def _wait(processes: list[subprocess.Popen]) -> None:
    try:
        codes = [process.wait() for process in processes]
    finally:
        for process in processes:
            process.kill()
    if any(codes):
        raise SystemExit(f"a process of {len(codes)} failed: {codes}")


def table(found: dict) -> str:
    """Figures of each epoch both ways, the largest difference, and the time of a step."""
    alone, hosts = found["alone"], found["hosts"]
    pairs = list(zip(alone["rows"], hosts["rows"], strict=True))
    rows = [
        [int(one["epoch"]), *(f"{row[n]:.{d}f}" for n, d in SHOWN.items() for row in (one, two))]
        for one, two in pairs
    ]
    header = ["epoch", *(f"{name}, {how}" for name in SHOWN for how in ("1 process", "2"))]
    largest = max(abs(two[n] - one[n]) / abs(one[n]) for one, two in pairs for n in SHOWN)
    times = [np.median(x["step_ms"]) for x in (alone, hosts)]
    return (
        f"{tables.markdown(header, rows)}\n"
        f"Largest relative difference {largest:.1e}; the two processes agree to the last digit: "
        f"{'yes' if found['agree'] else 'no'}. A step of 64 trials: {times[0]:.0f} ms in one "
        f"process, {times[1]:.0f} ms in two that share its cores.\n\n{tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--serve", nargs=2, metavar=("HOW", "OUT"), help="be one of the processes")
    args = parser.parse_args()
    if args.serve:
        run(*args.serve, args.epochs)
        return
    found = measure(args.epochs)
    tables.write("replicas", [found], table(found))


if __name__ == "__main__":
    main()
