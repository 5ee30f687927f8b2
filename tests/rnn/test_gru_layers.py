"""Clipped GRUs as Keras layers."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae.rnn import BidirectionalClippedGRU, ClippedGRU, clipped_gru

BATCH, STEPS, CHANNELS, UNITS = 3, 6, 4, 5


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(size=[BATCH, STEPS, CHANNELS]).astype("float32"))


def build(layer, rng):
    """Builds a layer and moves its weights, also those that start at zero."""
    layer.build([None, None, CHANNELS])
    for weight in layer.trainable_weights:
        weight.assign_add(rng.normal(size=weight.shape).astype("float32"))
    return layer


def test_it_takes_the_weights_of_the_gru_of_keras(x):
    theirs = tf_keras.layers.GRU(UNITS, reset_after=False, bias_initializer="random_normal")
    expected = theirs(x)
    ours = ClippedGRU(UNITS, clip=100.0)
    ours.build(x.shape)
    ours.set_weights([*theirs.get_weights(), np.zeros(UNITS)])
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backwards", [False, True])
def test_it_is_the_scan_between_transpositions(backwards, x, rng):
    layer = build(ClippedGRU(UNITS, True, go_backwards=backwards, clip=0.5), rng)
    inputs = tf.transpose(x, [1, 0, 2]) @ layer.kernel + layer.bias
    start = tf.tile(layer.initial_state[tf.newaxis], [BATCH, 1])
    states = clipped_gru(
        inputs[::-1] if backwards else inputs, start, tf.constant(layer.recurrent_kernel), 0.5
    )
    states = states[::-1] if backwards else states  # in order of time again
    np.testing.assert_allclose(layer(x), tf.transpose(states, [1, 0, 2]), rtol=1e-5, atol=1e-6)


def test_the_last_state_is_that_after_the_last_step_taken(x, rng):
    for backwards, last in ((False, -1), (True, 0)):
        layer = build(ClippedGRU(UNITS, go_backwards=backwards), rng)
        whole = ClippedGRU(UNITS, return_sequences=True, go_backwards=backwards)
        whole.build(x.shape)
        whole.set_weights(layer.get_weights())
        np.testing.assert_array_equal(layer(x), whole(x)[:, last])


def test_the_initial_state_is_a_weight_that_starts_at_zero_and_trains(x):
    layer = ClippedGRU(UNITS)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    assert not layer.initial_state.numpy().any()
    assert any(weight is layer.initial_state for weight in layer.trainable_weights)
    assert np.all(tape.gradient(loss, layer.initial_state) != 0.0)


def test_a_backward_state_sees_later_bins_only(x, rng):
    layer = build(ClippedGRU(UNITS, return_sequences=True, go_backwards=True), rng)
    with tf.GradientTape() as tape:
        tape.watch(x)
        state = layer(x)[:, 2]
    gradient = tape.gradient(state, x).numpy()
    assert not gradient[:, :2].any() and gradient[:, 2:].all()


@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions_are_two_layers_side_by_side(sequences, x, rng):
    both = build(BidirectionalClippedGRU(UNITS, return_sequences=sequences, clip=0.7), rng)
    halves = []
    for backwards, part in ((False, both.forward_rnn), (True, both.backward_rnn)):
        one = ClippedGRU(UNITS, sequences, go_backwards=backwards, clip=0.7)
        one.build(x.shape)
        one.set_weights(part.get_weights())
        halves.append(one(x))
    np.testing.assert_array_equal(both(x), tf.concat(halves, axis=-1))
    assert len(both.trainable_weights) == 8
    different = np.abs(both.forward_rnn.kernel - both.backward_rnn.kernel)
    assert different.min() > 0.0


def test_initial_scales_are_those_of_lfads():
    layer = ClippedGRU(60)
    layer.build([None, None, 40])
    np.testing.assert_allclose(np.std(layer.kernel), 0.1, rtol=0.05)
    np.testing.assert_allclose(np.std(layer.recurrent_kernel), 0.1, rtol=0.05)
    np.testing.assert_array_equal(layer.bias, [1.0] * 120 + [0.0] * 60)


@pytest.mark.parametrize("make, parts", [(ClippedGRU, 1), (BidirectionalClippedGRU, 2)])
def test_the_penalty_is_half_the_squared_norm_and_follows_its_variable(make, parts, x):
    layer = make(UNITS, recurrent_l2=0.3)

    @tf.function
    def losses(x):
        layer(x)
        return tf.add_n(layer.losses)

    first = losses(x)
    kernels = [w.numpy() for w in layer.trainable_weights if "recurrent_kernel" in w.name]
    weights = [w for w in layer.non_trainable_weights if "l2" in w.name]
    assert len(kernels) == len(weights) == parts
    expected = 0.5 * sum(np.sum(kernel**2) for kernel in kernels)
    np.testing.assert_allclose(first, 0.3 * expected, rtol=1e-6)
    for weight in weights:
        weight.assign(2.0)
    np.testing.assert_allclose(losses(x), 2.0 * expected, rtol=1e-6)


def test_no_penalty_no_loss(x):
    layer = ClippedGRU(UNITS)
    layer(x)
    assert layer.losses == []


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"units": 0}, ValueError, "units must be a whole number of at least 1, got 0"),
        ({"units": 2.0}, TypeError, "units must be a whole number"),
        ({"units": 3, "clip": 0.0}, ValueError, r"clip must be above 0, got 0\.0"),
    ],
)
@pytest.mark.parametrize("make", [ClippedGRU, BidirectionalClippedGRU])
def test_wrong_settings_are_refused(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)


@pytest.mark.parametrize("make", [ClippedGRU, BidirectionalClippedGRU])
def test_a_negative_penalty_is_refused(make):
    with pytest.raises(ValueError, match=r"l2 must be in \[0\.0, inf\], got -1"):
        make(3, recurrent_l2=-1.0)


@pytest.mark.parametrize("shape", [[2, 4], [2, 3, 4, 5]])
@pytest.mark.parametrize("make", [ClippedGRU, BidirectionalClippedGRU])
def test_inputs_without_a_time_axis_are_refused(make, shape):
    with pytest.raises(ValueError, match="inputs must have 3 axes, got shape"):
        make(3)(tf.zeros(shape))
