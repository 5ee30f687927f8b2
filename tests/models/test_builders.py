"""The builders: the notebook's goldens, each switch, and what they hand on."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import models
from tfp_bvae.training import NegativeLogLikelihood

CHANNELS, STEPS, BATCH = 4, 7, 3
SMALL = {
    "channels": CHANNELS, "f_size": 2, "f_encoder_units": 3, "z_size": 2, "z_encoder_units": 3,
    "controller_units": 3, "generator_units": 5, "factors": 3, "z_prior_units": 4,
}  # fmt: skip
DSAE = {"generator_cell": "gru", "lag": 0}

SWITCHES = {
    "f: gru; z: recurrent prior": {**DSAE, "f_encoder_cell": "gru", "z_prior": "gru"},
    "f: two layers of lstm, one way; simple rnn prior": {
        "f_encoder_cell": "lstm", "f_encoder_layers": 2, "f_encoder_bidirectional": False,
        "z_prior": "simple_rnn", "likelihood": "negative_binomial",
    },
    "f: simple rnn, full covariance; clipped gru prior": {
        "f_encoder_cell": "simple_rnn", "f_covariance": "full", "p_f_trainable_scale": True,
        "z_prior": "clipped_gru", "likelihood": "zero_inflated_poisson",
    },
    "z: lstm and its prior, second rnn, f joins it": {
        **DSAE, "z_prior": "lstm", "z_encoder_cell": "lstm", "z_encoder_units2": 4,
        "z_encoder_cell2": "lstm", "f_joins": "second", "free_bits_f": 0.1, "free_bits_z": 0.1,
    },
    "z: full covariance, ar1; input factors": {
        **DSAE, "z_covariance": "full", "input_factors": 3, "segment": 2,
    },
    "z: full covariance, tiled; f joins first": {
        **DSAE, "z_covariance": "full", "z_prior": "tiled", "f_joins": "first",
        "capacity_f": 2.0,
    },
    "z: gru, causal; log variances": {
        **DSAE, "z_encoder_cell": "gru", "causal": True, "segment": 2, "scale_rule": "log_variance",
    },
    "z: dense; generator: lstm, f in its inputs": {
        "z_encoder_cell": "dense", "lag": 0, "generator_cell": "lstm", "f_enters": "inputs",
    },
    "generator: clipped gru, both; ext input": {
        "generator_cell": "clipped_gru", "f_enters": "both", "ext_inputs": 2,
    },
    "generator: dense": {"generator_cell": "dense", "f_enters": "inputs", "ext_inputs": 2},
    "generator: simple rnn, no z": {
        "generator_cell": "simple_rnn", "z_size": 0, "forward_bins": 1,
    },
    "generator: f in the inputs, no z": {
        "generator_cell": "gru", "z_size": 0, "f_enters": "inputs",
    },
    "ext input to the controller; standard normal": {
        "ext_inputs": 2, "inject_ext_input_to_gen": False, "z_prior": "standard_normal",
        "likelihood": "gaussian_full", "scale_rule": "log_variance",
    },
    "samples; penalties on f": {
        "num_samples": 3, "total_correlation": 1.0, "dip": 0.5, "num_trials": 30,
    },
    "samples, weighted": {
        "num_samples": 3, "importance_weighted": True, "ext_inputs": 2, "coordinated_dropout": 0,
    },
    "samples, weighted, no controller": {
        **DSAE, "num_samples": 2, "importance_weighted": True, "z_prior": "tiled",
        "coordinated_dropout": 0,
    },
}  # fmt: skip


def data(given: dict) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    length = STEPS + given.get("forward_bins", 0)
    inputs = {"spikes": rng.poisson(1.0, [BATCH, STEPS, CHANNELS]).astype("float32")}
    if "ext_inputs" in given:
        inputs["ext_input"] = rng.normal(size=[BATCH, length, 2]).astype("float32")
    kept = length - given.get("segment", 0)
    return inputs, rng.poisson(1.0, [BATCH, kept, CHANNELS]).astype("float32")


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_gives_a_model_that_learns(name):
    model = models.create_model(SMALL | SWITCHES[name])
    inputs, targets = data(SWITCHES[name])
    with tf.GradientTape() as tape:
        likelihood = model(inputs, training=True)
        loss = tf.reduce_mean(NegativeLogLikelihood().call(targets, likelihood))
        loss += tf.add_n(model.losses) if model.losses else 0.0
    assert np.isfinite(loss)
    for weight, gradient in zip(
        model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True
    ):
        assert gradient is not None, weight.name
        assert np.isfinite(gradient).all(), weight.name
    rates = model(inputs, training=False).mean()
    assert rates.shape == targets.shape
    assert np.isfinite(rates).all()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("z: full covariance, tiled; f joins first", marks=pytest.mark.slow),
        pytest.param("samples, weighted", marks=pytest.mark.slow),
    ],
)
def test_switched_models_fit_under_xla(name):
    model = models.create_model(SMALL | SWITCHES[name])
    inputs, targets = data(SWITCHES[name])
    model.compile("adam", loss=NegativeLogLikelihood(), jit_compile=True)
    before = [w.numpy() for w in model.trainable_weights]
    model.fit(inputs, targets, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert any((w.numpy() != b).any() for w, b in zip(model.trainable_weights, before, strict=True))


def test_the_notebooks_f_encoder():
    kit = {"f_encoder_cell": "gru", "f_encoder_units": 128, "f_size": 10}
    x = tf_keras.Input([246, 36])
    model = tf_keras.Model(x, models.create_f_encoder(kit, x))
    assert model.get_layer("f_encoder").count_params() == 126_720
    assert model.get_layer("f_encoder").output_shape == (None, 256)
    assert model.get_layer("f_loc").count_params() == 2_570
    assert model.get_layer("f_scale").count_params() == 2_570
    assert model(tf.zeros([16, 246, 36])).shape == (16, 20)


def test_the_notebooks_z_encoder():
    kit = {"z_encoder_cell": "gru", "z_encoder_units": 16}
    x = tf_keras.Input([None, 36])
    model = tf_keras.Model(x, models.create_z_encoder(kit, x))
    assert model.count_params() == 5_088
    assert model(tf.zeros([16, 246, 36])).shape == (16, 246, 32)


def test_no_two_kernels_start_the_same():
    model = models.create_model(SMALL | DSAE | {"z_size": 2})
    kernels = [w.numpy() for w in model.trainable_weights if "kernel" in w.name]
    for i, a in enumerate(kernels):
        assert not any(a.shape == b.shape and (a == b).all() for b in kernels[:i])


def test_dataclasses_and_flat_dicts_build_the_same():
    flat = models.create_model(SMALL)
    parted = models.create_model(*reversed(models.split_settings(SMALL)))
    for a, b in zip(flat.get_weights(), parted.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert flat.get_config() == parted.get_config()
    assert flat.hyperparameters == parted.hyperparameters


def test_lfads_is_the_kit_with_its_defaults():
    lfads = models.lfads({"channels": CHANNELS})
    kit = models.create_model({"channels": CHANNELS})
    assert [layer.name for layer in lfads.layers] == [layer.name for layer in kit.layers]
    with pytest.raises(ValueError, match="generator_cell of lfads must be one of 'complex'"):
        models.lfads({"channels": CHANNELS}, {"generator_cell": "gru"})


def test_prepared_inputs_are_cut_and_masked():
    x = tf_keras.Input([STEPS, CHANNELS])
    kit = {"segment": 2, "coordinated_dropout": 0.5, "dropout": 0.0}
    seen = models.prepare_inputs(kit, x)
    model = tf_keras.Model(x, [seen.f, seen.z, *seen.taught])
    ones = tf.ones([BATCH, STEPS, CHANNELS])
    head, rest, weights = (a.numpy() for a in model(ones, training=True))
    assert head.shape == (BATCH, 2, CHANNELS) and (head == 1).all()
    assert rest.shape == weights.shape == (BATCH, STEPS - 2, CHANNELS)
    assert not (rest * weights).any() and set(np.unique(rest)) == {0.0, 2.0}


def test_what_is_missing_is_asked_for():
    x, f = tf_keras.Input([STEPS, CHANNELS]), tf_keras.Input([2])
    with pytest.raises(ValueError, match="trial must be given with sample_validation"):
        models.prepare_inputs({"sample_validation": 0.2}, x)
    with pytest.raises(ValueError, match="f must be given with f_joins='first'"):
        models.create_z_encoder({**DSAE, "f_joins": "first"}, x)
    with pytest.raises(ValueError, match="like must be given where there is no z"):
        models.create_generator({"generator_cell": "gru"}, f)


def test_sampling_the_prior_of_z_alone():
    kit = {"z_size": 2, "z_prior": "gru"}
    paths, steps = models.sample_z_prior(kit, num_timesteps=9, samples=4, batches=3)
    assert paths.shape == (4, 3, 9, 2)
    assert steps.mean().shape[-2:] == (9, 2)
    shared, _ = models.sample_z_prior(kit, num_timesteps=9, samples=4, batches=3, fixed=True)
    np.testing.assert_array_equal(shared[:, 0], shared[:, 2])
