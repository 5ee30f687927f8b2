"""Hierarchical sampling: whose the rows are, what they are set to, and that a fit learns by it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import data, models, training
from tfp_bvae.training import FitSettings, GroupBatches, HierarchicalSampling

FAST = {"epochs": 4, "batch_size": 8, "warm_up": 1, "jit_compile": False}
AT_ONCE, SIZES = 3, [9, 1, 6, 4, 0, 7, 5]  # trials of each group
TINY = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 2, "z_encoder_units": 3, "generator_units": 4,
    "coordinated_dropout": 0.3, "segment_length": 5, "segment_stride": 5, "beta_f": 0.7,
    "groups_at_once": AT_ONCE,
}  # fmt: skip


@pytest.fixture(scope="module")
def grouped(dataset):
    """Trials of groups of all sizes, whose first channel says which group it is."""
    group = np.repeat(np.arange(len(SIZES)), SIZES)
    spikes = dataset.train.encod.copy()
    spikes[..., 0] = group[:, np.newaxis]
    train = data.Split(spikes, spikes, group=group)
    valid = data.Split(dataset.valid.encod, dataset.valid.recon, group=np.full(8, -1))
    return data.SpikeDataset(train, valid, dataset.bin_width)


def make(**params):
    return models.fhvae({"channels": 6, "num_groups": len(SIZES), "seed": 3}, TINY | params)


def sampling_of(model, grouped) -> HierarchicalSampling:
    """The callback alone, with a compiled model."""
    arrays = models.model_arrays(model, models.model_segments(model, grouped.train).split)
    batches = GroupBatches(*arrays, FAST["batch_size"], AT_ONCE, seed=3)
    training.compile_model(model, FitSettings.of(FAST), steps=10)
    sampling = HierarchicalSampling(model, batches, jit_compile=False)
    sampling.set_model(model)
    return sampling


def test_an_epoch_begins_with_the_means_in_closed_form(grouped):
    model = make()
    sampling = sampling_of(model, grouped)
    batches, table = sampling.batches, model.get_layer("group_means").table
    f_params = tf_keras.Model(model.input, model.get_layer("f_params").output)
    f = f_params(batches.inputs, training=False).numpy()[:, :2]
    shrinkage = 0.5**2 / 0.7  # s^2 / beta_f; r is 1
    for epoch in (4, 0, 1):
        table.assign(tf.fill(table.shape, np.nan))
        sampling.on_epoch_begin(epoch)
        for row, group in enumerate(batches.drawn(epoch)):
            own = f[batches.inputs["group"] == group]
            assert len(own) == 2 * SIZES[group]
            expected = own.sum(axis=0) / (len(own) + shrinkage)
            np.testing.assert_allclose(table[row], expected, rtol=1e-5)
    assert sampling._encode.experimental_get_tracing_count() == 1


@pytest.fixture(params=["float32", "mixed_float16"])
def policy(request):
    before = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    tf_keras.mixed_precision.set_global_policy(before)


def test_the_optimiser_forgets_rows_that_go_to_another_group_and_nothing_else(grouped, policy):
    model = make()
    sampling = sampling_of(model, grouped)
    sampling.on_epoch_begin(0)  # an optimiser that has not been built has nothing to forget
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    inner = optimizer.inner_optimizer if policy == "mixed_float16" else optimizer
    at = [v is sampling.table for v in model.trainable_variables].index(True)
    slots = {id(inner._momentums[at]), id(inner._velocities[at])}
    kept_rows = 0
    for epoch in range(8):
        for variable in optimizer.variables:
            variable.assign(tf.ones_like(variable))
        sampling.on_epoch_begin(epoch)
        same = sampling.batches.drawn(epoch) == sampling.batches.drawn(max(epoch - 1, 0))
        kept = same & (epoch > 0)
        kept_rows += kept.sum()
        for variable in optimizer.variables:
            expected = np.ones(variable.shape)
            if id(variable) in slots:
                slots.add("met")
                expected[~kept] = 0.0
            np.testing.assert_array_equal(variable, expected, err_msg=variable.name)
    assert "met" in slots and 0 < kept_rows < 7 * AT_ONCE


class Spy(tf_keras.callbacks.Callback):
    """What reaches the steps of each epoch, the table at its end, and the folder before epoch 2."""

    def __init__(self, model, run):
        super().__init__()
        self.run = run
        self.seen, self.ends, self.now = [], [], None
        step = model.train_step

        def watched(batch):
            inputs = batch[0]
            tf.py_function(self._note, [inputs["spikes"], inputs["group"], inputs["count"]], [])
            return step(batch)

        model.train_step = watched

    def _note(self, *arrays):
        self.seen.append((self.now, *(x.numpy() for x in arrays)))

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == 2:
            shutil.copytree(self.run, self.run / "stopped")

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(self.model.get_layer("group_means").table.numpy())


@pytest.fixture(scope="module")
def undisturbed(grouped, tmp_path_factory):
    """A fitted model, its history, and the spy that was there."""
    model = make()
    run = tmp_path_factory.mktemp("run")
    spy = Spy(model, run)
    history = training.fit(model, grouped, FAST, run=run, verbose=False, callbacks=[spy])
    return model, history, spy


def test_a_fit_sees_in_each_epoch_the_groups_drawn_for_it_in_their_rows(grouped, undisturbed):
    model, history, spy = undisturbed
    draws = sampling_of(make(), grouped).batches
    assert [epoch for epoch, *_ in spy.seen] == np.repeat(np.arange(4), len(draws)).tolist()
    assert len({spikes.shape for _, spikes, *_ in spy.seen}) == 1
    for epoch, spikes, row, count in spy.seen:
        group = spikes[:, 0, 0].astype(int)
        np.testing.assert_array_equal(draws.drawn(epoch)[row], group)
        np.testing.assert_array_equal(count, 2 * np.take(SIZES, group))
    figures = [row[name] for row in history for name in ("loss", "group_means", "discrimination")]
    assert np.isfinite(figures).all() and not any(row["skipped_steps"] for row in history)
    table = model.get_layer("group_means").table.numpy()
    assert any(np.array_equal(table, end) for end in spy.ends)  # of the best epoch


def test_a_resumed_fit_ends_as_the_undisturbed_one(grouped, undisturbed):
    whole, history, spy = undisturbed
    resumed, epochs = make(), []
    watch = tf_keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: epochs.append(epoch))
    settings = {"run": spy.run / "stopped", "resume": True, "verbose": False}  # in epoch 2
    again = training.fit(resumed, grouped, FAST, callbacks=[watch], **settings)
    assert epochs == [2, 3]
    for a, b in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=a.name)
    for a, b in zip(whole.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=a.name)
    assert again == history


def test_it_learns_to_tell_many_trials_apart_by_a_few_at_once():
    trials = data.static_dynamic(num_trials=14, num_valid=2, num_channels=20, base_rate=60.0)
    trials = data.with_groups(trials)
    sizes = {"f_size": 4, "f_encoder_units": 16, "z_size": 2, "z_encoder_units": 8}
    model = models.fhvae(
        {"channels": 20, "num_groups": 48},
        sizes | {"generator_units": 8, "segment_length": 20, "groups_at_once": 12},
    )
    settings = FAST | {"epochs": 20, "batch_size": 24, "warm_up": 2, "learning_rate": 0.02}
    history = training.fit(model, trials, settings, verbose=False)
    assert np.isfinite([list(row.values()) for row in history]).all()
    start, end = history[:2], history[-5:]
    loss, surprise = (
        [np.mean([row[name] for row in part]) for part in (start, end)]
        for name in ("loss", "discrimination")
    )
    assert loss[1] < 0.98 * loss[0]
    assert surprise[0] > 0.9 * np.log(12) and surprise[1] < 0.75 * np.log(12)
