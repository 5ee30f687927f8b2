"""Everything that is said to train does train."""

import numpy as np
import pytest
import tensorflow as tf
from zoo import ZOO
from zoo_graphs import example, lesson, shared


@pytest.mark.parametrize("name", ZOO)
def test_a_gradient_reaches_every_trainable_weight(name):
    model = shared(name)
    with tf.GradientTape() as tape:
        loss = lesson(model, example(name))
    gradients = tape.gradient(loss, model.trainable_weights)
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.name
        assert np.isfinite(gradient).all(), weight.name
        assert np.any(gradient), weight.name


@pytest.mark.parametrize("name", ZOO)
def test_streams_and_weights_of_the_loss_do_not_train(name):
    fixed = {weight.name.split("/")[-1] for weight in shared(name).non_trainable_weights}
    trained = {weight.name.split("/")[-1] for weight in shared(name).trainable_weights}
    held = ("beta:0", "generator_l2:0", "controller_l2:0", "l2:0", "seed_and_draws:0")
    assert not trained & set(held)
    if name.startswith("KLDivergence") or name.startswith("lfads"):
        assert "beta:0" in fixed
