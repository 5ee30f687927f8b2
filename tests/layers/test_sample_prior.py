"""Paths drawn from prior layers: how many, shared or not, and from which distributions."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae import layers
from tfp_bvae.layers import sample_z_prior

SIZE, STEPS = 2, 6
PRIORS = {
    "AR1Prior": lambda: layers.AR1Prior(SIZE),
    "AR1Prior, full": lambda: layers.AR1Prior(SIZE, covariance="full"),
    "RecurrentMVNPrior": lambda: layers.RecurrentMVNPrior(SIZE, 4),
    "RecurrentMVNPrior, LSTM": lambda: layers.RecurrentMVNPrior(SIZE, 4, "lstm"),
    "StandardNormalPrior": lambda: layers.StandardNormalPrior(SIZE),
    "TiledMVNPrior": lambda: layers.TiledMVNPrior(SIZE),
    "TiledMVNPrior, full": lambda: layers.TiledMVNPrior(SIZE, covariance="full"),
}
priors = pytest.mark.parametrize("name", PRIORS)


@priors
def test_many_samples_of_many_trials(name):
    path, steps = sample_z_prior(PRIORS[name](), STEPS, samples=4, batches=3, seed=[1, 2])
    assert path.shape == (4, 3, STEPS, SIZE)
    assert steps.batch_shape == (4, 3, STEPS) and steps.event_shape == (SIZE,)
    flat = path.numpy().reshape(12, -1)
    assert len(np.unique(flat[:, 0])) == 12


@priors
def test_one_path_shared_by_the_batch(name):
    path, steps = sample_z_prior(PRIORS[name](), STEPS, samples=4, batches=3, fixed=True)
    assert path.shape == (4, 3, STEPS, SIZE) and steps.batch_shape == (4, 3, STEPS)
    np.testing.assert_array_equal(path, np.repeat(path[:, :1], 3, axis=1))
    assert len(np.unique(path[:, 0, 0, 0])) == 4


@priors
def test_the_steps_are_those_the_path_was_drawn_from(name):
    layer = PRIORS[name]()
    path, steps = sample_z_prior(layer, STEPS, samples=2, batches=3)
    expected = layer(tf.zeros([1, STEPS, 1])).log_prob(path)
    np.testing.assert_allclose(tf.reduce_sum(steps.log_prob(path), -1), expected, rtol=1e-5)


def test_moments_are_those_of_the_prior():
    path, _ = sample_z_prior(layers.AR1Prior(1, tau=5.0, innovation_scale=0.5), 20, 100, 200)
    assert abs(np.var(path) / (0.25 / (1 - np.exp(-0.4))) - 1.0) < 0.05
    lagged = np.mean(path[:, :, 1:] * path[:, :, :-1]) / np.var(path)
    assert abs(lagged - np.exp(-0.2)) < 0.01


@priors
def test_seeds_and_xla(name):
    layer = PRIORS[name]()

    @tf.function(jit_compile=True)
    def compiled(seed):
        return sample_z_prior(layer, STEPS, 2, 3, seed=seed)[0]

    eager = sample_z_prior(layer, STEPS, 2, 3, seed=[1, 2])[0]
    np.testing.assert_allclose(compiled(tf.constant([1, 2])), eager, rtol=1e-5, atol=1e-6)
    assert np.all(eager != sample_z_prior(layer, STEPS, 2, 3, seed=[1, 3])[0])
    assert np.all(eager != sample_z_prior(layer, STEPS, 2, 3)[0])
    tf.random.set_seed(0)
    first = sample_z_prior(layer, STEPS)[0]
    tf.random.set_seed(0)
    np.testing.assert_array_equal(first, sample_z_prior(layer, STEPS)[0])


def test_unknown_numbers_of_steps_and_trials():
    @tf.function(input_signature=[tf.TensorSpec([None, None, 3])])
    def like(x):
        path, _ = sample_z_prior(layers_once, tf.shape(x)[1], 2, tf.shape(x)[0], fixed=True)
        return path

    layers_once = layers.RecurrentMVNPrior(SIZE, 4)
    layers_once(tf.zeros([1, 2, 1]))
    assert like(tf.zeros([3, STEPS, 3])).shape == (2, 3, STEPS, SIZE)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"prior_layer": layers.LearnableMVNPrior(2)}, TypeError, "must be a prior over paths"),
        ({"prior_layer": layers.LearnableMVNDiagCell(2)}, TypeError, "must be a prior layer, got"),
        ({"num_timesteps": 0}, ValueError, "num_timesteps must be a whole number of at least 1"),
        ({"samples": 0}, ValueError, "samples must be a whole number of at least 1, got 0"),
        ({"batches": 2.0}, TypeError, "batches must be a whole number"),
        ({"fixed": 1}, TypeError, "fixed must be True or False, got 1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        sample_z_prior(**({"prior_layer": layers.AR1Prior(SIZE), "num_timesteps": 5} | arguments))
