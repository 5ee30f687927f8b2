"""The recurrent Gaussian path against a numpy loop, and an AR(1), which is one of its kind."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, RecurrentMVNDiag

STEPS, DIM, PHI = 6, 2, np.array([0.9, -0.4])


def leaky(num_timesteps=STEPS, phi=PHI, dtype="float64", **changes):
    """Mean: the leaky sum of the past; scale: grows with it."""
    phi = tf.convert_to_tensor(phi, dtype)

    def step(sample, memory):
        memory = phi * memory + sample
        return tf.tanh(memory), 0.1 + memory**2, memory

    def teacher_forced(before):
        memory, found = tf.zeros_like(before[..., 0, :]), []
        for t in range(STEPS):
            memory = phi * memory + before[..., t, :]
            found.append(memory)
        memory = tf.stack(found, axis=-2)
        return tf.tanh(memory), 0.1 + memory**2

    given = {
        "teacher_forced": teacher_forced,
        "step": step,
        "zero_state": lambda batch: tf.zeros([batch, DIM], dtype),
        "event_size": DIM,
        "num_timesteps": num_timesteps,
        "dtype": dtype,
    }
    return RecurrentMVNDiag(**(given | changes))


def loop(noise):
    """Paths, and locations and scales of their steps, one number after the other."""
    path, loc, scale = np.empty_like(noise), np.empty_like(noise), np.empty_like(noise)
    for index in np.ndindex(noise.shape[:-2]):
        for d in range(DIM):
            before, memory = 0.0, 0.0
            for t in range(STEPS):
                memory = PHI[d] * memory + before
                at = (*index, t, d)
                loc[at], scale[at] = np.tanh(memory), 0.1 + memory**2
                before = path[at] = loc[at] + scale[at] * noise[at]
    return path, loc, scale


def noises(*shape):
    return 0.7 * np.random.default_rng(0).normal(size=[*shape, STEPS, DIM])


@pytest.mark.parametrize("shape", [(), (3,), (4, 3)], ids=str)
def test_equals_a_loop(shape):
    noise, prior = noises(*shape), leaky()
    path, loc, scale = loop(noise)
    np.testing.assert_allclose(prior.from_noise(noise), path, rtol=1e-12)
    steps = prior.conditionals(path)
    assert isinstance(steps, tfd.MultivariateNormalDiag) and steps.batch_shape == (*shape, STEPS)
    np.testing.assert_allclose(steps.mean(), loc, rtol=1e-12)
    np.testing.assert_allclose(steps.stddev(), scale, rtol=1e-12)
    terms = -0.5 * ((path - loc) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(prior.log_prob(path), terms.sum((-2, -1)), rtol=1e-12)


def test_an_ar1_is_one_of_its_kind():
    tau, scale = np.array([8.0, 2.0]), np.array([0.5, 1.0])
    ar1 = AR1Process(tau, scale, STEPS)
    phi, first = ar1.phi, ar1.stationary_scale

    def teacher_forced(before):
        later = tf.broadcast_to(tf.constant(scale), tf.shape(before[..., 1:, :]))
        spread = tf.concat([tf.broadcast_to(first, tf.shape(before[..., :1, :])), later], axis=-2)
        return phi * before, spread

    def step(sample, time):
        return phi * sample, tf.where(time < 1, first, scale) + 0.0 * sample, time + 1

    same = leaky(teacher_forced=teacher_forced, step=step, zero_state=lambda batch: tf.constant(0))
    noise = noises(5)
    path = ar1.from_noise(noise)
    np.testing.assert_allclose(same.from_noise(noise), path, rtol=1e-10)
    np.testing.assert_allclose(same.log_prob(path), ar1.log_prob(path), rtol=1e-10)


def test_samples_repeat_by_seed_and_have_the_moments_of_their_first_step():
    prior = leaky()
    draws = prior.sample([100, 50], seed=(1, 2)).numpy()
    assert draws.shape == (100, 50, STEPS, DIM)
    np.testing.assert_array_equal(draws, prior.sample([100, 50], seed=(1, 2)))
    assert np.all(np.abs(draws[:, :, 0].mean((0, 1))) < 4 * 0.1 / np.sqrt(5000))
    assert np.all(np.abs(draws[:, :, 0].std((0, 1)) / 0.1 - 1.0) < 4 / np.sqrt(10_000))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradients_pass_through_samples_and_densities(jit_compile, finite_difference):
    noise = tf.constant(noises(2))

    @tf.function(jit_compile=jit_compile)
    def gradient(phi):
        with tf.GradientTape() as tape:
            tape.watch(phi)
            value = total(phi)
        return tape.gradient(value, phi)

    def total(phi):
        prior = leaky(phi=phi)
        path = prior.from_noise(noise)
        return tf.reduce_sum(path**2) + tf.reduce_sum(prior.log_prob(path + 0.1))

    numeric = finite_difference(lambda phi: total(tf.constant(phi)), PHI)
    np.testing.assert_allclose(gradient(tf.constant(PHI)), numeric, rtol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_shapes_in_a_graph(jit_compile):
    signature = [tf.TensorSpec([None, None, None], tf.float64)]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def everything(noise):
        prior = leaky(tf.shape(noise)[1])
        assert prior.event_shape.as_list() == [None, DIM] and prior.batch_shape == ()
        path = prior.from_noise(noise)
        assert path.shape.as_list() == [None, None, DIM] or path.shape[-1] is None
        return path, prior.log_prob(path), prior.sample(3, seed=(1, 2))

    path, log_prob, drawn = everything(noises(4))
    np.testing.assert_allclose(path, loop(noises(4))[0], rtol=1e-10)
    np.testing.assert_allclose(log_prob, leaky().log_prob(path), rtol=1e-10)
    assert drawn.shape == (3, STEPS, DIM)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"step": None}, TypeError, "step must be a function, got None"),
        ({"teacher_forced": 3}, TypeError, "teacher_forced must be a function, got 3"),
        ({"event_size": 0}, ValueError, "event_size must be a whole number of at least 1"),
        ({"num_timesteps": 0}, ValueError, "num_timesteps must be a whole number of at least 1"),
    ],
)
def test_errors_at_the_door(changes, error, message):
    with pytest.raises(error, match=message):
        leaky(**changes)
    with pytest.raises(ValueError, match=r"path must have shape \[..., 6, 2\], got"):
        leaky().log_prob(np.zeros([STEPS - 1, DIM]))
    with pytest.raises(NotImplementedError):
        leaky().mean()


def test_copies_take_another_length():
    assert leaky().copy(num_timesteps=3).sample(2, seed=1).shape == (2, 3, DIM)
