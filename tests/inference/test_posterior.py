"""Posterior means and sample averages, against the model itself."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae import data, inference
from tfp_bvae.rnn import posterior_values

# posteriors wide enough to see
WIDE = {"q_f_scale": 0.8, "p_f_scale": 0.8, "q_z_scale": 0.8, "p_z_scale": 0.8}


@pytest.fixture
def model(make_model):
    return make_model(**WIDE)


def test_posterior_mean_is_what_predict_gives(model, dataset):
    posterior = inference.posterior_mean(model, dataset.valid, batch_size=3)
    rates = model.predict({"spikes": dataset.valid.encod}, verbose=0)
    np.testing.assert_allclose(posterior.rates, rates, rtol=1e-4)
    assert posterior.rates_scale is None
    assert posterior.factors.shape == (8, 10, 3)
    assert posterior.f.shape == posterior.f_scale.shape == (8, 4)


def test_sample_average_is_the_mean_of_samples_drawn_one_by_one(model, dataset):
    @tf.function
    def draw(spikes):
        with posterior_values("sample"):
            return model({"spikes": spikes}, training=False).mean()

    samples = [draw(tf.constant(dataset.valid.encod)).numpy() for _ in range(200)]
    mean, scale = np.mean(samples, axis=0), np.std(samples, axis=0, ddof=1)
    posterior = inference.sample_and_average(model, dataset.valid, num_samples=200)
    z = (posterior.rates - mean) / (scale * np.sqrt(2 / 200))
    assert scale.min() > 1e-4
    assert np.abs(z).max() < 5.5 and z.std() < 1.3
    np.testing.assert_allclose(posterior.rates_scale, scale, rtol=0.4)


def test_batches_do_not_change_shapes_and_the_seed_decides(model, dataset):
    def average(**kwargs):
        settings = {"num_samples": 7, "batch_size": 3, "samples_at_once": 3} | kwargs
        return inference.sample_and_average(model, dataset.valid, **settings).rates

    one, same, other = average(), average(), average(seed=1)
    assert one.shape == (8, 10, 6)
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()


def test_samples_of_one_trial_differ(model, dataset):
    posterior = inference.sample_and_average(model, dataset.valid, num_samples=4)
    for name in ("rates", "factors", "inferred", "initial_state"):
        assert (getattr(posterior, f"{name}_scale") > 0).mean() > 0.95, name


def test_inference_leaves_the_model_as_it_was(model, dataset):
    before = [w.numpy() for w in model.weights]
    inference.sample_and_average(model, dataset.valid, num_samples=3)
    for was, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(was, weight.numpy())


def test_a_model_without_controller_has_no_inferred_inputs(make_model, dataset):
    posterior = inference.sample_and_average(make_model(z_size=0), dataset.valid, num_samples=2)
    assert posterior.inferred is None
    assert set(posterior.arrays()) == {
        "rates", "rates_scale", "factors", "factors_scale", "f", "f_scale",
        "initial_state", "initial_state_scale",
    }  # fmt: skip


def test_segment_and_external_input_and_forward_bins(make_model, dataset):
    valid = dataset.valid
    ext_input = np.random.default_rng(0).normal(size=(8, 10, 2))
    split = data.Split(valid.encod[:, :8], valid.recon, ext_input)
    model = make_model({"ext_inputs": 2, "forward_bins": 2}, segment=3)
    posterior = inference.posterior_mean(model, split)
    assert posterior.rates.shape == (8, 7, 6)
    inputs = {"spikes": split.encod, "ext_input": split.ext_input}
    np.testing.assert_allclose(posterior.rates, model.predict(inputs, verbose=0), rtol=1e-4)


@pytest.mark.parametrize("name", ["num_samples", "batch_size", "samples_at_once"])
def test_numbers_below_one_are_refused(model, dataset, name):
    with pytest.raises(ValueError, match=name):
        inference.sample_and_average(model, dataset.valid, **{name: 0})
