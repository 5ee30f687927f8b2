"""KL of each dimension: against a loop over the model's own distributions."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import inference, models
from tfp_bvae.data import Split
from tfp_bvae.rnn import posterior_values

SMALL = {"f_size": 3, "z_size": 2, "generator_units": 6, "factors": 4, "z_encoder_units": 5}


@pytest.fixture(scope="module")
def model(dataset):
    return models.dsae({"channels": dataset.valid.encod.shape[-1]}, SMALL)


def test_the_kl_of_all_dimensions_is_what_the_model_pays(dataset, make_model):
    model = make_model()
    found = inference.compare_with_prior(model, dataset.valid, batch_size=8, seed=5)
    half = tf_keras.Model(
        model.inputs, {n: model.get_layer(f"kl_{n}").input[:2] for n in ("f", "z")}
    )
    with posterior_values("sample", seed=[5, 0]):
        pairs = half({"spikes": tf.constant(dataset.valid.encod)}, training=False)
    q, p = pairs["f"]
    expected = tfd.kl_divergence(q.tensor_distribution, p.tensor_distribution)
    assert np.isclose(found["f"].kl.sum(), np.mean(expected), rtol=1e-4)
    q, p = pairs["z"]
    path = tf.convert_to_tensor(q)
    total = 0.0
    for t in range(path.shape[1]):  # step by step
        step = p.tensor_distribution.conditionals(path)[:, t]
        mine = tfd.MultivariateNormalDiag(q.mean()[:, t], q.stddev()[:, t])
        total += np.mean(tfd.kl_divergence(mine, step))
    assert np.isclose(found["z"].kl.sum(), total, rtol=1e-4)
    assert found["f"].kl.shape == (4,) and found["z"].kl.shape == (1,)
    assert found["z"].loc.shape == found["z"].prior_scale.shape == (8, 10, 1)


def test_the_size_of_batches_does_not_matter(dataset, model):
    one, other = (inference.compare_with_prior(model, dataset.valid, size) for size in (8, 3))
    np.testing.assert_allclose(one["f"].loc, other["f"].loc, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one["f"].kl, other["f"].kl, rtol=1e-4)
    assert one["z"].loc.shape == other["z"].loc.shape


def test_active_is_what_differs_between_trials(dataset, model):
    found = inference.compare_with_prior(model, dataset.valid)
    for latent in found.values():
        spread = (latent.loc / latent.prior_scale).var(axis=0).reshape(-1, latent.kl.size).mean(0)
        assert (latent.active == (spread > 0.01)).all()
        assert latent.share_active == latent.active.mean()
    same = dataset.valid.select(np.zeros(4, int))  # one trial, four times over
    assert inference.compare_with_prior(model, same)["f"].share_active == 0.0


def test_a_model_without_z_has_f_alone(dataset):
    kit = SMALL | {"channels": dataset.valid.encod.shape[-1], "z_size": 0}
    found = inference.compare_with_prior(models.create_model(kit), dataset.valid)
    assert list(found) == ["f"]


def test_of_fhvae_there_are_segments(dataset):
    arguments = {"channels": dataset.valid.encod.shape[-1], "num_groups": 8}
    model = models.fhvae(arguments, {"segment_length": 5, "segment_stride": 5, "f_size": 3})
    split = Split(dataset.valid.encod, dataset.valid.recon, group=np.arange(8))
    found = inference.compare_with_prior(model, split)
    assert found["f"].loc.shape == (16, 3)
    assert (found["f"].kl >= 0).all()


def test_a_grid_of_swaps_has_f_of_its_row_and_z_of_its_column(dataset, model):
    trials = [5, 0, 2]
    found = inference.posterior_mean(model, dataset.valid)
    grid = inference.swap_grid(model, dataset.valid, trials)
    assert grid.shape == (3, 3, *found.rates.shape[1:])
    for row, i in enumerate(trials):
        for column, j in enumerate(trials):
            rates = inference.decode(model, found.f[[i]], found.inferred[[j]])
            np.testing.assert_allclose(grid[row, column], rates[0], rtol=1e-4)


def test_bins_after_the_end_of_a_trial_are_nan_and_cost_nothing(dataset, make_model):
    encod = dataset.valid.encod.copy()
    length = np.array([10, 6, 10, 4, 10, 10, 10, 10])
    for trial, end in zip(encod, length, strict=True):
        trial[end:] = np.nan
    split = Split(encod, encod, length=length)
    found = inference.compare_with_prior(make_model({"masked": True}), split)["z"]
    padding = np.arange(10) >= length[:, None]
    assert (np.isnan(found.loc[..., 0]) == padding).all()
    assert np.isfinite(found.kl).all()
    ratio, shift = (
        found.scale / found.prior_scale,
        (found.loc - found.prior_loc) / found.prior_scale,
    )
    kl = np.nansum(0.5 * (ratio**2 + shift**2 - 1) - np.log(ratio), axis=1).mean(0)
    np.testing.assert_allclose(found.kl, kl, rtol=1e-4)
