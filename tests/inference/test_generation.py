"""Trials that a model makes up."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae import inference, models

SMALL = {"f_size": 3, "z_size": 2, "generator_units": 6, "factors": 4, "z_encoder_units": 5}
MAKERS = {
    "lfads": models.lfads,
    "dsae, full": models.dsae,
    "dsae, factorized, recurrent": functools.partial(models.dsae, posterior="factorized"),
}
EXTRA = {
    "lfads": {"causal": True, "segment": 3},
    "dsae, factorized, recurrent": {"generator_cell": "lstm", "f_enters": "both"},
}


@pytest.fixture(scope="module")
def made(dataset):
    """Each model, built once."""
    arguments = {"channels": dataset.valid.encod.shape[-1]}
    return {n: make(arguments, SMALL | EXTRA.get(n, {})) for n, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_decoding_the_posterior_mean_gives_its_rates(dataset, made, name):
    found = inference.posterior_mean(made[name], dataset.valid)
    rates = inference.decode(made[name], found.f, found.inferred)
    np.testing.assert_allclose(rates, found.rates, rtol=1e-4)


def test_decoding_without_z(dataset):
    channels = dataset.valid.encod.shape[-1]
    for cell in ("complex", "gru"):
        kit = SMALL | {"channels": channels, "z_size": 0, "generator_cell": cell}
        model = models.create_model(kit)
        found = inference.posterior_mean(model, dataset.valid)
        rates = inference.decode(model, found.f, num_timesteps=found.rates.shape[1])
        np.testing.assert_allclose(rates, found.rates, rtol=1e-4)
        with pytest.raises(ValueError, match="num_timesteps must be given"):
            inference.decode(model, found.f)


def test_generated_trials_follow_the_prior_and_the_seed(made):
    model = made["lfads"]
    prior = model.get_layer("p_f").distribution(None)
    one, again = (inference.generate(model, 500, 12, seed=3) for _ in range(2))
    other = inference.generate(model, 500, 12, seed=4)
    np.testing.assert_array_equal(one.rates, again.rates)
    assert (one.f != other.f).all() and (one.z != other.z).all()
    error = prior.stddev().numpy() / 500**0.5
    assert (np.abs(one.f.mean(0) - prior.mean().numpy()) < 4 * error).all()
    process = model.get_layer("p_z").distribution(tf.zeros([1, 12, 1]))
    np.testing.assert_allclose(one.z.std(0), process.stddev(), rtol=4 / (2 * 500) ** 0.5)
    np.testing.assert_allclose(inference.decode(model, one.f, one.z), one.rates, rtol=1e-5)


def test_swapped_trials_have_f_of_one_and_z_of_another(dataset, made):
    for model in made.values():
        found = inference.posterior_mean(model, dataset.valid)
        swapped = inference.swap(model, dataset.valid)
        assert (swapped.source != np.arange(len(found.f))).all()
        np.testing.assert_array_equal(swapped.f, found.f)
        np.testing.assert_array_equal(swapped.z, found.inferred[swapped.source])
        unchanged = inference.swap(model, dataset.valid, source=np.arange(len(found.f)))
        np.testing.assert_allclose(unchanged.rates, found.rates, rtol=1e-4)
    with pytest.raises(ValueError, match="source must hold 8 numbers of trials"):
        inference.swap(model, dataset.valid, source=np.arange(3))


@pytest.mark.parametrize("count", [2, 3, 10, 101])
def test_a_derangement_leaves_nothing_in_its_place(count):
    for seed in range(20):
        order = inference.derangement(count, seed)
        assert sorted(order) == list(range(count))
        assert (order != np.arange(count)).all()


def test_traversal_moves_one_dimension_over_its_prior(dataset, made):
    model = made["dsae, full"]
    found = inference.traverse(model, dataset.valid, num_steps=3, reach=2.0)
    prior = model.get_layer("p_f").distribution(None)
    np.testing.assert_allclose(found.values[:, 1], prior.mean(), atol=1e-6)
    np.testing.assert_allclose(
        found.values[:, 2] - found.values[:, 0], 4 * prior.stddev(), rtol=1e-5
    )
    trials, bins, channels = dataset.valid.recon.shape
    assert found.rates.shape == (3, 3, trials, bins, channels)
    assert found.effect.shape == (3, channels) and (found.effect > 0).all()


@pytest.mark.parametrize(
    "f, z, said",
    [
        (np.zeros([2, 4]), np.zeros([2, 5, 2]), r"f must have shape \[any, 3\], got shape"),
        (np.zeros([2, 3]), None, r"z must have shape \[2, any, 2\], got None"),
        (np.zeros([2, 3]), np.zeros([3, 5, 2]), "z must have shape"),
    ],
)
def test_latents_of_another_shape_are_refused(made, f, z, said):
    with pytest.raises(ValueError, match=said):
        inference.decode(made["lfads"], f, z)
