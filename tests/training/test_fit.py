"""Fitting: what is scheduled, kept, skipped, saved and resumed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import data, training
from tfp_bvae.metrics import bits_per_spike
from tfp_bvae.training import HeldOut, WarmUp, cosine_decay, ramped_weights

FAST = {"epochs": 4, "batch_size": 16, "warm_up": 2, "jit_compile": False}


def weights_of(model):
    return [w.numpy() for w in model.weights]


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_loss_falls_and_history_tells(dataset, make_model):
    history = training.fit(make_model(), dataset, FAST | {"epochs": 15}, verbose=False)
    assert [row["epoch"] for row in history] == list(range(1, 16))
    assert {"loss", "kl_f", "kl_z", "skipped_steps", "val_heldout"} <= set(history[0])
    assert history[-1]["loss"] < history[0]["loss"]
    assert all(row["skipped_steps"] == 0 for row in history)


def test_same_seed_same_weights(dataset, make_model):
    fitted = []
    for _ in range(2):
        model = make_model()
        training.fit(model, dataset, FAST, verbose=False)
        fitted.append(weights_of(model))
    assert same(*fitted)


class StopAfter(tf_keras.callbacks.Callback):
    """An accident in the middle of an epoch."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch, self._now = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._now == self.epoch and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("accident", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_a_resumed_fit_ends_as_the_undisturbed_one(dataset, make_model, tmp_path, accident):
    whole = make_model()
    history = training.fit(whole, dataset, FAST, run=tmp_path / "whole", verbose=False)
    run = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        training.fit(
            make_model(), dataset, FAST, run=run, verbose=False, callbacks=[StopAfter(accident)]
        )
    resumed = make_model()
    again = training.fit(resumed, dataset, FAST, run=run, resume=True, verbose=False)
    assert same(weights_of(whole), weights_of(resumed))
    assert again == history == training.read_history(run / "history.csv")


def test_resuming_a_finished_fit_changes_nothing(dataset, make_model, tmp_path):
    model = make_model()
    history = training.fit(model, dataset, FAST, run=tmp_path, verbose=False)
    again = make_model()
    repeated = training.fit(again, dataset, FAST, run=tmp_path, resume=True, verbose=False)
    assert same(weights_of(model), weights_of(again))
    assert len(repeated) == len(history)


def test_betas_rise_over_the_warm_up_and_end_at_their_targets(dataset, make_model):
    seen = []

    class Watch(tf_keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(self.model.get_layer("kl_f").beta))

    model = make_model(beta_f=0.5, beta_z=0.2, l2_generator=0.1)
    training.fit(model, dataset, FAST, verbose=False, callbacks=[Watch()])
    np.testing.assert_allclose(seen, [0.125, 0.25, 0.375, 0.5] + [0.5] * 4, rtol=1e-6)
    found = {round(target, 6): float(weight) for weight, target in ramped_weights(model)}
    assert found == pytest.approx({0.5: 0.5, 0.2: 0.2, 0.1: 0.1})


def test_weights_of_the_warm_up_are_never_the_best(dataset, make_model):
    class Scores(HeldOut):
        scores = iter([9.0, 8.0, 1.0, 0.5])

        def __call__(self):
            return next(self.scores)

    model = make_model()
    training.compile_model(model, training.FitSettings.of(FAST), 8)
    keeper = training.ScoreKeeper(model, Scores(model, dataset.valid, 8, False), warm_up=3)
    keeper.set_model(model)
    keeper.set_params({"epochs": 4})
    for epoch in range(4):
        model.get_layer("log_rate").bias.assign(tf.fill([6], float(epoch)))
        keeper.on_epoch_end(epoch, {})
    keeper.restore_best()
    assert int(keeper.state["best_epoch"]) == 2
    np.testing.assert_array_equal(model.get_layer("log_rate").bias, np.full(6, 2.0))


def test_patience_ends_a_fit_that_gets_no_better(dataset, make_model, monkeypatch):
    monkeypatch.setattr(HeldOut, "__call__", lambda self: 1.0)
    settings = FAST | {"epochs": 50, "patience": 2, "warm_up": 3}
    history = training.fit(make_model(), dataset, settings, verbose=False)
    assert len(history) == 3 + 2


def test_steps_that_are_not_finite_are_skipped_and_counted(dataset, make_model):
    class Poison(tf_keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            kernel = self.model.get_layer("log_rate").bias
            kernel.assign(kernel + (np.nan if epoch == 1 else 0.0))

    with pytest.raises(FloatingPointError, match="no step of epoch 2"):
        training.fit(make_model(), dataset, FAST, verbose=False, callbacks=[Poison()])


def test_a_skipped_step_leaves_the_figures_finite(dataset, make_model):
    class PoisonOnce(tf_keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.bias = self.model.get_layer("log_rate").bias
            self.clean = self.bias.numpy()
            if batch == 0:
                self.bias.assign(self.clean * np.nan)

        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.bias.assign(self.clean)

    history = training.fit(make_model(), dataset, FAST, verbose=False, callbacks=[PoisonOnce()])
    assert [row["skipped_steps"] for row in history] == [1] * 4
    assert all(np.isfinite(list(row.values())).all() for row in history)
    assert history[-1]["loss"] < history[0]["loss"]


def test_compiled_and_plain_steps_agree(dataset, make_model):
    """With all noise but gone, for XLA draws other numbers."""
    quiet = {"dropout": 0.0, "coordinated_dropout": 0.0, "q_f_scale": 2e-2, "q_z_scale": 1e-2}
    losses = []
    for jit in (True, False):
        settings = FAST | {"jit_compile": jit, "learning_rate": 1e-3}
        model = make_model(beta_f=0.0, beta_z=0.0, **quiet)
        history = training.fit(model, dataset, settings, verbose=False)
        losses.append([row["loss"] for row in history])
    np.testing.assert_allclose(*losses, rtol=1e-2)


def test_held_out_entries_do_not_reach_the_encoders(dataset, make_model):
    held_out = HeldOut(make_model(), dataset.valid, 8, jit_compile=False)
    inputs, targets, scored = held_out.batch(np.arange(8))
    assert not inputs["spikes"][scored].any()
    assert scored.mean() == pytest.approx(0.2, abs=0.05)
    np.testing.assert_allclose(inputs["spikes"][~scored], targets[~scored] / 0.8, rtol=1e-6)
    np.testing.assert_array_equal(targets, dataset.valid.recon)


def test_held_out_channels_and_bins_are_what_is_scored(dataset):
    from tfp_bvae import models

    def side(split):
        return data.Split(encod=split.encod[:, :8, :4], recon=split.recon)

    model = models.lfads({"channels": 4, "outputs": 6, "forward_bins": 2})
    held_out = HeldOut(model, side(dataset.valid), 8, jit_compile=False)
    inputs, _, scored = held_out.batch(np.arange(8))
    assert not scored[:, :8, :4].any()
    assert scored[:, 8:].all() and scored[:, :, 4:].all()
    np.testing.assert_array_equal(inputs["spikes"], dataset.valid.encod[:, :8, :4])


@pytest.mark.parametrize("likelihood", ["poisson", "gaussian"])
@pytest.mark.parametrize("segment", [0, 3])
def test_the_held_out_score_is_that_of_all_trials_at_once(dataset, make_model, likelihood, segment):
    """Batches of three of eight trials, the last filled up, against one pass over all."""
    model = make_model({"likelihood": likelihood}, segment=segment)
    held_out = HeldOut(model, dataset.valid, 3, jit_compile=False)
    hidden = np.random.default_rng(0).random([8, 10 - segment, 6]) < 0.2
    spikes = dataset.valid.encod / np.float32(0.8)
    spikes[:, segment:] *= ~hidden
    spikes[:, :segment] = dataset.valid.encod[:, :segment]
    found, truth = model({"spikes": spikes}), dataset.valid.recon[:, segment:]
    if likelihood == "poisson":
        expected = bits_per_spike(found.mean(), np.where(hidden, truth, np.nan))
    else:
        expected = -0.5 * (
            np.square((truth - found.mean()) / found.stddev())
            + 2 * np.log(found.stddev())
            + np.log(2 * np.pi)
        )
        expected = np.mean(expected[hidden])
    assert held_out() == pytest.approx(float(expected), rel=1e-4, abs=1e-6)


def test_cosine_decay_from_peak_to_floor():
    rate = cosine_decay(0.1, 100, 0.01)
    assert float(rate(0)) == pytest.approx(0.1)
    assert float(rate(50)) == pytest.approx(0.1 * (0.01 + 0.99 / 2))
    assert float(rate(1000)) == pytest.approx(0.001)


def test_no_warm_up_sets_targets_at_once(make_model):
    callback = WarmUp(0, 4)
    callback.set_model(make_model())
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_train_batch_begin(0)
    assert all(float(w) == pytest.approx(t) for w, t in ramped_weights(callback.model))


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"epoch": 3}, KeyError, "epochs"),
        ({"epochs": 0}, ValueError, "epochs must"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate must"),
        ({"batch_size": 2.5}, TypeError, "batch_size must"),
        ("fast", TypeError, "FitSettings must"),
    ],
)
def test_bad_settings_are_named(dataset, make_model, settings, error, match):
    with pytest.raises(error, match=match):
        training.fit(make_model(), dataset, settings, verbose=False)


def test_data_that_do_not_suit_the_model_are_refused(dataset, make_model):
    narrow = data.Split(dataset.train.encod[..., :5], dataset.train.recon[..., :5])
    wrong = data.SpikeDataset(narrow, narrow, dataset.bin_width)
    with pytest.raises(ValueError, match="6 encoded channels"):
        training.fit(make_model(), wrong, FAST, verbose=False)
    halves = data.Split(dataset.train.encod + 0.5, dataset.train.recon + 0.5)
    wrong = data.SpikeDataset(halves, halves, dataset.bin_width)
    with pytest.raises(ValueError, match="whole"):
        training.fit(make_model(), wrong, FAST, verbose=False)


@pytest.mark.parametrize("name", ["model.keras", "posterior.h5", "metrics.json"])
def test_a_finished_run_is_not_fitted_over(dataset, make_model, tmp_path, name):
    (tmp_path / name).write_bytes(b"of another fit")
    with pytest.raises(FileExistsError, match=f"without a finished fit, got .*{name}.*resume=True"):
        training.fit(make_model(), dataset, FAST, run=tmp_path, verbose=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
