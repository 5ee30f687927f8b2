"""Trials on disk: the very fit that trials in memory give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import data, models, training
from tfp_bvae.training import GroupBatches, NextEpoch, TrialBatches, as_dataset

FAST = {"epochs": 2, "batch_size": 12, "warm_up": 1, "jit_compile": False}
OF_GROUPS = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 2, "z_encoder_units": 3, "generator_units": 4,
    "segment_length": 5, "segment_stride": 3, "groups_at_once": 3,
}  # fmt: skip


@pytest.fixture
def file(tmp_path, dataset):
    data.write_hdf5(tmp_path / "a.h5", dataset)
    return tmp_path / "a.h5"


def grouped(dataset):
    sides = {
        side: dataclasses.replace(
            getattr(dataset, side),
            truth=None,
            group=np.arange(getattr(dataset, side).num_trials) % 4,
        )
        for side in ("train", "valid")
    }
    return dataclasses.replace(dataset, **sides)


def same_fits(make, datasets):
    fitted = []
    for dataset in datasets:
        model = make()
        history = training.fit(model, dataset, FAST, verbose=False)
        fitted.append((history, [weight.numpy() for weight in model.weights]))
    assert fitted[0][0] == fitted[1][0]
    for one, other in zip(fitted[0][1], fitted[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fit_from_disk_ends_with_the_same_weights(file, make_model):
    same_fits(make_model, [data.read_hdf5(file), data.open_hdf5(file)])


@pytest.mark.slow
def test_so_does_one_of_segments_and_groups(file):
    def make():
        return models.fhvae({"channels": 6, "num_groups": 4, "seed": 3}, OF_GROUPS)

    same_fits(make, [grouped(data.read_hdf5(file)), grouped(data.open_hdf5(file))])


def test_model_arrays_of_segments_stay_on_disk(file):
    model = models.fhvae({"channels": 6, "num_groups": 4}, OF_GROUPS)
    opened, read = (grouped(door(file)) for door in (data.open_hdf5, data.read_hdf5))
    arrays = []
    for dataset in (opened, read):
        segments = models.model_segments(model, dataset.train)
        arrays.append(models.model_arrays(model, segments.split))
    assert isinstance(arrays[0][0]["spikes"], data.StoredArray)
    assert isinstance(arrays[0][1], data.StoredArray)
    np.testing.assert_array_equal(arrays[0][0]["spikes"], arrays[1][0]["spikes"])
    np.testing.assert_array_equal(arrays[0][1], arrays[1][1])


def test_the_fingerprint_and_mean_rates_are_the_same(file, monkeypatch):
    monkeypatch.setattr("tfp_bvae.data.stored.BLOCK", 4 * 60 * 5)  # blocks of five trials
    read, opened = data.read_hdf5(file), data.open_hdf5(file)
    assert training.fingerprint(opened) == training.fingerprint(read)
    np.testing.assert_array_equal(
        training.mean_rates(opened.train), training.mean_rates(read.train)
    )
    np.testing.assert_allclose(
        training.mean_rates(read.train), read.train.recon.mean((0, 1)), rtol=1e-6
    )


class Seen(tf_keras.Model):
    """Keeps the batches that it is fitted to."""

    def __init__(self):
        super().__init__()
        self.traced, self.seen = 0, []

    def train_step(self, batch):
        self.traced += 1
        inputs, targets = batch
        assert None not in (*inputs["x"].shape, *targets.shape)
        tf.numpy_function(lambda *x: self.seen.append(x), [inputs["x"], targets], [])
        return {"loss": tf.constant(0.0)}


@pytest.mark.parametrize("of_groups", [False, True])
def test_a_fit_sees_the_batches_in_their_order_epoch_after_epoch(of_groups):
    group = np.repeat(np.arange(5), [3, 1, 4, 2, 7]).astype("int32")
    inputs, targets = {"x": np.arange(17) * 10, "group": group}, np.arange(17)

    def make(epoch):
        if of_groups:
            return GroupBatches(inputs, targets, 4, 2, seed=3, epoch=epoch)
        return TrialBatches(inputs, targets, 4, seed=3, epoch=epoch)

    model, batches = Seen(), make(1)
    model.compile()
    model.fit(
        as_dataset(batches), initial_epoch=1, epochs=4, verbose=0, callbacks=[NextEpoch(batches)]
    )
    expected = [make(epoch)[i] for epoch in (1, 2, 3) for i in range(len(batches))]
    assert model.traced == 1 and batches.epoch == 4
    for (x, y), (inputs_, targets_) in zip(model.seen, expected, strict=True):
        np.testing.assert_array_equal(x, inputs_["x"])
        np.testing.assert_array_equal(y, targets_)


def test_a_file_that_breaks_during_a_fit_says_so(file, monkeypatch):
    opened = data.open_hdf5(file)
    batches = TrialBatches({"x": opened.train.encod}, opened.train.recon, 4)

    def broken(self, rows):
        raise OSError("cannot read the chunk")

    monkeypatch.setattr(data.StoredArray, "_read", broken)
    with pytest.raises(tf.errors.OpError, match="cannot read the chunk"):
        next(iter(as_dataset(batches)))
