"""The KL layer, and recurrent layers, on trials of unequal length."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae import layers, rnn

LENGTH = np.array([6, 3, 1], "int32")


def posterior(params):
    return layers.MVNDiagPosterior(2, value="mean")(params)


def paid(layer, prior, params, length=None):
    layer([posterior(params), prior(params)], length=length)
    return float(layer.losses[0])


@pytest.fixture
def params(rng):
    return rng.normal(size=(3, 6, 4)).astype("float32")


SETTINGS = [{}, {"method": "sampled"}, {"capacity": 3.0}, {"free_bits": 0.3}]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("prior", [layers.AR1Prior(2), layers.LearnableMVNPrior(2, scale=0.5)])
def test_what_is_after_the_end_does_not_matter(params, settings, prior):
    if settings.get("method") and isinstance(prior, layers.LearnableMVNPrior):
        settings = {}
    layer = layers.KLDivergence(0.7, **settings)
    found = paid(layer, prior, params, LENGTH)
    for trial, length in enumerate(LENGTH):
        params[trial, length:] = 1e3
    np.testing.assert_allclose(paid(layer, prior, params, LENGTH), found, rtol=1e-6)
    every = np.full(3, 6, "int32")
    np.testing.assert_allclose(
        paid(layer, prior, params, every), paid(layer, prior, params), rtol=1e-6
    )


def test_a_mean_over_trials_of_sums_over_their_bins(params):
    prior, layer = layers.AR1Prior(2), layers.KLDivergence()
    alone = [paid(layer, prior, params[n : n + 1, :t]) for n, t in enumerate(LENGTH)]
    np.testing.assert_allclose(paid(layer, prior, params, LENGTH), np.mean(alone), rtol=1e-5)


def test_a_kl_that_is_no_sum_over_time_is_refused(params):
    analytic = layers.KLDivergence(method="analytic")
    with pytest.raises(ValueError, match=r"length must go with a KL .* got method='analytic'"):
        paid(analytic, layers.TiledMVNPrior(2), params, LENGTH)
    with pytest.raises(ValueError, match=r"latent that has a time axis, got q of batch shape \(3,"):
        paid(layers.KLDivergence(), layers.LearnableMVNPrior(2), params[:, 0], LENGTH)


@pytest.mark.parametrize("cell", ["clipped_gru", "gru", "lstm", "simple_rnn"])
@pytest.mark.parametrize("sequences", [False, True])
def test_a_recurrence_begins_and_ends_with_the_trial(params, cell, sequences):
    layer = rnn.Bidirectional(5, cell, return_sequences=sequences)
    found = layer(params, length=tf.constant(LENGTH)).numpy()
    for trial, length in enumerate(LENGTH):
        alone = layer(params[trial : trial + 1, :length]).numpy()[0]
        if sequences:
            assert (found[trial, length:] == 0.0).all()
        part = found[trial, :length] if sequences else found[trial]
        np.testing.assert_allclose(part, alone, rtol=1e-5, atol=1e-7)


def test_one_way_too(params):
    for backwards in (False, True):
        layer = rnn.GRU(5, go_backwards=backwards)
        found = layer(params, length=tf.constant(LENGTH)).numpy()
        alone = [layer(params[n : n + 1, :t]).numpy()[0] for n, t in enumerate(LENGTH)]
        np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-7)
