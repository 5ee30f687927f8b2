"""The scan against a loop, and its hand-written gradient against differences."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae.distributions import linear_recurrence


def loop(inputs, decay):
    outputs = np.zeros(np.broadcast_shapes(inputs.shape, decay[..., None, :].shape))
    for step in range(outputs.shape[-2]):
        past = outputs[..., step - 1, :] if step else 0.0
        outputs[..., step, :] = decay * past + inputs[..., step, :]
    return outputs


@pytest.mark.parametrize("num_timesteps", [1, 2, 3, 7, 8, 9, 33])
def test_equals_a_loop(num_timesteps, dtype, rtol):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=[4, 3, num_timesteps, 2]).astype(dtype)
    decay = rng.uniform(0.1, 1.1, size=[3, 2]).astype(dtype)
    outputs = linear_recurrence(inputs, decay)
    assert outputs.dtype == dtype
    np.testing.assert_allclose(outputs, loop(inputs, decay), rtol=rtol, atol=rtol)


def test_broadcasts_both_ways():
    inputs, decay = np.ones([5, 1]), np.full([4, 1, 3], 0.5)
    outputs = linear_recurrence(inputs, decay)
    np.testing.assert_allclose(outputs, loop(inputs, decay))
    assert outputs.shape == (4, 1, 5, 3)


@pytest.mark.parametrize("num_timesteps", [1, 2, 6])
def test_first_and_second_gradients(num_timesteps):
    rng = np.random.default_rng(1)
    inputs = tf.constant(rng.normal(size=[2, num_timesteps, 2]))
    decay = tf.constant(rng.uniform(0.2, 0.9, size=[2]))

    def cubed(inputs, decay):
        return tf.reduce_sum(linear_recurrence(inputs, decay) ** 3, axis=[-2, -1])

    theory, numeric = tf.test.compute_gradient(cubed, [inputs, decay], delta=1e-4)
    for left, right in zip(theory, numeric, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)

    def slopes(inputs, decay):
        with tf.GradientTape() as tape:
            tape.watch([inputs, decay])
            value = cubed(inputs, decay)
        of_inputs, of_decay = tape.gradient(value, [inputs, decay])
        return tf.reduce_sum(of_inputs**2) + tf.reduce_sum(of_decay)

    theory, numeric = tf.test.compute_gradient(slopes, [inputs, decay], delta=1e-4)
    for left, right in zip(theory, numeric, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_time_and_gradients_in_a_graph(jit_compile):
    signature = [tf.TensorSpec([None, None, 2], tf.float64), tf.TensorSpec([2], tf.float64)]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def value_and_slopes(inputs, decay):
        with tf.GradientTape() as tape:
            tape.watch([inputs, decay])
            outputs = linear_recurrence(inputs, decay)
            value = tf.reduce_sum(outputs**2)
        return [outputs, *tape.gradient(value, [inputs, decay])]

    inputs, decay = tf.random.stateless_normal([3, 11, 2], [0, 1], dtype=tf.float64), [0.5, 0.95]
    with tf.GradientTape() as tape:
        tape.watch([inputs, decay := tf.constant(decay, tf.float64)])
        outputs = linear_recurrence(inputs, decay)
        value = tf.reduce_sum(outputs**2)
    expected = [outputs, *tape.gradient(value, [inputs, decay])]
    for left, right in zip(value_and_slopes(inputs, decay), expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-10)
