"""The recurrent prior against layers of Keras, step by step, and in what it may look at."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import layers
from tfp_bvae.layers import LearnableMVNDiagCell, RecurrentMVNPrior

SIZE, UNITS, STEPS = 2, 5, 7
CELLS = ["gru", "clipped_gru", "lstm", "simple_rnn"]
kinds = pytest.mark.parametrize("kind", CELLS)


def make(kind, dtype="float64", **settings):
    """A prior whose weights are the same each time, and none of them zero."""
    settings = {"clip": 0.3 if kind == "clipped_gru" else 5.0} | settings
    layer = RecurrentMVNPrior(SIZE, UNITS, kind, dtype=dtype, **settings)
    layer(template(STEPS, dtype))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(0.5 * rng.normal(size=weight.shape))
    return layer


def template(steps, dtype="float64"):
    return tf.zeros([1, steps, 1], dtype)


def paths(*shape):
    return np.random.default_rng(0).normal(size=[*shape, STEPS, SIZE])


def keras_twin(kind):
    """A stock layer that takes the same weights."""
    keras = tf_keras.layers
    twin = {"gru": keras.GRU, "lstm": keras.LSTM, "simple_rnn": keras.SimpleRNN}[kind]
    settings = {"reset_after": False} if kind == "gru" else {}
    return twin(UNITS, return_sequences=True, dtype="float64", **settings)


@pytest.mark.parametrize("kind", ["gru", "lstm", "simple_rnn"])
def test_conditionals_are_those_of_a_stock_layer_fed_the_past(kind):
    layer, path = make(kind, init_scale=0.7), paths(3)
    before = np.concatenate([np.zeros_like(path[:, :1]), path[:, :-1]], axis=1)
    twin = keras_twin(kind)
    twin(before)
    kernel, recurrent, bias, output_kernel, output_bias = layer.get_weights()
    twin.set_weights([kernel, recurrent, bias])
    loc, raw = np.split(twin(before).numpy() @ output_kernel + output_bias, 2, axis=-1)
    scale = 1e-3 + np.log1p(np.exp(raw + np.log(np.expm1(0.7 - 1e-3))))
    steps = layer(template(STEPS)).conditionals(path)
    np.testing.assert_allclose(steps.mean(), loc, rtol=1e-10)
    np.testing.assert_allclose(steps.stddev(), scale, rtol=1e-10)


def test_a_wide_clip_is_none():
    path, weights = paths(3), make("gru").get_weights()
    clipped = make("clipped_gru", clip=100.0)
    clipped.set_weights(weights)
    unclipped, narrow = make("gru"), make("clipped_gru", clip=0.05)
    narrow.set_weights(weights)
    log_prob = [p(template(STEPS)).log_prob(path) for p in (clipped, unclipped, narrow)]
    np.testing.assert_allclose(log_prob[0], log_prob[1], rtol=1e-12)
    assert np.all(np.abs(log_prob[2] - log_prob[1]) > 1e-3)


@kinds
def test_step_by_step_is_the_scan(kind):
    layer, path = make(kind), paths(4, 3)
    sample, state = layer.cell.zero_state([4, 3])
    expected = layer(template(STEPS)).conditionals(path)
    for t in range(STEPS):
        gaussian, state = layer.cell(sample, state)
        assert gaussian.batch_shape == (4, 3) and state[0].shape == (4, 3, UNITS)
        np.testing.assert_allclose(gaussian.mean(), expected.mean()[:, :, t], rtol=1e-10)
        np.testing.assert_allclose(gaussian.stddev(), expected.stddev()[:, :, t], rtol=1e-10)
        sample = path[:, :, t]


@kinds
def test_samples_roll_on_what_was_sampled(kind):
    prior, noise = make(kind)(template(STEPS)), paths(4, 3)
    path = prior.from_noise(noise)
    steps = prior.conditionals(path)
    np.testing.assert_allclose((path - steps.mean()) / steps.stddev(), noise, rtol=1e-9, atol=1e-9)
    expected = (-0.5 * noise**2 - np.log(steps.stddev()) - 0.5 * np.log(2 * np.pi)).sum((-2, -1))
    np.testing.assert_allclose(prior.log_prob(path), expected, rtol=1e-10)
    assert prior.sample([5], seed=1).shape == (5, STEPS, SIZE)


@kinds
def test_no_step_looks_at_itself_or_ahead(kind):
    prior, path = make(kind)(template(STEPS)), tf.constant(paths())
    with tf.GradientTape() as tape:
        tape.watch(path)
        steps = prior.conditionals(path)
        params = tf.reduce_sum(tf.concat([steps.mean(), steps.stddev()], -1), -1)
    reads = np.abs(tape.jacobian(params, path)).sum(-1)  # [time, time]
    assert not np.any(np.triu(reads))
    assert np.all(reads[np.tril_indices(STEPS, -1)] > 0.0)


@kinds
def test_gradients_are_those_of_a_loop_of_steps(kind):
    layer, path = make(kind), paths(3)

    def unrolled():
        (sample, state), total = layer.cell.zero_state(3), 0.0
        for t in range(STEPS):
            loc, scale, state = layer.cell.step(sample, state)
            sample = tf.constant(path[:, t])
            total += tfd.MultivariateNormalDiag(loc, scale).log_prob(sample)
        return total

    def gradients(log_prob):
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(log_prob() ** 2)
        return tape.gradient(value, layer.trainable_weights)

    scanned = gradients(lambda: layer(template(STEPS)).log_prob(path))
    for left, right in zip(scanned, gradients(unrolled), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-8, atol=1e-8)


@kinds
def test_starts_at_the_scale_it_was_told(kind):
    steps = RecurrentMVNPrior(SIZE, UNITS, kind, init_scale=0.4)(template(3)).conditionals(
        tf.zeros([3, SIZE])
    )
    np.testing.assert_allclose(steps.mean(), np.zeros([3, SIZE]), atol=1e-6)
    np.testing.assert_allclose(steps.stddev(), np.full([3, SIZE], 0.4), rtol=1e-5)


def test_as_a_tensor_it_is_the_path_without_noise_or_a_draw():
    still = make("gru")
    prior = still(template(STEPS))
    expected = prior.from_noise(np.zeros([STEPS, SIZE]))
    np.testing.assert_array_equal(tf.convert_to_tensor(prior), expected)
    drawn = make("gru", value="auto", seed=3)
    at_rest, in_training = (
        tf.convert_to_tensor(drawn(template(STEPS), training=flag)) for flag in (False, True)
    )
    np.testing.assert_allclose(at_rest, expected, rtol=1e-12)
    assert np.all(at_rest != in_training)


@kinds
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_xla_and_unknown_shapes_change_nothing(kind, dtype):
    layer, path = make(kind, dtype), paths(3).astype(dtype)

    @tf.function(input_signature=[tf.TensorSpec([None, None, SIZE], dtype)], jit_compile=True)
    def compiled(path):
        prior = layer(path)
        return prior.log_prob(path), prior.from_noise(path)

    prior = layer(template(STEPS, dtype))
    rtol = 1e-4 if dtype == "float32" else 1e-10
    for left, right in zip(
        compiled(path), (prior.log_prob(path), prior.from_noise(path)), strict=True
    ):
        np.testing.assert_allclose(left, right, rtol=rtol, atol=rtol)


def test_a_kl_layer_trains_it():
    x = tf_keras.Input([None, 2 * SIZE])
    q = layers.MVNDiagPosterior(SIZE, seed=1)(x)
    model = tf_keras.Model(x, layers.KLDivergence(name="kl")([q, RecurrentMVNPrior(SIZE)(x)]))
    model.compile("adam", jit_compile=True)
    history = model.fit(np.zeros([64, STEPS, 2 * SIZE]) + 1.0, epochs=20, verbose=0).history
    assert len(model.losses) == 1 and len(model.trainable_weights) == 5
    assert history["kl"][-1] < 0.9 * history["kl"][0]


def test_the_cell_in_a_functional_graph_beside_stock_layers():
    sample, state = tf_keras.Input([SIZE]), tf_keras.Input([UNITS])
    gaussian, (after,) = LearnableMVNDiagCell(SIZE, UNITS)(sample, (state,))
    model = tf_keras.Model([sample, state], [tf_keras.layers.Dense(1)(gaussian), after])
    outputs = model([np.ones([4, SIZE]), np.zeros([4, UNITS])])
    assert outputs[0].shape == (4, 1) and outputs[1].shape == (4, UNITS)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"event_size": 0}, ValueError, "event_size must be a whole number of at least 1, got 0"),
        ({"units": 0}, ValueError, "units must be a whole number of at least 1, got 0"),
        ({"cell": "grew"}, KeyError, "cell_type must be one of .* got 'grew'; did you mean 'gru'"),
        ({"init_scale": 1e-4}, ValueError, "init_scale must be above min_scale"),
        ({"clip": 0.0}, ValueError, "clip must be above 0"),
        ({"value": "mode"}, ValueError, "value must be one of"),
        ({"covariance": "full"}, TypeError, "covariance"),
    ],
)
def test_wrong_settings_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        RecurrentMVNPrior(**({"event_size": SIZE} | arguments))


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="inputs must have at least 2 axes, got shape"):
        RecurrentMVNPrior(SIZE)(tf.zeros([3]))
    cell = LearnableMVNDiagCell(SIZE, UNITS)
    with pytest.raises(ValueError, match="sample must have a last axis of size 2, got shape"):
        cell(tf.zeros([3, SIZE + 1]), cell.zero_state([3])[1])
