"""What encoders of a model may see, what teaches it, and at which bin."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import BATCH, CHANNELS, MODELS, STEPS, normal

from tfp_bvae.rnn import posterior_values

HIDING = ["lfads", "lfads, segment", "lfads, causal", "lfads, held out", "lfads, gaussian"]
RATE = 0.4


def traced(name, training=True, **params):
    """One pass through a fresh model without dropout, and all gradients that laws speak of."""
    specimen = MODELS[name]
    model = specimen.make(dropout=0.0, **params)
    inputs = {key: tf.constant(x) for key, x in specimen.inputs().items()}
    # masks must show where the data are zero, too
    inputs["spikes"] = tf.constant(1.0 + np.abs(normal(BATCH, STEPS, CHANNELS)))
    targets = tf.constant(specimen.targets())
    parts = tf_keras.Model(model.input, [model.get_layer("log_rate").output, model.output])
    with posterior_values("mean"), tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs["spikes"])
        log_rate, likelihood = parts(inputs, training=training)
        loss = -tf.reduce_sum(likelihood.log_prob(targets))
        used = tf.reduce_sum(log_rate * normal(*log_rate.shape, seed=3))
    full = tf.exp(log_rate) - targets if "gaussian" not in name else log_rate - targets
    taught = tape.gradient(loss, log_rate) / full  # weight of the gradient of each entry
    seen = tape.gradient(used, inputs["spikes"]).numpy() != 0.0
    segment = specimen.params.get("segment", 0)
    return taught.numpy(), seen[:, :segment], seen[:, segment:]


@pytest.mark.parametrize("name", HIDING)
def test_an_entry_is_seen_or_teaches_at_its_own_bin(name):
    taught, seen_before, seen = traced(name, coordinated_dropout=RATE)
    encoded = taught[:, : seen.shape[1], :CHANNELS]
    teaches = encoded != 0.0
    assert teaches.any() and not teaches.all()
    np.testing.assert_allclose(encoded[teaches], 1 / RATE, rtol=1e-4)
    assert not np.any(seen & teaches)
    assert seen_before.all()  # the segment is never hidden
    if "causal" not in name:  # there, nothing is inferred from what comes last
        np.testing.assert_array_equal(seen, ~teaches)


@pytest.mark.parametrize("name", ["lfads, held out", "lfads, no controller, all else"])
def test_what_no_encoder_sees_teaches_in_full(name):
    taught, _, seen = traced(name, coordinated_dropout=RATE)
    beyond = np.ones(taught.shape, bool)
    beyond[:, : seen.shape[1], :CHANNELS] = False
    assert beyond.any()
    np.testing.assert_allclose(taught[beyond], 1.0, rtol=1e-4)


def test_a_pass_lets_some_of_what_is_seen_teach():
    taught, _, seen = traced("lfads", coordinated_dropout=RATE, coordinated_pass=0.5)
    both = seen & (taught != 0.0)
    assert both.any() and not np.array_equal(both, seen)
    np.testing.assert_allclose(taught[taught != 0.0], 1 / 0.7, rtol=1e-4)


def test_sample_validation_keeps_the_same_entries_out_of_sight_and_of_the_fit():
    found = [
        traced("lfads, sample validation", training, coordinated_dropout=0.0)
        for training in (True, False)
    ]
    for taught, _, seen in found:
        held = taught == 0.0
        assert held.any() and not held.all()
        np.testing.assert_array_equal(seen, ~held)
        np.testing.assert_allclose(taught[~held], 1 / 0.7, rtol=1e-4)
    np.testing.assert_array_equal(found[0][2], found[1][2])


def test_both_masks_together_multiply():
    taught, _, seen = traced("lfads, sample validation", coordinated_dropout=RATE)
    _, _, kept = traced("lfads, sample validation", training=False)
    teaches = taught != 0.0
    assert not np.any(seen & teaches)
    assert not np.any(teaches & ~kept)  # what is held out does not teach when hidden either
    np.testing.assert_allclose(taught[teaches], 1 / (RATE * 0.7), rtol=1e-4)


@pytest.mark.parametrize("name", ["lfads, segment", "lfads, held out"])
def test_at_inference_all_is_seen(name):
    taught, seen_before, seen = traced(name, training=False)
    np.testing.assert_allclose(taught, 1.0, rtol=1e-4)
    assert seen_before.all() and seen.all()
