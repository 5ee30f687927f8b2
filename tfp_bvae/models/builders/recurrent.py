"""The recurrent layer that a setting names."""

from __future__ import annotations

import tf_keras

from tfp_bvae import checks, rnn

__all__ = ["make_rnn"]

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
