"""The part of a batch that a replica computes, and the random numbers that are its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

__all__ = ["entry_numbers", "part_of", "part_of_batch"]


class _Part(NamedTuple):
    """A part of a batch: its number, of how many, and the trials of each."""

    index: int | tf.Tensor
    parts: int
    trials: int


class _Parts(threading.local):
    """The part of a batch that this thread computes; None for all of it."""

    mine: _Part | None = None


_parts = _Parts()


@contextlib.contextmanager
def part_of_batch(index: int | tf.Tensor, parts: int, trials: int) -> Iterator[None]:
    """Within this context, the noise of each trial is the one it has in the whole batch.

    For replicas that compute a part of a batch each. As with `posterior_values`, open it inside a
    `tf.function`.

    Args:
        index: which part, from 0 on.
        parts: number of parts, one trial after the other.
        trials: number of trials in each.

    >>> from tfp_bvae.rnn import standard_normal
    >>> whole = standard_normal([4], [1, 2], trials=0)
    >>> with part_of_batch(1, parts=2, trials=2):
    ...     bool(tf.reduce_all(standard_normal([2], [1, 2], trials=0) == whole[2:]))
    True
    """
    before, _parts.mine = _parts.mine, _Part(index, parts, trials)
    try:
        yield
    finally:
        _parts.mine = before


def entry_numbers(shape, trials: int | None) -> tf.Tensor:
    """The number of each entry; of a part of a batch the one it has in the whole."""
    if trials is None or _parts.mine is None:
        return tf.range(tf.reduce_prod(shape), dtype=tf.int32)
    outer, inner = _around(shape, trials)
    first = (tf.range(outer) * _parts.mine.parts + _parts.mine.index) * inner
    return first[:, tf.newaxis] + tf.range(inner)


def part_of(draw: Callable, shape, trials: int | None) -> tf.Tensor:
    """What `draw` gives for a shape; of a part of a batch what it gives the part in the whole."""
    if trials is None or _parts.mine is None:
        return draw(shape)
    outer, inner = _around(shape, trials)
    whole = draw([outer, _parts.mine.parts, inner])
    return tf.reshape(tf.gather(whole, _parts.mine.index, axis=1), shape)


def _around(shape, trials: int) -> tuple[tf.Tensor, tf.Tensor]:
    """How often all trials of a part come one after the other, and the entries they have then.

    An axis of S times as many is of S samples of each trial (`layers.RepeatSamples`).
    """
    shape = tf.convert_to_tensor(shape, tf.int32)
    outer = tf.reduce_prod(shape[: trials + 1]) // _parts.mine.trials
    return outer, tf.reduce_prod(shape[trials + 1 :]) * _parts.mine.trials
