"""Fits of tiny models on replicas, in a process of their own: `on_replicas.py HOW OUT CASE ...`.

HOW is `mirrored` (two devices of one process; beside it the same fit without a strategy), `hosts`
(this process is one of those in TF_CONFIG) or `alone` (what these do, without a strategy). OUT is a
JSON file of rows and weights.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import data, models, training

TINY = {
    "f_size": 4,
    "f_encoder_units": 6,
    "z_size": 1,
    "z_encoder_units": 5,
    "controller_units": 5,
    "generator_units": 8,
    "factors": 3,
    "dropout": 0.2,
    "coordinated_dropout": 0.3,
}
PLAIN = {name: size for name, size in TINY.items() if name != "controller_units"} | {"z_size": 2}
FIT = {"epochs": 3, "batch_size": 8, "warm_up": 1, "jit_compile": False}


def trials() -> data.SpikeDataset:
    """32 trials to fit and 8 to validate on, of 10 bins and 6 channels."""
    return data.synthetic.lorenz(
        seed=0, num_conditions=4, num_channels=6, num_trials=10, num_valid=2, duration_ms=200
    )


def in_groups() -> data.SpikeDataset:
    """The same in groups of eight."""
    plain = trials()
    train = dataclasses.replace(plain.train, group=np.repeat(np.arange(4), 8))
    valid = dataclasses.replace(plain.valid, group=np.full(8, -1))
    return dataclasses.replace(plain, train=train, valid=valid)


def unequal() -> data.SpikeDataset:
    """The same with values missing and trials of unequal length."""
    plain = trials()
    sides = {}
    for side in ("train", "valid"):
        split = getattr(plain, side)
        encod, recon = split.encod.copy(), split.recon.copy()
        for trial in range(0, len(encod), 3):
            encod[trial, 7:] = recon[trial, 7:] = np.nan
            encod[trial, 2, 1] = recon[trial, 2, 1] = np.nan
        sides[side] = dataclasses.replace(split, encod=encod, recon=recon)
    return dataclasses.replace(plain, **sides)


def in_sessions() -> data.SpikeDataset:
    """Two sessions of such trials."""
    return data.join_sessions({"a": trials(), "b": trials()})


lfads, factorized = models.lfads, functools.partial(models.dsae, posterior="factorized")
# of each case: its data, its model, arguments and settings of the model, settings of the fit
CASES = {
    "lfads": (trials, lfads, {}, TINY, {}),
    "lfads, compiled": (trials, lfads, {}, TINY, {"jit_compile": True}),
    "lfads, double": (trials, lfads, {}, TINY, {}),
    "lfads, l2": (trials, lfads, {}, TINY | {"l2_generator": 1.0, "l2_controller": 1.0}, {}),
    "lfads, importance": (
        trials, lfads, {"num_samples": 3, "importance_weighted": True},
        TINY | {"coordinated_dropout": 0.0}, {},
    ),
    "lfads, not finite": (trials, lfads, {}, TINY, {"epochs": 1}),
    "lfads, sessions": (in_sessions, lfads, {"num_sessions": 2}, TINY | {"input_factors": 4}, {}),
    "lfads, unequal": (unequal, lfads, {"masked": True}, TINY, {}),
    "dsae, full": (trials, models.dsae, {}, PLAIN | {"z_encoder_units2": 3}, {}),
    "dsae, factorized": (trials, factorized, {}, PLAIN, {}),
    "fhvae": (in_groups, models.fhvae, {"num_groups": 4}, PLAIN | {"discrimination": 1.0}, {}),
}  # fmt: skip
POLICIES = {"lfads, double": "float64"}


class Spoil(tf_keras.callbacks.Callback):
    """Makes one batch a bad one, for its last trial alone."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model.get_layer("kl_f").beta.assign(np.nan if batch == 1 else 0.1)


def fitted(case: str, strategy: tf.distribute.Strategy | None, run=None, **fit) -> dict:
    """The rows of a fit, and the weights it ends with."""
    make_data, make, arguments, params, settings = CASES[case]
    dataset = make_data()
    arguments = {"channels": dataset.train.encod.shape[2], "seed": 3} | arguments
    tf_keras.mixed_precision.set_global_policy(POLICIES.get(case, "float32"))
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = make(arguments, params)
    callbacks = [Spoil()] if case == "lfads, not finite" else []
    rows = training.fit(
        model, dataset, FIT | settings | fit, run, resume=run is not None, verbose=False,
        callbacks=callbacks, strategy=strategy,
    )  # fmt: skip
    weights = {w.name: np.asarray(w, np.float64).ravel().tolist() for w in model.weights}
    return {"rows": rows, "weights": weights}


def main(how: str, out: str, *cases: str) -> None:
    found = {}
    if how == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        for case in cases:
            found[case] = {"one": fitted(case, None), "two": fitted(case, strategy)}
            Path(out).write_text(json.dumps(found))
        return
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if how == "hosts" else None
    run = Path(out).parent / ("run" if strategy else "run_of_one")
    for case in cases:
        before = fitted(case, strategy, run, epochs=2, final_rate=1.0)
        after = fitted(case, strategy, run, final_rate=1.0)  # goes on
        found[case] = {"before": before, "two": after}
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
