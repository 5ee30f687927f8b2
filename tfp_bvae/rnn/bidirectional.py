"""Two recurrent layers side by side, one of them backward in time."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.cells import CELLS
from tfp_bvae.rnn.recurrence import recurrent_scans
from tfp_bvae.rnn.recurrent import GRU, LSTM, ClippedGRU, SimpleRNN
from tfp_bvae.rnn.scan import time_first

__all__ = ["Bidirectional"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class Bidirectional(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Two recurrent layers of one kind, one forward and one backward in time.

    .. math:: y_t = [\overrightarrow{h}_t; \overleftarrow{h}_t]

    Args:
        units: size of each direction's state.
        cell: a key of `CELLS`: `"clipped_gru"`, `"gru"`, `"lstm"` or `"simple_rnn"`.
        return_sequences: give the states after each step; otherwise the forward state after
            the last step beside the backward state after the first.
        clip: largest absolute value of a state of the clipped GRU; other cells ignore it.
        recurrent_l2: adds `recurrent_l2 / 2 * ||U||^2` of both directions to the loss, in nats
            per trial.

    Call arguments:
        inputs: `[batch, time, channel]`.
        length: bins of each trial, `[batch]`, for trials that are padded at their end: the
            backward layer begins at the last bin of each. None: all bins.

    Returns:
        `[batch, time, 2 units]`, with zeros after the end of a trial; or `[batch, 2 units]`.

    Raises:
        KeyError: if there is no such cell.
        ValueError: for a setting out of its range, or inputs without a time axis.

    Source: Schuster and Paliwal, IEEE Transactions on Signal Processing 1997.

    >>> encode = Bidirectional(128, "gru")
    >>> encode(tf.zeros([2, 5, 36])).shape, encode.count_params()
    (TensorShape([2, 256]), 126720)
    """

    def __init__(
        self,
        units: int,
        cell: str = "clipped_gru",
        return_sequences: bool = False,
        clip: float = 5.0,
        recurrent_l2: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.cell = checks.known_key("cell", cell, CELLS)
        self.clip = checks.positive("clip", clip)
        shared = {
            "units": units,
            "return_sequences": return_sequences,
            "recurrent_l2": recurrent_l2,
            "dtype": self.dtype_policy,
        }
        if cell == ClippedGRU.cell:
            shared["clip"] = clip
        kinds = {kind.cell: kind for kind in (GRU, LSTM, ClippedGRU, SimpleRNN)}
        self.forward_rnn = kinds[cell](name="forward", **shared)
        self.backward_rnn = kinds[cell](name="backward", go_backwards=True, **shared)

    def build(self, input_shape):
        self.forward_rnn.build(input_shape)
        self.backward_rnn.build(input_shape)
        super().build(input_shape)

    def call(self, inputs, length=None):
        inputs, both = time_first(inputs), (self.forward_rnn, self.backward_rnn)
        done = recurrent_scans(*(one_way.recurrence(inputs, length) for one_way in both))
        states = [
            one_way.from_states(s, length) for one_way, (s, *_) in zip(both, done, strict=True)
        ]
        return tf.concat(states, axis=-1)

    def get_config(self):
        shared = self.forward_rnn.get_config()
        own = {name: shared[name] for name in ("units", "return_sequences", "recurrent_l2")}
        return super().get_config() | own | {"cell": self.cell, "clip": self.clip}
