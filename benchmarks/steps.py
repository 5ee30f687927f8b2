"""What one training step costs: time, compiling, memory; each workload in a process of its own.

    python benchmarks/steps.py [M1_DAY0.h5]

The step is that of `training.fit`: LFADS, its gradient, Adam. The recording is left out without
its file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import m1
import numpy as np
import tables
import tensorflow as tf
from recording import make_dataset

from tfp_bvae import data, models
from tfp_bvae.training import FitSettings, compile_model


def measure(workload: str, path: str, repeats: int = 30) -> dict:
    """Seconds to the end of the first step, ms of later ones, and peak memory so far."""
    if workload == "lorenz":
        dataset, given = data.lorenz(), {}
        model = models.lfads({"channels": dataset.train.recon.shape[-1]})
    else:
        dataset, given = make_dataset(path, 0), m1.SETTINGS
        model = m1.build(dataset, m1.PARAMS, seed=0)
    settings = FitSettings.of(given).resolved(model.hyperparameters)
    inputs, targets = models.model_arrays(model, dataset.train)
    size = settings.batch_size
    batch = {name: tf.constant(x[:size]) for name, x in inputs.items()}, tf.constant(targets[:size])
    compile_model(model, settings, steps=repeats)
    step = tf.function(model.train_step, jit_compile=True)
    first, *later = (seconds(step, batch) for _ in range(repeats + 1))
    return {
        "workload": workload,
        "trials_bins_channels": [size, *targets.shape[1:]],
        "step_ms": [float(1e3 * q) for q in np.percentile(later, [10, 50, 90])],
        "first_step_s": first,
        "peak_mb": tables.peak_memory(),
    }


def seconds(step, batch) -> float:
    start = time.perf_counter()
    tf.nest.map_structure(lambda x: x.numpy(), step(batch))
    return time.perf_counter() - start


def table(runs: list[dict]) -> str:
    """A row for each workload."""
    header = [
        "workload", "trials x bins x channels", "ms per step, median (10 to 90 %)",
        "first step, s", "peak memory, MB",
    ]  # fmt: skip
    rows = [
        [
            r["workload"],
            " x ".join(map(str, r["trials_bins_channels"])),
            "{1:.0f} ({0:.0f} to {2:.0f})".format(*r["step_ms"]),
            f"{r['first_step_s']:.0f}",
            f"{r['peak_mb']:.0f}",
        ]
        for r in runs
    ]
    return tables.markdown(header, rows) + f"\n{tables.machine()}.\n"


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else ""
    runs = []
    for workload in ("lorenz", "recording") if path else ("lorenz",):
        command = [sys.executable, __file__, "--one", workload, path]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    tables.write("steps", runs, table(runs))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(*sys.argv[2:4])))
    else:
        main()
