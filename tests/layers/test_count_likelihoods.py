"""Likelihood layers of counts against scipy."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import stats

from tfp_bvae.layers import (
    NegativeBinomialLikelihood,
    PoissonLikelihood,
    ZeroInflatedPoissonLikelihood,
)

BATCH, STEPS, CHANNELS = 3, 4, 2
COUNTS = [NegativeBinomialLikelihood, PoissonLikelihood, ZeroInflatedPoissonLikelihood]


@pytest.fixture
def log_rate(rng):
    return rng.normal(size=[BATCH, STEPS, CHANNELS])


@pytest.fixture
def counts(rng):
    return rng.poisson(2.0, size=[BATCH, STEPS, CHANNELS]).astype(float)


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


@pytest.mark.parametrize("dispersions", [(0.3, 2.0), (1e-4, 50.0)])
def test_negative_binomial_log_prob_is_that_of_scipy(dispersions, log_rate, counts):
    layer = NegativeBinomialLikelihood(dtype="float64")
    layer.build([None, None, CHANNELS])
    layer.log_dispersion.assign(np.log(dispersions))
    found = layer(tf.constant(log_rate))
    mean, size = np.exp(log_rate), 1.0 / np.array(dispersions)
    law = stats.nbinom(size, size / (size + mean))
    np.testing.assert_allclose(found.log_prob(counts), law.logpmf(counts).sum((1, 2)), rtol=1e-9)
    np.testing.assert_allclose(found.distribution.log_prob(counts), law.logpmf(counts), rtol=1e-8)
    np.testing.assert_allclose(found.mean(), mean, rtol=1e-10)
    np.testing.assert_allclose(found.variance(), mean + dispersions * mean**2, rtol=1e-10)


@pytest.mark.parametrize("dtype, rtol", [("float32", 2e-5), ("float64", 1e-6)])
def test_without_dispersion_it_is_the_poisson_law(dtype, rtol, log_rate, counts):
    found = NegativeBinomialLikelihood(init_dispersion=1e-30, min_dispersion=1e-7, dtype=dtype)
    expected = PoissonLikelihood(dtype=dtype)(log_rate).log_prob(counts)
    np.testing.assert_allclose(found(log_rate).log_prob(counts), expected, rtol=rtol)


@pytest.mark.parametrize("silence", [1e-3, 0.2, 0.95])
def test_zero_inflated_log_prob_by_hand(silence, log_rate, counts):
    layer = ZeroInflatedPoissonLikelihood(init_silence=silence, dtype="float64")
    found = layer(tf.constant(log_rate))
    rate = np.exp(log_rate)
    prob = (1.0 - silence) * stats.poisson.pmf(counts, rate) + silence * (counts == 0)
    assert (counts == 0).any()
    np.testing.assert_allclose(found.distribution.log_prob(counts), np.log(prob), rtol=1e-9)
    np.testing.assert_allclose(found.log_prob(counts), np.log(prob).sum((1, 2)), rtol=1e-9)
    np.testing.assert_allclose(found.mean(), (1.0 - silence) * rate, rtol=1e-12)
    support = np.arange(200.0)[:, np.newaxis, np.newaxis, np.newaxis]
    mass = np.exp(found.distribution.log_prob(support))
    np.testing.assert_allclose(mass.sum(0), 1.0, rtol=1e-10)
    variance = np.sum(mass * (support - found.mean().numpy()) ** 2, axis=0)
    np.testing.assert_allclose(found.variance(), variance, rtol=1e-8)


def test_zero_inflation_keeps_its_gradients_where_one_part_is_certain():
    logits, log_rate = tf.Variable([-90.0, 90.0]), tf.Variable([[[-80.0, 6.0], [6.0, -80.0]]])
    layer = ZeroInflatedPoissonLikelihood()
    layer.build([None, None, 2])
    layer.logits.assign(logits)
    for x in (0.0, 3.0):
        with tf.GradientTape() as tape:
            loss = layer(tf.convert_to_tensor(log_rate)).log_prob(tf.fill([1, 2, 2], x))
        for gradient in tape.gradient(loss, [log_rate, layer.logits]):
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("make", COUNTS)
def test_every_log_rate_saturates(make):
    rates = make(max_log_rate=2.0)(tf.constant([[[1e4], [2.0]]])).mean().numpy().ravel()
    np.testing.assert_allclose(rates[0] / rates[1], 1.0 + 9998.0, rtol=1e-4)


@pytest.mark.parametrize("make", COUNTS)
def test_a_fit_recovers_what_there_is_one_of_per_channel(make, rng):
    """Counts of three laws: each layer reaches the likelihood of the best weights there are."""
    rate, silent = np.array([4.0, 1.0]), rng.uniform(size=[100, 20, 2]) < [0.3, 0.0]
    x = np.where(silent, 0, rng.negative_binomial(5.0, 5.0 / (5.0 + rate), [100, 20, 2]))
    model = tf_keras.Sequential([tf_keras.layers.Dense(2, use_bias=False), make(dtype="float64")])
    model.compile(tf_keras.optimizers.Adam(0.03), loss=lambda x, law: -law.log_prob(x))
    ones = np.ones([100, 20, 1])
    losses = model.fit(ones, x.astype(float), 100, 250, verbose=0, shuffle=False).history["loss"]
    mean = x.mean((0, 1))
    np.testing.assert_allclose(model(ones[:1]).mean()[0, 0], mean, rtol=0.05)
    if make is PoissonLikelihood:
        expected = -stats.poisson(mean).logpmf(x).sum((1, 2)).mean()
        np.testing.assert_allclose(losses[-1], expected, rtol=1e-3)
    else:
        poisson = -stats.poisson(mean).logpmf(x).sum((1, 2)).mean()
        assert losses[-1] < poisson - 2.0  # nats per trial
