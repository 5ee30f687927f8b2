"""What builders and whole models refuse, and what a fit does with the rarer settings."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import SMALL

from tfp_bvae import layers, models, rnn, training

FAST = {"epochs": 1, "batch_size": 16, "warm_up": 0, "jit_compile": False}
OPEN = {"coordinated_dropout": 0.0}
WEIGHTED = {"num_samples": 2, "importance_weighted": True}


@pytest.mark.parametrize(
    "arguments, params",
    [
        ({"likelihood": "gaussian_full"}, {"generator_cell": "gru"}),
        pytest.param({"likelihood": "gaussian", **WEIGHTED}, OPEN, marks=pytest.mark.slow),
        pytest.param({"likelihood": "negative_binomial", **WEIGHTED}, OPEN, marks=pytest.mark.slow),
    ],
)
def test_rarer_likelihoods_and_bounds_go_through_fit(dataset, arguments, params):
    given = training.data_arguments(dataset).replace(arguments)
    model = models.create_model(SMALL | params, given)
    history = training.fit(model, dataset, FAST, verbose=False)
    assert np.isfinite([history[0]["loss"], history[0]["val_heldout"]]).all()


@pytest.mark.parametrize(
    "params, said",
    [
        ({"coordinated_dropout": 0.2}, "coordinated_dropout must be 0 with importance_weighted"),
        (OPEN | {"sample_validation": 0.2}, "sample_validation must be 0"),
        (OPEN | {"free_bits_z": 1.0}, "free_bits_z must be 0"),
        (OPEN | {"beta_f": 0.5}, r"beta_f must be 1 \(or left at its default\)"),
    ],
)
def test_what_the_weighted_bound_cannot_honour_is_refused(params, said):
    with pytest.raises(ValueError, match=said):
        models.create_model(SMALL | params, WEIGHTED | {"channels": 4})


def test_ratios_keep_full_precision():
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = models.create_model(SMALL | OPEN, WEIGHTED | {"channels": 4})
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    ratios = [model.get_layer(name).output[1] for name in ("kl_f", "kl_z")]
    assert {ratio.dtype for ratio in ratios} == {tf.float32}


@pytest.mark.parametrize(
    "args, error, said",
    [
        ((None,), ValueError, "channels must be given"),
        (({"factors": 5},), ValueError, "channels must be given"),
        ((models.Params(),), ValueError, "channels must be given"),
        ((5, {"channels": 4}), TypeError, "settings must be a Params or a dict, got 5"),
        (({"channels": 3}, {"channels": 4}), ValueError, "channels must be among the arguments"),
    ],
)
def test_arguments_come_once(args, error, said):
    with pytest.raises(error, match=said):
        models.create_model(*args)


def test_settings_of_another_model_are_refused_by_dsae():
    with pytest.raises(ValueError, match="params must be of dsae_params"):
        models.dsae({"channels": 4}, models.Params())


def test_kappa_is_kept_as_a_scale():
    params = models.Params.of({"kappa": 0.25})
    assert (params.p_f_scale, params.kappa) == (0.5, None)
    assert params.replace({"p_f_scale": 1.0}).p_f_scale == 1.0
    with pytest.raises(ValueError, match=r"kappa=0.5 must go with p_f_scale 0.707107"):
        models.Params.of({"kappa": 0.5, "p_f_scale": 1.0})


def test_yaml_takes_a_number_without_a_dot():
    assert models.Params.from_yaml("learning_rate: 1e-3").learning_rate == 1e-3


def test_clip_covariance_and_seed_reach_their_layers():
    kit = {"channels": 4, "z_prior": "clipped_gru", "clip": 1.5, "seed": 5}
    kit |= {"sample_validation": 0.2, "f_covariance": "full", "p_f_trainable_scale": True}
    model = models.create_model(SMALL | kit)
    assert model.get_layer("p_z").get_config()["clip"] == 1.5
    assert model.get_layer("p_f").get_config()["covariance"] == "full"
    assert model.get_layer("sample_validation").seed == 5


def test_the_total_correlation_is_told_the_number_of_trials(dataset):
    given = training.data_arguments(dataset).replace({"num_trials": 1000})
    model = models.create_model(SMALL | {"total_correlation": 1.0}, given)
    with pytest.raises(ValueError, match=r"num_trials of the model must be 32, .* got 1000"):
        training.fit(model, dataset, FAST, verbose=False)


@pytest.mark.parametrize(
    "build",
    [
        lambda x: models.create_output_distribution({"channels": 5}, x),
        lambda x: models.make_z_variational({"generator_cell": "gru"}, x),
        lambda x: models.create_generator({"generator_cell": "gru"}, x, x),
        lambda x: models.create_generator_lfads({}, x, x),
        lambda x: models.create_f_encoder({}, x),
        lambda x: models.create_z_encoder({}, x),
        lambda x: models.prepare_inputs({}, x),
        lambda x: models.sample_z_prior(keras.layers.Dense(3), 5),
    ],
)
def test_builders_refuse_keras_3(build):
    with pytest.raises(TypeError, match="Keras 3"):
        build(keras.Input([10, 5]))


def test_a_kl_knows_its_posterior_from_its_prior():
    q = layers.MVNDiagPosterior(3)(tf.zeros([4, 6]))
    p = layers.LearnableMVNPrior(3)(tf.zeros([4, 1]))
    with pytest.raises(ValueError, match=r"is \[q, p\] swapped"):
        layers.KLDivergence()([p, q])
    with pytest.raises(ValueError, match="where the layer owns its prior"):
        layers.KLDivergence(prior=layers.LearnableMVNPrior(3))([q, p])
    with pytest.raises(ValueError, match="q and p must have one size"):
        layers.KLDivergence()([q, layers.LearnableMVNPrior(4)(tf.zeros([4, 1]))])


def test_sample_validation_wants_an_index():
    with pytest.raises(ValueError, match=r"inputs must be \[x, index\]"):
        layers.SampleValidation(0.2)(tf.zeros([2, 3, 4]))


def test_a_new_cell_gives_its_initial_state():
    layer = tf_keras.layers.RNN(rnn.LFADSCell(7, 6, 4, 2), return_sequences=True)
    z = tf.zeros([3, 10, 5])
    with pytest.raises(ValueError, match="the cell must be built"):
        layer.get_initial_state(z)
    layer(z)
    state = layer.get_initial_state(z)
    assert state[1].shape == (3, 7)  # Keras makes a list of it
    assert layer(z, initial_state=state)["factors"].shape == (3, 10, 4)


def test_a_zero_inflated_read_out_starts_at_the_mean():
    model = models.create_model(
        SMALL | {"channels": 4, "likelihood": "zero_inflated_poisson"}, mean_rates=np.full(4, 2.0)
    )
    eta = tf.tile(model.get_layer("log_rate").bias[tf.newaxis, tf.newaxis], [1, 3, 1])
    mean = model.get_layer("likelihood").distribution(eta).mean()
    np.testing.assert_allclose(mean, 2.0, rtol=1e-5)
