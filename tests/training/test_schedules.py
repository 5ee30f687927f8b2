"""Weights of the objective as functions of the step, and what is left of the time."""

import re
import time

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import training
from tfp_bvae.layers import (
    DIPPenalty,
    KLDivergence,
    LearnableMVNPrior,
    MVNDiagPosterior,
    TotalCorrelation,
)
from tfp_bvae.rnn import ClippedGRU
from tfp_bvae.training import Progress, StopIfStuck, WarmUp, cyclical, linear

FAST = {"epochs": 3, "batch_size": 16, "warm_up": 2, "jit_compile": False}


def model_of_all(capacity=None):
    """Something of each kind that is scheduled: two betas, the penalties on f, an L2."""
    inputs = tf_keras.Input([None, 4])
    q = MVNDiagPosterior(2)(ClippedGRU(4, recurrent_l2=0.3, name="gru")(inputs))
    p = LearnableMVNPrior(2)(inputs)
    outputs = [
        KLDivergence(0.5, name="kl")([q, p]),
        KLDivergence(0.25, capacity=capacity, name="other")([q, p]),
        TotalCorrelation(2.0, 9, name="tc")(q),
        DIPPenalty(4.0, 8.0, name="dip")(q),
    ]
    return tf_keras.Model(inputs, outputs)


def values(model):
    found = {
        "kl": model.get_layer("kl").beta,
        "other": model.get_layer("other").beta,
        "tc": model.get_layer("tc").weight,
        "off": model.get_layer("dip").off_diagonal,
        "diagonal": model.get_layer("dip").diagonal,
        "l2": next(w for w in model.get_layer("gru").non_trainable_weights if "l2" in w.name),
    }
    if model.get_layer("other").capacity is not None:
        found["capacity"] = model.get_layer("other").capacity
    return {name: float(value) for name, value in found.items()}


TARGETS = {"kl": 0.5, "other": 0.25, "tc": 2.0, "off": 4.0, "diagonal": 8.0, "l2": 0.3}


def run(callback, model, epochs, first=0):
    """Values at each step, batches of two to an epoch."""
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch in range(first, epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(2):
            callback.on_train_batch_begin(batch)
            seen.append(values(model))
    return seen


def times(shares, names=TARGETS):
    return [{name: share * TARGETS[name] for name in names} for share in shares]


def close(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert {name: a[name] for name in b} == pytest.approx(b)


def test_a_linear_rise_by_hand():
    assert [linear(step, 5) for step in range(1, 8)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1])
    assert linear(1, 0) == 1.0


@pytest.mark.parametrize("steps, cycles", [(12, 3), (10, 3), (7, 7), (8, 20), (5, 1)])
def test_cycles_as_in_the_paper(steps, cycles):
    for step in range(1, 3 * steps):
        length = int(np.ceil(steps / cycles))
        tau = ((step - 1) % length + 1) / length
        expected = 1.0 if step > steps else min(1.0, tau / 0.5)
        assert cyclical(step, steps, cycles) == pytest.approx(expected)


def test_all_schedules_are_at_the_target_once_the_warm_up_is_over():
    for steps in (0, 1, 7, 12):
        assert linear(steps + 1, steps) == cyclical(steps + 1, steps, 3) == 1.0


def test_linear_takes_every_weight_along():
    seen = run(WarmUp(4, 2), model_of_all(), 3)
    close(seen, times([0.25, 0.5, 0.75, 1, 1, 1]))


def test_cycles_are_for_the_divergences_alone():
    seen = run(WarmUp(8, 2, "cyclical", cycles=2), model_of_all(), 5)
    close(seen, times([0.5, 1, 1, 1, 0.5, 1, 1, 1, 1, 1], ["kl", "other"]))
    close(seen, times(np.minimum(1, np.arange(1, 11) / 8), ["tc", "off", "diagonal", "l2"]))


def test_capacity_rises_while_betas_stay():
    seen = run(WarmUp(4, 2, "capacity"), model_of_all(capacity=3.0), 3)
    close(seen, times([1] * 6, ["kl", "other"]))
    close(seen, times([0.25, 0.5, 0.75, 1, 1, 1], ["tc", "l2"]))
    close(seen, [{"capacity": 3.0 * s} for s in (0.25, 0.5, 0.75, 1, 1, 1)])


def test_under_other_schedules_a_capacity_stays():
    seen = run(WarmUp(4, 2), model_of_all(capacity=3.0), 2)
    assert [row["capacity"] for row in seen] == [3.0] * 4


@pytest.mark.parametrize("schedule", ["linear", "cyclical", "capacity"])
def test_a_fit_that_is_resumed_goes_on_where_it_was(schedule):
    whole = run(WarmUp(7, 2, schedule, 2), model_of_all(capacity=3.0), 5)
    rest = run(WarmUp(7, 2, schedule, 2), model_of_all(capacity=3.0), 5, first=2)
    assert whole[4:] == rest


def test_a_model_without_capacity_has_no_such_schedule(dataset, make_model):
    with pytest.raises(ValueError, match="beta_schedule must be 'linear' or 'cyclical' for a"):
        training.fit(make_model(), dataset, FAST | {"beta_schedule": "capacity"}, verbose=False)


def test_settings_of_a_fit_reach_the_schedule(dataset, make_model):
    seen = []

    class Watch(tf_keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(self.model.get_layer("kl_f").beta))

    settings = FAST | {"beta_schedule": "cyclical", "cycles": 2, "epochs": 5, "warm_up": 4}
    model = make_model(beta_f=0.5)
    training.fit(model, dataset, settings, verbose=False, callbacks=[Watch()])
    np.testing.assert_allclose(seen, [0.25, 0.5, 0.5, 0.5, 0.25] + [0.5] * 5, rtol=1e-6)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="schedule must be one of 'linear', 'cyclical', 'capac"):
        WarmUp(4, 2, "cosine")
    with pytest.raises(ValueError, match="cycles must be a whole number of at least 1, got 0"):
        WarmUp(4, 2, "cyclical", cycles=0)
    with pytest.raises(ValueError, match="beta_schedule must be one of"):
        training.FitSettings.of({"beta_schedule": "cosine"})


@pytest.fixture
def clock(monkeypatch):
    """The time, to set by hand."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(time, "time", lambda: Clock.now)
    return Clock


@pytest.mark.parametrize("first", [0, 4])
def test_the_time_that_is_left_leaves_out_the_compilation(clock, capsys, first):
    progress = Progress(first + 11, first)
    for epoch in range(first, first + 2):
        for batch in range(5):
            clock.now += 300.0 if (epoch, batch) == (first, 0) else 2.0
            progress.on_train_batch_end(batch)
        capsys.readouterr()
        progress.on_epoch_end(epoch, {"loss": 1.0})
        (left,) = re.findall(r"ETA: (\S+)", capsys.readouterr().out)
        assert left == {0: "1:40", 1: "1:30"}[epoch - first]  # 10 and 9 epochs of 10 s


@pytest.fixture
def half_precision():
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    tf_keras.mixed_precision.set_global_policy("float32")


@pytest.mark.slow
def test_half_precision_trains(dataset, make_model, half_precision):
    model = make_model()
    settings = FAST | {"epochs": 12, "jit_compile": True}
    history = training.fit(model, dataset, settings, verbose=False)
    assert isinstance(model.optimizer, tf_keras.mixed_precision.LossScaleOptimizer)
    assert all(np.isfinite(list(row.values())).all() for row in history)
    skipped = sum(row["skipped_steps"] for row in history)
    assert skipped <= 15  # the scale is 2^15 at the start, and falls by half at each
    assert float(model.optimizer.loss_scale) == 2.0 ** (15 - skipped)
    learned = [row for row in history if row["skipped_steps"] < 2]
    assert learned[-1]["loss"] < learned[0]["loss"]


def test_scaled_gradients_are_those_of_the_loss(dataset, make_model, half_precision):
    """A step of plain gradient descent, whatever the scale."""
    after = []
    for scale in (1.0, 64.0):
        model = make_model(dropout=0.0, coordinated_dropout=0.0)
        optimizer = tf_keras.optimizers.SGD(1e-3, jit_compile=False)
        scaled = tf_keras.mixed_precision.LossScaleOptimizer(
            optimizer, dynamic=False, initial_scale=scale
        )
        model.compile(scaled, training.NegativeLogLikelihood(), run_eagerly=True)
        split = dataset.valid
        model.train_on_batch({"spikes": split.encod}, split.recon)
        after.append(model.get_layer("log_rate").kernel.numpy())
    np.testing.assert_allclose(*after, atol=2e-4)


@pytest.mark.slow
def test_a_scale_that_is_too_large_falls_and_is_no_reason_to_stop(
    dataset, make_model, half_precision
):
    model = make_model()
    optimizer = tf_keras.mixed_precision.LossScaleOptimizer(
        tf_keras.optimizers.Adam(jit_compile=False), initial_scale=2.0**40
    )
    model.compile(optimizer, training.NegativeLogLikelihood())
    split = dataset.valid
    before = [w.numpy() for w in model.trainable_weights]
    inputs, targets = {"spikes": split.encod}, split.recon
    logs = model.fit(inputs, targets, epochs=1, verbose=0, callbacks=[StopIfStuck()]).history
    assert logs["skipped_steps"] == [1.0]
    assert float(model.optimizer.loss_scale) == 2.0**39
    for weight, value in zip(model.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    while float(model.optimizer.loss_scale) > 1.0:
        model.get_layer("log_rate").bias.assign(tf.fill([6], np.nan))
        model.train_on_batch(inputs, targets)
    with pytest.raises(FloatingPointError, match="no step of epoch 1 had a finite gradient"):
        model.fit(inputs, targets, epochs=1, verbose=0, callbacks=[StopIfStuck()])


@pytest.mark.slow
def test_a_resumed_fit_keeps_the_scale(dataset, make_model, half_precision, tmp_path):
    model = make_model()
    training.fit(model, dataset, FAST, run=tmp_path, verbose=False)
    scale = float(model.optimizer.loss_scale)
    assert scale < 2.0**15  # else there is nothing to keep
    again = make_model()
    training.fit(again, dataset, FAST, run=tmp_path, resume=True, verbose=False)
    assert float(again.optimizer.loss_scale) == scale
