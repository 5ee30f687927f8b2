"""Weights per session, against a loop over trials."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae.layers import SessionReadIn, SessionReadOut

BATCH, STEPS, CHANNELS, SIZE, SESSIONS = 5, 4, 6, 3, 3
LAYERS = [SessionReadIn, SessionReadOut]


@pytest.fixture
def x(rng):
    return rng.normal(size=[BATCH, STEPS, CHANNELS])


@pytest.fixture
def session():
    return np.array([2, 0, 2, 1, 0], dtype="int32")


def made(make, rng, **kwargs):
    layer = make(SESSIONS, SIZE, dtype="float64", **kwargs)
    layer.build([(None, None, CHANNELS), (None,)])
    layer.bias.assign(rng.normal(size=[SESSIONS, SIZE]))
    return layer


@pytest.mark.parametrize("make", LAYERS)
def test_each_trial_gets_the_weights_of_its_session(make, x, session, rng):
    layer = made(make, rng)
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    expected = [x[i] @ kernel[s] + bias[s] for i, s in enumerate(session)]
    np.testing.assert_allclose(layer([x, session]), expected, rtol=1e-12)
    compiled = tf.function(layer, jit_compile=True)([tf.constant(x), tf.constant(session)])
    np.testing.assert_allclose(compiled, expected, rtol=1e-10)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_any_whole_numbers_name_sessions(make, dtype, x, session, rng):
    layer = made(make, rng)
    np.testing.assert_array_equal(layer([x, session]), layer([x, session.astype(dtype)]))


@pytest.mark.parametrize("make", LAYERS)
def test_a_session_teaches_its_own_weights_alone(make, x, rng):
    layer = made(make, rng)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer([x, np.array([2, 0, 2, 0, 0])])))
    for gradient in tape.gradient(loss, layer.trainable_weights):
        assert not np.any(gradient[1]) and np.all(gradient[0]) and np.all(gradient[2])


def test_channels_filled_up_with_zeros_add_nothing(x, session, rng):
    layer = made(SessionReadIn, rng)
    narrow = x * (np.arange(CHANNELS) < 4)
    before = layer([narrow, session])
    layer.kernel.assign(layer.kernel * (np.arange(CHANNELS) < 4)[:, np.newaxis])
    np.testing.assert_allclose(before, layer([x, session]), rtol=1e-12)


def test_kernels_start_with_the_variance_of_a_linear_layer():
    layer = SessionReadIn(50, 40)
    layer.build([(None, None, 25), (None,)])
    np.testing.assert_allclose(np.std(layer.kernel), 0.2, rtol=0.05)
    assert not np.any(layer.bias)


def test_two_sessions_that_mix_channels_otherwise_share_one_model(rng):
    """Stitching: the same two factors, seen by each session through its own mixture."""
    factors = np.cumsum(rng.normal(size=[80, 20, 2]), axis=1) * 0.3
    session = np.arange(80, dtype="int32") % 2
    mixtures = rng.normal(size=[2, 2, 8])
    data = np.einsum("btf,bfc->btc", factors, mixtures[session]).astype("float32")
    x, s = tf_keras.Input([None, 8]), tf_keras.Input([], dtype="int32")
    shared = SessionReadIn(2, 2)([x, s])
    model = tf_keras.Model([x, s], SessionReadOut(2, 8)([shared, s]))
    model.compile(tf_keras.optimizers.Adam(0.03), loss="mse", jit_compile=True)
    model.fit([data, session], data, batch_size=40, epochs=200, verbose=0)
    assert model.evaluate([data, session], data, verbose=0) < 0.02 * data.var()


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("wrong", [-1, SESSIONS])
def test_a_session_that_does_not_exist(make, wrong, x, rng):
    layer, session = made(make, rng), np.array([0, wrong, 1, 2, 0], dtype="int32")
    with pytest.raises(ValueError, match=rf"session must be in \[0, 3\), got {wrong}"):
        layer([x, session])
    found = tf.function(layer, jit_compile=True)([tf.constant(x), tf.constant(session)]).numpy()
    np.testing.assert_array_equal(np.isnan(found).any(axis=(1, 2)), [False, True] + 3 * [False])


@pytest.mark.parametrize("make", LAYERS)
def test_wrong_inputs_are_refused(make, x, session):
    with pytest.raises(TypeError, match="session must be whole numbers, got float32"):
        make(SESSIONS, SIZE)([x, session.astype("float32")])
    with pytest.raises(ValueError, match=r"must be those of \[x, session\]"):
        make(SESSIONS, SIZE)(x)
    with pytest.raises(ValueError, match=r"x must have 3 axes, got shape \(5, 6\)"):
        make(SESSIONS, SIZE)([x[:, 0], session])
    with pytest.raises(ValueError, match=r"session must have 1 axis, got shape \(5, 1\)"):
        make(SESSIONS, SIZE)([x, session[:, np.newaxis]])


@pytest.mark.parametrize(
    "make, arguments, message",
    [
        (SessionReadIn, (0, 3), "num_sessions must be a whole number of at least 1, got 0"),
        (SessionReadIn, (2, 0), "features must be a whole number of at least 1, got 0"),
        (SessionReadOut, (2, 0), "channels must be a whole number of at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(*arguments)
