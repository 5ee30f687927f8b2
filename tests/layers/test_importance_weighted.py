"""The importance-weighted bound: between the ELBO and the log-likelihood of a Kalman filter."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import special
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import ImportanceWeighted, softplus_shift
from tfp_bvae.layers import (
    AR1Prior,
    GaussianLikelihood,
    ImportanceWeightedLikelihood,
    KLDivergence,
    LogRatio,
    MVNDiagPosterior,
    PoissonLikelihood,
    RepeatSamples,
    SplitSamples,
)

STEPS, DIM, CHANNELS, COPIES = 4, 2, 3, 3000
TAU, SCALE, NOISE = 3.0, 0.5, 0.6
PHI = np.exp(-1.0 / TAU)


@pytest.fixture
def read_out(rng):
    return rng.normal(size=[DIM, CHANNELS])


@pytest.fixture
def x(rng, read_out):
    """One trial of the model."""
    z = np.zeros([STEPS, DIM])
    z[0] = SCALE / np.sqrt(1.0 - PHI**2) * rng.normal(size=DIM)
    for t in range(1, STEPS):
        z[t] = PHI * z[t - 1] + SCALE * rng.normal(size=DIM)
    return z @ read_out + NOISE * rng.normal(size=[STEPS, CHANNELS])


def kalman(x, read_out):
    """Log-likelihood of a trial, and the means and covariances of a filter."""
    mean, covariance = np.zeros(DIM), SCALE**2 / (1.0 - PHI**2) * np.eye(DIM)
    total, filtered = 0.0, []
    for step in x:
        innovation = step - mean @ read_out
        spread = read_out.T @ covariance @ read_out + NOISE**2 * np.eye(CHANNELS)
        _, log_det = np.linalg.slogdet(2.0 * np.pi * spread)
        total -= 0.5 * (log_det + innovation @ np.linalg.solve(spread, innovation))
        gain = covariance @ read_out @ np.linalg.inv(spread)
        mean, covariance = mean + gain @ innovation, covariance - gain @ read_out.T @ covariance
        filtered.append((mean, covariance))
        mean, covariance = PHI * mean, PHI**2 * covariance + SCALE**2 * np.eye(DIM)
    return total, filtered


def posterior_params(x, read_out):
    """Parameters of a q that is good, not exact: means and scales of the filter."""
    _, filtered = kalman(x, read_out)
    loc = np.stack([mean for mean, _ in filtered])
    scale = np.stack([np.sqrt(np.diag(covariance)) for _, covariance in filtered])
    raw = np.log(np.expm1(scale - 1e-3)) - softplus_shift(1.0, 1e-3)
    return np.concatenate([loc, raw], axis=-1)


def state_space(samples, read_out):
    """The generative model with known weights, and what a user builds around it."""
    with_weights = {"trainable": False, "dtype": "float64"}
    params = tf_keras.Input([None, 2 * DIM], dtype="float64")
    repeated = RepeatSamples(samples or 1, dtype="float64")(params)
    q = MVNDiagPosterior(DIM, seed=samples, dtype="float64", name="q")(repeated)
    p = AR1Prior(DIM, tau=TAU, innovation_scale=SCALE, **with_weights)(repeated)
    if samples:
        z, ratio = LogRatio(dtype="float64", name="kl")([q, p])
    else:
        z = KLDivergence(dtype="float64", name="kl")([q, p])
    known = tf_keras.initializers.Constant(read_out)
    loc = tf_keras.layers.Dense(CHANNELS, use_bias=False, kernel_initializer=known, **with_weights)(
        z
    )
    loc = loc if not samples else SplitSamples(samples, dtype="float64")(loc)
    likelihood = GaussianLikelihood(init_scale=NOISE, **with_weights)(loc)
    if samples:
        likelihood = ImportanceWeightedLikelihood(dtype="float64")([likelihood, ratio])
    return tf_keras.Model(params, likelihood)


def bounds(samples, x, read_out):
    """Estimates of the bound from independent draws; of the ELBO with its closed-form KL for 0."""
    model = state_space(samples, read_out)
    params = np.repeat(posterior_params(x, read_out)[np.newaxis], COPIES, axis=0)
    data = np.repeat(x[np.newaxis], COPIES, axis=0)

    @tf.function
    def run(params):
        return model(params, training=True).log_prob(data), model.losses

    found, losses = run(tf.constant(params))
    return found.numpy() - sum(float(loss) for loss in losses)


def test_the_filter_is_right(x, read_out):
    lags = np.abs(np.subtract.outer(np.arange(STEPS), np.arange(STEPS)))
    prior = SCALE**2 / (1.0 - PHI**2) * PHI**lags
    covariance = np.kron(prior, read_out.T @ read_out) + NOISE**2 * np.eye(STEPS * CHANNELS)
    _, log_det = np.linalg.slogdet(2.0 * np.pi * covariance)
    dense = -0.5 * (log_det + x.ravel() @ np.linalg.solve(covariance, x.ravel()))
    np.testing.assert_allclose(kalman(x, read_out)[0], dense, rtol=1e-12)


def test_elbo_bound_and_log_likelihood_stand_in_this_order(x, read_out):
    truth, _ = kalman(x, read_out)
    found = {samples: bounds(samples, x, read_out) for samples in (0, 1, 4, 16, 64)}
    error = {samples: np.std(each) / np.sqrt(COPIES) for samples, each in found.items()}
    mean = {samples: np.mean(each) for samples, each in found.items()}
    assert abs(mean[0] - mean[1]) < 4.0 * np.hypot(error[0], error[1])  # one sample: the ELBO
    for fewer, more in [(1, 4), (4, 16), (16, 64)]:
        assert mean[more] - mean[fewer] > 4.0 * np.hypot(error[fewer], error[more])
    assert mean[64] < truth + 4.0 * error[64]
    assert truth - mean[64] < 0.1 * (truth - mean[1])


def test_the_weights_themselves_estimate_the_likelihood_without_bias(x, read_out):
    truth, _ = kalman(x, read_out)
    ratios = np.exp(bounds(16, x, read_out) - truth)
    assert abs(ratios.mean() - 1.0) < 4.0 * ratios.std() / np.sqrt(COPIES)


def test_a_fit_of_q_raises_the_bound_towards_the_log_likelihood(x, read_out):
    """q learned by a stock optimizer, from an embedding of the one trial there is."""
    truth, _ = kalman(x, read_out)
    core = state_space(8, read_out)
    start = tf_keras.Input([STEPS, 1], dtype="float64")
    size = STEPS * 2 * DIM
    flat = tf_keras.layers.Dense(size, dtype="float64")(tf_keras.layers.Flatten()(start))
    model = tf_keras.Model(start, core(tf_keras.layers.Reshape([STEPS, 2 * DIM])(flat)))
    model.compile(tf_keras.optimizers.Adam(0.03), lambda y, law: -law.log_prob(y), jit_compile=True)
    ones, data = np.ones([64, STEPS, 1]), np.repeat(x[np.newaxis], 64, axis=0)
    losses = model.fit(ones, data, 64, 300, verbose=0).history["loss"]
    assert losses[0] > -truth + 1.0
    assert -truth - 0.1 < np.mean(losses[-20:]) < -truth + 0.5


def weighted(rng, samples=4, batch=3):
    shape = (samples, batch) if samples else (batch,)
    poisson = tfd.Independent(tfd.Poisson(log_rate=rng.normal(size=[*shape, STEPS, DIM])), 2)
    log_weights = 300.0 * rng.normal(size=shape)
    return poisson, log_weights, ImportanceWeighted(poisson, tf.constant(log_weights))


def test_log_prob_and_mean_by_hand(rng):
    poisson, log_weights, found = weighted(rng)
    x = rng.poisson(1.0, [3, STEPS, DIM]).astype(float)
    expected = special.logsumexp(poisson.log_prob(x) + log_weights, axis=0) - np.log(4)
    np.testing.assert_allclose(found.log_prob(x), expected, rtol=1e-12)
    np.testing.assert_allclose(found.mean(), np.mean(poisson.mean(), axis=0), rtol=1e-12)
    assert found.batch_shape == [3] and found.event_shape == [STEPS, DIM]
    np.testing.assert_array_equal(found.batch_shape_tensor(), [3])
    np.testing.assert_array_equal(found.event_shape_tensor(), [STEPS, DIM])


def test_one_sample_needs_no_axis(rng):
    poisson, log_weights, found = weighted(rng, samples=0)
    x = rng.poisson(1.0, [3, STEPS, DIM]).astype(float)
    np.testing.assert_allclose(found.log_prob(x), poisson.log_prob(x) + log_weights, rtol=1e-12)
    np.testing.assert_array_equal(found.mean(), poisson.mean())
    assert found.num_samples is None and found.batch_shape == [3]


def test_ratios_add_up_whether_split_or_not(rng):
    log_rate, one, other = rng.normal(size=[4, 3, STEPS, DIM]), *rng.normal(size=[2, 4, 3])
    likelihood = PoissonLikelihood(dtype="float64")(tf.constant(log_rate))
    layer = ImportanceWeightedLikelihood(dtype="float64")
    split = layer([likelihood, tf.constant(one), tf.constant(other)])
    np.testing.assert_allclose(split.log_weights, one + other, rtol=1e-12)
    flat = layer([likelihood, tf.constant(one.ravel()), tf.constant(other)])
    np.testing.assert_array_equal(flat.log_weights, split.log_weights)
    np.testing.assert_array_equal(tf.identity(flat), likelihood.mean().numpy().mean(0))
    entries = flat.distribution.log_prob(np.zeros([3, STEPS, DIM]))
    assert entries.shape == log_rate.shape


def test_drawn_it_is_counts_of_one_sample(rng):
    likelihood = PoissonLikelihood()(tf.constant(rng.normal(size=[4, 3, STEPS, DIM])))
    layer = ImportanceWeightedLikelihood(value="sample", seed=1)
    drawn = tf.identity(layer([likelihood, tf.zeros([12])])).numpy()
    assert drawn.shape == (3, STEPS, DIM) and np.array_equal(drawn, np.round(drawn))


def test_ratios_of_hundreds_of_nats_keep_their_precision_under_half_precision():
    policy = tf_keras.mixed_precision.Policy("mixed_bfloat16")
    likelihood = PoissonLikelihood(dtype=policy)(tf.zeros([2, 1, 1, 1]))
    bound = ImportanceWeightedLikelihood(dtype=policy)([likelihood, tf.constant([300.3, 300.7])])
    np.testing.assert_array_equal(bound.log_weights.numpy().ravel(), np.float32([300.3, 300.7]))


@pytest.mark.parametrize("shape", [(4,), (3, 4), (4, 3, 1)], ids=str)
def test_weights_of_another_shape_are_refused(shape, rng):
    poisson, *_ = weighted(rng)
    with pytest.raises(ValueError, match="likelihood and log_weights must have one batch shape"):
        ImportanceWeighted(poisson, tf.zeros(shape))
