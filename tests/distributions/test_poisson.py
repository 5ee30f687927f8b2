"""The quick factorials against those of the standard library."""

import math

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import Poisson
from tfp_bvae.distributions.poisson import log_factorial

COUNTS = np.array([*range(200), 1_000, 12_345, 10**6, 10**9])


@pytest.mark.parametrize("jit", [False, True])
def test_log_factorials_are_those_of_lgamma(jit):
    expected = [math.lgamma(count + 1.0) for count in COUNTS]
    found = tf.function(log_factorial, jit_compile=jit)(tf.constant(COUNTS, tf.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert not found[:2].numpy().any()  # most bins hold no spike, or one: no error there


def test_in_double_precision_nothing_is_lost():
    expected = [math.lgamma(count + 1.0) for count in COUNTS]
    np.testing.assert_allclose(log_factorial(tf.constant(COUNTS, tf.float64)), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype, rtol", [("float32", 1e-5), ("float64", 1e-12)])
def test_it_is_tfp_s_law(dtype, rtol):
    log_rate = np.array([[-30.0], [-1.0], [0.0], [2.0], [6.0]])
    counts = np.array([-1, 0, 1, 2, 7, 300])
    found = _value_and_gradient(Poisson, log_rate.astype(dtype), counts.astype(dtype))
    expected = _value_and_gradient(tfd.Poisson, log_rate, counts.astype("float64"))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol)
    assert np.isneginf(found[0][:, 0]).all()


def _value_and_gradient(law, log_rate, counts):
    log_rate = tf.constant(log_rate)
    with tf.GradientTape() as tape:
        tape.watch(log_rate)
        log_prob = law(log_rate=log_rate).log_prob(counts)
    return log_prob, tape.gradient(log_prob, log_rate)
