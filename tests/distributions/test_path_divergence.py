"""Divergences of paths: closed forms against dense Gaussians, estimates against closed forms."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import (
    AR1Process,
    TiledMVNDiag,
    path_kl,
    sampled_kl,
    time_marginals,
)

BATCH, STEPS, DIM = 3, 9, 2
TAU, SCALE, LOC = np.array([8.0, 1.5]), np.array([0.3, 0.8]), np.array([0.2, -0.5])


def ar1(dtype="float64", tau=TAU, scale=SCALE, loc=LOC):
    return AR1Process(
        *(tf.constant(value, dtype) for value in (tau, scale)), STEPS, loc=tf.constant(loc, dtype)
    )


def tiled(dtype="float64", scale=SCALE):
    return TiledMVNDiag(tf.constant(LOC, dtype), tf.constant(scale, dtype), STEPS)


def posterior(dtype="float64", full=False):
    rng = np.random.default_rng(0)
    loc = rng.normal(size=[BATCH, STEPS, DIM]).astype(dtype)
    scale = rng.uniform(0.1, 0.6, size=[BATCH, STEPS, DIM]).astype(dtype)
    if not full:
        return tfd.MultivariateNormalDiag(loc, scale)
    tril = np.tril(rng.normal(size=[BATCH, STEPS, DIM, DIM]), -1).astype(dtype)
    return tfd.MultivariateNormalTriL(loc, tf.linalg.diag(scale) + tril)


def dense_prior(dense, prior):
    """Mean and covariance over [time, dim], time outermost."""
    if isinstance(prior, AR1Process):
        per_dim = [dense.ar1_covariance(TAU[d], SCALE[d], STEPS) for d in range(DIM)]
    else:
        per_dim = [SCALE[d] ** 2 * np.eye(STEPS) for d in range(DIM)]
    order = np.arange(DIM * STEPS).reshape(DIM, STEPS).T.ravel()
    return np.tile(LOC, STEPS), dense.block_diagonal(np.stack(per_dim))[np.ix_(order, order)]


priors = pytest.mark.parametrize("make", [ar1, tiled])
posteriors = pytest.mark.parametrize("full", [False, True], ids=["diag", "tril"])


@priors
@posteriors
def test_closed_form_equals_the_dense_gaussians(make, full, dense, dtype, rtol):
    q, prior = posterior(dtype, full), make(dtype)
    mean_p, covariance_p = dense_prior(dense, prior)
    expected = [
        dense.mvn_kl(mean.ravel(), dense.block_diagonal(covariance), mean_p, covariance_p)
        for mean, covariance in zip(
            q.mean().numpy().astype("float64"),
            q.covariance().numpy().astype("float64"),
            strict=True,
        )
    ]
    divergence = tfd.kl_divergence(tfd.Independent(q, 1), prior)
    assert divergence.dtype == dtype and divergence.shape == (BATCH,)
    np.testing.assert_allclose(divergence, expected, rtol=rtol)


@priors
@posteriors
def test_estimates_agree_with_the_closed_form(make, full):
    count, q, prior = 20_000, posterior(full=full), make()
    path = q.sample(count, seed=1)
    truth = tfd.kl_divergence(tfd.Independent(q, 1), prior)
    by_step, by_sample = path_kl(q, prior, path).numpy(), sampled_kl(q, prior, path).numpy()
    assert by_step.shape == by_sample.shape == (count, BATCH)
    for estimate in (by_step, by_sample):
        standard_error = estimate.std(0) / np.sqrt(count)
        assert np.all(np.abs(estimate.mean(0) - truth) < 4 * standard_error + 1e-9)
    assert np.all(by_step.std(0) < 0.8 * by_sample.std(0))


def test_path_kl_of_independent_steps_has_no_noise():
    q, prior = posterior(), tiled()
    truth = tfd.kl_divergence(tfd.Independent(q, 1), prior)
    np.testing.assert_allclose(path_kl(q, prior, q.sample(seed=1)), truth, rtol=1e-12)


def test_path_kl_equals_a_loop():
    q, phi = posterior(), np.exp(-1.0 / TAU)
    path = q.sample(seed=1).numpy()
    mean, spread, expected = q.mean().numpy(), q.stddev().numpy(), np.zeros(BATCH)
    for t in range(STEPS):
        center = LOC if t == 0 else LOC + phi * (path[:, t - 1] - LOC)
        scale = SCALE / np.sqrt(1 - phi**2) if t == 0 else SCALE
        ratio = (spread[:, t] ** 2 + (mean[:, t] - center) ** 2) / scale**2
        expected += np.sum(np.log(scale / spread[:, t]) + 0.5 * (ratio - 1.0), -1)
    np.testing.assert_allclose(path_kl(q, ar1(), path), expected, rtol=1e-12)


def test_ar1_to_ar1_equals_the_dense_gaussians(dense, dtype, rtol):
    tau, scale, loc = np.array([3.0, 20.0]), np.array([0.5, 0.4]), np.array([0.0, 1.0])
    expected = sum(
        dense.mvn_kl(
            np.full(STEPS, LOC[d]),
            dense.ar1_covariance(TAU[d], SCALE[d], STEPS),
            np.full(STEPS, loc[d]),
            dense.ar1_covariance(tau[d], scale[d], STEPS),
        )
        for d in range(DIM)
    )
    divergence = tfd.kl_divergence(ar1(dtype), ar1(dtype, tau, scale, loc))
    np.testing.assert_allclose(divergence, expected, rtol=rtol)


def test_a_distribution_is_no_distance_from_itself(dtype):
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    for prior in (ar1(dtype), ar1(dtype, tau=np.array([1e4, 1e-2])), tiled(dtype)):
        assert abs(tfd.kl_divergence(prior, prior)) < tolerance
    q = tfd.MultivariateNormalDiag(tiled(dtype).mean(), tf.constant(SCALE, dtype))
    for divergence in (
        tfd.kl_divergence(tfd.Independent(q, 1), tiled(dtype)),
        path_kl(q, tiled(dtype), q.sample(seed=1)),
        sampled_kl(q, tiled(dtype), q.sample(seed=1)),
    ):
        np.testing.assert_allclose(divergence, 0.0, atol=tolerance)


def test_tiled_to_tiled_is_a_sum_over_time():
    other = tiled(scale=2 * SCALE)
    expected = tfd.kl_divergence(tfd.Independent(tiled().conditionals(other.mean()), 1), other)
    np.testing.assert_allclose(tfd.kl_divergence(tiled(), other), expected, rtol=1e-12)


@priors
def test_batches_of_priors_and_samples_of_paths(make):
    q = posterior()
    prior = make(scale=np.linspace(0.2, 0.6, 4)[:, None, None] * np.ones([4, 1, DIM]))
    assert tfd.kl_divergence(tfd.Independent(q, 1), prior).shape == (4, BATCH)
    assert path_kl(q, prior, q.sample(seed=1)).shape == (4, BATCH)
    assert path_kl(q, prior, q.sample([5, 1], seed=1)).shape == (5, 4, BATCH)
    assert sampled_kl(q, prior, q.sample([5, 1], seed=1)).shape == (5, 4, BATCH)
    alone = path_kl(q, make(scale=np.full(DIM, 0.2)), q.mean())
    np.testing.assert_allclose(path_kl(q, prior, q.mean())[0], alone, rtol=1e-12)


def test_parameters_of_the_posterior_may_broadcast():
    over_time = tfd.MultivariateNormalDiag(np.zeros([DIM]), np.ones([STEPS, 1]) * SCALE)
    spelled = tfd.MultivariateNormalDiag(np.zeros([STEPS, DIM]), np.ones([STEPS, 1]) * SCALE)
    for prior in (ar1(), tiled()):
        left, right = (
            tfd.kl_divergence(tfd.Independent(q, 1), prior) for q in (over_time, spelled)
        )
        np.testing.assert_allclose(left, right, rtol=1e-12)


def test_gradients_equal_differences_and_flow_through_the_path(finite_difference):
    noise = np.random.default_rng(3).normal(size=[STEPS, DIM])
    start = np.random.default_rng(4).normal(size=[STEPS, DIM])

    def total(loc, tau, scale):
        q = tfd.MultivariateNormalDiag(loc, 0.3 * tf.ones_like(loc))
        prior = AR1Process(tau, scale, STEPS)
        path = loc + 0.3 * noise
        closed = tfd.kl_divergence(tfd.Independent(q, 1), prior)
        return path_kl(q, prior, path) + 2.0 * closed + 3.0 * sampled_kl(q, prior, path)

    at = [tf.constant(value) for value in (start, TAU, SCALE)]
    with tf.GradientTape() as tape:
        tape.watch(at)
        result = total(*at)
    for index, gradient in enumerate(tape.gradient(result, at)):

        def alone(value, index=index):
            return total(*[*at[:index], tf.constant(value), *at[index + 1 :]])

        assert np.all(gradient != 0.0)
        numeric = finite_difference(alone, at[index].numpy())
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-7)

    path = tf.constant(start)
    with tf.GradientTape() as tape:
        tape.watch(path)
        value = path_kl(posterior(), ar1(), path)
    through = tape.gradient(value, path)
    assert np.all(through[:-1] != 0.0) and np.all(through[-1] == 0.0)


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
