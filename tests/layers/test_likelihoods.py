"""Likelihood layers against scipy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfp_bvae.layers import GaussianLikelihood, PoissonLikelihood

BATCH, STEPS, CHANNELS = 3, 4, 2


def saturated(log_rate, at):
    excess = np.maximum(log_rate - at, 0.0)
    return log_rate - excess + np.log1p(excess)


@pytest.mark.parametrize("at", [6.0, 0.5])
def test_poisson_log_prob_is_that_of_scipy_summed_over_time_and_channels(at, rng):
    log_rate = rng.normal(size=[BATCH, STEPS, CHANNELS], scale=2.0)
    x = rng.poisson(2.0, size=log_rate.shape).astype(float)
    found = PoissonLikelihood(max_log_rate=at, dtype="float64")(tf.constant(log_rate)).log_prob(x)
    assert (log_rate > 0.5).any()
    expected = stats.poisson.logpmf(x, np.exp(saturated(log_rate, at))).sum(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_log_rate_saturates_smoothly_and_keeps_a_gradient():
    log_rate = tf.constant([[[-50.0], [5.999], [6.0], [6.001], [50.0], [1e4]]])
    with tf.GradientTape() as tape:
        tape.watch(log_rate)
        rate = tf.convert_to_tensor(PoissonLikelihood()(log_rate))
        log_prob = tf.reduce_sum(PoissonLikelihood()(log_rate).log_prob(tf.ones_like(log_rate)))
    expected = np.exp(saturated(log_rate.numpy().astype(float), 6.0))
    np.testing.assert_allclose(rate, expected, rtol=1e-5)
    gradient = tape.gradient(log_prob, log_rate).numpy().ravel()
    assert np.isfinite(gradient).all() and np.all(gradient != 0.0)
    np.testing.assert_allclose(gradient[1], gradient[3], rtol=0.01)  # no kink at the bound


def test_as_a_tensor_it_is_rates_or_counts(rng):
    log_rate = tf.constant(rng.normal(size=[BATCH, STEPS, CHANNELS]).astype("float32"))
    rates = tf.convert_to_tensor(PoissonLikelihood()(log_rate, training=True))
    np.testing.assert_allclose(rates, np.exp(log_rate), rtol=1e-6)
    sampled = PoissonLikelihood(value="sample", seed=1)(log_rate)
    drawn = tf.convert_to_tensor(sampled).numpy()
    assert np.array_equal(drawn, np.round(drawn)) and drawn.min() >= 0.0
    np.testing.assert_allclose(sampled.mean(), np.exp(log_rate), rtol=1e-6)


def test_gaussian_log_prob_is_that_of_scipy(rng):
    loc = rng.normal(size=[BATCH, STEPS, CHANNELS])
    x = rng.normal(size=loc.shape)
    layer = GaussianLikelihood(init_scale=0.7, dtype="float64")
    found = layer(tf.constant(loc)).log_prob(x)
    np.testing.assert_allclose(found, stats.norm.logpdf(x, loc, 0.7).sum(axis=(1, 2)), rtol=1e-12)
    scales = np.array([0.2, 3.0])
    layer.log_scale.assign(np.log(scales))
    expected = stats.norm.logpdf(x, loc, scales).sum(axis=(1, 2))
    np.testing.assert_allclose(layer(tf.constant(loc)).log_prob(x), expected, rtol=1e-12)


def test_a_gaussian_scale_has_a_floor():
    layer = GaussianLikelihood(min_scale=0.01)
    loc = tf.zeros([1, 2, 3])
    layer(loc)
    layer.log_scale.assign([-50.0] * 3)
    np.testing.assert_allclose(layer(loc).stddev(), 0.01, rtol=1e-6)


@pytest.mark.parametrize("make", [PoissonLikelihood, GaussianLikelihood])
def test_one_event_holds_time_and_channels(make):
    distribution = make()(tf.zeros([BATCH, STEPS, CHANNELS]))
    assert distribution.batch_shape == [BATCH]
    assert distribution.event_shape == [STEPS, CHANNELS]


@pytest.mark.parametrize(
    "make, arguments, message",
    [
        (PoissonLikelihood, {"max_log_rate": 0.0}, "max_log_rate must be above 0"),
        (PoissonLikelihood, {"value": "median"}, "value must be one of 'auto', 'sample', 'mean'"),
        (GaussianLikelihood, {"init_scale": -1.0}, "init_scale must be above 0"),
        (GaussianLikelihood, {"min_scale": 0.0}, "min_scale must be above 0"),
    ],
)
def test_wrong_settings_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("make", [PoissonLikelihood, GaussianLikelihood])
def test_inputs_without_a_time_axis_are_refused(make):
    with pytest.raises(ValueError, match="inputs must have 3 axes, got shape"):
        make()(tf.zeros([BATCH, CHANNELS]))
