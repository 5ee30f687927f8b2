"""The AR(1) process against the dense Gaussian, a loop, and its own samples."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process

TAU, SCALE, LOC, STEPS = np.array([10.0, 0.7, 200.0]), np.array([0.1, 1.0, 0.3]), 0.4, 12


def make(dtype="float64", **changes):
    given = {"tau": TAU, "innovation_scale": SCALE, "loc": np.full(3, LOC)} | changes
    given = {name: tf.constant(value, dtype) for name, value in given.items()}
    return AR1Process(num_timesteps=STEPS, **given)


def paths(*sample_shape, dtype="float64"):
    return (LOC + np.random.default_rng(0).normal(size=[*sample_shape, STEPS, 3])).astype(dtype)


def test_log_prob_equals_the_dense_gaussian(dense, dtype, rtol):
    value = paths(5, dtype=dtype)
    expected = [
        sum(
            dense.mvn_log_prob(z[:, d], LOC, dense.ar1_covariance(TAU[d], SCALE[d], STEPS))
            for d in range(3)
        )
        for z in value.astype("float64")
    ]
    log_prob = make(dtype).log_prob(value)
    assert log_prob.dtype == dtype
    np.testing.assert_allclose(log_prob, expected, rtol=rtol)


def test_log_prob_equals_a_loop():
    value, phi = paths(), np.exp(-1.0 / TAU)
    expected, mean, scale = 0.0, np.full(3, LOC), SCALE / np.sqrt(1.0 - phi**2)
    for step in value:
        expected += np.sum(-0.5 * ((step - mean) / scale) ** 2 - np.log(scale))
        expected -= 1.5 * np.log(2.0 * np.pi)
        mean, scale = LOC + phi * (step - LOC), SCALE
    np.testing.assert_allclose(make().log_prob(value), expected, rtol=1e-12)


def test_one_step_and_two_steps():
    one = AR1Process(tau=[5.0], innovation_scale=[0.2], num_timesteps=1)
    stationary = 0.2 / np.sqrt(1.0 - np.exp(-2.0 / 5.0))
    expected = tfd.Normal(0.0, np.float32(stationary)).log_prob(0.3)
    np.testing.assert_allclose(one.log_prob([[0.3]]), expected, rtol=1e-5)
    assert one.sample(3, seed=1).shape == (3, 1, 1)
    two = AR1Process(tau=[5.0], innovation_scale=[0.2], num_timesteps=2)
    expected += tfd.Normal(np.float32(np.exp(-0.2) * 0.3), 0.2).log_prob(0.1)
    np.testing.assert_allclose(two.log_prob([[0.3], [0.1]]), expected, rtol=1e-5)


def test_conditionals_sum_to_log_prob_and_carry_the_past(dtype, rtol):
    prior, value = make(dtype), paths(4, dtype=dtype)
    steps = prior.conditionals(value)
    assert isinstance(steps, tfd.MultivariateNormalDiag)
    assert steps.batch_shape == (4, STEPS) and steps.event_shape == (3,)
    np.testing.assert_allclose(
        tf.reduce_sum(steps.log_prob(value), -1), prior.log_prob(value), rtol=rtol
    )
    phi = np.exp(-1.0 / TAU)
    np.testing.assert_allclose(steps.mean()[:, 0], np.full([4, 3], LOC), rtol=rtol)
    expected = LOC + phi * (value[:, :-1].astype("float64") - LOC)
    np.testing.assert_allclose(steps.mean()[:, 1:], expected, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(steps.stddev()[0, 0], SCALE / np.sqrt(1 - phi**2), rtol=rtol)
    np.testing.assert_allclose(steps.stddev()[0, 3], SCALE, rtol=rtol)


def test_statistics_are_those_of_the_dense_gaussian(dense, dtype, rtol):
    prior = make(dtype)
    covariance = [dense.ar1_covariance(TAU[d], SCALE[d], STEPS) for d in range(3)]
    entropy = sum(0.5 * np.linalg.slogdet(2 * np.pi * np.e * c)[1] for c in covariance)
    np.testing.assert_allclose(prior.entropy(), entropy, rtol=rtol)
    np.testing.assert_allclose(prior.mean(), np.full([STEPS, 3], LOC), rtol=rtol)
    np.testing.assert_allclose(prior.mode(), prior.mean())
    variance = np.stack([np.diag(c) for c in covariance], -1)
    np.testing.assert_allclose(prior.variance(), variance, rtol=rtol)
    np.testing.assert_allclose(prior.stddev(), np.sqrt(variance), rtol=rtol)
    by_lag = np.stack([c[0] for c in covariance], -1)
    np.testing.assert_allclose(prior.lag_covariance(np.arange(STEPS)), by_lag, rtol=rtol)
    np.testing.assert_allclose(prior.phi, np.exp(-1.0 / TAU), rtol=rtol)
    np.testing.assert_allclose(prior.stationary_scale, np.sqrt(variance[0]), rtol=rtol)


def test_samples_have_the_moments_of_the_process(dense):
    count, prior = 40_000, make()
    centred = prior.sample(count, seed=3).numpy() - LOC
    covariance = np.stack([dense.ar1_covariance(TAU[d], SCALE[d], STEPS) for d in range(3)], 0)
    variance = np.diagonal(covariance, axis1=1, axis2=2)  # [dim, time]
    standard_error = np.sqrt(variance / count)
    assert np.all(np.abs(centred.mean(0).T) < 4.5 * standard_error)
    measured = np.einsum("nid,njd->dij", centred, centred) / count
    # variance of a sample covariance of Gaussians: C_ii C_jj + C_ij^2
    standard_error = np.sqrt((variance[:, :, None] * variance[:, None, :] + covariance**2) / count)
    assert np.all(np.abs(measured - covariance) < 4.5 * standard_error)


def test_first_and_last_step_spread_alike():
    path = AR1Process(tau=[30.0], innovation_scale=[1.0], num_timesteps=200).sample(20_000, seed=4)
    first, last = np.var(path[:, 0]), np.var(path[:, -1])
    assert abs(first / last - 1.0) < 4 * np.sqrt(2 * 2 / 20_000)


def test_short_tau_is_white_noise(dtype, rtol):
    value = paths(4, dtype=dtype)
    white = tfd.Independent(tfd.Normal(np.full([STEPS, 3], LOC, dtype), SCALE.astype(dtype)), 2)
    for tau in (1e-2, 1e-30):
        log_prob = make(dtype, tau=np.full(3, tau)).log_prob(value)
        np.testing.assert_allclose(log_prob, white.log_prob(value), rtol=rtol)


@pytest.mark.parametrize("tau", [1e-30, 1e-4, 1e7])
def test_extreme_tau_has_finite_values_and_gradients(tau, dtype):
    tau = tf.constant([tau] * 3, dtype)
    with tf.GradientTape() as tape:
        tape.watch(tau)
        prior = AR1Process(tau, tf.constant(SCALE, dtype), STEPS)
        path = prior.sample(2, seed=1)
        value = tf.reduce_sum(prior.log_prob(tf.ones_like(path)) + prior.entropy())
        value += tf.reduce_sum(path)
    assert np.isfinite(value) and np.all(np.isfinite(tape.gradient(value, tau)))


@pytest.mark.parametrize("what", ["log_prob", "sample", "entropy", "conditionals", "variance"])
def test_gradients_are_those_of_differences(what, finite_difference):
    value = tf.constant(paths(2))
    functions = {
        "log_prob": lambda prior: tf.reduce_sum(prior.log_prob(value)),
        "sample": lambda prior: tf.reduce_sum(prior.sample(3, seed=(1, 2)) ** 2),
        "entropy": lambda prior: prior.entropy(),
        "conditionals": lambda prior: (
            tf.reduce_sum(prior.conditionals(value).entropy())
            + tf.reduce_sum(prior.conditionals(value).mean() ** 2)
        ),
        "variance": lambda prior: tf.reduce_sum(prior.variance()),
    }
    function = functions[what]
    for name, at in {"tau": TAU, "innovation_scale": SCALE}.items():
        variable = tf.Variable(at)
        given = {"tau": tf.constant(TAU), "innovation_scale": tf.constant(SCALE)}
        prior = AR1Process(num_timesteps=STEPS, **(given | {name: variable}))
        with tf.GradientTape() as tape:
            result = function(prior)
        gradient = tape.gradient(result, variable)
        numeric = finite_difference(lambda x, name=name: function(make(loc=0.0, **{name: x})), at)
        assert np.all(gradient != 0.0)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)


def test_variables_stay_live():
    tau = tf.Variable([5.0])
    prior = AR1Process(tau, innovation_scale=1.0, num_timesteps=4)
    assert prior.tau is tau and prior.trainable_variables == (tau,)
    before = prior.phi.numpy()
    tau.assign([50.0])
    assert prior.phi.numpy() > before


def test_batches_broadcast():
    tau, scale = tf.fill([4, 1, 2], 5.0), tf.fill([3, 1], 0.5)
    prior = AR1Process(tau, scale, STEPS)
    assert prior.batch_shape == (4, 3) and prior.event_shape == (STEPS, 2)
    assert prior.sample([6], seed=1).shape == (6, 4, 3, STEPS, 2)
    assert prior.log_prob(tf.zeros([STEPS, 2])).shape == (4, 3)
    assert prior.log_prob(tf.zeros([7, 1, 3, STEPS, 2])).shape == (7, 4, 3)
    assert prior.conditionals(tf.zeros([7, 4, 3, STEPS, 2])).batch_shape == (7, 4, 3, STEPS)
    assert prior.entropy().shape == (4, 3) and prior.variance().shape == (4, 3, STEPS, 2)
    assert prior[1:, 0].batch_shape == (3,) and prior[..., 0].sample(seed=1).shape[0] == 4
    assert prior.copy(num_timesteps=3).event_shape == (3, 2)


def test_a_batch_is_its_members(rtol=1e-10):
    tau = np.array([[3.0, 9.0], [1.0, 40.0]])
    value = paths(2)[..., :2]
    joint = AR1Process(tau, np.float64(0.5), STEPS).log_prob(value)
    alone = [AR1Process(tau[i], np.float64(0.5), STEPS).log_prob(value[i]) for i in range(2)]
    np.testing.assert_allclose(joint, alone, rtol=rtol)


def test_seeds_repeat():
    prior = make()
    np.testing.assert_array_equal(prior.sample(2, seed=(1, 2)), prior.sample(2, seed=(1, 2)))
    assert np.all(prior.sample(2, seed=(1, 2)) != prior.sample(2, seed=(1, 3)))
