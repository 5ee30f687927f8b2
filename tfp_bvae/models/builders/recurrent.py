"""The recurrent layer that a setting names."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks, rnn

__all__ = ["make_rnn", "of_length", "stack_two", "two_last_states"]

CELLS = {
    "clipped_gru": rnn.ClippedGRU,
    "gru": rnn.GRU,
    "lstm": rnn.LSTM,
    "simple_rnn": rnn.SimpleRNN,
}


def make_rnn(
    cell: str,
    units: int,
    bidirectional: bool,
    return_sequences: bool,
    clip: float,
    name: str,
) -> tf_keras.layers.Layer:
    """A recurrent layer of one of four cells, running one way or both."""
    checks.one_of("cell", cell, tuple(CELLS))
    if bidirectional:
        return rnn.Bidirectional(
            units, cell=cell, return_sequences=return_sequences, clip=clip, name=name
        )
    clipping = {"clip": clip} if cell == "clipped_gru" else {}
    return CELLS[cell](units, return_sequences=return_sequences, name=name, **clipping)


def of_length(length: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """How a layer is told of unequal trials; not at all where there are none."""
    return {} if length is None else {"length": length}


def stack_two(
    cell: str, units: int, inputs: tf.Tensor, clip: float, name: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Two recurrent layers, one on the other, forward in time: the states of each.

    Args:
        cell: of both.
        units: of each.
        inputs: `[batch, time, channel]`, a Keras tensor.
        clip: largest absolute value of a state, of a cell that clips.
        name: of the upper layer; the lower one is `name_0`.

    Returns:
        States of the lower and of the upper layer, each `[batch, time, units]`.
    """
    settings = {"bidirectional": False, "return_sequences": True, "clip": clip}
    lower = make_rnn(cell, units, name=f"{name}_0", **settings)(inputs)
    return lower, make_rnn(cell, units, name=name, **settings)(lower)


def two_last_states(cell: str, units: int, inputs: tf.Tensor, clip: float, name: str) -> tf.Tensor:
    """The states of both layers of `stack_two` after the last bin, `[batch, 2 units]`."""
    both = tf_keras.layers.Concatenate(name=f"{name}_states")(
        stack_two(cell, units, inputs, clip, name)
    )
    return both[:, -1]
