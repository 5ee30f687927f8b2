"""The clipped GRU against numpy, Keras, and automatic differentiation of a slow loop."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy.special import expit

from tfp_bvae.rnn import clipped_gru
from tfp_bvae.rnn.gru_scan import gru_step

BATCH, STEPS, UNITS = 2, 7, 3
LOOSE, TIGHT = 100.0, 0.3  # a bound that no state comes near, and one that many reach


def numpy_step(a, h, kernel, clip):
    """One step for one trial, gate by gate."""
    a_update, a_reset, a_candidate = np.split(a, 3)
    u_update, u_reset, u_candidate = np.split(kernel, 3, axis=1)
    update = expit(a_update + h @ u_update)
    reset = expit(a_reset + h @ u_reset)
    candidate = np.tanh(a_candidate + (reset * h) @ u_candidate)
    return np.clip(update * h + (1 - update) * candidate, -clip, clip)


def slow_gru(inputs, state, kernel, clip):
    """A Python loop that TensorFlow differentiates by itself."""
    states = []
    for step in tf.unstack(inputs):
        update, reset = tf.split(
            tf.sigmoid(step[:, : 2 * UNITS] + state @ kernel[:, : 2 * UNITS]), 2, axis=1
        )
        candidate = tf.tanh(step[:, 2 * UNITS :] + (reset * state) @ kernel[:, 2 * UNITS :])
        state = tf.clip_by_value(update * state + (1 - update) * candidate, -clip, clip)
        states.append(state)
    return tf.stack(states)


@pytest.fixture
def arguments(draw):
    return draw(STEPS, BATCH, 3 * UNITS), draw(BATCH, UNITS), draw(UNITS, 3 * UNITS)


@pytest.mark.parametrize("clip", [LOOSE, TIGHT])
def test_one_step_equals_numpy(clip, arguments):
    inputs, state, kernel = (x.numpy() for x in arguments)
    found, gates = gru_step(inputs[0], state, tf.constant(kernel), clip)
    expected = [numpy_step(a, h, kernel, clip) for a, h in zip(inputs[0], state, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert all(gate.shape == [BATCH, UNITS] for gate in gates)


def test_a_state_is_clipped_before_the_next_step_sees_it(arguments):
    inputs, state, kernel = (x.numpy() for x in arguments)
    expected = []
    for step in inputs:
        state = np.stack(
            [numpy_step(a, h, kernel, TIGHT) for a, h in zip(step, state, strict=True)]
        )
        expected.append(state)
    found = clipped_gru(*arguments, clip=TIGHT).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.abs(found).max() == TIGHT


@pytest.mark.parametrize("backwards", [False, True])
def test_a_loose_clip_gives_the_gru_of_keras(backwards, draw):
    x = draw(BATCH, STEPS, 4)
    keras_gru = tf_keras.layers.GRU(
        UNITS, reset_after=False, return_sequences=True, go_backwards=backwards, dtype="float64",
        bias_initializer="random_normal",
    )  # fmt: skip
    expected = keras_gru(x)
    kernel, recurrent, bias = keras_gru.get_weights()
    inputs = tf.transpose(x, [1, 0, 2]) @ kernel + bias
    if backwards:
        inputs = inputs[::-1]
    start = tf.zeros([BATCH, UNITS], tf.float64)
    states = clipped_gru(inputs, start, tf.constant(recurrent), LOOSE)
    np.testing.assert_allclose(tf.transpose(states, [1, 0, 2]), expected, rtol=1e-10)


@pytest.mark.parametrize("clip, jit", [(LOOSE, False), (TIGHT, False), (TIGHT, True)])
def test_gradient_equals_that_of_a_slow_loop(clip, jit, arguments, draw, assert_same_gradient):
    assert_same_gradient(
        lambda *a: clipped_gru(*a, clip=clip),
        lambda *a: slow_gru(*a, clip=clip),
        arguments,
        draw(STEPS, BATCH, UNITS),
        jit_compile=jit,
    )


def test_gradient_of_a_single_step_and_a_single_trial(draw, assert_same_gradient):
    assert_same_gradient(
        lambda *a: clipped_gru(*a, clip=TIGHT),
        lambda *a: slow_gru(*a, clip=TIGHT),
        (draw(1, 1, 3 * UNITS), draw(1, UNITS), draw(UNITS, 3 * UNITS)),
        draw(1, 1, UNITS),
    )


def test_time_and_batch_may_be_unknown(arguments, draw):
    traces = []

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3 * UNITS], tf.float64),
            tf.TensorSpec([None, UNITS], tf.float64),
        ]
    )
    def gradients(inputs, state):
        traces.append(1)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            states = clipped_gru(inputs, state, arguments[2])
            assert states.shape.as_list() == [None, None, UNITS]
        return tape.gradient(states, inputs)

    for steps, batch in [(STEPS, BATCH), (4, 5)]:
        found = gradients(draw(steps, batch, 3 * UNITS), draw(batch, UNITS))
        assert found.shape == [steps, batch, 3 * UNITS]
    assert len(traces) == 1


def test_xla_compiles_it_for_each_length(arguments):
    compiled = tf.function(clipped_gru, jit_compile=True, reduce_retracing=True)
    for steps in (STEPS, 3):
        some = (arguments[0][:steps], *arguments[1:])
        np.testing.assert_allclose(compiled(*some), clipped_gru(*some), rtol=1e-10)


def test_single_precision_stays_single(arguments):
    inputs, state, kernel = (tf.cast(x, tf.float32) for x in arguments)
    found = clipped_gru(inputs, state, kernel)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, clipped_gru(*arguments), rtol=1e-4, atol=1e-6)
