"""Layers that move sequences in time, and what an encoder may know behind them."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae.layers import PadTime, SplitTime, TimeLag
from tfp_bvae.rnn import Bidirectional, ClippedGRU

BATCH, STEPS, CHANNELS = 2, 7, 3


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(size=[BATCH, STEPS, CHANNELS]).astype("float32"))


def steps_seen(layers, x):
    """Matrix [t, s]: whether the output at t depends on the input at s."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x
        for layer in layers:
            y = layer(y)
        each = [tf.reduce_sum(tf.sin(y[:, t])) for t in range(y.shape[1])]
    found = []
    for one in each:
        gradient = tape.gradient(one, x, unconnected_gradients="zero")
        found.append(np.any(gradient.numpy(), axis=(0, 2)))
    return np.array(found)


T, S = np.indices([STEPS, STEPS])


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_behind_a_bidirectional_encoder_a_step_never_sees_itself(lag, x):
    encoder = Bidirectional(4, return_sequences=True)
    seen = steps_seen([encoder, TimeLag(lag, bidirectional=True)], x)
    np.testing.assert_array_equal(seen, np.abs(T - S) >= lag)


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_behind_a_forward_encoder_a_step_sees_only_bins_long_past(lag, x):
    seen = steps_seen([ClippedGRU(4, return_sequences=True), TimeLag(lag)], x)
    np.testing.assert_array_equal(seen, S <= T - lag)


def test_without_a_lag_all_is_passed_on(x):
    np.testing.assert_array_equal(TimeLag(0)(x), x)
    seen = steps_seen([Bidirectional(4, return_sequences=True), TimeLag(0, bidirectional=True)], x)
    assert seen.all()


@pytest.mark.parametrize("lag", [1, 4, STEPS, STEPS + 3])
def test_what_moves_in_is_zero(lag, x):
    y = TimeLag(lag)(x).numpy()
    kept = max(STEPS - lag, 0)
    np.testing.assert_array_equal(y[:, STEPS - kept :], x[:, :kept])
    assert not y[:, : STEPS - kept].any()


def test_the_backward_half_moves_the_other_way(rng):
    x = rng.normal(size=[BATCH, STEPS, 4]).astype("float32")
    y = TimeLag(2, bidirectional=True)(x).numpy()
    np.testing.assert_array_equal(y[:, 2:, :2], x[:, :-2, :2])
    np.testing.assert_array_equal(y[:, :-2, 2:], x[:, 2:, 2:])
    assert not y[:, :2, :2].any() and not y[:, -2:, 2:].any()


def test_split_and_join_give_the_whole(x):
    head, rest = SplitTime(3)(x)
    np.testing.assert_array_equal(head, x[:, :3])
    np.testing.assert_array_equal(tf.concat([head, rest], axis=1), x)


def test_bins_to_predict_are_zeros_at_the_end(x):
    y = PadTime(2)(x)
    np.testing.assert_array_equal(y[:, :STEPS], x)
    assert y.shape == [BATCH, STEPS + 2, CHANNELS] and not y[:, STEPS:].numpy().any()
    np.testing.assert_array_equal(PadTime(0)(x), x)


@pytest.mark.parametrize(
    "make, argument, error, message",
    [
        (TimeLag, -1, ValueError, "lag must be a whole number of at least 0, got -1"),
        (TimeLag, 1.0, TypeError, "lag must be a whole number"),
        (SplitTime, 0, ValueError, "steps must be a whole number of at least 1, got 0"),
        (PadTime, -1, ValueError, "steps must be a whole number of at least 0, got -1"),
    ],
)
def test_wrong_settings_are_refused(make, argument, error, message):
    with pytest.raises(error, match=message):
        make(argument)


def test_halves_need_an_even_number_of_channels(x):
    with pytest.raises(ValueError, match=r"inputs must have an even number of channels, got 3"):
        TimeLag(1, bidirectional=True)(x)


@pytest.mark.parametrize("steps", [STEPS, STEPS + 1])
def test_a_sequence_must_be_longer_than_its_first_part(steps, x):
    with pytest.raises(ValueError, match=f"more than {steps} time bins, got {STEPS}"):
        SplitTime(steps)(x)


def test_of_unknown_length_it_is_refused_when_it_comes(x):
    split = tf.function(
        SplitTime(STEPS + 1), input_signature=[tf.TensorSpec([None, None, CHANNELS])]
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible with expected shape"):
        split(x)
