"""What is paid beside the steps: Keras' loop, validation, checkpoints; and posterior averaging.

    python benchmarks/overhead.py [--epochs 20] [--rounds 5]
        [--lfads-torch CHECKOUT [--torch-python PYTHON]]

A fit of LFADS to 1500 simulated trials (which its batches of 64 do not divide), at the sizes of the
workload "lorenz". Before each epoch the bare step, compiled as `training.fit` does it, is taken as
often as the epoch will take it, so that bare steps and the loop around them take turns; the first
epoch, which compiles, stands by itself. Then 50 posterior samples of 260 trials, in turns with
lfads-torch where a checkout is given.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time

import numpy as np
import products
import speed
import tables
import tensorflow as tf
import tf_keras
import turns

from tfp_bvae import data, inference, models, training

WORK = products.WORKLOADS["lorenz"]
TRIALS = {"num_conditions": 75, "num_trials": 24, "num_valid": 4}  # 1500 of them to fit
AVERAGED = {"batch": 260, "batch_size": 64, "samples": 50}


class Clock(tf_keras.callbacks.Callback):
    """Seconds that the parts of each epoch take, and those of as many bare steps before it.

    It comes after the callbacks that validate and before those that save.

    Args:
        batch: inputs and targets of the bare step.
        steps: number of steps of an epoch.
    """

    def __init__(self, batch: tuple, steps: int):
        super().__init__()
        self.batch, self.steps = batch, steps
        self.epochs: list[dict[str, float]] = []
        self._since = 0.0

    def on_train_begin(self, logs=None):
        """Compiles the bare step."""
        step = tf.function(self.model.train_step, jit_compile=True)
        self._bare = lambda: tf.nest.map_structure(lambda x: x.numpy(), step(self.batch))
        self._bare()

    def on_epoch_begin(self, epoch, logs=None):
        """Takes the bare steps; what the epoch before ended with is over."""
        self._saved()
        bare = turns.seconds(lambda: [self._bare() for _ in range(self.steps)])
        self.epochs.append({"bare_s": bare})
        self._since = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """After the last step, the steps are over."""
        if batch + 1 == self.steps:
            self._part("steps_s")

    def on_epoch_end(self, epoch, logs=None):
        """Validation is over."""
        self._part("validation_s")

    def on_train_end(self, logs=None):
        """The last checkpoint is written."""
        self._saved()

    def _saved(self) -> None:
        if self.epochs:
            self._part("saving_s")

    def _part(self, name: str) -> None:
        """What ended just now began when the last part ended."""
        now = time.perf_counter()
        self.epochs[-1][name] = now - self._since
        self._since = now


def measure_epochs(epochs: int) -> dict:
    """Parts of each epoch of a fit, with checkpoints and validation after each."""
    dataset = data.lorenz(**TRIALS)
    arguments = {"channels": dataset.train.recon.shape[-1]}
    model = models.lfads(arguments, speed.params_of("lfads", WORK))
    inputs, targets = models.model_arrays(model, dataset.train)
    size = WORK.batch
    batch = {name: tf.constant(x[:size]) for name, x in inputs.items()}, tf.constant(targets[:size])
    clock = Clock(batch, steps=-(-len(targets) // size))
    settings = {"epochs": epochs, "batch_size": size}
    with tempfile.TemporaryDirectory() as folder:
        training.fit(model, dataset, settings, run=folder, verbose=False, callbacks=[clock])
    return {
        "steps": clock.steps,
        "epochs": clock.epochs,
        "traces": model.train_tf_function.experimental_get_tracing_count(),
    }


def serve_averaging() -> None:
    """The worker that averages over posterior samples."""
    model, split = speed.build("lfads", WORK._replace(batch=AVERAGED["batch"]))

    def run() -> None:
        inference.sample_and_average(model, split, AVERAGED["samples"], AVERAGED["batch_size"])

    turns.serve({"first_s": turns.seconds(run)}, lambda: {"s": turns.seconds(run)})


def measure_averaging(args: argparse.Namespace) -> dict[str, dict]:
    """The averaging of this package, and of lfads-torch where there is a checkout."""
    commands = {"ours": [sys.executable, __file__, "--serve"]}
    sizes = speed.sizes_of_peer(WORK) | AVERAGED
    return turns.turns(commands | speed.peer_commands(args, "samples", sizes), args.rounds)


def table(runs: dict) -> str:
    """Parts of an epoch, and what averaging takes."""
    first, *later = runs["epochs"]["epochs"]
    parts = {name: np.array([epoch[name] for epoch in later]) for name in first}
    steps = runs["epochs"]["steps"]
    over = turns.spread(100 * (parts["steps_s"] / parts["bare_s"] - 1))
    rows = [
        ["bare step, ms", turns.spread(1e3 * parts["bare_s"] / steps)],
        ["step within `training.fit`, ms", turns.spread(1e3 * parts["steps_s"] / steps)],
        ["what Keras' loop adds to the steps, %", over],
        ["validation after an epoch, s", turns.spread(parts["validation_s"], 2)],
        ["checkpoint after an epoch, s", turns.spread(parts["saving_s"], 2)],
        [f"an epoch of {steps} steps, validated and saved, s", turns.spread(_whole(parts), 2)],
        ["the first epoch, which compiles, s", f"{_whole(first):.0f}"],
        ["traces of the training step", runs["epochs"]["traces"]],
    ]
    text = tables.markdown(["of a fit", "median (10 % to 90 %) of epochs"], rows)
    return f"{text}\n{averaging_table(runs['averaging'])}\n{tables.machine()}.\n"


def _whole(parts: dict):
    """All of an epoch, but for the bare steps before it."""
    return parts["steps_s"] + parts["validation_s"] + parts["saving_s"]


def averaging_table(found: dict[str, dict]) -> str:
    """Time of all samples; ours, and of lfads-torch the quicker number of threads."""
    peer = speed.quicker_peer(found, "s")
    ours = found["ours"]
    shown = {"this package": ours} | ({"lfads-torch": peer} if peer else {})
    rows = [
        [
            name,
            turns.spread(one["s"], 2),
            f"{AVERAGED['batch'] / np.median(one['s']):.0f}",
            turns.ratio(one["s"], ours["s"]),
            f"{max(one['peak_mb']):.0f}",
        ]
        for name, one in shown.items()
    ]
    what = f"{AVERAGED['samples']} posterior samples of {AVERAGED['batch']} trials"
    return tables.markdown([what, "s", "trials/s", "over ours", "peak memory, MB"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--name", default="overhead", help="of the results")
    parser.add_argument("--serve", action="store_true", help="be the worker that averages")
    speed.peer_options(parser)
    args = parser.parse_args()
    if args.serve:
        serve_averaging()
        return
    runs = {"epochs": measure_epochs(args.epochs), "averaging": measure_averaging(args)}
    tables.write(args.name, [runs], table(runs))


if __name__ == "__main__":
    main()
