"""Streams of seeds, and what is drawn with them."""

import functools
import threading

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae.rnn import (
    NoiseStream,
    dropout_mask,
    part_of_batch,
    posterior_values,
    standard_normal,
)
from tfp_bvae.rnn.noise import bernoulli, wants_sample


def stream(seed=1, name="layer"):
    return NoiseStream(tf_keras.layers.Layer(name=name), seed)


def test_a_seed_gives_one_sequence_of_seeds_and_never_one_twice():
    one, other = stream(), stream()
    first, second = one.seeds(3).numpy(), one.seeds(3).numpy()
    np.testing.assert_array_equal(first, other.seeds(3))
    np.testing.assert_array_equal(second, other.seeds(3))
    assert len({tuple(row) for row in [*first, *second]}) == 6


def test_another_seed_or_another_layer_gives_others():
    found = [stream().seeds(2), stream(seed=2).seeds(2), stream(name="other").seeds(2)]
    assert len({tuple(row) for seeds in found for row in seeds.numpy()}) == 6


def test_without_a_seed_python_s_random_gives_one():
    tf_keras.utils.set_random_seed(7)
    one, other = stream(seed=None).seeds(1), stream(seed=None).seeds(1)
    tf_keras.utils.set_random_seed(7)
    np.testing.assert_array_equal(one, stream(seed=None).seeds(1))
    assert not np.array_equal(one, other)


def test_the_state_is_a_weight_that_does_not_train_and_restores_the_sequence():
    layer = tf_keras.layers.Layer(name="layer")
    noise = NoiseStream(layer, 5)
    noise.seeds(1)
    (state,) = layer.non_trainable_weights
    assert not layer.trainable_weights
    saved = state.numpy()
    assert saved[1] == 1
    expected = noise.seeds(2)
    other = tf_keras.layers.Layer(name="called_otherwise")
    resumed = NoiseStream(other, 99)
    other.set_weights([saved])
    np.testing.assert_array_equal(resumed.seeds(2), expected)


def test_a_seed_that_is_no_whole_number_is_refused():
    with pytest.raises(TypeError, match="seed must be a whole number"):
        stream(seed=0.5)


def test_a_seed_from_outside_takes_the_place_of_the_stream():
    noise = stream()
    with posterior_values("sample", seed=[3, 4]):
        one, again = noise.seeds(2), noise.seeds(2)
        by_name = stream(seed=9).seeds(2)
        other = stream(name="other").seeds(2)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one, by_name)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(noise.seeds(2), stream().seeds(2))  # as if nothing had been


def test_a_seed_from_outside_may_be_a_tensor_of_a_graph():
    noise = stream()

    @tf.function
    def seeds(seed):
        with posterior_values("sample", seed=seed):
            return noise.seeds(2)

    with posterior_values("sample", seed=[3, 4]):
        expected = noise.seeds(2)
    np.testing.assert_array_equal(seeds(tf.constant([3, 4])), expected)


def test_contexts_nest_and_end_also_by_an_error():
    with pytest.raises(ZeroDivisionError), posterior_values("sample"):
        with posterior_values("mean", seed=[1, 2]):
            assert not wants_sample(training=True)
        assert wants_sample(training=False)
        raise ZeroDivisionError
    assert not wants_sample(training=False)
    assert not np.array_equal(*(noise.seeds(1) for noise in [stream()] * 2))


def test_a_context_is_that_of_its_thread():
    seen = []
    with posterior_values("sample"):
        thread = threading.Thread(target=lambda: seen.append(wants_sample(training=False)))
        thread.start()
        thread.join()
    assert seen == [False]


def test_an_unknown_value_is_refused():
    with pytest.raises(ValueError, match="value must be one of 'auto', 'sample', 'mean'"):
        posterior_values("median").__enter__()


@pytest.mark.parametrize("training", [None, False, True])
def test_what_decides_whether_to_sample(training):
    assert wants_sample(training) == bool(training)
    assert wants_sample(training, "sample") and not wants_sample(training, "mean")
    with posterior_values("mean"):
        assert not wants_sample(training) and wants_sample(training, "sample")
    with posterior_values("sample"):
        assert wants_sample(training) and not wants_sample(training, "mean")


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.5, 0.9])
def test_dropout_masks_have_two_values_and_the_mean_of_one(rate):
    mask = dropout_mask([200, 100], [1, 2], rate).numpy()
    assert set(np.unique(mask)) <= {np.float32(0.0), np.float32(1.0 / (1.0 - rate))}
    error = (rate / (1.0 - rate) / mask.size) ** 0.5
    assert abs(mask.mean() - 1.0) <= 4 * error


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
def test_draws_come_in_the_dtype_asked_for(dtype):
    assert dropout_mask([2], [1, 2], 0.5, dtype).dtype == dtype
    assert standard_normal([2], [1, 2], dtype).dtype == dtype


def test_the_normal_is_standard():
    draws = standard_normal([20000], [1, 2], tf.float64).numpy()
    assert abs(draws.mean()) < 4 / 20000**0.5
    assert abs((draws**2).mean() - 1) < 4 * (2 / 20000) ** 0.5


def test_xla_draws_the_same():
    def draw(seed):
        return standard_normal([5], seed), bernoulli([5], seed, 0.5), dropout_mask([5], seed, 0.5)

    seed = tf.constant([1, 2])
    for a, b in zip(tf.function(draw, jit_compile=True)(seed), draw(seed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("draw", [standard_normal, functools.partial(dropout_mask, rate=0.5)])
@pytest.mark.parametrize("axis, samples", [(0, 1), (1, 1), (0, 3), (1, 2)])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_parts_of_a_batch_have_the_noise_of_the_whole(draw, axis, samples, jit_compile):
    """Also where each trial is there as several samples, and where the part is not known before."""
    trials, parts = 6, 3
    others = [5] if axis else []
    whole = draw([*others, samples * trials, 4], [1, 2], trials=axis)
    whole = np.reshape(whole, [*others, samples, parts, trials // parts, 4])

    @tf.function(jit_compile=jit_compile)
    def part(index):
        with part_of_batch(index, parts, trials // parts):
            return draw([*others, samples * trials // parts, 4], [1, 2], trials=axis)

    for index in range(parts):
        found = np.reshape(part(tf.constant(index)), [*others, samples, trials // parts, 4])
        np.testing.assert_allclose(found, np.take(whole, index, axis=axis + 1), rtol=1e-5)


def test_what_all_trials_share_is_the_same_in_each_part():
    with part_of_batch(1, parts=2, trials=4):
        found = standard_normal([3, 4], [1, 2])
    np.testing.assert_array_equal(found, standard_normal([3, 4], [1, 2]))


def test_the_part_of_one_thread_is_not_that_of_another():
    with part_of_batch(1, parts=2, trials=2):
        found = []
        thread = threading.Thread(
            target=lambda: found.append(standard_normal([2], [1, 2], trials=0).numpy())
        )
        thread.start()
        thread.join()
    np.testing.assert_array_equal(found[0], standard_normal([2], [1, 2]))
