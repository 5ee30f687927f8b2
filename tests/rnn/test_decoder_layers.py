"""The LFADS decoder and the generator alone as Keras layers."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae.rnn import Generator, LFADSDecoder, posterior_values, recurrent_scan

BATCH, STEPS, GENERATOR, CONTROLLER, FACTORS, INFERRED, EXT = 3, 6, 5, 4, 3, 2, 2


def normal(rng, *shape):
    return tf.constant(rng.normal(size=shape).astype("float32"))


@pytest.fixture
def inputs(rng):
    return {
        "initial_state": normal(rng, BATCH, GENERATOR),
        "controller_input": normal(rng, BATCH, STEPS, 4),
        "ext_input": normal(rng, BATCH, STEPS, EXT),
    }


@pytest.fixture
def decoder(inputs, rng):
    """A decoder whose weights are all off their initial values."""
    layer = LFADSDecoder(GENERATOR, CONTROLLER, FACTORS, INFERRED, l2=(0.5, 0.25))
    layer(inputs)
    for weight in layer.trainable_weights:
        weight.assign_add(0.5 * normal(rng, *weight.shape))
    return layer


def steps_reached(layer, inputs, name, output, step):
    """For which steps of the input `name` the output at `step` has a gradient."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = layer(inputs)[output][:, step]
    gradient = tape.gradient(value, inputs)[name]
    return np.any(gradient.numpy(), axis=(0, 2)).tolist()


def test_factors_are_read_through_columns_of_unit_norm(decoder, inputs):
    out = decoder(inputs)
    kernel = decoder.cell.factor_kernel.numpy()
    assert np.abs(np.linalg.norm(kernel, axis=0) - 1.0).min() > 1e-3  # the weight itself is free
    unit = kernel / np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(out["factors"], out["generator"] @ unit, rtol=1e-5, atol=1e-6)


def test_an_external_input_goes_to_the_generator_only(decoder, inputs):
    before = [t <= 2 for t in range(STEPS)]
    assert steps_reached(decoder, inputs, "ext_input", "generator", 2) == before
    assert steps_reached(decoder, inputs, "ext_input", "factors", 2) == before
    # the controller hears of it a step later, from the factors
    for output in ("controller", "inferred_loc", "inferred_scale", "inferred"):
        later = [t <= 1 for t in range(STEPS)]
        assert steps_reached(decoder, inputs, "ext_input", output, 2) == later
    assert not any(steps_reached(decoder, inputs, "ext_input", "controller", 0))


def test_the_encoding_of_a_step_reaches_that_step_and_later_ones(decoder, inputs):
    for output in ("controller", "inferred", "generator", "factors"):
        reached = steps_reached(decoder, inputs, "controller_input", output, 2)
        assert reached == [t <= 2 for t in range(STEPS)]


def test_the_controller_reads_factors_of_the_initial_state_first(decoder, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        first = decoder(inputs)["controller"][:, 0]
    g0 = tape.gradient(first, inputs)["initial_state"].numpy()
    assert g0.any()
    # through the factors alone: what they do not see of g_0 does nothing
    unit = decoder.cell.factor_kernel / tf.norm(decoder.cell.factor_kernel, axis=0)
    unseen = np.linalg.svd(unit.numpy(), full_matrices=True)[0][:, FACTORS:]
    np.testing.assert_allclose(g0 @ unseen, 0.0, atol=1e-6)


def test_inferred_inputs_are_means_at_inference_and_draws_in_training(decoder, inputs):
    out = decoder(inputs, training=False)
    np.testing.assert_array_equal(out["inferred"], out["inferred_loc"])
    out = decoder(inputs, training=True)
    noise = (out["inferred"] - out["inferred_loc"]) / out["inferred_scale"]
    assert np.abs(noise).min() > 0.0


def test_inferred_noise_is_standard_normal(decoder, inputs):
    many = {name: tf.repeat(x, 400, axis=0) for name, x in inputs.items()}
    out = decoder(many, training=True)
    noise = ((out["inferred"] - out["inferred_loc"]) / out["inferred_scale"]).numpy().ravel()
    error = len(noise) ** -0.5
    assert abs(noise.mean()) < 4 * error
    assert abs((noise**2).mean() - 1.0) < 4 * 2**0.5 * error
    assert abs((noise[1:] * noise[:-1]).mean()) < 4 * error


def test_zero_parameters_mean_the_initial_scale():
    layer = LFADSDecoder(GENERATOR, CONTROLLER, FACTORS, INFERRED, init_scale=0.2)
    layer.build({"initial_state": [None, GENERATOR], "controller_input": [None, None, 4]})
    layer.cell.posterior_kernel.assign(tf.zeros_like(layer.cell.posterior_kernel))
    inputs = {"initial_state": tf.ones([1, GENERATOR]), "controller_input": tf.ones([1, 2, 4])}
    np.testing.assert_allclose(layer(inputs)["inferred_scale"], 0.2, rtol=1e-6)


def test_both_penalties_are_added_and_follow_their_variables(decoder, inputs):
    decoder(inputs)
    norms = [
        0.5 * np.sum(kernel.numpy() ** 2)
        for kernel in (decoder.cell.generator_kernel, decoder.cell.controller_kernel)
    ]
    np.testing.assert_allclose(decoder.losses, [0.5 * norms[0], 0.25 * norms[1]], rtol=1e-6)
    weights = [w for w in decoder.non_trainable_weights if "l2" in w.name]
    assert len(weights) == 2
    for weight in weights:
        weight.assign(3.0)
    decoder(inputs)
    np.testing.assert_allclose(decoder.losses, [3.0 * norm for norm in norms], rtol=1e-6)


def test_dropout_masks_factors_and_inputs_in_training_only(decoder, inputs):
    half = LFADSDecoder.from_config(decoder.get_config() | {"dropout": 0.5})
    half(inputs)
    for own, other in zip(half.trainable_weights, decoder.trainable_weights, strict=True):
        own.assign(other)
    assert np.array_equal(half(inputs)["factors"], decoder(inputs)["factors"])
    with posterior_values("mean", seed=[1, 2]):
        out = half(inputs, training=True)
    unit = half.cell.factor_kernel / tf.norm(half.cell.factor_kernel, axis=0)
    assert np.abs(out["factors"] - out["generator"] @ unit).max() > 0.01


def test_the_generator_alone_is_a_scan_from_its_initial_state(rng, inputs):
    layer = Generator(GENERATOR, FACTORS, clip=0.4)
    call = {name: inputs[name] for name in ("initial_state", "ext_input")}
    call["like"] = inputs["controller_input"]
    out = layer(call)
    pre = tf.transpose(inputs["ext_input"], [1, 0, 2]) @ layer.ext_kernel + layer.generator_bias
    (states,) = recurrent_scan(
        "clipped_gru", pre, [inputs["initial_state"]], tf.constant(layer.generator_kernel), 0.4
    )
    np.testing.assert_allclose(out["generator"], tf.transpose(states, [1, 0, 2]), rtol=1e-5)
    unit = layer.factor_kernel / tf.norm(layer.factor_kernel, axis=0)
    np.testing.assert_allclose(out["factors"], out["generator"] @ unit, rtol=1e-5, atol=1e-6)


def test_of_the_likeness_only_its_length_is_read(rng):
    layer = Generator(GENERATOR, FACTORS)
    state = normal(rng, BATCH, GENERATOR)
    one, other = (
        layer({"initial_state": state, "like": like})["factors"]
        for like in (tf.zeros([BATCH, STEPS, 1]), normal(rng, BATCH, STEPS, 7))
    )
    np.testing.assert_array_equal(one, other)


def test_a_decoder_fed_no_inferred_input_is_a_generator(decoder, inputs):
    decoder.cell.inferred_kernel.assign(tf.zeros_like(decoder.cell.inferred_kernel))
    alone = Generator(GENERATOR, FACTORS)
    call = {name: inputs[name] for name in ("initial_state", "ext_input")}
    call["like"] = inputs["controller_input"]
    alone(call)
    for name in ("ext_kernel", "generator_kernel", "generator_bias", "factor_kernel"):
        getattr(alone, name).assign(getattr(decoder.cell, name))
    np.testing.assert_allclose(
        alone(call)["factors"], decoder(inputs)["factors"], rtol=1e-5, atol=1e-6
    )


SIZES = {"generator_units": 5, "controller_units": 4, "factors": 3, "inferred_inputs": 2}


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"generator_units": 0}, ValueError, "generator_units must be a whole number of at least"),
        ({"controller_units": 1.5}, TypeError, "controller_units must be a whole number"),
        ({"factors": -1}, ValueError, "factors must be a whole number of at least 1, got -1"),
        ({"inferred_inputs": 0}, ValueError, "inferred_inputs must be a whole number of at least"),
        ({"dropout": 1.0}, ValueError, r"dropout must be in \[0\.0, 1\.0\), got 1\.0"),
        ({"clip": -1.0}, ValueError, r"clip must be above 0, got -1\.0"),
        ({"init_scale": 0.0}, ValueError, r"init_scale must be above 0, got 0\.0"),
        ({"init_scale": 1e-4}, ValueError, r"init_scale must be above min_scale"),
        ({"l2": (0.1, -0.1)}, ValueError, r"controller_l2 must be in \[0\.0, inf\], got -0\.1"),
        ({"l2": (0.1,)}, ValueError, "l2 must be two numbers"),
    ],
)
def test_wrong_settings_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        LFADSDecoder(**(SIZES | changes))


def test_an_initial_state_of_another_size_is_refused():
    wrong = {"initial_state": tf.zeros([2, 7]), "like": tf.zeros([2, 3, 1])}
    with pytest.raises(ValueError, match=r"initial_state must have a last axis of size 5"):
        Generator(5, 3)(wrong)


@pytest.mark.parametrize("name", ["initial_state", "controller_input"])
def test_a_missing_input_is_named(name, inputs):
    del inputs[name]
    with pytest.raises(KeyError, match=name):
        LFADSDecoder(**SIZES)(inputs)


def test_an_unknown_input_is_refused(inputs):
    with pytest.raises(KeyError, match=r"'extinput'; did you mean 'ext_input'\?"):
        LFADSDecoder(**SIZES)(inputs | {"extinput": inputs["ext_input"]})
