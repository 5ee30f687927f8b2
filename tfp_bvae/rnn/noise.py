"""Where the randomness of a step comes from: stateless draws, seeded by a counter or a caller."""

from __future__ import annotations

import contextlib
import random
import threading
import zlib
from collections.abc import Iterator, Sequence

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.batch_parts import entry_numbers, part_of

__all__ = [
    "NoiseStream",
    "dropout_mask",
    "posterior_values",
    "standard_normal",
    "wants_sample",
]

# Philox by name: XLA's default for the CPU is far slower.
_ALGORITHM = "philox"

VALUES = ("auto", "sample", "mean")


class _Override(threading.local):
    """The innermost `posterior_values` context of this thread."""

    value: str = "auto"
    seed: tf.Tensor | None = None


_override = _Override()


@contextlib.contextmanager
def posterior_values(value: str, seed: tf.Tensor | Sequence[int] | None = None) -> Iterator[None]:
    """Within this context, stochastic layers sample or give means, whatever their training flag.

    Dropout and masks still follow the training flag, so that
    `posterior_values("sample")` with `training=False` draws from a trained model's posterior.
    It acts when a layer is called or traced: open it inside a `tf.function`, not around one.

    Args:
        value: `"sample"`, `"mean"`, or `"auto"` (sample in training, mean at inference).
        seed: two integers; then every draw depends on this seed and the layer's name alone, and
            no layer's own stream is advanced.

    >>> with posterior_values("sample"):
    ...     wants_sample(training=False)
    True
    """
    checks.one_of("value", value, VALUES)
    before = _override.value, _override.seed
    _override.value, _override.seed = value, seed
    try:
        yield
    finally:
        _override.value, _override.seed = before


def wants_sample(training: bool | None, value: str = "auto") -> bool:
    """Whether a stochastic layer should sample now.

    A layer's own `value` goes first, then the context `posterior_values`, then `training`.

    >>> wants_sample(training=True), wants_sample(training=False)
    (True, False)
    >>> wants_sample(training=False, value="sample")
    True
    """
    if value == "auto":
        value = _override.value
    return bool(training) if value == "auto" else value == "sample"


class NoiseStream:
    """The stream of seeds of one layer.

    Its state, the seed and a counter, is a weight of the layer, so that a run that is resumed
    from a checkpoint or a file continues with the same numbers, whatever its layers are called.

    Args:
        layer: the Keras layer that owns the stream; gains a non-trainable weight
            `seed_and_draws`. Its name enters the seed, to set layers of one seed apart.
        seed: a whole number, or None for one that Python's `random` gives (which
            `tf_keras.utils.set_random_seed` fixes).
    """

    def __init__(self, layer, seed: int | None = None):
        seed = random.randrange(2**31) if seed is None else checks.whole_number("seed", seed)
        self._salt = zlib.crc32(layer.name.encode()) & 0x7FFFFFFF
        self._state = layer.add_weight(
            name="seed_and_draws",
            shape=(2,),
            dtype="int64",
            initializer=tf_keras.initializers.Constant([seed ^ self._salt, 0]),
            trainable=False,
            # each replica counts for itself, all alike
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def seeds(self, count: int, step: tf.Tensor | None = None) -> tf.Tensor:
        """`count` fresh stateless seeds, `[count, 2]`, int32.

        Args:
            count: how many.
            step: the number of the step, where a loop asks again and again: it sets steps apart
                under the one seed of `posterior_values`.
        """
        if _override.seed is not None:
            seed, draws = tf.unstack(tf.cast(_override.seed, tf.int32))
            root = tf.stack([tf.bitwise.bitwise_xor(seed, self._salt), draws])
        else:
            root = tf.cast(self._state.assign_add([0, 1]), tf.int32)
        if step is not None:
            root = tf.random.experimental.stateless_fold_in(root, step, alg=_ALGORITHM)
        return tf.random.experimental.stateless_split(root, count, alg=_ALGORITHM)


def random_words(shape, seed: tf.Tensor, bits: int, trials: int | None = None) -> tf.Tensor:
    """Stateless whole numbers of up to 32 bits, as uint32.

    XLA and TensorFlow agree on the words that a seed gives, but not on the floats made of them.
    A part of a batch takes its words out of those of the whole.

    Args:
        shape: of the draws.
        seed: two integers.
        bits: of each number.
        trials: the axis along which there are trials; None where all trials share the draws.
    """

    def philox(whole):
        return tf.random.stateless_uniform(whole, seed, None, None, tf.uint32, alg=_ALGORITHM)

    words = part_of(philox, shape, trials)
    return tf.bitwise.right_shift(words, tf.constant(32 - bits, tf.uint32))


def standard_normal(
    shape, seed: tf.Tensor, dtype=tf.float32, trials: int | None = None
) -> tf.Tensor:
    """Stateless standard normal draws, the same with and without XLA and in each dtype.

    Args:
        shape: of the draws.
        seed: two integers.
        dtype: of the draws.
        trials: the axis along which there are trials; None where all trials share the draws.

    >>> standard_normal([2], [1, 2]).shape
    TensorShape([2])
    """
    word = tf.cast(random_words(shape, seed, 23, trials), tf.float32)  # a float32 holds 24 bits
    uniform = (word + 0.5) * 2.0**-22 - 1.0  # between -1 and 1, ends excluded
    return tf.cast(2.0**0.5 * tf.math.erfinv(uniform), dtype)


def hashed_words(shape, seed: tf.Tensor, trials: int | None = None) -> tf.Tensor:
    """Stateless whole numbers of 32 bits, as uint32: a hash of the number of each entry.

    Far quicker than Philox, since each entry is made by itself, where it is needed: three rounds
    of multiplying and shifting (every bit of the number and of the first half of the seed turns
    each bit of the word half the time), and the second half of the seed between them. Made for
    masks; draws that are real numbers are made of Philox words.

    Source: the constants are of Wellons, Prospecting for Hash Functions, 2018 (triple32).
    """
    first, second = tf.unstack(tf.bitcast(tf.cast(seed, tf.int32), tf.uint32))
    number = tf.bitcast(tf.reshape(entry_numbers(shape, trials), shape), tf.uint32)
    word = number * _word(0x9E3779B9) + first
    word = _mixed(word, 17, 0xED5AD4BB) ^ second
    word = _mixed(word, 11, 0xAC4C1B51)
    word = _mixed(word, 15, 0x31848BAB)
    return word ^ tf.bitwise.right_shift(word, _word(14))


def _mixed(word: tf.Tensor, shift: int, factor: int) -> tf.Tensor:
    return (word ^ tf.bitwise.right_shift(word, _word(shift))) * _word(factor)


def _word(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)


def bernoulli(
    shape, seed: tf.Tensor, probability: float | tf.Tensor, trials: int | None = None
) -> tf.Tensor:
    """Stateless draws that are True with `probability`, the same with and without XLA.

    A probability that is a tensor is in double precision.
    """
    word = hashed_words(shape, seed, trials)
    word = tf.bitwise.right_shift(word, _word(1))  # 2^31 itself is one, too
    if isinstance(probability, tf.Tensor):
        return word < tf.cast(tf.round(probability * 2.0**31), tf.uint32)
    return word < _word(round(probability * 2**31))


def dropout_mask(
    shape,
    seed: tf.Tensor,
    rate: float | tf.Tensor,
    dtype=tf.float32,
    trials: int | None = None,
) -> tf.Tensor:
    """A mask of zeros (with probability `rate`) and of `1 / (1 - rate)`.

    A rate that is a tensor is in double precision.

    Args:
        shape: of the mask.
        seed: two integers.
        rate: the share of zeros.
        dtype: of the mask.
        trials: the axis along which there are trials; None where all trials share the mask.

    >>> dropout_mask([3], [1, 2], rate=0.0).numpy().tolist()
    [1.0, 1.0, 1.0]
    """
    kept = 1.0 / (1.0 - rate)
    kept = tf.cast(kept, dtype) if isinstance(rate, tf.Tensor) else tf.constant(kept, dtype)
    return tf.where(bernoulli(shape, seed, 1.0 - rate, trials), kept, tf.zeros([], dtype))
