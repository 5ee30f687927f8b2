"""At which bin what enters a model has an effect."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import MODELS, STEPS
from zoo_graphs import example, shared


def reach(name, key, output=None):
    """Matrix [t, s]: whether the log-rate (or another output) at t depends on the input at s."""
    model = shared(name)
    target = model.get_layer("log_rate").output if output is None else output(model)
    part = tf_keras.Model(model.input, target)
    inputs = {k: tf.constant(x) for k, x in example(name).items()}
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs[key])
        steps = tf.reduce_sum(tf.sin(part(inputs, training=False)), axis=[0, 2])
    jacobian = tape.jacobian(steps, inputs[key], experimental_use_pfor=False)
    return np.any(jacobian.numpy(), axis=(1, 3))


@pytest.mark.parametrize(
    "name", ["lfads, ext_input", "lfads, segment", "lfads, no controller, all else"]
)
def test_an_external_input_acts_from_its_own_bin_on(name):
    found = reach(name, "ext_input")
    segment = MODELS[name].params.get("segment", 0)
    t, s = np.indices(found.shape)
    np.testing.assert_array_equal(found, (s >= segment) & (s - segment <= t))
    assert found.shape[1] == found.shape[0] + segment  # to the last bin predicted


def test_a_causal_model_sees_the_segment_and_then_only_the_past():
    found = reach("lfads, causal", "spikes")
    segment, lag = 2, 1
    t, s = np.indices(found.shape)
    np.testing.assert_array_equal(found, (s < segment) | (s <= t + segment - lag))


def test_else_every_rate_is_inferred_from_every_bin():
    for name in ("lfads", "lfads, held out", "lfads, no controller"):
        assert reach(name, "spikes").all()


def test_the_segment_is_for_f_alone_and_the_rest_for_z_alone():
    def encoding(model):
        return model.get_layer("z_encoder").output

    def static(model):
        return tf_keras.layers.Reshape([1, -1])(model.get_layer("f_params").output)

    bins = np.arange(STEPS)
    np.testing.assert_array_equal(reach("lfads, segment", "spikes", static)[0], bins < 2)
    of_z = reach("lfads, segment", "spikes", encoding)
    assert of_z.shape == (STEPS - 2, STEPS)
    np.testing.assert_array_equal(of_z, np.broadcast_to(bins >= 2, of_z.shape))


def test_the_controller_is_fed_no_step_s_own_bin():
    def lagged(model):
        return model.get_layer("lag").output

    found = reach("lfads", "spikes", lagged)
    t, s = np.indices(found.shape)
    np.testing.assert_array_equal(found, t != s)
