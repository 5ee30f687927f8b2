"""Whole models with the fast scans, and with plain loops in their place: the same numbers."""

import numpy as np
import pytest
import tensorflow as tf
from plain_scans import plain_decoder, plain_scan, plain_scans
from zoo import MODELS, OTHER_MODELS
from zoo_graphs import disturb, example

from tfp_bvae.layers import prior_cell
from tfp_bvae.rnn import bidirectional, decoder, generator, posterior_values, recurrent

ALL = MODELS | OTHER_MODELS


@pytest.mark.parametrize("name", ALL)
def test_loss_and_gradients_are_those_of_plain_loops(name, monkeypatch):
    """With the draws and masks of one seed: to 1e-5, of every trainable weight."""
    model = ALL[name].make()
    disturb(model)
    inputs, targets = example(name), ALL[name].targets()
    fast = loss_and_gradients(model, inputs, targets)
    for module in (recurrent, bidirectional):
        monkeypatch.setattr(module, "recurrent_scans", plain_scans)
    for module in (generator, prior_cell):
        monkeypatch.setattr(module, "recurrent_scan", plain_scan)
    monkeypatch.setattr(decoder, "lfads_decoder", plain_decoder)
    plain = loss_and_gradients(model, inputs, targets)
    np.testing.assert_allclose(fast[0], plain[0], rtol=1e-5)
    for variable, ours, theirs in zip(model.trainable_variables, fast[1], plain[1], strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * scale, err_msg=variable.name)


def loss_and_gradients(model, inputs, targets):
    with posterior_values("sample", seed=(1, 2)), tf.GradientTape() as tape:
        likelihood = model(inputs, training=True)
        loss = tf.add_n([-tf.reduce_mean(likelihood.log_prob(targets)), *model.losses])
    gradients = tape.gradient(loss, model.trainable_variables)
    return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]
