"""A padded trial gives the very numbers of the unpadded one, and NaN is of no influence."""

import functools

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import SMALL

from tfp_bvae import models
from tfp_bvae.rnn import posterior_values

CHANNELS = 4
LENGTH = np.array([8, 5, 6], "int32")
QUIET = SMALL | {"dropout": 0.0, "coordinated_dropout": 0.0}
DSAE = QUIET | {"z_encoder_units2": 3, "z_prior_units": 3}
FACTORIZED = functools.partial(models.dsae, posterior="factorized")
KINDS = {
    "lfads": (models.lfads, {}, QUIET),
    "lfads, all else": (
        models.lfads,
        {"ext_inputs": 2, "outputs": 6, "likelihood": "gaussian_full"},
        QUIET | {"segment": 2, "f_encoder_layers": 2, "lag": 2, "free_bits_z": 0.01},
    ),
    "lfads, causal": (models.lfads, {"likelihood": "gaussian"}, QUIET | {"causal": True}),
    "lfads, no controller": (models.lfads, {}, QUIET | {"z_size": 0}),
    "lfads, importance": (
        models.lfads, {"num_samples": 2, "importance_weighted": True}, QUIET,
    ),
    "dsae, full": (models.dsae, {"likelihood": "negative_binomial"}, DSAE),
    "dsae, full, capacity": (models.dsae, {}, DSAE | {"capacity_z": 3.0, "z_covariance": "full",
                                                      "z_prior": "ar1"}),
    "dsae, factorized": (FACTORIZED, {"likelihood": "zero_inflated_poisson"}, QUIET),
}  # fmt: skip


@functools.cache
def model_of(name, masked=True):
    make, arguments, params = KINDS[name]
    model = make({"channels": CHANNELS, "masked": masked} | arguments, params)
    for weight in model.weights:
        if weight.dtype.is_floating:
            rng = np.random.default_rng(list(weight.name.encode()))
            weight.assign(weight + 0.2 * rng.uniform(size=weight.shape))
    return model


def trials(name, missing=True):
    """Inputs and targets of trials of unequal length, some entries missing."""
    _, arguments, params = KINDS[name]
    rng = np.random.default_rng(1)
    recon = rng.poisson(1.0, (3, 8, arguments.get("outputs", CHANNELS))).astype("float32")
    if missing:
        recon[0, 4] = recon[2, 3, 1] = recon[1, 2, 3] = np.nan
        for trial, length in enumerate(LENGTH):
            recon[trial, length:] = np.nan
    length = LENGTH if missing else np.full(3, 8, "int32")
    inputs = {"spikes": recon[..., :CHANNELS].copy(), "length": length}
    if "ext_inputs" in arguments:
        inputs["ext_input"] = rng.normal(size=(3, 8, 2)).astype("float32")
    return inputs, recon[:, params.get("segment", 0) :]


def terms(model, inputs, targets):
    """Rates, minus log-likelihood and every loss and metric, latents at their means."""
    with posterior_values("mean"), tf.GradientTape() as tape:
        likelihood = model({k: tf.constant(x) for k, x in inputs.items()}, training=False)
        nll = -likelihood.log_prob(tf.constant(targets))
        total = tf.add_n([tf.reduce_mean(nll), *model.losses])
    gradients = tape.gradient(total, model.trainable_weights)
    found = [tf.convert_to_tensor(g).numpy() for g in gradients]
    return likelihood.mean().numpy(), nll.numpy(), [float(x) for x in model.losses], found


def each_alone(name):
    """The same trials one by one, none of them padded."""
    inputs, targets = trials(name)
    skipped = 8 - targets.shape[1]
    for trial, length in enumerate(LENGTH):
        alone = {k: x[trial : trial + 1] for k, x in inputs.items()}
        alone |= {k: alone[k][:, :length] for k in ("spikes", "ext_input") if k in alone}
        yield terms(model_of(name), alone, targets[trial : trial + 1, : length - skipped])


@pytest.mark.parametrize("name", KINDS)
def test_a_padded_trial_is_the_unpadded_one(name):
    rates, nll, losses, gradients = terms(model_of(name), *trials(name))
    alone = list(each_alone(name))
    for trial, (own_rates, own_nll, _, _) in enumerate(alone):
        np.testing.assert_allclose(
            rates[trial, : own_rates.shape[1]], own_rates[0], rtol=1e-5, atol=1e-7
        )
        np.testing.assert_allclose(nll[trial], own_nll[0], rtol=1e-5)
    assert np.isfinite(rates).all() and np.isfinite(losses).all()
    params = KINDS[name][2]
    if not {"free_bits_z", "capacity_z"} & set(params):  # those are of the mean over a batch
        np.testing.assert_allclose(losses, np.mean([own[2] for own in alone], axis=0), rtol=1e-5)
        for index, gradient in enumerate(gradients):
            own = np.mean([found[3][index] for found in alone], axis=0)
            np.testing.assert_allclose(gradient, own, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_learned_of_what_was_not_observed(name):
    model = model_of(name)
    inputs, targets = trials(name)
    log_rate = tf_keras.Model(model.input, model.get_layer("log_rate").output)(inputs)
    with tf.GradientTape() as tape:
        tape.watch(log_rate)
        log_prob = model.get_layer("likelihood").distribution(log_rate).log_prob(targets)
    gradient = tape.gradient(log_prob, log_rate).numpy()
    assert np.isfinite(gradient).all() and np.isfinite(log_prob).all()
    assert (gradient[np.isnan(targets)] == 0.0).all()
    assert (gradient[~np.isnan(targets)] != 0.0).all()


@pytest.mark.parametrize("name", KINDS)
def test_of_complete_data_the_numbers_are_those_of_a_model_without_masks(name):
    inputs, targets = trials(name, missing=False)
    masked, plain = model_of(name), model_of(name, masked=False)
    *found, gradients = terms(masked, inputs, targets)
    filled = [weight.name == "observed/fill:0" for weight in masked.trainable_weights]
    assert not gradients.pop(filled.index(True)).any()  # nothing was filled
    found.append(gradients)
    expected = terms(plain, {k: x for k, x in inputs.items() if k != "length"}, targets)
    assert "length" not in plain.input_names
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(list(expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_length_changes_what_a_model_says_of_bins_that_are_there():
    """Else the law above would hold of a model that does not look."""
    inputs, _ = trials("lfads")
    model = model_of("lfads")
    with posterior_values("mean"):
        rates = model(inputs, training=False).mean()
        others = model(inputs | {"length": np.full(3, 8, "int32")}, training=False).mean()
    assert np.abs(rates - others)[1, :5].max() > 1e-4
    np.testing.assert_array_equal(rates[0], others[0])
