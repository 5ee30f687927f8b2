"""The KL layer against tfd and Monte Carlo, and what it leaves in a model."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae.layers import (
    AR1Prior,
    KLDivergence,
    LearnableMVNPrior,
    MVNDiagPosterior,
    MVNTriLPosterior,
    PathPosterior,
    TiledMVNPrior,
)
from tfp_bvae.layers.kl import divergence as of_each_trial

BATCH, STEPS, DIM, TAU, SCALE = 4, 5, 2, 6.0, 0.4
PHI = np.exp(-1.0 / TAU)


@pytest.fixture
def loc(rng):
    return rng.normal(size=[BATCH, STEPS, DIM])


@pytest.fixture
def scale(rng):
    return np.exp(0.3 * rng.normal(size=[BATCH, STEPS, DIM]))


@pytest.fixture
def z(rng, loc, scale):
    """The path that the generator was fed."""
    return loc + scale * rng.normal(size=loc.shape)


def q_and_p(make_prior, loc, scale, z):
    q = PathPosterior(dtype="float64")([tf.constant(x) for x in (loc, scale, z)])
    return q, make_prior(DIM, dtype="float64")(tf.constant(loc))


def ar1(size, **kwargs):
    return AR1Prior(size, tau=TAU, innovation_scale=SCALE, **kwargs)


def tiled(size, **kwargs):
    return TiledMVNPrior(size, scale=SCALE, **kwargs)


def prior_scales(make_prior):
    """Conditional standard deviations by step, and how much of the past is expected to stay."""
    if make_prior is tiled:
        return np.full([STEPS, 1], SCALE), 0.0
    scales = np.full([STEPS, 1], SCALE)
    scales[0] = SCALE / np.sqrt(1 - PHI**2)
    return scales, PHI


def divergence(layer, *inputs):
    """What it adds to the loss with beta 1."""
    layer(list(inputs))
    (loss,) = layer.losses
    return float(loss)


@pytest.mark.parametrize("make_prior", [ar1, tiled])
def test_path_is_the_divergence_of_each_step_given_the_past_fed(make_prior, loc, scale, z):
    scales, phi = prior_scales(make_prior)
    past = np.concatenate([np.zeros([BATCH, 1, DIM]), z[:, :-1]], axis=1)
    steps = tfd.kl_divergence(tfd.Normal(loc, scale), tfd.Normal(phi * past, scales))
    expected = np.mean(np.sum(steps, axis=(1, 2)))
    found = divergence(KLDivergence(dtype="float64"), *q_and_p(make_prior, loc, scale, z))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("make_prior", [ar1, tiled])
def test_sampled_is_the_difference_of_the_log_densities(make_prior, loc, scale, z):
    scales, phi = prior_scales(make_prior)
    past = np.concatenate([np.zeros([BATCH, 1, DIM]), z[:, :-1]], axis=1)
    steps = tfd.Normal(loc, scale).log_prob(z) - tfd.Normal(phi * past, scales).log_prob(z)
    expected = np.mean(np.sum(steps, axis=(1, 2)))
    layer = KLDivergence(method="sampled", dtype="float64")
    found = divergence(layer, *q_and_p(make_prior, loc, scale, z))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("make_prior", [ar1, tiled])
@pytest.mark.parametrize("method", ["path", "sampled"])
def test_the_mean_over_paths_is_the_analytic_divergence(make_prior, method, loc, scale, rng):
    draws = 4000
    repeated = [np.repeat(x[:1], draws, axis=0) for x in (loc, scale)]
    paths = repeated[0] + repeated[1] * rng.normal(size=repeated[0].shape)
    q, p = q_and_p(make_prior, *repeated, paths)
    layer = KLDivergence(method=method, dtype="float64")
    single = of_each_trial(q, p, tf.constant(paths), method).numpy()
    exact = divergence(
        KLDivergence(method="analytic", dtype="float64"),
        *q_and_p(make_prior, loc[:1], scale[:1], loc[:1]),
    )
    # for the tiled prior each path gives the same, to rounding
    assert abs(single.mean() - exact) <= 4 * single.std() / np.sqrt(draws) + 1e-6
    np.testing.assert_allclose(divergence(layer, q, p), single.mean(), rtol=1e-7)


@pytest.mark.parametrize("make_q, size", [(MVNDiagPosterior, 4), (MVNTriLPosterior, 5)])
def test_without_time_path_and_analytic_are_the_closed_form(make_q, size, rng):
    params = tf.constant(rng.normal(size=[BATCH, size]))
    q = make_q(DIM, dtype="float64")(params)
    p = LearnableMVNPrior(DIM, scale=SCALE, dtype="float64")(params)
    mvn = tfd.MultivariateNormalTriL(q.mean(), tf.linalg.cholesky(q.covariance()))
    closed = tfd.kl_divergence(mvn, tfd.MultivariateNormalDiag(p.mean(), p.stddev()))
    for method in ("path", "analytic"):
        found = divergence(KLDivergence(method=method, dtype="float64"), q, p)
        np.testing.assert_allclose(found, np.mean(closed), rtol=1e-7)


@pytest.mark.parametrize("method", ["path", "analytic", "sampled"])
def test_a_prior_without_time_is_that_of_every_step_and_steps_are_summed(method, loc, scale, z):
    q, _ = q_and_p(tiled, loc, scale, z)
    once = LearnableMVNPrior(DIM, scale=SCALE, dtype="float64")(tf.constant(loc))
    each = tiled(DIM, dtype="float64")(tf.constant(loc))
    found, expected = (
        divergence(KLDivergence(method=method, dtype="float64"), q, p) for p in (once, each)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_twice_the_batch_the_same_divergence_twice_the_time_twice(loc, scale, z):
    def found(copies, axis):
        longer = [np.concatenate([x] * copies, axis=axis) for x in (loc, scale, z)]
        return divergence(KLDivergence(dtype="float64"), *q_and_p(tiled, *longer))

    np.testing.assert_allclose(found(2, axis=0), found(1, axis=0), rtol=1e-10)
    np.testing.assert_allclose(found(2, axis=1), 2 * found(1, axis=1), rtol=1e-10)


def test_the_metric_is_in_nats_per_trial_whatever_beta(loc, scale, z):
    layer = KLDivergence(beta=0.25, name="kl_z", dtype="float64")
    layer(list(q_and_p(ar1, loc, scale, z)))
    (metric,) = layer.metrics
    assert metric.name == "kl_z"
    np.testing.assert_allclose(0.25 * metric.result(), layer.losses[0], rtol=1e-6)


def test_what_comes_back_is_the_sample_or_the_tensor_given(loc, scale, z):
    q, p = q_and_p(ar1, loc, scale, z)
    np.testing.assert_array_equal(KLDivergence(dtype="float64")([q, p]), z)
    other = tf.ones([BATCH, 3], tf.float64)
    np.testing.assert_array_equal(KLDivergence(dtype="float64")([q, p, other]), other)


def test_beta_is_no_trainable_weight_and_lives_in_a_compiled_function(loc, scale, z):
    layer = KLDivergence(beta=0.5)
    q, p = PathPosterior(), TiledMVNPrior(DIM)
    inputs = [tf.constant(x, tf.float32) for x in (loc, scale, z)]

    @tf.function(jit_compile=True)
    def loss(inputs):
        layer([q(inputs), p(inputs[0])])
        return layer.losses[0]

    half = loss(inputs)
    assert layer.trainable_weights == []
    layer.beta.assign(2.0)
    np.testing.assert_allclose(loss(inputs), 4 * half, rtol=1e-6)
    layer.beta.assign(0.0)
    assert float(loss(inputs)) == 0.0


def test_beta_is_saved_as_it_was_given_and_as_it_is(tmp_path):
    inputs = tf_keras.Input([2 * DIM])
    layer = KLDivergence(beta=0.5)
    outputs = layer([MVNDiagPosterior(DIM)(inputs), LearnableMVNPrior(DIM)(inputs)])
    model = tf_keras.Model(inputs, outputs)
    layer.beta.assign(0.125)
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras").layers[-1]
    assert (loaded.initial_beta, float(loaded.beta)) == (0.5, 0.125)


def test_gradients_reach_both_through_the_path(loc, scale, z):
    inputs = [tf.constant(x) for x in (loc, scale, z)]
    posterior, prior = PathPosterior(dtype="float64"), ar1(DIM, dtype="float64")
    layer = KLDivergence(dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        layer([posterior(inputs), prior(inputs[0])])
        loss = layer.losses[0]
    gradients = tape.gradient(loss, [*inputs, *prior.trainable_weights])
    assert len(gradients) == 5
    assert all(np.all(gradient != 0.0) for gradient in gradients[:2])
    assert np.all(gradients[2][:, :-1] != 0.0)  # the last step is the past of none
    assert not np.any(gradients[2][:, -1])
    assert all(np.all(gradient != 0.0) for gradient in gradients[3:])


def kl_by_dimension(make_prior, loc, scale, z):
    """The divergence of each latent dimension, mean over trials and sum over time."""
    scales, phi = prior_scales(make_prior)
    past = np.concatenate([np.zeros([BATCH, 1, DIM]), z[:, :-1]], axis=1)
    steps = tfd.kl_divergence(tfd.Normal(loc, scale), tfd.Normal(phi * past, scales))
    return np.mean(np.sum(steps, axis=1), axis=0)


@pytest.mark.parametrize("make_prior", [ar1, tiled])
def test_free_bits_are_for_each_dimension_of_the_mean_trial(make_prior, loc, scale, z):
    each = kl_by_dimension(make_prior, loc, scale, z)
    between = each.mean()  # one dimension is below, the other above
    assert each.min() < between < each.max()
    layer = KLDivergence(0.5, free_bits=between, name="kl_z", dtype="float64")
    found = divergence(layer, *q_and_p(make_prior, loc, scale, z))
    np.testing.assert_allclose(found, 0.5 * (between + each.max()), rtol=1e-7)
    (metric,) = layer.metrics
    np.testing.assert_allclose(metric.result(), each.sum(), rtol=1e-7)


def test_free_bits_without_time_and_of_a_prior_that_is_every_steps(loc, scale, z):
    q = MVNDiagPosterior(DIM, dtype="float64")(tf.constant([[1.0, 0.0, 0.0, 0.0]], tf.float64))
    p = LearnableMVNPrior(DIM, dtype="float64")(tf.zeros([1], tf.float64))
    # KL is 1/2 in the first dimension, where the mean is 1, and 0 in the other
    for free, expected in ((0.2, 0.7), (0.6, 1.2)):
        found = divergence(KLDivergence(free_bits=free, dtype="float64"), q, p)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    q, _ = q_and_p(tiled, loc, scale, z)
    once = LearnableMVNPrior(DIM, scale=SCALE, dtype="float64")(tf.constant(loc))
    found = divergence(KLDivergence(free_bits=1e-9, dtype="float64"), q, once)
    np.testing.assert_allclose(found, kl_by_dimension(tiled, loc, scale, z).sum(), rtol=1e-7)


def test_free_bits_of_a_full_covariance_are_for_the_whole_latent(rng):
    params = tf.constant(rng.normal(size=[BATCH, 5]))
    q = MVNTriLPosterior(DIM, dtype="float64")(params)
    p = LearnableMVNPrior(DIM, dtype="float64")(params)
    whole = divergence(KLDivergence(dtype="float64"), q, p)
    for free in (0.9 * whole / DIM, 1.1 * whole / DIM):
        found = divergence(KLDivergence(free_bits=free, dtype="float64"), q, p)
        np.testing.assert_allclose(found, max(whole, DIM * free), rtol=1e-7)


def test_only_dimensions_above_their_free_bits_have_a_gradient():
    params = tf.Variable([[1.0, 0.1, 0.3, 0.3]])
    layer = KLDivergence(free_bits=0.2)
    with tf.GradientTape() as tape:
        layer([MVNDiagPosterior(DIM)(params), LearnableMVNPrior(DIM)(params)])
        loss = layer.losses[0]
    gradient = tape.gradient(loss, params).numpy().reshape(2, DIM)  # locations, scales
    assert np.all(gradient[:, 0] != 0.0)
    assert not np.any(gradient[:, 1])


@pytest.mark.parametrize("method", ["path", "analytic", "sampled"])
def test_a_capacity_draws_the_divergence_from_both_sides(method, loc, scale, z):
    q, p = q_and_p(tiled, loc, scale, z)
    free = divergence(KLDivergence(method=method, dtype="float64"), q, p)
    for capacity in (0.5 * free, 2.0 * free):
        layer = KLDivergence(0.5, method, capacity=capacity, name="kl", dtype="float64")
        found = divergence(layer, q, p)
        np.testing.assert_allclose(found, 0.5 * abs(free - capacity), rtol=1e-5)
        np.testing.assert_allclose(layer.metrics[0].result(), free, rtol=1e-7)
    layer.capacity.assign(0.0)
    layer([q, p])
    np.testing.assert_allclose(layer.losses[0], 0.5 * free, rtol=1e-7)
    assert layer.trainable_weights == []


def test_a_capacity_is_saved_as_it_was_given_and_as_it_is(tmp_path):
    inputs = tf_keras.Input([2 * DIM])
    layer = KLDivergence(beta=0.5, capacity=3.0)
    outputs = layer([MVNDiagPosterior(DIM)(inputs), LearnableMVNPrior(DIM)(inputs)])
    model = tf_keras.Model(inputs, outputs)
    layer.capacity.assign(1.25)
    model.save(tmp_path / "model.keras")
    loaded = tf_keras.models.load_model(tmp_path / "model.keras").layers[-1]
    assert (loaded.initial_capacity, float(loaded.capacity)) == (3.0, 1.25)


def test_what_is_no_distribution_is_refused(loc, scale, z):
    q, p = q_and_p(tiled, loc, scale, z)
    with pytest.raises(TypeError, match="q must be the output of a distribution layer, got"):
        KLDivergence()([tf.constant(z), p])
    with pytest.raises(TypeError, match="p must be the output of a distribution layer, got"):
        KLDivergence()([q, tf.constant(z)])


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"beta must be in \[0\.0, inf\], got -1"):
        KLDivergence(beta=-1.0)
    with pytest.raises(ValueError, match="method must be one of 'path', 'analytic', 'sampled'"):
        KLDivergence(method="exact")
    with pytest.raises(ValueError, match=r"free_bits must be in \[0\.0, inf\], got -1"):
        KLDivergence(free_bits=-1.0)
    with pytest.raises(ValueError, match=r"capacity must be in \[0\.0, inf\], got -1"):
        KLDivergence(capacity=-1.0)
    with pytest.raises(ValueError, match=r"free_bits must be 0 where capacity is given, got 0\.5"):
        KLDivergence(free_bits=0.5, capacity=1.0)
    with pytest.raises(ValueError, match=r"free_bits must be 0 with method='analytic', got 0\.5"):
        KLDivergence(free_bits=0.5, method="analytic")
