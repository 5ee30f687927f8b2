"""Inference for models other than LFADS, and for those that are trained on several samples."""

import functools

import numpy as np
import pytest

from tfp_bvae import inference, models

FULL = {"z_encoder_units2": 4, "z_prior_units": 4}
MAKERS = {
    "dsae, full": functools.partial(models.dsae, params=FULL),
    "dsae, factorized, f in the initial state": functools.partial(
        models.dsae,
        params={"generator_cell": "lstm", "f_enters": "initial_state"},
        posterior="factorized",
    ),
    "lfads, importance-weighted": functools.partial(
        models.lfads, params={"coordinated_dropout": 0.0}
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_posteriors_have_rates_factors_and_latents(dataset, name):
    arguments = {"channels": dataset.valid.encod.shape[-1]}
    if "weighted" in name:
        arguments |= {"num_samples": 2, "importance_weighted": True}
    model = MAKERS[name](arguments)
    trials, bins, channels = dataset.valid.recon.shape
    found = inference.posterior_mean(model, dataset.valid)
    assert found.rates.shape == (trials, bins, channels)
    assert found.factors.shape[:2] == found.inferred.shape[:2] == (trials, bins)
    assert (found.initial_state is None) == (name == "dsae, full")
    rates = model.predict({"spikes": dataset.valid.encod}, verbose=0)
    np.testing.assert_allclose(found.rates, rates, rtol=1e-4, atol=1e-5)
    sampled = inference.sample_and_average(model, dataset.valid, num_samples=4)
    assert (sampled.rates_scale > 0).any() and (sampled.inferred_scale > 0).all()
    np.testing.assert_allclose(sampled.f, found.f, rtol=1e-4, atol=1e-5)
