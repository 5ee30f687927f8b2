"""The tiled Gaussian against the Gaussian it tiles."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import TiledMVNDiag

LOC, SCALE, STEPS = np.array([0.3, -1.0]), np.array([0.5, 2.0]), 7


def make(dtype="float64", **changes):
    given = {"loc": LOC, "scale_diag": SCALE} | changes
    given = {name: tf.constant(value, dtype) for name, value in given.items()}
    return TiledMVNDiag(num_timesteps=STEPS, **given)


def test_equals_independent_steps(dtype, rtol):
    value = np.random.default_rng(0).normal(size=[5, STEPS, 2]).astype(dtype)
    tiled = np.tile(LOC.astype(dtype), [STEPS, 1])
    step = tfd.MultivariateNormalDiag(tiled, SCALE.astype(dtype))
    truth, prior = tfd.Independent(step, 1), make(dtype)
    np.testing.assert_allclose(prior.log_prob(value), truth.log_prob(value), rtol=rtol)
    np.testing.assert_allclose(prior.entropy(), truth.entropy(), rtol=rtol)
    for statistic in ("mean", "mode", "variance", "stddev"):
        expected = getattr(truth, statistic)()
        np.testing.assert_allclose(getattr(prior, statistic)(), expected, rtol=rtol)
    steps = prior.conditionals(value)
    assert steps.batch_shape == (5, STEPS) and steps.event_shape == (2,)
    np.testing.assert_allclose(steps.log_prob(value), step.log_prob(value), rtol=rtol)


def test_sample_moments():
    count = 20_000
    draws = make().sample(count, seed=1).numpy()
    assert np.all(np.abs(draws.mean(0) - LOC) < 4 * SCALE / np.sqrt(count))
    assert np.all(np.abs(draws.std(0) / SCALE - 1.0) < 4 / np.sqrt(2 * count))
    lagged = np.mean((draws[:, 1:] - LOC) * (draws[:, :-1] - LOC), 0) / SCALE**2
    assert np.all(np.abs(lagged) < 4 / np.sqrt(count))


def test_gradients_reach_both_parameters(finite_difference):
    value = tf.ones([STEPS, 2], tf.float64)
    for name, at in {"loc": LOC, "scale_diag": SCALE}.items():

        def total(x, name=name):
            prior = make(**{name: x})
            draw = prior.sample(3, seed=(1, 2))
            return prior.log_prob(value) + prior.entropy() + tf.reduce_sum(draw**2)

        variable = tf.Variable(at)
        given = {"loc": tf.constant(LOC), "scale_diag": tf.constant(SCALE)} | {name: variable}
        prior = TiledMVNDiag(num_timesteps=STEPS, **given)
        with tf.GradientTape() as tape:
            result = prior.log_prob(value) + prior.entropy()
            result += tf.reduce_sum(prior.sample(3, seed=(1, 2)) ** 2)
        gradient = tape.gradient(result, variable)
        np.testing.assert_allclose(gradient, finite_difference(total, at), rtol=1e-6)


def test_batches_broadcast():
    prior = TiledMVNDiag(tf.zeros([4, 1, 2]), tf.ones([3, 1]), STEPS)
    assert prior.batch_shape == (4, 3) and prior.event_shape == (STEPS, 2)
    assert prior.sample(6, seed=1).shape == (6, 4, 3, STEPS, 2)
    assert prior.log_prob(tf.zeros([STEPS, 2])).shape == (4, 3)
    assert prior.conditionals(tf.zeros([7, 1, 3, STEPS, 2])).batch_shape == (7, 4, 3, STEPS)
    assert prior.entropy().shape == (4, 3) and prior.mean().shape == (4, 3, STEPS, 2)
    assert prior[0].batch_shape == (3,)
    one = TiledMVNDiag(0.0, [1.0, 2.0], STEPS)
    assert one.mean().shape == (STEPS, 2) and one.event_shape == (STEPS, 2)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_time_in_a_graph(jit_compile, dtype, rtol):
    signature = [tf.TensorSpec([None, None, None], dtype)]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def everything(value):
        prior = TiledMVNDiag(LOC.astype(dtype), SCALE.astype(dtype), tf.shape(value)[1])
        return prior.log_prob(value), prior.sample(3, seed=(1, 2)), prior.entropy()

    value = np.ones([5, STEPS, 2], dtype)
    log_prob, draw, entropy = everything(value)
    np.testing.assert_allclose(log_prob, make(dtype).log_prob(value), rtol=rtol)
    np.testing.assert_allclose(entropy, make(dtype).entropy(), rtol=rtol)
    assert draw.shape == (3, STEPS, 2)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"scale_diag": [1.0, 0.0]}, ValueError, "scale_diag must be finite and above 0, got 0"),
        ({"num_timesteps": -1}, ValueError, "num_timesteps must be a whole number of at least 1"),
        ({"loc": [0.0] * 3}, ValueError, r"parameters must broadcast .* got loc \(3,\)"),
        ({"loc": np.array([1, 2])}, TypeError, "loc and scale_diag must be floating point"),
        ({"loc": np.array([1.0, 2.0]), "scale_diag": tf.ones([2])}, TypeError, "of one dtype"),
    ],
)
def test_errors_at_the_door(changes, error, message):
    given = {"loc": [0.0, 0.0], "scale_diag": [1.0, 1.0], "num_timesteps": 5}
    with pytest.raises(error, match=message):
        TiledMVNDiag(**(given | changes))
    with pytest.raises(ValueError, match=r"path must have shape \[..., 5, 2\], got \[4, 2\]"):
        TiledMVNDiag(**given).log_prob(tf.zeros([4, 2]))


def test_runtime_checks_when_asked_for():
    @tf.function(input_signature=[tf.TensorSpec([2])])
    def mean(scale):
        return TiledMVNDiag(0.0, scale, 3, validate_args=True).mean()

    with pytest.raises(tf.errors.InvalidArgumentError, match="scale_diag must be above 0"):
        mean([1.0, -2.0])
