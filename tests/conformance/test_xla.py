"""Compiled by XLA, a layer does what it does without."""

import numpy as np
import pytest
import tensorflow as tf
from zoo import MOST, ZOO
from zoo_graphs import example, shared, tensors


@pytest.mark.parametrize("name", [name for name in MOST if ZOO[name].random != "always"])
def test_xla_changes_no_value(name):
    model, inputs = shared(name), example(name)

    @tf.function(jit_compile=True)
    def compiled(inputs):
        outputs = [tf.convert_to_tensor(x) for x in tf.nest.flatten(model(inputs, training=False))]
        return outputs, model.losses

    outputs, losses = compiled(inputs)
    for a, b in zip(tensors(outputs), tensors(model(inputs, training=False)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(losses, model.losses, rtol=1e-5)
