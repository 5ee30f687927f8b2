"""Trials of unequal length in one batch, padded at their end; time is the first axis."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["backward_in_time", "last_step", "until_end"]


def backward_in_time(sequence: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Each trial from its last bin to its first; what is after its end stays there.

    Args:
        sequence: `[time, batch, channel]`.
        length: bins of each trial, `[batch]`.

    >>> backward_in_time(tf.constant([[[1]], [[2]], [[0]]]), tf.constant([2])).numpy().ravel()
    array([2, 1, 0], dtype=int32)
    """
    return tf.reverse_sequence(sequence, length, seq_axis=0, batch_axis=1)


def until_end(sequence: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """The sequence with zeros after the end of each trial.

    Args:
        sequence: `[time, batch, channel]`.
        length: bins of each trial, `[batch]`.

    >>> until_end(tf.ones([3, 1, 1]), tf.constant([2])).numpy().ravel().tolist()
    [1.0, 1.0, 0.0]
    """
    inside = tf.range(tf.shape(sequence)[0])[:, tf.newaxis] < length  # [time, batch]
    return tf.where(inside[..., tf.newaxis], sequence, tf.zeros_like(sequence))


def last_step(sequence: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """What stands at the last bin of each trial, `[batch, channel]`.

    Args:
        sequence: `[time, batch, channel]`.
        length: bins of each trial, `[batch]`.

    >>> last_step(tf.constant([[[1]], [[2]], [[3]]]), tf.constant([2])).numpy().tolist()
    [[2]]
    """
    trials = tf.range(tf.shape(sequence)[1])
    return tf.gather_nd(sequence, tf.stack([length - 1, trials], axis=1))
