"""AR(1) and tiled priors of full covariance against the dense Gaussian, and their samples."""

import numpy as np
import pytest
import tensorflow as tf
from path_priors import (
    DIM,
    LOC,
    PRIORS,
    SCALE,
    STEPS,
    TAU,
    ar1_full,
    dense_prior,
    tiled_full,
    tril,
    var1_covariance,
)
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1ProcessTriL, TiledMVNTriL

makers = pytest.mark.parametrize("make", [ar1_full, tiled_full])


def paths(*sample_shape, dtype="float64"):
    return np.random.default_rng(0).normal(size=[*sample_shape, STEPS, DIM]).astype(dtype)


@makers
def test_densities_and_statistics_are_those_of_the_dense_gaussian(make, dense, dtype, rtol):
    prior, value = make(dtype), paths(5, dtype=dtype)
    mean, covariance = dense_prior(make)
    expected = [dense.mvn_log_prob(z.ravel().astype(float), mean, covariance) for z in value]
    np.testing.assert_allclose(prior.log_prob(value), expected, rtol=rtol)
    entropy = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * covariance)[1]
    np.testing.assert_allclose(prior.entropy(), entropy, rtol=rtol)
    np.testing.assert_allclose(prior.mean(), mean.reshape(STEPS, DIM), rtol=rtol)
    variance = np.diag(covariance).reshape(STEPS, DIM)
    np.testing.assert_allclose(prior.variance(), variance, rtol=rtol)
    np.testing.assert_allclose(prior.stddev(), np.sqrt(variance), rtol=rtol)


@makers
def test_conditionals_are_those_of_the_dense_gaussian(make):
    value = paths()
    mean, covariance = dense_prior(make)
    steps = make().conditionals(value)
    assert isinstance(steps, tfd.MultivariateNormalTriL) and steps.batch_shape == (STEPS,)
    for t in range(STEPS):
        past, now = np.arange(t * DIM), np.arange(t * DIM, (t + 1) * DIM)
        gain = np.linalg.solve(
            covariance[np.ix_(past, past)], covariance[np.ix_(past, now)]
        ).T.reshape(DIM, t * DIM)
        loc = mean[now] + gain @ (value.ravel()[past] - mean[past])
        spread = covariance[np.ix_(now, now)] - gain @ covariance[np.ix_(past, now)]
        np.testing.assert_allclose(steps.mean()[t], loc, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(steps.covariance()[t], spread, rtol=1e-9, atol=1e-9)


def test_the_stationary_covariance_solves_its_equation():
    tau = np.array([1e-30, 0.5, 3.0, 200.0])
    factor = np.tril(np.random.default_rng(1).normal(size=[4, 4]), -1) + np.eye(4)
    prior = AR1ProcessTriL(tau, factor, STEPS)
    stationary, phi = prior.stationary_covariance().numpy(), prior.phi.numpy()
    np.testing.assert_allclose(
        stationary, phi[:, None] * stationary * phi + factor @ factor.T, rtol=1e-10
    )
    assert np.all(np.linalg.eigvalsh(stationary) > 0)
    by_sums = var1_covariance(phi, factor @ factor.T, 2)
    np.testing.assert_allclose(stationary, by_sums[:4, :4], rtol=1e-9)
    np.testing.assert_allclose(prior.stationary().to_dense(), np.linalg.cholesky(stationary))


@makers
def test_samples_have_the_moments_of_the_process(make):
    count = 40_000
    draws = make().sample(count, seed=3).numpy().reshape(count, -1)
    mean, covariance = dense_prior(make)
    variance, centred = np.diag(covariance), draws - mean
    assert np.all(np.abs(centred.mean(0)) < 4.5 * np.sqrt(variance / count))
    measured = centred.T @ centred / count
    standard_error = np.sqrt((np.outer(variance, variance) + covariance**2) / count)
    assert np.all(np.abs(measured - covariance) < 4.5 * standard_error)


@pytest.mark.parametrize("make", PRIORS)
def test_noise_and_path_are_two_names_of_one_thing(make):
    prior, noise = make(), paths(4)
    path = prior.from_noise(noise)
    steps = prior.conditionals(path)
    whitened = steps.scale.solvevec(path - steps.mean())
    np.testing.assert_allclose(whitened, noise, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        prior.from_noise(np.zeros([STEPS, DIM])), prior.mean(), rtol=1e-12, atol=1e-12
    )
    for wrong, error in ((noise[:, 1:], ValueError), (tf.cast(noise, tf.float32), TypeError)):
        with pytest.raises(error, match="noise must"):
            prior.from_noise(wrong)


@makers
def test_gradients_are_those_of_differences(make, finite_difference):
    value = tf.constant(paths(2))

    def total(factor, tau):
        if make is ar1_full:
            prior = AR1ProcessTriL(tau, factor, STEPS, loc=LOC)
        else:
            prior = TiledMVNTriL(LOC, factor, STEPS)
        drawn = tf.reduce_sum(prior.sample(3, seed=(1, 2)) ** 2)
        variance = tf.reduce_sum(prior.variance())
        return tf.reduce_sum(prior.log_prob(value)) + prior.entropy() + drawn + variance

    factor, lower = tf.constant(tril(SCALE)), np.tril(np.ones([DIM, DIM]))
    tau = tf.constant(TAU)
    with tf.GradientTape() as tape:
        tape.watch([factor, tau])
        result = total(factor, tau)
    d_factor, d_tau = tape.gradient(result, [factor, tau])
    numeric = finite_difference(lambda x: total(tf.constant(x * lower), tau), factor.numpy())
    np.testing.assert_allclose(d_factor * lower, numeric, rtol=1e-5, atol=1e-6)
    if make is ar1_full:
        numeric = finite_difference(lambda x: total(factor, tf.constant(x)), TAU)
        np.testing.assert_allclose(d_tau, numeric, rtol=1e-5)


@makers
def test_variables_stay_live_and_batches_broadcast(make):
    scale = tf.Variable(tril(np.ones([4, 1, DIM]) * SCALE))
    if make is ar1_full:
        prior = AR1ProcessTriL(tf.fill([3, DIM], tf.constant(5.0, tf.float64)), scale, STEPS)
    else:
        prior = TiledMVNTriL(tf.zeros([3, DIM], tf.float64), scale, STEPS)
    assert prior.trainable_variables == (scale,)
    assert prior.batch_shape == (4, 3) and prior.event_shape == (STEPS, DIM)
    assert prior.sample(6, seed=1).shape == (6, 4, 3, STEPS, DIM)
    assert prior.log_prob(np.zeros([STEPS, DIM])).shape == (4, 3)
    assert prior.conditionals(np.zeros([7, 1, 3, STEPS, DIM])).batch_shape == (7, 4, 3, STEPS)
    assert prior.entropy().shape == (4, 3) and prior.variance().shape == (4, 3, STEPS, DIM)
    assert prior[1:, 0].batch_shape == (3,)
    assert prior.copy(num_timesteps=3).event_shape == (3, DIM)
    before = prior.entropy().numpy()
    scale.assign(2.0 * scale)
    np.testing.assert_allclose(prior.entropy(), before + STEPS * DIM * np.log(2.0))


@pytest.mark.parametrize("make", PRIORS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_time_in_a_graph(make, jit_compile, dtype, rtol):
    signature = [tf.TensorSpec([None, None, None], dtype)] * 2

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def everything(value, noise):
        prior = make(dtype).copy(num_timesteps=tf.shape(value)[1])
        assert prior.mean().shape[-1] == DIM == prior.stddev().shape[-1]
        assert prior.conditionals(value).event_shape == (DIM,)
        return prior.log_prob(value), prior.from_noise(noise), prior.entropy(), prior.mean()

    value, prior = paths(5, dtype=dtype), make(dtype)
    expected = prior.log_prob(value), prior.from_noise(value), prior.entropy(), prior.mean()
    for left, right in zip(everything(value, value), expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=10 * rtol, atol=10 * rtol)


@pytest.mark.parametrize(
    ("scale", "error", "message"),
    [
        ([[1.0, 0.5], [0.0, 1.0]], ValueError, "scale_tril must be finite, and 0 above its diag"),
        ([[1.0, 0.0], [0.0, -1.0]], ValueError, "the diagonal of .*scale_tril must be .* above 0"),
        ([[1.0, 0.0], [np.nan, 1.0]], ValueError, "scale_tril must be finite"),
        ([1.0, 1.0], ValueError, r"scale_tril must have shape \[..., dim, dim\], got"),
        ([[1.0, 0.0]], ValueError, r"scale_tril must have shape \[..., dim, dim\], got"),
        ([[1.0]], ValueError, "scale_tril must be as wide as the other parameters"),
        (np.eye(3, dtype="float32"), ValueError, "parameters must broadcast"),
        (np.eye(2, dtype=int), TypeError, "must be"),
    ],
)
def test_errors_at_the_door(scale, error, message):
    with pytest.raises(error, match=message):
        TiledMVNTriL([0.0, 0.0], scale, 5)
    with pytest.raises(error, match=message):
        AR1ProcessTriL([1.0, 1.0], scale, 5)


def test_runtime_checks_when_asked_for():
    @tf.function(input_signature=[tf.TensorSpec([2])])
    def log_prob(tau):
        return AR1ProcessTriL(tau, tf.eye(2), 3, validate_args=True).log_prob(tf.zeros([3, 2]))

    with pytest.raises(tf.errors.InvalidArgumentError, match="tau must be above 0"):
        log_prob([1.0, -2.0])
