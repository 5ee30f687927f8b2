"""Arrays to feed, and how a gradient written by hand is held against automatic differentiation."""

import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture
def draw():
    """Standard normal numbers in double precision, others at each call."""
    generator = np.random.default_rng(0)
    return lambda *shape: tf.constant(generator.normal(size=shape))


@pytest.fixture
def assert_same_gradient():
    """Asserts that two functions agree in their outputs and gradients, to 1e-8."""

    def both(function, arguments, cotangents):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            outputs = function(*arguments)
        gradients = tape.gradient(
            outputs, arguments, cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return [*tf.nest.flatten(outputs), *gradients]

    def check(fast, slow, arguments, cotangents, jit_compile=False):
        compiled = tf.function(both, jit_compile=True) if jit_compile else both
        found, expected = compiled(fast, arguments, cotangents), both(slow, arguments, cotangents)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)

    return check
