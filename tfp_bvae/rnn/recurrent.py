"""Recurrent Keras layers of one direction: GRU, clipped GRU, LSTM and the simple network."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.cells import CELLS
from tfp_bvae.rnn.kernels import L2Penalty, forget_bias, gate_bias, scaled_normal
from tfp_bvae.rnn.lengths import backward_in_time, last_step, until_end
from tfp_bvae.rnn.recurrence import Recurrence, recurrent_scans
from tfp_bvae.rnn.scan import project, time_first

__all__ = ["GRU", "LSTM", "ClippedGRU", "SimpleRNN"]


class _Recurrent(checks.TFKerasOnly, tf_keras.layers.Layer):
    """What the four share: weights in the order and the initial values of Keras, and the scan."""

    cell: str
    clip: float | None = None

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        go_backwards: bool = False,
        recurrent_l2: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = checks.whole_number("units", units, 1)
        self.return_sequences = checks.boolean("return_sequences", return_sequences)
        self.go_backwards = checks.boolean("go_backwards", go_backwards)
        self.recurrent_l2 = checks.in_interval("recurrent_l2", recurrent_l2, 0.0)

    def build(self, input_shape):
        checks.rank("inputs", input_shape, 3)
        channels = checks.last_dim("inputs", input_shape)
        width = CELLS[self.cell].blocks * self.units
        kernel, recurrent, bias = self._initializers(channels)
        self.kernel = self.add_weight(name="kernel", shape=(channels, width), initializer=kernel)
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer=recurrent
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=bias)
        self._build_start()
        self.penalty = L2Penalty(self, self.recurrent_l2)
        super().build(input_shape)

    def _initializers(self, channels: int) -> tuple:
        """Initial values of kernel, recurrent kernel and bias."""
        return "glorot_uniform", "orthogonal", "zeros"

    def _build_start(self) -> None:
        """Adds the initial state, where it is a weight."""

    def _start(self, batch: tf.Tensor, dtype: tf.DType) -> list[tf.Tensor]:
        """The states before the first step."""
        return [tf.zeros([batch, self.units], dtype)] * CELLS[self.cell].num_states

    def call(self, inputs, length=None):
        ((states, *_),) = recurrent_scans(self.recurrence(time_first(inputs), length))
        return self.from_states(states, length)

    def recurrence(self, inputs: tf.Tensor, length: tf.Tensor | None = None) -> Recurrence:
        """What is to be run over inputs `[time, batch, channel]`; adds the penalty."""
        self.penalty(self.recurrent_kernel)
        if length is not None and self.go_backwards:
            inputs = backward_in_time(inputs, length)
        cell = CELLS[self.cell]
        weights = (cell.split(tf.convert_to_tensor(w)) for w in (self.kernel, self.bias))
        projected = tuple(project(inputs, w) + b for w, b in zip(*weights, strict=True))
        start = self._start(tf.shape(inputs)[1], inputs.dtype)
        kernel = tf.convert_to_tensor(self.recurrent_kernel)
        reverse = self.go_backwards and length is None
        return Recurrence(self.cell, projected, start, kernel, self.clip, reverse)

    def from_states(self, states: tf.Tensor, length: tf.Tensor | None = None) -> tf.Tensor:
        """The output, from the states `[time, batch, units]` as `recurrence` gives them."""
        if length is not None and not self.return_sequences:
            return last_step(states, length)  # of the run, in whichever direction
        if length is not None:
            states = backward_in_time(states, length) if self.go_backwards else states
            states = until_end(states, length)
        if self.return_sequences:
            return time_first(states)
        return states[0 if self.go_backwards else -1]

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            "recurrent_l2": self.recurrent_l2,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GRU(_Recurrent):
    r"""Reset-before GRU from a state of zeros, as `tf_keras.layers.GRU(reset_after=False)`.

    .. math::

        z_t &= \sigma(x_t W_z + h_{t-1} U_z + b_z), \quad
        r_t = \sigma(x_t W_r + h_{t-1} U_r + b_r), \\
        c_t &= \tanh(x_t W_c + (r_t \odot h_{t-1}) U_c + b_c), \quad
        h_t = z_t \odot h_{t-1} + (1 - z_t) \odot c_t

    Args:
        units: size of the state `h`.
        return_sequences: give the state after each step, not just the last.
        go_backwards: run from the last step to the first. Sequences stay in order of time
            (those of Keras come out reversed).
        recurrent_l2: adds `recurrent_l2 / 2 * ||U||^2` to the loss, in nats per trial.

    Call arguments:
        inputs: `[batch, time, channel]`.
        length: bins of each trial, `[batch]`, for trials that are padded at their end: then the
            last step, with which a run backward begins, is that of each trial. None: all bins.

    Returns:
        `[batch, time, units]`, with zeros after the end of a trial; or `[batch, units]`.

    Raises:
        ValueError: for a setting out of its range, or inputs without a time axis.

    Source: Cho et al., EMNLP 2014. Weights and their initial values are those of Keras.

    >>> GRU(4)(tf.zeros([2, 5, 3])).shape
    TensorShape([2, 4])
    """

    cell = "gru"


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LSTM(_Recurrent):
    r"""LSTM from states of zeros, as `tf_keras.layers.LSTM`.

    .. math::

        (i_t, f_t, o_t) &= \sigma(x_t W_{i,f,o} + h_{t-1} U_{i,f,o} + b_{i,f,o}), \quad
        c_t = \tanh(x_t W_c + h_{t-1} U_c + b_c), \\
        m_t &= f_t \odot m_{t-1} + i_t \odot c_t, \quad h_t = o_t \odot \tanh(m_t)

    Arguments, inputs and errors are those of `GRU`; the memory `m` stays inside.

    Source: Hochreiter and Schmidhuber, Neural Computation 1997. Weights and their initial values
    are those of Keras: the bias of the forget gate starts at 1.

    >>> LSTM(4, return_sequences=True)(tf.zeros([2, 5, 3])).shape
    TensorShape([2, 5, 4])
    """

    cell = "lstm"

    def _initializers(self, channels):
        return "glorot_uniform", "orthogonal", forget_bias(self.units)


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SimpleRNN(_Recurrent):
    r"""Simple recurrent network from a state of zeros, as `tf_keras.layers.SimpleRNN`.

    .. math:: h_t = \tanh(x_t W + h_{t-1} U + b)

    Arguments, inputs and errors are those of `GRU`.

    Source: Elman, Cognitive Science 1990. Weights and their initial values are those of Keras.

    >>> SimpleRNN(4)(tf.zeros([2, 5, 3])).shape
    TensorShape([2, 4])
    """

    cell = "simple_rnn"


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class ClippedGRU(_Recurrent):
    r"""Reset-before GRU whose state is clipped after each step, as LFADS uses it.

    .. math:: h_t = \mathrm{clip}(z_t \odot h_{t-1} + (1 - z_t) \odot c_t, -k, k)

    with gates `z`, `r` and candidate `c` of `GRU`, whose arguments, inputs and errors it has.
    The initial state is a trainable vector that starts at zero, and the last of the weights.

    Args:
        units: size of the state.
        return_sequences: as in `GRU`.
        go_backwards: as in `GRU`.
        recurrent_l2: as in `GRU`.
        clip: `k`, largest absolute value of a state.

    Source: Pandarinath et al., Nature Methods 2018. Kernels start at a standard deviation of
    `1 / sqrt(channels + units)`, biases of the two gates at 1.

    >>> ClippedGRU(4)(tf.zeros([2, 5, 3])).shape
    TensorShape([2, 4])
    """

    cell = "clipped_gru"

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        go_backwards: bool = False,
        recurrent_l2: float = 0.0,
        clip: float = 5.0,
        **kwargs,
    ):
        super().__init__(units, return_sequences, go_backwards, recurrent_l2, **kwargs)
        self.clip = checks.positive("clip", clip)

    def _initializers(self, channels):
        stddev = (channels + self.units) ** -0.5
        return scaled_normal(stddev), scaled_normal(stddev), gate_bias(self.units)

    def _build_start(self):
        self.initial_state = self.add_weight(
            name="initial_state", shape=(self.units,), initializer="zeros"
        )

    def _start(self, batch, dtype):
        return [tf.tile(self.initial_state[tf.newaxis], [batch, 1])]

    def get_config(self):
        return super().get_config() | {"clip": self.clip}
