"""DSAE: which posterior sees what, and a decoder without memory."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import SMALL, counts

from tfp_bvae import models
from tfp_bvae.rnn import posterior_values

STEPS, CHANNELS = 6, 4
QUIET = SMALL | {"dropout": 0.0, "coordinated_dropout": 0.0, "z_encoder_units2": 3}


def make(posterior, **params):
    given = {k: v for k, v in QUIET.items() if posterior == "full" or k != "z_encoder_units2"}
    return models.dsae({"channels": CHANNELS}, given | params, posterior)


def influence(model, name):
    """Whether the parameters of `name` at a bin (first axis) move with each bin of the data."""
    spikes = tf.constant(counts(1, STEPS, CHANNELS))
    inner = until(model, name)
    with tf.GradientTape() as tape:
        tape.watch(spikes)
        found = inner({"spikes": spikes}, training=False)
    return tape.jacobian(found, spikes).numpy()


def until(model, name):
    """The model from its input to one layer."""
    return tf_keras.Model(model.input, model.get_layer(name).output)


def test_the_factorized_posterior_sees_its_own_bin_alone():
    moved = np.abs(influence(make("factorized"), "z_params")).sum(axis=(0, 2, 3, 5)) > 0
    np.testing.assert_array_equal(moved, np.eye(STEPS, dtype=bool))


def test_the_full_posterior_sees_every_bin():
    moved = np.abs(influence(make("full"), "z_params")).sum(axis=(0, 2, 3, 5)) > 0
    assert moved.all()


def test_the_full_posterior_of_z_depends_on_the_sample_of_f_and_the_factorized_does_not():
    spikes = {"spikes": counts(2, STEPS, CHANNELS)}
    for posterior, depends in (("full", True), ("factorized", False)):
        inner = until(make(posterior), "z_params")
        found = []
        for seed in (1, 2):
            with posterior_values("sample", seed=[seed, 0]):
                found.append(inner(spikes).numpy())
        assert np.allclose(*found) != depends


def test_the_decoder_has_no_memory():
    model = make("factorized")
    jacobian = influence(model, "factors")  # through z_t at each bin, and f from all
    same_f = np.abs(jacobian).sum(axis=(0, 2, 3, 5))
    assert (np.diag(same_f) > 0).all()
    assert not any("recurrent" in w.name for w in model.get_layer("generator").weights)


@pytest.mark.parametrize("posterior", ["full", "factorized"])
def test_z_may_have_one_dimension(posterior):
    model = make(posterior, z_size=1)
    spikes = counts(2, STEPS, CHANNELS)
    assert model({"spikes": spikes}, training=True).batch_shape == [2]
    assert model.get_layer("z_params").output.shape[-1] == 2  # location and scale


@pytest.mark.parametrize("posterior", ["full", "factorized"])
def test_two_terms_of_the_loss_and_a_name(posterior):
    model = make(posterior)
    model({"spikes": counts(2, STEPS, CHANNELS)}, training=True)
    assert len(model.losses) == 2
    assert model.hyperparameters["model"] == f"dsae_{posterior}"


def test_settings_are_those_of_the_paper_and_can_be_changed():
    full, factorized = models.dsae_params("full"), models.dsae_params("factorized")
    assert (full.z_encoder_cell, full.z_encoder_cell2, full.f_joins) == (
        "lstm", "simple_rnn", "first",
    )  # fmt: skip
    assert (factorized.z_encoder_cell, factorized.f_joins) == ("dense", "none")
    assert full.z_prior == factorized.z_prior == "lstm"
    assert models.dsae_params("full", {"z_prior": "gru"}).z_prior == "gru"
    with pytest.raises(ValueError, match="posterior must be one of 'full', 'factorized'"):
        models.dsae({"channels": 2}, posterior="half")
