"""The LFADS cell in a recurrent layer of Keras against the decoder that scans it."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae.rnn import LFADSCell, LFADSDecoder, LFADSState, posterior_values

BATCH, STEPS, GENERATOR, CONTROLLER, FACTORS, INFERRED, EXT = 3, 6, 5, 4, 3, 2, 2
SIZES = (GENERATOR, CONTROLLER, FACTORS, INFERRED)


def inputs_of(rng, ext, dtype="float64"):
    shapes = {"controller_input": [BATCH, STEPS, 4], "initial_state": [BATCH, GENERATOR]}
    if ext:
        shapes["ext_input"] = [BATCH, STEPS, EXT]
    return {name: tf.constant(rng.normal(size=s).astype(dtype)) for name, s in shapes.items()}


def rolled(cell, inputs, **settings):
    """Runs the cell as Keras does, from the given state of the generator."""
    sequences = {name: x for name, x in inputs.items() if name != "initial_state"}
    layer = tf_keras.layers.RNN(cell, return_sequences=True, dtype=cell.dtype)
    return layer(sequences, initial_state=cell.start(inputs["initial_state"]), **settings)


@pytest.mark.parametrize("clip", [5.0, 0.3])
@pytest.mark.parametrize("ext, to_generator", [(False, True), (True, True), (True, False)])
def test_the_decoder_is_the_cell_step_by_step(ext, to_generator, clip, rng):
    """Outputs, and the gradients of inputs and of all weights."""
    inputs = inputs_of(rng, ext)
    decoder = LFADSDecoder(*SIZES, clip=clip, inject_ext_input_to_gen=to_generator, dtype="float64")
    decoder(inputs)
    for weight in decoder.trainable_weights:
        weight.assign_add(0.5 * rng.normal(size=weight.shape))
    cotangents = {
        name: tf.constant(rng.normal(size=[BATCH, STEPS, size]))
        for name, size in decoder.cell.output_size.items()
    }
    found = []
    for run in (lambda: decoder(inputs), lambda: rolled(decoder.cell, inputs)):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            out = run()
        sources = [inputs, decoder.trainable_weights]
        found.append((out, tape.gradient(out, sources, cotangents)))
    (fast, d_fast), (slow, d_slow) = found
    assert sorted(fast) == sorted(slow) == sorted(decoder.cell.output_size)
    for name in fast:
        np.testing.assert_allclose(fast[name], slow[name], rtol=1e-10, atol=1e-10)
    for one, other in zip(tf.nest.flatten(d_fast), tf.nest.flatten(d_slow), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


def test_a_cell_takes_the_weights_of_a_decoder(rng):
    inputs = inputs_of(rng, ext=True, dtype="float32")
    decoder = LFADSDecoder(*SIZES)
    expected = decoder(inputs)
    cell = LFADSCell(*SIZES)
    cell.build({"controller_input": [None, 4], "ext_input": [None, EXT]})
    cell.set_weights(decoder.cell.get_weights())
    for name, x in rolled(cell, inputs).items():
        np.testing.assert_allclose(x, expected[name], rtol=1e-6, atol=1e-6)


def test_states_are_named_and_lead_on(rng):
    """Two halves, joined by the state between them, are the whole."""
    inputs = inputs_of(rng, ext=False)
    x, cell = inputs["controller_input"], LFADSCell(*SIZES, dtype="float64")
    layer = tf_keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    whole, *_ = layer(x)
    first, *parts = layer(x[:, :2])
    state = LFADSState(*parts)
    np.testing.assert_array_equal(state.controller, first["controller"][:, -1])
    np.testing.assert_array_equal(state.generator, first["generator"][:, -1])
    np.testing.assert_array_equal(state.factors, first["factors"][:, -1])
    np.testing.assert_array_equal(state.step, [[2]] * BATCH)
    second, *_ = layer(x[:, 2:], initial_state=list(state))
    for name in whole:
        both = tf.concat([first[name], second[name]], axis=1)
        np.testing.assert_allclose(both, whole[name], rtol=1e-12)


def test_without_a_state_the_generator_starts_at_zero_and_the_controller_at_its_weight(rng):
    cell = LFADSCell(*SIZES)
    cell.build([None, 4])
    cell.controller_start.assign([0.1, 0.2, 0.3, 0.4])
    state = cell.get_initial_state(batch_size=2)
    np.testing.assert_allclose(state.controller, [[0.1, 0.2, 0.3, 0.4]] * 2)
    assert not np.any(state.generator) and not np.any(state.factors)
    generator = rng.normal(size=[2, GENERATOR]).astype("float32")
    unit = cell.factor_kernel / tf.norm(cell.factor_kernel, axis=0)
    np.testing.assert_allclose(cell.start(generator).factors, generator @ unit, rtol=1e-5)


def test_an_input_alone_needs_no_name(rng):
    x = inputs_of(rng, ext=False, dtype="float32")["controller_input"]
    cell = LFADSCell(*SIZES)
    alone, named = (tf_keras.layers.RNN(cell, return_sequences=True) for _ in range(2))
    for one, other in zip(alone(x).values(), named({"controller_input": x}).values(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", ["cell", "decoder"])
@pytest.mark.parametrize("to_generator", [True, False])
def test_an_external_input_goes_where_it_is_sent(make, to_generator, rng):
    inputs = inputs_of(rng, ext=True)
    decoder = LFADSDecoder(*SIZES, inject_ext_input_to_gen=to_generator, dtype="float64")
    decoder(inputs)
    run = decoder if make == "decoder" else lambda x: rolled(decoder.cell, x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        out = run(inputs)
        now = {name: out[name][:, 2] for name in ("controller", "inferred_loc", "generator")}
    reached = {
        name: np.any(tape.gradient(x, inputs["ext_input"]), axis=(0, 2)).tolist()
        for name, x in now.items()
    }
    to_now, to_past = [t <= 2 for t in range(STEPS)], [t <= 1 for t in range(STEPS)]
    assert reached["generator"] == to_now
    assert reached["controller"] == reached["inferred_loc"] == (to_past if to_generator else to_now)
    names = {weight.name.split("/")[-1] for weight in decoder.cell.weights}
    assert ("generator_ext_kernel:0" in names) == to_generator
    assert ("controller_ext_kernel:0" in names) == (not to_generator)


def noise_of(out):
    return ((out["inferred"] - out["inferred_loc"]) / out["inferred_scale"]).numpy()


@pytest.mark.parametrize("seed", [None, [1, 2]])
def test_noise_is_standard_normal_and_new_at_each_step(seed):
    layer = tf_keras.layers.RNN(LFADSCell(*SIZES, seed=0), return_sequences=True)
    with posterior_values("sample", seed=seed):
        noise = noise_of(layer(tf.zeros([800, 5, 4]), training=True))
    error = noise.size**-0.5
    assert abs(noise.mean()) < 4 * error
    assert abs((noise**2).mean() - 1.0) < 4 * 2**0.5 * error
    for lag in range(1, 5):
        products = noise[:, lag:] * noise[:, :-lag]
        assert abs(products.mean()) < 4 * products.size**-0.5
    assert len(np.unique(noise)) > 0.99 * noise.size


def test_draws_are_the_same_with_xla(rng):
    x = inputs_of(rng, ext=False, dtype="float32")["controller_input"]
    layer = tf_keras.layers.RNN(LFADSCell(*SIZES, seed=0), return_sequences=True)
    layer(x)
    (counter,) = (w for w in layer.cell.weights if "seed_and_draws" in w.name)
    before = counter.numpy()
    found = []
    for jit in (False, True):
        counter.assign(before)
        found.append(tf.function(lambda x: layer(x, training=True), jit_compile=jit)(x))
    for name in found[0]:
        np.testing.assert_allclose(found[0][name], found[1][name], rtol=1e-5, atol=1e-6)
    assert counter.numpy()[1] - before[1] >= STEPS  # Keras tries the first step once more


def test_the_first_factors_have_a_dropout_mask_of_their_own(rng):
    """Some unit that f_1 does not see is seen by f_0, and the other way round."""
    units = 40
    decoder = LFADSDecoder(units, 3, units, 1, dropout=0.4, seed=1)
    g_0 = tf.constant(rng.normal(size=[2, units]).astype("float32"))
    inputs = {"initial_state": g_0, "controller_input": tf.zeros([2, 2, 4])}
    decoder(inputs)
    decoder.cell.factor_kernel.assign(tf.eye(units))
    with posterior_values("mean"), tf.GradientTape() as tape:
        tape.watch(g_0)
        out = decoder(inputs, training=True)
        first = out["controller"][:, 0]
    seen_0 = tape.gradient(first, g_0).numpy() != 0.0  # and not masked on its way back either
    seen_1 = out["factors"][:, 0].numpy() != 0.0
    assert (seen_0 & ~seen_1).any() and (seen_1 & ~seen_0).any()


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"controller_units": 0}, ValueError, "controller_units must be a whole number of at"),
        ({"inject_ext_input_to_gen": 1}, TypeError, "inject_ext_input_to_gen must be True or F"),
        ({"init_scale": 0.0}, ValueError, r"init_scale must be above 0, got 0\.0"),
        ({"clip": -1.0}, ValueError, r"clip must be above 0, got -1\.0"),
    ],
)
@pytest.mark.parametrize("make", [LFADSCell, LFADSDecoder])
def test_wrong_settings_are_refused(make, changes, error, message):
    names = ("generator_units", "controller_units", "factors", "inferred_inputs")
    with pytest.raises(error, match=message):
        make(**(dict(zip(names, SIZES, strict=True)) | changes))


def test_inputs_are_known_by_name():
    with pytest.raises(KeyError, match=r"'extinput'; did you mean 'ext_input'\?"):
        LFADSCell(*SIZES).build({"controller_input": [None, 4], "extinput": [None, 2]})
    with pytest.raises(KeyError, match="controller_input"):
        LFADSCell(*SIZES).build({"ext_input": [None, 2]})
