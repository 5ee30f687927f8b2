"""Divergences of paths in graphs, under XLA, from Keras layers, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
import tf_keras
from path_priors import BATCH, DIM, PRIORS, STEPS, ar1, posterior
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import (
    AR1Process,
    RecurrentMVNDiag,
    TiledMVNDiag,
    path_kl,
    sampled_kl,
    time_marginals,
)

priors = pytest.mark.parametrize("make", PRIORS)


@priors
@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_shapes_in_a_graph(make, jit_compile, dtype, rtol):
    spec = tf.TensorSpec([None, None, None], dtype)

    @tf.function(input_signature=[spec] * 3, jit_compile=jit_compile)
    def all_three(loc, scale, path):
        q = tfd.MultivariateNormalDiag(loc, scale)
        prior = make(dtype).copy(num_timesteps=tf.shape(loc)[1])
        closed = tfd.kl_divergence(tfd.Independent(q, 1), prior)
        return path_kl(q, prior, path), sampled_kl(q, prior, path), closed

    q, prior = posterior(dtype), make(dtype)
    path = q.sample(seed=1)
    came = all_three(q.mean(), q.stddev(), path)
    expected = (
        path_kl(q, prior, path),
        sampled_kl(q, prior, path),
        tfd.kl_divergence(tfd.Independent(q, 1), prior),
    )
    for left, right in zip(came, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=10 * rtol)


@priors
@pytest.mark.parametrize("wrap", [lambda q: q, lambda q: tfd.Independent(q, 1)])
def test_output_of_a_distribution_lambda_is_taken(make, wrap):
    plain = posterior("float32")
    layer = tfp.layers.DistributionLambda(
        lambda loc: wrap(tfd.MultivariateNormalDiag(loc, plain.stddev()))
    )
    q, prior = layer(plain.mean()), make("float32")
    assert not isinstance(q, tfd.Independent | tfd.MultivariateNormalDiag)
    path = tf.convert_to_tensor(q)
    assert time_marginals(q).batch_shape == (BATCH, STEPS)
    for function in (path_kl, sampled_kl):
        expected = function(plain, prior, path)
        np.testing.assert_allclose(function(q, prior, path), expected, rtol=1e-6)
        np.testing.assert_allclose(function(q, prior, q), expected, rtol=1e-6)
    if isinstance(q.tensor_distribution, tfd.Independent):
        expected = tfd.kl_divergence(tfd.Independent(plain, 1), prior)
        np.testing.assert_allclose(tfd.kl_divergence(q, prior), expected, rtol=1e-6)
        np.testing.assert_allclose(q.kl_divergence(prior), expected, rtol=1e-6)


@priors
def test_a_prior_may_be_the_output_of_a_distribution_lambda(make):
    q = posterior("float32")
    layer = tfp.layers.DistributionLambda(lambda _: make("float32"))
    prior = layer(tf.zeros([1]))
    path, independent = q.sample(seed=1), tfd.Independent(q, 1)
    for function in (path_kl, sampled_kl):
        expected = function(q, make("float32"), path)
        np.testing.assert_allclose(function(q, prior, path), expected, rtol=1e-6)
    expected = tfd.kl_divergence(independent, make("float32"))
    np.testing.assert_allclose(tfd.kl_divergence(independent, prior), expected, rtol=1e-6)
    wrapped = tfp.layers.DistributionLambda(lambda _: independent)(tf.zeros([1]))
    np.testing.assert_allclose(tfd.kl_divergence(wrapped, prior), expected, rtol=1e-6)


def test_inside_a_layer_of_a_functional_model():
    class PathKL(tf_keras.layers.Layer):
        def call(self, q):
            prior = AR1Process([5.0, 2.0], 0.1, tf.shape(tf.convert_to_tensor(q))[1])
            by_step = path_kl(q, prior, tf.convert_to_tensor(q))
            return tf.stack([by_step, tfd.kl_divergence(q, prior)], -1)

    inputs = tf_keras.Input([None, 4])
    q = tfp.layers.DistributionLambda(
        lambda t: tfd.Independent(
            tfd.MultivariateNormalDiag(t[..., :2], tf.nn.softplus(t[..., 2:])), 1
        )
    )(inputs)
    model = tf_keras.Model(inputs, PathKL()(q))
    for jit_compile in (False, True):
        model.compile("sgd", "mse", jit_compile=jit_compile)
        divergences = model.predict(np.zeros([6, 11, 4], np.float32), verbose=0)
        assert divergences.shape == (6, 2) and np.all(np.isfinite(divergences))
        assert np.all(divergences > 0.0)


@pytest.mark.parametrize("function", [path_kl, sampled_kl])
def test_errors_at_the_door(function):
    q, prior = posterior("float32"), ar1("float32")
    path = q.sample(seed=1)
    normal = tfd.Normal(q.mean(), 1.0)
    with pytest.raises(TypeError, match=r"q must be a MultivariateNormalDiag or .*, got Normal$"):
        function(normal, prior, path)
    with pytest.raises(TypeError, match=r"q must be a .*, got Independent\(Normal\)"):
        function(tfd.Independent(normal, 1), prior, path)
    with pytest.raises(TypeError, match=r"q must be a .*, got AR1Process"):
        function(prior, prior, path)
    with pytest.raises(ValueError, match=r"q must have reinterpreted_batch_ndims=1 .*, got 2"):
        function(tfd.Independent(q, 2), prior, path)
    with pytest.raises(ValueError, match="q must have a time axis"):
        function(tfd.MultivariateNormalDiag(tf.zeros([DIM])), prior, path)
    with pytest.raises(ValueError, match=r"path must have shape \[..., 9, 2\], got"):
        function(q, prior, path[:, 1:])
    with pytest.raises(TypeError, match="path must be float32 like q, got float64"):
        function(q, prior, tf.cast(path, tf.float64))


def test_more_errors_at_the_door():
    q, prior = posterior("float32"), ar1("float32")
    with pytest.raises(TypeError, match=r"prior must have conditionals\(path\).* got Independent"):
        path_kl(q, tfd.Independent(q, 1), q.sample())
    with pytest.raises(TypeError, match=r"prior must have log_prob\(path\).* got float"):
        sampled_kl(q, 1.0, q.sample())
    short = AR1Process([2.0, 2.0], 1.0, STEPS - 1)
    for other in (short, TiledMVNDiag(0.0, [1.0, 1.0], STEPS - 1)):
        with pytest.raises(ValueError, match=r"q must have shape \[..., 8, 2\], got"):
            tfd.kl_divergence(tfd.Independent(q, 1), other)
    with pytest.raises(ValueError, match=r"a must have shape \[..., 8, 2\], got"):
        tfd.kl_divergence(prior, short)
    with pytest.raises(ValueError, match="path must have shape"):
        path_kl(q, short, q.sample())
    with pytest.raises(TypeError, match="q must be a MultivariateNormalDiag"):
        tfd.kl_divergence(tfd.Independent(tfd.Normal(q.mean()[0], q.stddev()[0]), 2), prior)
    with pytest.raises(NotImplementedError, match="No KL"):
        tfd.kl_divergence(q, prior)


def test_a_recurrent_prior_has_no_closed_form_and_says_so():
    prior = RecurrentMVNDiag(
        lambda before: (before, tf.ones_like(before)),
        lambda z, state: (z, tf.ones_like(z), state),
        lambda batch: (), event_size=DIM, num_timesteps=STEPS,
    )  # fmt: skip
    q = posterior("float32")
    assert path_kl(q, prior, q.mean()).shape == sampled_kl(q, prior, q.mean()).shape == (BATCH,)
    with pytest.raises(NotImplementedError, match="no closed form: take path_kl or sampled_kl"):
        tfd.kl_divergence(tfd.Independent(q, 1), prior)
