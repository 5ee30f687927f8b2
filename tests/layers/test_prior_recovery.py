"""The teacher-forced KL recovers an AR(1); a prior rolled on its own samples forgets the past."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, path_kl
from tfp_bvae.layers import AR1Prior, RecurrentMVNPrior
from tfp_bvae.rnn import standard_normal

PHI, STEPS, DIM = 0.9, 50, 2
TAU = -1.0 / np.log(PHI)


def truth():
    return AR1Process(tf.fill([DIM], np.float32(TAU)), np.float32((1 - PHI**2) ** 0.5), STEPS)


def paths(count, seed):
    return truth().from_noise(standard_normal([count, STEPS, DIM], seed))


def fit(layer, num_steps, step_size, own_samples=False):
    """Fits the prior to fresh paths, by Adam with a falling step size."""
    template = tf.zeros([1, STEPS, 1])
    layer(template)
    rate = tf_keras.optimizers.schedules.CosineDecay(step_size, num_steps)
    optimizer = tf_keras.optimizers.Adam(rate)
    optimizer.build(layer.trainable_variables)

    @tf.function(jit_compile=True)
    def step(index):
        seeds = tf.random.experimental.stateless_split([7, index], 2, alg="philox")
        path = paths(128, seeds[0])
        q = tfd.MultivariateNormalDiag(path, 0.01 * tf.ones([DIM]))
        with tf.GradientTape() as tape:
            prior = layer(template).tensor_distribution
            if own_samples:
                followed = prior.from_noise(standard_normal(path.shape, seeds[1]))
                kl = tfd.kl_divergence(q, prior.conditionals(followed))
            else:
                kl = path_kl(q, prior, path)
            loss = tf.reduce_sum(kl) / 128.0
        optimizer.minimize(loss, layer.trainable_variables, tape=tape)

    for index in range(num_steps):
        step(tf.constant(index))
    return layer(template).tensor_distribution


def lost(prior):
    """Nats per bin and dimension above the entropy of the data, on other paths."""
    path = paths(5000, [1, 2])
    return float(tf.reduce_mean(truth().log_prob(path) - prior.log_prob(path))) / (STEPS * DIM)


def tau_of_samples(prior):
    path = prior.from_noise(standard_normal([10_000, STEPS, DIM], [3, 4])).numpy()
    return -1.0 / np.log(np.sum(path[:, 1:] * path[:, :-1]) / np.sum(path[:, :-1] ** 2))


ENTROPY_RATE = 0.5 * np.log(2 * np.pi * np.e * (1 - PHI**2))  # nats per bin and dimension


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_an_ar1_prior_recovers_time_constant_and_innovation(covariance):
    prior = fit(AR1Prior(DIM, tau=3.0, innovation_scale=1.0, covariance=covariance), 200, 0.1)
    assert lost(prior) < 0.02 * ENTROPY_RATE
    np.testing.assert_allclose(prior.tau, TAU, rtol=0.05)
    innovation = prior.innovation().to_dense().numpy()
    np.testing.assert_allclose(innovation, (1 - PHI**2) ** 0.5 * np.eye(DIM), atol=0.02)
    assert abs(tau_of_samples(prior) / TAU - 1.0) < 0.05


def test_on_its_own_samples_an_ar1_prior_forgets_its_past():
    layer = AR1Prior(DIM, tau=1.0, innovation_scale=1.0)
    prior = fit(layer, 200, 0.1, own_samples=True)
    assert np.all(prior.phi < 0.1)
    np.testing.assert_allclose(prior.stationary_scale, 1.0, atol=0.05)
    mutual_information = -0.5 * np.log(1 - PHI**2)  # of one bin and the next, nats
    assert lost(prior) > 0.8 * mutual_information


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "clipped_gru", "lstm", "simple_rnn"])
def test_a_recurrent_prior_reaches_the_entropy_rate(cell):
    tf_keras.utils.set_random_seed(0)
    prior = fit(RecurrentMVNPrior(DIM, 32, cell), 1000, 0.01)
    assert lost(prior) < 0.02 * ENTROPY_RATE
    assert abs(tau_of_samples(prior) / TAU - 1.0) < 0.05
