"""Rates that can be changed in a running step: the same numbers as constants, no new trace."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import layers, models, training
from tfp_bvae.rnn import AdjustableRate, dropout_mask
from tfp_bvae.rnn.rates import current

SETTINGS = training.FitSettings.of({"learning_rate": 0.01, "jit_compile": False})
RATES = {"dropout": 0.2, "coordinated_dropout": 0.4}
OTHER = {"dropout": 0.35, "coordinated_dropout": 0.15}
TINY = {"f_size": 4, "f_encoder_units": 6, "z_size": 1, "z_encoder_units": 5, "controller_units": 5}
TINY |= {"generator_units": 8, "factors": 3}
GRU = {"generator_cell": "gru", "coordinated_pass": 0.1}  # no controller


@pytest.fixture
def made():
    """A function that builds and compiles a tiny model."""

    def make(switches, **rates):
        model = models.create_model(TINY | switches | rates, {"channels": 6, "seed": 3})
        training.compile_model(model, SETTINGS, steps=10)
        return model

    return make


def losses(model, spikes, steps=3):
    return np.array([model.train_on_batch({"spikes": spikes}, spikes) for _ in range(steps)])


@pytest.fixture
def spikes(rng):
    return rng.poisson(0.5, [8, 10, 6]).astype("float32")


@pytest.mark.parametrize(
    "switches",
    [pytest.param({}, id="complex", marks=pytest.mark.slow), pytest.param(GRU, id="gru")],
)
def test_an_assigned_rate_is_the_constant_of_that_value_in_the_same_compiled_step(
    switches, spikes, made
):
    model = made(switches, **RATES)
    layers.adjustable(model)
    assert losses(model, spikes) == pytest.approx(losses(made(switches, **RATES), spikes))
    for name, rate in layers.rates_of(model).items():
        rate.assign(OTHER["coordinated_dropout" if name.startswith("coord") else "dropout"])
    other = made(switches, **OTHER)
    model.set_weights(other.get_weights())
    model.optimizer.build(model.trainable_variables)
    for mine, its in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        mine.assign(its)
    assert losses(model, spikes) == pytest.approx(losses(other, spikes), rel=1e-5)
    assert model.train_function.experimental_get_tracing_count() == 1


def test_masks_of_a_rate_are_those_of_the_constant_with_and_without_xla():
    rate = AdjustableRate(0.3)
    plain = dropout_mask([50, 40], [1, 2], 0.3).numpy()
    for jit in (False, True):
        drawn = tf.function(lambda: dropout_mask([50, 40], [1, 2], current(rate)), jit_compile=jit)
        np.testing.assert_array_equal(drawn().numpy(), plain)


def test_a_model_that_was_made_adjustable_has_the_same_weights_and_saves_the_rate_of_now(
    tmp_path, made
):
    model, plain = made({}, **RATES), made({}, **RATES)
    layers.adjustable(model)
    assert [w.name for w in model.weights] == [w.name for w in plain.weights]
    for rate in layers.rates_of(model).values():
        rate.assign(0.25)
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras", safe_mode=True, compile=False)
    assert loaded.get_layer("generator").dropout == 0.25
    assert loaded.get_layer("coordinated_dropout").rate == 0.25
    assert not layers.rates_of(loaded) and not layers.rates_of(plain)


def test_a_rate_of_zero_drops_nothing_and_can_rise():
    layer = layers.SeededDropout(0.0, seed=1)
    model = tf_keras.Sequential([tf_keras.Input([100]), layer])
    layers.adjustable(model)
    ones = tf.ones([4, 100])
    np.testing.assert_array_equal(model(ones, training=True), ones)
    layers.rates_of(model)[layer.name].assign(0.5)
    assert set(np.unique(model(ones, training=True))) == {0.0, 2.0}


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_out_of_its_range_is_refused_and_changes_nothing(rate):
    held = AdjustableRate(0.3)
    with pytest.raises(ValueError, match="rate"):
        held.assign(rate)
    assert float(held) == float(current(held)) == 0.3
