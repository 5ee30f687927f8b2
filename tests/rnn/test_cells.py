"""The recurrent cells against numpy, Keras, and automatic differentiation of a slow loop."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from plain_scans import plain_scan
from scipy.special import expit

from tfp_bvae.rnn import CELLS, recurrent_scan

BATCH, STEPS, UNITS = 2, 7, 3
LOOSE, TIGHT = 100.0, 0.3  # a bound that no state comes near, and one that many reach
NAMES = ["clipped_gru", "gru", "lstm", "simple_rnn"]


def equations(name, a, states, kernel, clip):
    """The next states, by the equations alone, block by block, in numpy."""
    h = states[0]
    a, u = (np.split(x, CELLS[name].blocks, axis=-1) for x in (a, kernel))
    if name == "simple_rnn":
        return (np.tanh(a[0] + h @ u[0]),)
    if name == "lstm":
        into, keep, out = (expit(a[i] + h @ u[i]) for i in (0, 1, 3))
        memory = keep * states[1] + into * np.tanh(a[2] + h @ u[2])
        return out * np.tanh(memory), memory
    update, reset = (expit(a[i] + h @ u[i]) for i in (0, 1))
    h = update * h + (1 - update) * np.tanh(a[2] + (reset * h) @ u[2])
    return (np.clip(h, -clip, clip),) if name == "clipped_gru" else (h,)


def slow_scan(name, inputs, kernel, *states, clip):
    """A Python loop that TensorFlow differentiates by itself."""
    return plain_scan(name, inputs, states, kernel, clip)


def fast_scan(name, inputs, kernel, *states, clip):
    return recurrent_scan(name, inputs, states, kernel, clip)


@pytest.fixture
def make(draw):
    """Inputs, recurrent kernel and initial states of a cell."""

    def arguments(name, steps=STEPS, batch=BATCH):
        width = CELLS[name].blocks * UNITS
        states = [draw(batch, UNITS) for _ in range(CELLS[name].num_states)]
        return draw(steps, batch, width), draw(UNITS, width), *states

    return arguments


@pytest.fixture
def cotangents(draw):
    return lambda name, steps=STEPS, batch=BATCH: tuple(
        draw(steps, batch, UNITS) for _ in range(CELLS[name].num_states)
    )


def test_these_are_all_cells():
    assert sorted(CELLS) == NAMES
    assert [(CELLS[n].blocks, CELLS[n].num_states) for n in NAMES] == [
        (3, 1), (3, 1), (4, 2), (1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("clip", [LOOSE, TIGHT])
@pytest.mark.parametrize("name", NAMES)
def test_one_step_equals_numpy(name, clip, make):
    """For one trial at a time."""
    inputs, kernel, *states = make(name)
    cell = CELLS[name]
    found, saved = cell.step(cell.split(inputs[0]), tuple(states), cell.split(kernel), clip)
    for trial in range(BATCH):
        a, *before = (x[trial].numpy() for x in (inputs[0], *states))
        expected = equations(name, a, before, kernel.numpy(), clip)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[trial], other, rtol=1e-12)
    assert [x.shape for x in saved] == [(BATCH, width * UNITS) for width in cell.saved]


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_clipped_before_the_next_step_sees_it(name, make):
    inputs, kernel, *states = make(name)
    found = recurrent_scan(name, inputs, states, kernel, TIGHT)
    states, kernel = [s.numpy() for s in states], kernel.numpy()
    for time, a in enumerate(inputs.numpy()):
        states = equations(name, a, states, kernel, TIGHT)
        for sequence, state in zip(found, states, strict=True):
            np.testing.assert_allclose(sequence[time], state, rtol=1e-11)
    if name == "clipped_gru":
        assert np.abs(found[0]).max() == TIGHT
    else:
        assert np.abs(found[0]).max() > TIGHT  # the others know of no bound


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "name, stock",
    [
        ("clipped_gru", tf_keras.layers.GRU),
        ("gru", tf_keras.layers.GRU),
        ("lstm", tf_keras.layers.LSTM),
        ("simple_rnn", tf_keras.layers.SimpleRNN),
    ],
)
def test_it_is_the_layer_of_keras(name, stock, backwards, draw):
    """The clipped GRU with a bound so wide that it is none."""
    x = draw(BATCH, STEPS, 4)
    options = {"lstm": {"unit_forget_bias": False}, "simple_rnn": {}}.get(
        name, {"reset_after": False}
    )
    layer = stock(
        UNITS, return_sequences=True, go_backwards=backwards, dtype="float64",
        bias_initializer="random_normal", **options,
    )  # fmt: skip
    expected = layer(x)
    kernel, recurrent, bias = layer.get_weights()
    inputs = tf.transpose(x, [1, 0, 2]) @ kernel + bias
    if backwards:
        inputs = inputs[::-1]
    start = [tf.zeros([BATCH, UNITS], tf.float64)] * CELLS[name].num_states
    states = recurrent_scan(name, inputs, start, tf.constant(recurrent), LOOSE)
    np.testing.assert_allclose(tf.transpose(states[0], [1, 0, 2]), expected, rtol=1e-10)


@pytest.mark.parametrize("clip, jit", [(LOOSE, False), (TIGHT, False), (TIGHT, True)])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_equals_that_of_a_slow_loop(
    name, clip, jit, make, cotangents, assert_same_gradient
):
    assert_same_gradient(
        lambda *a: fast_scan(name, *a, clip=clip),
        lambda *a: slow_scan(name, *a, clip=clip),
        make(name),
        cotangents(name),
        jit_compile=jit,
    )


@pytest.mark.parametrize("state", [0, 1])
def test_gradient_of_each_state_of_an_lstm_alone(state, make, cotangents, assert_same_gradient):
    chosen = [x if i == state else tf.zeros_like(x) for i, x in enumerate(cotangents("lstm"))]
    assert_same_gradient(
        lambda *a: fast_scan("lstm", *a, clip=None),
        lambda *a: slow_scan("lstm", *a, clip=None),
        make("lstm"),
        tuple(chosen),
    )


def test_an_output_that_nobody_uses_has_no_gradient(make, draw, assert_same_gradient):
    """What goes into the loss as a rule: the output of an LSTM, without its memory."""
    assert_same_gradient(
        lambda *a: fast_scan("lstm", *a, clip=None)[0],
        lambda *a: slow_scan("lstm", *a, clip=None)[0],
        make("lstm"),
        draw(STEPS, BATCH, UNITS),
    )


@pytest.mark.parametrize("name", NAMES)
def test_gradient_of_a_single_step_and_a_single_trial(name, make, cotangents, assert_same_gradient):
    assert_same_gradient(
        lambda *a: fast_scan(name, *a, clip=TIGHT),
        lambda *a: slow_scan(name, *a, clip=TIGHT),
        make(name, 1, 1),
        cotangents(name, 1, 1),
    )


@pytest.mark.parametrize("name", NAMES)
def test_time_and_batch_may_be_unknown(name, make):
    traces = []
    _, kernel, *states = make(name)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, kernel.shape[-1]], tf.float64),
            [tf.TensorSpec([None, UNITS], tf.float64) for _ in states],
        ]
    )
    def gradients(inputs, states):
        traces.append(1)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            found = recurrent_scan(name, inputs, states, kernel)
            assert all(x.shape.as_list() == [None, None, UNITS] for x in found)
        return tape.gradient(found, inputs)

    for steps, batch in [(STEPS, BATCH), (4, 5)]:
        inputs, _, *states = make(name, steps, batch)
        assert gradients(inputs, states).shape == inputs.shape
    assert len(traces) == 1


@pytest.mark.parametrize("name", NAMES)
def test_xla_compiles_it_for_each_length(name, make):
    compiled = tf.function(
        lambda *a: fast_scan(name, *a, clip=TIGHT), jit_compile=True, reduce_retracing=True
    )
    inputs, *others = make(name)
    for steps in (STEPS, 3):
        expected = fast_scan(name, inputs[:steps], *others, clip=TIGHT)
        for a, b in zip(compiled(inputs[:steps], *others), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_stays_single(name, make):
    arguments = make(name)
    found = fast_scan(name, *(tf.cast(x, tf.float32) for x in arguments), clip=5.0)
    for a, b in zip(found, fast_scan(name, *arguments, clip=5.0), strict=True):
        assert a.dtype == tf.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_cell_may_be_given_itself(make):
    arguments = make("gru")
    one, other = (fast_scan(cell, *arguments, clip=None) for cell in ("gru", CELLS["gru"]))
    np.testing.assert_array_equal(one, other)


def test_wrong_arguments_are_refused(make):
    inputs, kernel, state = make("gru")
    with pytest.raises(KeyError, match=r"cell must be one of .* got 'gruu'; did you mean 'gru'\?"):
        recurrent_scan("gruu", inputs, [state], kernel)
    with pytest.raises(ValueError, match="inputs must have a last axis of size 12"):
        recurrent_scan("lstm", inputs, [state, state], kernel)
    with pytest.raises(ValueError, match="inputs must have 3 axes"):
        recurrent_scan("gru", inputs[0], [state], kernel)
    with pytest.raises(ValueError, match="initial_states must hold 1 tensors, got 2"):
        recurrent_scan("gru", inputs, [state, state], kernel)
