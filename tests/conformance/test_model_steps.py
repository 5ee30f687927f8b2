"""Steps of training: every variant takes one, and none is taken on numbers that are not finite."""

import numpy as np
import pytest
import tf_keras
from zoo import MODELS
from zoo_graphs import example


def negative_log_likelihood(x, likelihood):
    return -likelihood.log_prob(x)


def compiled(name):
    """Steps compiled by XLA are tested in tests/training."""
    model = MODELS[name].make()
    optimizer = tf_keras.optimizers.Adam(1e-2)
    model.compile(optimizer, loss=negative_log_likelihood, run_eagerly=True)
    return model


def values(weights):
    return [weight.numpy().copy() for weight in weights]


@pytest.mark.parametrize(
    "name",
    ["lfads, causal", "lfads, gaussian", "lfads, held out", "lfads, no controller, all else"],
)
def test_a_step_is_finite_and_moves_every_weight(name):
    model = compiled(name)
    before = values(model.trainable_weights)
    logs = model.fit(example(name), MODELS[name].targets(), verbose=0).history
    assert np.isfinite(logs["loss"]).all() and logs["skipped_steps"] == [0.0]
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.isfinite(weight).all() and np.any(weight.numpy() != old), weight.name


def test_a_step_on_numbers_that_are_not_finite_is_skipped_and_counted():
    name = "lfads, ext_input"
    model = compiled(name)
    model.fit(example(name), MODELS[name].targets(), verbose=0)  # the optimizer has its variables
    weights, slots = values(model.trainable_weights), values(model.optimizer.variables)
    for broken in ("inputs", "targets"):
        inputs, targets = example(name), MODELS[name].targets()
        (inputs["spikes"] if broken == "inputs" else targets)[0, 3] = np.nan  # masks may hide one
        logs = model.fit(inputs, targets, verbose=0).history
        assert logs["skipped_steps"] == [1.0]
        assert all(map(np.array_equal, weights, values(model.trainable_weights)))
        assert all(map(np.array_equal, slots, values(model.optimizer.variables)))
    logs = model.fit(example(name), MODELS[name].targets(), verbose=0).history
    assert logs["skipped_steps"] == [0.0] and np.isfinite(logs["loss"]).all()
    assert not any(map(np.array_equal, weights, values(model.trainable_weights)))
