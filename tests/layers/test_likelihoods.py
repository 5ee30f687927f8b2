"""What all likelihood layers share, and the Gaussian one against scipy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import SharedMVNTriL
from tfp_bvae.layers import (
    GaussianLikelihood,
    NegativeBinomialLikelihood,
    PoissonLikelihood,
    ZeroInflatedPoissonLikelihood,
)

BATCH, STEPS, CHANNELS = 3, 4, 2
EVERY = [
    GaussianLikelihood,
    lambda **how: GaussianLikelihood("full", **how),
    NegativeBinomialLikelihood,
    PoissonLikelihood,
    ZeroInflatedPoissonLikelihood,
]


@pytest.fixture
def log_rate(rng):
    return rng.normal(size=[BATCH, STEPS, CHANNELS])


@pytest.fixture
def counts(rng):
    return rng.poisson(2.0, size=[BATCH, STEPS, CHANNELS]).astype(float)


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


@pytest.fixture
def full():
    """A full-covariance layer with weights that are not the first ones, and its Cholesky factor."""
    layer = GaussianLikelihood("full", dtype="float64")
    layer.build([None, None, 3])
    layer.log_scale.assign(np.log([0.5, 2.0, 1.0]))
    layer.below_diagonal.assign([0.3, -0.7, 0.2])
    scale = layer(tf.zeros([1, 1, 3], tf.float64)).distribution.scale
    return layer, scale.to_dense().numpy()


def test_a_full_covariance_is_that_of_scipy_over_channels(full, rng):
    layer, factor = full
    np.testing.assert_allclose(np.diag(factor), [0.5, 2.0, 1.0])
    entries = (factor / np.diag(factor)[:, np.newaxis])[np.tril_indices(3, -1)]
    np.testing.assert_allclose(sorted(entries), [-0.7, 0.2, 0.3])
    assert not np.triu(factor, 1).any()
    loc, x = rng.normal(size=[2, BATCH, STEPS, 3])
    found = layer(tf.constant(loc))
    law = stats.multivariate_normal(np.zeros(3), factor @ factor.T)
    per_bin = law.logpdf(x - loc)
    np.testing.assert_allclose(found.log_prob(x), per_bin.sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(found.distribution.log_prob(x), per_bin, rtol=1e-10)


def test_a_full_covariance_starts_diagonal_and_one_channel_has_no_other(log_rate, counts):
    layers = [GaussianLikelihood(kind, 0.7, dtype="float64") for kind in ("diagonal", "full")]
    for x, loc in [(counts, log_rate), (counts[..., :1], log_rate[..., :1])]:
        both = [type(layer).from_config(layer.get_config())(loc).log_prob(x) for layer in layers]
        np.testing.assert_allclose(*both, rtol=1e-12)


@pytest.mark.parametrize("make", EVERY)
def test_samples_of_the_latents_go_in_front(make, log_rate, counts):
    layer = make(dtype="float64")
    samples = np.stack([log_rate, log_rate + 0.3])
    found = layer(tf.constant(samples))
    assert found.batch_shape == [2, BATCH] and found.event_shape == [STEPS, CHANNELS]
    each = [layer(tf.constant(sample)).log_prob(counts) for sample in samples]
    np.testing.assert_allclose(found.log_prob(counts), each, rtol=1e-10)
    assert found.mean().shape == samples.shape


@pytest.mark.parametrize("make", EVERY)
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
        (GaussianLikelihood, {"covariance": "tril"}, "must be one of 'diagonal', 'full', got"),
        (NegativeBinomialLikelihood, {"init_dispersion": 0.0}, "init_dispersion must be above 0"),
        (NegativeBinomialLikelihood, {"min_dispersion": 0.0}, "min_dispersion must be above 0"),
        (ZeroInflatedPoissonLikelihood, {"init_silence": 0.0}, r"init_silence must be in \(0.0, 1"),
        (ZeroInflatedPoissonLikelihood, {"init_silence": 1.0}, r"init_silence must be in \(0.0, 1"),
    ],
)
def test_wrong_settings_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("make", EVERY)
def test_inputs_without_a_time_axis_are_refused(make):
    with pytest.raises(
        ValueError, match=r"inputs must have 3 axes, .*, or 4 .*, got shape \(3, 2\)"
    ):
        make()(tf.zeros([BATCH, CHANNELS]))


def test_a_full_covariance_broadcasts_as_that_of_tfp_and_has_its_gradients(rng):
    loc, x = tf.constant(rng.normal(size=[4, 2, 3])), tf.constant(rng.normal(size=[5, 1, 2, 3]))
    factor = tf.constant(np.tril(rng.normal(size=[3, 3]), -1) + np.diag([0.5, 1.0, 2.0]))
    found = []
    for make in (SharedMVNTriL, tfd.MultivariateNormalTriL):
        with tf.GradientTape() as tape:
            tape.watch([loc, factor])
            log_prob = make(loc, factor).log_prob(x)
        gradients = tape.gradient(log_prob, [loc, factor])
        found.append([log_prob, gradients[0], tf.linalg.band_part(gradients[1], -1, 0)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
