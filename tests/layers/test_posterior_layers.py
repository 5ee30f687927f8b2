"""Posterior layers against tfd, and their draws against their moments."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log1p
from tensorflow_probability import distributions as tfd

from tfp_bvae.layers import MVNDiagPosterior, MVNTriLPosterior, PathPosterior

MANY, SIZE = 20000, 2


def inverse_softplus(x):
    return np.log(np.expm1(x))


def test_diagonal_parameters_mean_locations_then_scales(rng):
    params = rng.normal(size=[3, 5, 2 * SIZE])
    q = MVNDiagPosterior(SIZE, init_scale=0.3, min_scale=0.01, dtype="float64")(tf.constant(params))
    shift = inverse_softplus(0.3 - 0.01)
    np.testing.assert_array_equal(q.mean(), params[..., :SIZE])
    expected = 0.01 + log1p(np.exp(params[..., SIZE:] + shift))
    np.testing.assert_allclose(q.stddev(), expected, rtol=1e-10)
    assert (q.batch_shape, q.event_shape) == ([3, 5], [SIZE])


def test_the_triangle_is_that_of_its_parameters():
    params = tf.constant([[0.5, -0.5, 0.3, 0.7, -0.2]], tf.float64)
    q = MVNTriLPosterior(SIZE, init_scale=0.4, dtype="float64")(params)
    triangle = np.linalg.cholesky(q.covariance()[0])
    raw = np.array([-0.2, 0.3])  # the third parameter and the first: tfp.math.fill_triangular
    shift = inverse_softplus(0.4 - 1e-3)
    np.testing.assert_allclose(np.diag(triangle), 1e-3 + log1p(np.exp(raw + shift)), rtol=1e-10)
    np.testing.assert_allclose(triangle[1, 0], 0.7, rtol=1e-10)


@pytest.mark.parametrize("make, size", [(MVNDiagPosterior, 4), (MVNTriLPosterior, 5)])
def test_draws_have_the_moments_of_the_distribution(make, size, rng):
    one = rng.normal(size=size).astype("float32")
    q = make(SIZE, seed=1)(tf.constant(np.tile(one, [MANY, 1])), training=True)
    draws = tf.convert_to_tensor(q).numpy().astype(float)
    mean, covariance = q.mean()[0].numpy(), q.covariance()[0].numpy().astype(float)
    error = np.sqrt(np.diag(covariance) / MANY)
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 4 * error)
    found = np.cov(draws.T)
    variances = np.diag(covariance)
    spread = np.sqrt((np.outer(variances, variances) + covariance**2) / MANY)
    assert np.all(np.abs(found - covariance) < 4 * spread)


@pytest.mark.parametrize("make, size", [(MVNDiagPosterior, 4), (MVNTriLPosterior, 5)])
def test_draws_are_reparameterised(make, size, rng):
    params = tf.constant(rng.normal(size=[3, size]).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(params)
        draw = tf.convert_to_tensor(make(SIZE, seed=1)(params, training=True))
    gradient = tape.gradient(draw, params).numpy()
    np.testing.assert_allclose(gradient[:, :SIZE], 1.0, rtol=1e-6)
    assert np.all(gradient[:, SIZE:] != 0.0)


def test_a_path_posterior_stands_for_the_path_it_was_given(rng):
    loc, path = (rng.normal(size=[2, 3, SIZE]) for _ in range(2))
    scale = np.exp(rng.normal(size=loc.shape))
    layer = PathPosterior(dtype="float64")
    inputs = [tf.constant(x) for x in (loc, scale, path)]
    for training in (True, False):
        q = layer(inputs, training=training)
        np.testing.assert_array_equal(tf.convert_to_tensor(q), path)
    expected = tfd.Normal(loc, scale).log_prob(path)
    np.testing.assert_allclose(q.log_prob(path), np.sum(expected, axis=-1), rtol=1e-10)


@pytest.mark.parametrize("make, size", [(MVNDiagPosterior, 6), (MVNTriLPosterior, 9)])
def test_the_number_of_parameters_is_said_and_checked(make, size):
    assert make.params_size(3) == size
    with pytest.raises(ValueError, match=f"inputs must have a last axis of size {size}, got shape"):
        make(3)(tf.zeros([2, size + 1]))


@pytest.mark.parametrize("make", [MVNDiagPosterior, MVNTriLPosterior])
@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"event_size": 0}, ValueError, "event_size must be a whole number of at least 1, got 0"),
        ({"event_size": 2.0}, TypeError, "event_size must be a whole number"),
        ({"init_scale": 0.0}, ValueError, r"init_scale must be above 0, got 0\.0"),
        ({"min_scale": -1.0}, ValueError, "min_scale must be above 0"),
        ({"init_scale": 0.1, "min_scale": 0.2}, ValueError, "init_scale must be above min_scale"),
        ({"value": "mode"}, ValueError, "value must be one of 'auto', 'sample', 'mean'"),
    ],
)
def test_wrong_settings_are_refused(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**({"event_size": 2} | arguments))


@pytest.mark.parametrize("shapes", [[[2, 3, 1]] * 2, [[2, 3, 1], [2, 3, 1], [2, 4, 1]]])
def test_a_path_posterior_takes_three_of_one_shape(shapes):
    with pytest.raises(ValueError, match="inputs must be loc, scale and path of one shape, got"):
        PathPosterior()([tf.ones(shape) for shape in shapes])
