"""Divergences of paths: closed forms against dense Gaussians, estimates against closed forms."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from path_priors import (
    BATCH,
    BELOW,
    DIM,
    LOC,
    PRIORS,
    SCALE,
    STEPS,
    TAU,
    ar1,
    ar1_full,
    dense_prior,
    posterior,
    tiled,
    tiled_full,
)
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, AR1ProcessTriL, TiledMVNTriL, path_kl, sampled_kl

priors = pytest.mark.parametrize("make", PRIORS)
posteriors = pytest.mark.parametrize("full", [False, True], ids=["diag", "tril"])


@priors
@posteriors
def test_closed_form_equals_the_dense_gaussians(make, full, dense, dtype, rtol):
    q, prior = posterior(dtype, full), make(dtype)
    mean_p, covariance_p = dense_prior(make)
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


@pytest.mark.parametrize("make", [tiled, tiled_full])
@posteriors
def test_path_kl_of_independent_steps_has_no_noise(make, full):
    q, prior = posterior(full=full), make()
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


AR1S, TILED = [ar1, ar1_full], [tiled, tiled_full]


@pytest.mark.parametrize(
    "make_a, make_b", [*itertools.product(AR1S, AR1S), *itertools.product(TILED, TILED)]
)
def test_prior_to_prior_equals_the_dense_gaussians(make_a, make_b, dense, dtype, rtol):
    b = {"scale": np.array([0.5, 0.4]), "loc": np.array([0.0, 1.0])}
    if make_b in AR1S:
        b["tau"] = np.array([3.0, 20.0])
    expected = dense.mvn_kl(*dense_prior(make_a), *dense_prior(make_b, **b))
    divergence = tfd.kl_divergence(make_a(dtype), make_b(dtype, **b))
    np.testing.assert_allclose(divergence, expected, rtol=rtol)


def test_a_distribution_is_no_distance_from_itself(dtype):
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    far_apart = {"tau": np.array([1e4, 1e-2])}
    for prior in (
        *(make(dtype) for make in PRIORS), ar1(dtype, **far_apart), ar1_full(dtype, **far_apart)
    ):  # fmt: skip
        assert abs(tfd.kl_divergence(prior, prior)) < tolerance
    for make in (tiled, tiled_full):
        q, prior = make(dtype).conditionals(make(dtype).mean()), make(dtype)
        for divergence in (
            tfd.kl_divergence(tfd.Independent(q, 1), prior),
            path_kl(q, prior, q.sample(seed=1)),
            sampled_kl(q, prior, q.sample(seed=1)),
        ):
            np.testing.assert_allclose(divergence, 0.0, atol=tolerance)


def test_full_covariance_without_correlation_is_the_diagonal():
    q = posterior(full=True)
    for diagonal, full in ((ar1, AR1ProcessTriL), (tiled, TiledMVNTriL)):
        simple = diagonal()
        scale = tf.linalg.diag(tf.constant(SCALE))
        given = {"tau": tf.constant(TAU)} if full is AR1ProcessTriL else {}
        other = full(*given.values(), **{full.TRIANGLES[0]: scale}, num_timesteps=STEPS, loc=LOC)
        for left, right in (
            (tfd.kl_divergence(simple, other), 0.0),
            (tfd.kl_divergence(other, simple), 0.0),
            (path_kl(q, other, q.mean()), path_kl(q, simple, q.mean())),
            (other.log_prob(q.mean()), simple.log_prob(q.mean())),
            (other.entropy(), simple.entropy()),
        ):
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)


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
    for prior in (make() for make in PRIORS):
        left, right = (
            tfd.kl_divergence(tfd.Independent(q, 1), prior) for q in (over_time, spelled)
        )
        np.testing.assert_allclose(left, right, rtol=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_gradients_equal_differences_and_flow_through_the_path(full, finite_difference):
    noise = np.random.default_rng(3).normal(size=[STEPS, DIM])
    start = np.random.default_rng(4).normal(size=[STEPS, DIM])

    def total(loc, tau, scale):
        q = tfd.MultivariateNormalDiag(loc, 0.3 * tf.ones_like(loc))
        if full:
            prior = AR1ProcessTriL(tau, tf.linalg.diag(scale) + BELOW, STEPS)
        else:
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
        value = path_kl(posterior(), (ar1_full if full else ar1)(), path)
    through = tape.gradient(value, path)
    assert np.all(through[:-1] != 0.0) and np.all(through[-1] == 0.0)
