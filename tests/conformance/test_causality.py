"""What of the data a rate or an inferred input can depend on, as gradients: zero or not.

Bins are counted from the start of the trial; the first rate is that of the bin after the segment.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import CHANNELS, SMALL, STEPS, normal
from zoo_graphs import disturb

from tfp_bvae import models
from tfp_bvae.rnn import posterior_values

CAUSAL = {
    f"lag {lag}, segment {segment}": {"causal": True, "segment": segment, "lag": lag}
    for lag, segment in [(0, 2), (1, 2), (2, 1), (1, 3)]
}


@functools.cache
def model_of(**params):
    """A small LFADS whose weights are not those of the start, where many are zero."""
    model = models.lfads({"channels": CHANNELS}, SMALL | {"dropout": 0.0} | params)
    disturb(model)
    return model


def part(model, **outputs):
    """The same model with other outputs, by name: functions of a model."""
    return tf_keras.Model(model.input, {name: find(model) for name, find in outputs.items()})


def rates(model):
    return model.get_layer("log_rate").output


def inferred(model):
    return model.get_layer("generator").output["inferred_loc"]


def controller_input(model):
    return model.get_layer("generator").input["controller_input"]


def initial_state(model):
    return model.get_layer("generator").input["initial_state"]


def dependence(function, x):
    """Matrix [t, s]: the largest |d output_t / d x_s|, over trials and channels."""
    x = tf.constant(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        steps = tf.reduce_sum(function(x), axis=0)  # [t, channel]; trials do not mix
    jacobian = tape.jacobian(steps, x, experimental_use_pfor=False)  # [t, channel, trial, s, ...]
    return np.abs(jacobian.numpy()).max(axis=(1, 2, 4))


def spikes():
    return np.abs(normal(2, STEPS, CHANNELS))


def of(model, find, value="mean"):
    run = part(model, out=find)

    def call(x):
        with posterior_values(value, seed=[1, 2]):
            return run({"spikes": x}, training=False)["out"]

    return dependence(call, spikes())


@pytest.mark.parametrize("value", ["mean", "sample"])
@pytest.mark.parametrize("case", CAUSAL)
def test_a_causal_rate_does_not_depend_on_later_bins(case, value):
    found = of(model_of(**CAUSAL[case]), rates, value)
    lag, segment = CAUSAL[case]["lag"], CAUSAL[case]["segment"]
    row, s = np.indices(found.shape)
    t = row + segment  # of the rate
    assert found.shape == (STEPS - segment, STEPS)
    assert not np.any(found[s > t])
    assert not np.any(found[(s > t - lag) & (s >= segment)])  # nor on the newest `lag` bins
    assert np.all(found[(s <= t - lag) | (s < segment)] > 0.0)  # on all others it does


@pytest.mark.parametrize("case", CAUSAL)
def test_a_causal_inferred_input_does_not_depend_on_its_own_bin_nor_later_ones(case):
    found = of(model_of(**CAUSAL[case]), inferred)
    lag, segment = CAUSAL[case]["lag"], CAUSAL[case]["segment"]
    row, s = np.indices(found.shape)
    t = row + segment
    np.testing.assert_array_equal(found > 0.0, (s <= t - lag) | (s < segment))


def test_causal_without_a_segment_is_not_causal_through_f():
    """f sees the whole trial: the switch alone holds for the controller's input, not for rates."""
    model = model_of(causal=True, segment=0, lag=1)
    t, s = np.indices([STEPS, STEPS])
    np.testing.assert_array_equal(of(model, controller_input) > 0.0, s < t)
    assert np.all(of(model, rates) > 0.0)


def given_the_past(model, find):
    """d output_t / d x_s at the present bin's input alone.

    The initial state and the controller's inputs at the bins before t are held: and with them,
    as the noise is fixed too, the states, factors and inferred inputs before t.
    """
    run = part(model, controller_input=controller_input, initial_state=initial_state)
    generator = model.get_layer("generator")

    def call(x):
        inputs = run({"spikes": x}, training=False)
        held = {name: tf.stop_gradient(value) for name, value in inputs.items()}
        steps = []
        for t in range(STEPS):
            now = tf.reshape(tf.cast(tf.range(STEPS) == t, tf.float32), [1, STEPS, 1])
            encoding = now * inputs["controller_input"] + (1 - now) * held["controller_input"]
            fed = held | {"controller_input": encoding}
            with posterior_values("sample", seed=[1, 2]):
                steps.append(generator(fed, training=False)[find][:, t])
        return tf.stack(steps, axis=1)

    return dependence(call, spikes())


@pytest.mark.parametrize(
    "lag, name",
    [(0, "inferred_loc"), (1, "inferred_loc"), (1, "inferred_scale"), (2, "inferred_loc")],
)
def test_given_the_past_an_inferred_input_does_not_depend_on_the_bins_within_the_lag(lag, name):
    """The claim of LFADS for an encoder that runs both ways: q(z_t | z_<t, f, x) without x_t.

    Given the states, factors and inferred inputs before t. Without that it does depend on x_t:
    f has seen it, and so has the backward encoding that earlier steps were fed (next test).
    """
    found = given_the_past(model_of(lag=lag), name)
    t, s = np.indices(found.shape)
    np.testing.assert_array_equal(found > 0.0, np.abs(t - s) >= lag)


def test_through_the_past_it_does_depend_on_its_own_bin():
    model = model_of(lag=1)
    t, s = np.indices([STEPS, STEPS])
    np.testing.assert_array_equal(of(model, controller_input) > 0.0, s != t)
    assert np.all(np.diag(of(model, inferred)) > 0.0)
