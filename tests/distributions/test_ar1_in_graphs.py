"""The AR(1) process in graphs and under XLA, and what it refuses."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae.distributions import AR1Process, PathDistribution

TAU, SCALE, LOC, STEPS = np.array([10.0, 0.7, 200.0]), np.array([0.1, 1.0, 0.3]), 0.4, 12


def make(dtype="float64", **changes):
    given = {"tau": TAU, "innovation_scale": SCALE, "loc": np.full(3, LOC)} | changes
    given = {name: tf.constant(value, dtype) for name, value in given.items()}
    return AR1Process(num_timesteps=STEPS, **given)


def paths(*sample_shape, dtype="float64"):
    return (LOC + np.random.default_rng(0).normal(size=[*sample_shape, STEPS, 3])).astype(dtype)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_time_in_a_graph(jit_compile, dtype, rtol):
    signature = [
        tf.TensorSpec([None, None, None], dtype),
        tf.TensorSpec([None], dtype),
    ]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def everything(value, tau):
        with tf.GradientTape() as tape:
            tape.watch(tau)
            prior = AR1Process(tau, tf.constant(SCALE, dtype), tf.shape(value)[1])
            draw = prior.sample(2, seed=(5, 6))
            log_prob = prior.log_prob(value)
            total = tf.reduce_sum(log_prob) + tf.reduce_sum(draw**2)
        statistics = prior.entropy(), prior.variance(), prior.conditionals(value).mean()
        return log_prob, draw, tape.gradient(total, tau), *statistics

    value, prior = paths(4, dtype=dtype), make(dtype, loc=0.0)
    log_prob, draw, gradient, entropy, variance, mean = everything(value, TAU.astype(dtype))
    np.testing.assert_allclose(log_prob, prior.log_prob(value), rtol=rtol)
    np.testing.assert_allclose(entropy, prior.entropy(), rtol=rtol)
    np.testing.assert_allclose(variance, prior.variance(), rtol=rtol)
    np.testing.assert_allclose(mean, prior.conditionals(value).mean(), rtol=rtol, atol=rtol)
    assert draw.shape == (2, STEPS, 3)
    if not jit_compile:  # XLA draws other numbers from the same seed
        np.testing.assert_allclose(draw, prior.sample(2, seed=(5, 6)), rtol=1e-4, atol=1e-4)
    assert np.all(gradient != 0.0) and np.all(np.isfinite(gradient))


def test_unknown_shapes_stay_unknown_but_for_what_is_known():
    @tf.function(input_signature=[tf.TensorSpec([None, None, 3])])
    def shapes(value):
        prior = AR1Process(tf.fill([3], 5.0), 0.1, tf.shape(value)[1])
        assert prior.event_shape.as_list() == [None, 3] and not isinstance(prior.num_timesteps, int)
        assert prior.sample(2, seed=1).shape.as_list() == [2, None, 3]
        return prior.event_shape_tensor()

    np.testing.assert_array_equal(shapes(tf.zeros([2, 7, 3])), [7, 3])
    assert AR1Process([5.0], 0.1, tf.constant(7)).num_timesteps == 7


def test_runtime_checks_when_asked_for():
    @tf.function(input_signature=[tf.TensorSpec([None])])
    def log_prob(tau):
        return AR1Process(tau, 0.1, 3, validate_args=True).log_prob(tf.zeros([3, 2]))

    assert np.isfinite(log_prob([1.0, 2.0]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="tau must be above 0"):
        log_prob([1.0, -2.0])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"tau": [5.0, -1.0]}, ValueError, r"tau must be finite and above 0, got -1\.0"),
        ({"tau": [np.nan]}, ValueError, "tau must be finite and above 0, got nan"),
        ({"tau": [np.inf]}, ValueError, "tau must be finite and above 0, got inf"),
        ({"innovation_scale": 0.0}, ValueError, "innovation_scale must be finite and above 0"),
        ({"num_timesteps": 0}, ValueError, "num_timesteps must be a whole number of at least 1"),
        ({"num_timesteps": tf.constant(0)}, ValueError, "num_timesteps must be a whole number"),
        ({"num_timesteps": 5.0}, TypeError, "num_timesteps must be a whole number"),
        ({"num_timesteps": np.float32(5)}, TypeError, "num_timesteps must be a whole number"),
        ({"num_timesteps": None}, TypeError, "num_timesteps must be a whole number"),
        ({"num_timesteps": True}, TypeError, "num_timesteps must be a whole number"),
        ({"num_timesteps": tf.constant(5.0)}, TypeError, "num_timesteps .* got float32 of shape"),
        ({"num_timesteps": [5, 6]}, TypeError, "num_timesteps .* got int32 of shape"),
        ({"tau": 5.0}, ValueError, r"one parameter must have shape \[..., dim\], got tau \(\)"),
        ({"loc": [0.0, 0.0, 0.0]}, ValueError, "must broadcast .* got tau .* loc"),
        ({"tau": np.array([5, 6])}, TypeError, "tau and .* must be floating point, got int64"),
        ({"tau": np.array([5.0]), "loc": tf.zeros([])}, TypeError, "must be of one dtype"),
    ],
)
def test_errors_at_the_door(changes, error, message):
    given = {"tau": [5.0, 6.0], "innovation_scale": 0.1, "num_timesteps": 5}
    with pytest.raises(error, match=message):
        AR1Process(**(given | changes))


@pytest.mark.parametrize("method", ["log_prob", "conditionals"])
def test_paths_are_checked(method):
    prior = AR1Process([5.0, 6.0], 0.1, 5)
    for shape in ([4, 2], [5, 3], [5], [3, 5, 1]):
        with pytest.raises(ValueError, match=r"path must have shape \[..., 5, 2\], got"):
            getattr(prior, method)(tf.zeros(shape))
    with pytest.raises(TypeError, match="path must be float32, got float64"):
        getattr(prior, method)(tf.zeros([5, 2], tf.float64))


def test_is_a_path_distribution_and_cannot_be_built_without_conditionals():
    assert isinstance(make(), PathDistribution)
    with pytest.raises(TypeError, match="abstract"):
        PathDistribution({"num_timesteps": 5, "name": "path"}, tf.float32)
