"""Recurrent Keras layers of one direction and of two."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae.rnn import CELLS, GRU, LSTM, Bidirectional, ClippedGRU, SimpleRNN, recurrent_scan

BATCH, STEPS, CHANNELS, UNITS = 3, 6, 4, 5
ALL = [GRU, LSTM, ClippedGRU, SimpleRNN]
Keras = tf_keras.layers
STOCK = {  # ours, theirs, its settings
    "gru": (GRU, Keras.GRU, {"reset_after": False}),
    "lstm": (LSTM, Keras.LSTM, {}),
    "simple_rnn": (SimpleRNN, Keras.SimpleRNN, {}),
}
each_layer = pytest.mark.parametrize("make", ALL)
each_stock = pytest.mark.parametrize("name", STOCK)


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(size=[BATCH, STEPS, CHANNELS]).astype("float32"))


def build(layer, rng):
    """Builds a layer and moves its weights, also those that start at zero."""
    layer.build([None, None, CHANNELS])
    for weight in layer.trainable_weights:
        weight.assign_add(rng.normal(size=weight.shape).astype("float32"))
    return layer


def wide(make):
    """Settings that lift the bound of the layer that has one."""
    return {"clip": 100.0} if make is ClippedGRU else {}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@each_stock
def test_it_is_the_layer_of_keras_with_the_same_weights(name, sequences, backwards, x):
    ours, theirs, settings = STOCK[name]
    settings = settings | {"return_sequences": sequences, "go_backwards": backwards}
    theirs = theirs(UNITS, **settings)
    theirs.build(x.shape)
    moved = [w + 0.3 * np.cos(np.arange(w.size)).reshape(w.shape) for w in theirs.get_weights()]
    theirs.set_weights(moved)  # biases too are no longer zero
    expected = theirs(x).numpy()
    if sequences and backwards:
        expected = expected[:, ::-1]  # theirs come out in the order they were taken
    ours = ours(UNITS, sequences, go_backwards=backwards)
    ours.build(x.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-6)


@each_stock
def test_its_weights_start_as_those_of_keras(name, x):
    ours, theirs, settings = STOCK[name]
    found = []
    for make, arguments in ((ours, {}), (theirs, settings)):
        tf_keras.utils.set_random_seed(3)
        layer = make(UNITS, **arguments)
        layer.build(x.shape)
        found.append(layer.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_clipped_gru_takes_the_weights_of_the_gru_of_keras(x):
    theirs = tf_keras.layers.GRU(UNITS, reset_after=False, bias_initializer="random_normal")
    expected = theirs(x)
    ours = ClippedGRU(UNITS, clip=100.0)
    ours.build(x.shape)
    ours.set_weights([*theirs.get_weights(), np.zeros(UNITS)])
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backwards", [False, True])
@each_layer
def test_it_is_the_scan_between_transpositions(make, backwards, x, rng):
    settings = {"clip": 0.5} if make is ClippedGRU else {}
    layer = build(make(UNITS, True, go_backwards=backwards, **settings), rng)
    inputs = tf.transpose(x, [1, 0, 2]) @ layer.kernel + layer.bias
    start = [tf.zeros([BATCH, UNITS])] * CELLS[layer.cell].num_states
    if make is ClippedGRU:
        start = [tf.tile(layer.initial_state[tf.newaxis], [BATCH, 1])]
    inputs = inputs[::-1] if backwards else inputs
    kernel = tf.constant(layer.recurrent_kernel)
    states, *_ = recurrent_scan(layer.cell, inputs, start, kernel, 0.5)
    states = states[::-1] if backwards else states  # in order of time again
    np.testing.assert_allclose(layer(x), tf.transpose(states, [1, 0, 2]), rtol=1e-5, atol=1e-6)


@each_layer
def test_gradients_of_all_weights_are_those_of_autodiff(make, draw, rng):
    """Against the stock layer of Keras, where TensorFlow differentiates by itself."""
    x, cotangents = draw(BATCH, STEPS, CHANNELS), draw(BATCH, STEPS, UNITS)
    _, theirs, settings = STOCK["gru" if make is ClippedGRU else make.cell]
    theirs = theirs(UNITS, return_sequences=True, dtype="float64", **settings)
    ours = make(UNITS, True, dtype="float64", **wide(make))
    theirs.build(x.shape)
    ours.build(x.shape)
    weights = theirs.get_weights()
    weights[2] = weights[2] + rng.normal(size=weights[2].shape)
    theirs.set_weights(weights)
    ours.set_weights([*weights, np.zeros(UNITS)] if make is ClippedGRU else weights)
    found = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        found.append([y, *tape.gradient(y, [x, *layer.trainable_weights[:3]], cotangents)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


@each_layer
def test_the_last_state_is_that_after_the_last_step_taken(make, x, rng):
    for backwards, last in ((False, -1), (True, 0)):
        layer = build(make(UNITS, go_backwards=backwards), rng)
        whole = make(UNITS, return_sequences=True, go_backwards=backwards)
        whole.build(x.shape)
        whole.set_weights(layer.get_weights())
        np.testing.assert_array_equal(layer(x), whole(x)[:, last])


def test_the_initial_state_is_a_weight_that_starts_at_zero_and_trains(x):
    layer = ClippedGRU(UNITS)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    assert not layer.initial_state.numpy().any()
    assert any(weight is layer.initial_state for weight in layer.trainable_weights)
    assert np.all(tape.gradient(loss, layer.initial_state) != 0.0)


@each_layer
def test_a_backward_state_sees_later_bins_only(make, x, rng):
    layer = build(make(UNITS, return_sequences=True, go_backwards=True), rng)
    with tf.GradientTape() as tape:
        tape.watch(x)
        state = layer(x)[:, 2]
    gradient = tape.gradient(state, x).numpy()
    assert not gradient[:, :2].any() and gradient[:, 2:].all()


@pytest.mark.parametrize("sequences", [False, True])
@each_layer
def test_both_directions_are_two_layers_side_by_side(make, sequences, x, rng):
    both = Bidirectional(UNITS, make.cell, return_sequences=sequences, clip=0.7)
    build(both, rng)
    settings = {"clip": 0.7} if make is ClippedGRU else {}
    halves = []
    for backwards, part in ((False, both.forward_rnn), (True, both.backward_rnn)):
        one = make(UNITS, sequences, go_backwards=backwards, **settings)
        one.build(x.shape)
        one.set_weights(part.get_weights())
        halves.append(one(x))
    np.testing.assert_array_equal(both(x), tf.concat(halves, axis=-1))
    assert len(both.trainable_weights) == (8 if make is ClippedGRU else 6)
    different = np.abs(both.forward_rnn.kernel - both.backward_rnn.kernel)
    assert different.min() > 0.0


def test_both_directions_are_those_of_keras(x):
    theirs = Keras.Bidirectional(Keras.GRU(UNITS, reset_after=False, return_sequences=True))
    ours = Bidirectional(UNITS, "gru", return_sequences=True)
    expected = theirs(x)
    ours.build(x.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-6)


def test_sizes_are_those_that_the_seed_notebook_names():
    encoder = Bidirectional(128, "gru")
    encoder.build([None, None, 36])
    assert encoder.count_params() == 126_720
    encoder = Bidirectional(16, "gru", return_sequences=True)
    assert encoder(tf.zeros([16, 246, 36])).shape == [16, 246, 32]
    assert encoder.count_params() == 5_088


def test_initial_scales_are_those_of_lfads():
    layer = ClippedGRU(60)
    layer.build([None, None, 40])
    np.testing.assert_allclose(np.std(layer.kernel), 0.1, rtol=0.05)
    np.testing.assert_allclose(np.std(layer.recurrent_kernel), 0.1, rtol=0.05)
    np.testing.assert_array_equal(layer.bias, [1.0] * 120 + [0.0] * 60)


@pytest.mark.parametrize("make, parts", [*((one, 1) for one in ALL), (Bidirectional, 2)])
def test_the_penalty_is_half_the_squared_norm_and_follows_its_variable(make, parts, x):
    layer = make(UNITS, recurrent_l2=0.3)

    @tf.function
    def losses(x):
        layer(x)
        return tf.add_n(layer.losses)

    first = losses(x)
    kernels = [w.numpy() for w in layer.trainable_weights if "recurrent_kernel" in w.name]
    weights = [w for w in layer.non_trainable_weights if "l2" in w.name]
    assert len(kernels) == len(weights) == parts
    expected = 0.5 * sum(np.sum(kernel**2) for kernel in kernels)
    np.testing.assert_allclose(first, 0.3 * expected, rtol=1e-6)
    for weight in weights:
        weight.assign(2.0)
    np.testing.assert_allclose(losses(x), 2.0 * expected, rtol=1e-6)


@each_layer
def test_no_penalty_no_loss(make, x):
    layer = make(UNITS)
    layer(x)
    assert layer.losses == []


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"units": 0}, ValueError, "units must be a whole number of at least 1, got 0"),
        ({"units": 2.0}, TypeError, "units must be a whole number"),
        ({"units": 3, "return_sequences": 1}, TypeError, "return_sequences must be True or False"),
    ],
)
@pytest.mark.parametrize("make", [*ALL, Bidirectional])
def test_wrong_settings_are_refused(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)


@pytest.mark.parametrize("make", [ClippedGRU, Bidirectional])
def test_a_bound_of_zero_is_refused(make):
    with pytest.raises(ValueError, match=r"clip must be above 0, got 0\.0"):
        make(3, clip=0.0)


def test_an_unknown_cell_is_refused():
    with pytest.raises(KeyError, match=r"cell must be one of .*, got 'gruu'; did you mean 'gru'\?"):
        Bidirectional(3, "gruu")


@pytest.mark.parametrize("make", [*ALL, Bidirectional])
def test_a_negative_penalty_is_refused(make):
    with pytest.raises(ValueError, match=r"l2 must be in \[0\.0, inf\], got -1"):
        make(3, recurrent_l2=-1.0)


@pytest.mark.parametrize("shape", [[2, 4], [2, 3, 4, 5]])
@pytest.mark.parametrize("make", [*ALL, Bidirectional])
def test_inputs_without_a_time_axis_are_refused(make, shape):
    with pytest.raises(ValueError, match="inputs must have 3 axes, got shape"):
        make(3)(tf.zeros(shape))


@pytest.mark.parametrize("make", [*ALL, Bidirectional])
def test_a_graph_can_be_cut_at_its_output(make):
    inputs = tf_keras.Input([None, 4])
    layer = make(3)
    outputs = layer(inputs)
    assert layer.output is outputs
