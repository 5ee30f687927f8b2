"""Clipped GRUs as Keras layers: one direction, and both."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.gru_scan import clipped_gru
from tfp_bvae.rnn.kernels import L2Penalty, gate_bias, scaled_normal

__all__ = ["BidirectionalClippedGRU", "ClippedGRU"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class ClippedGRU(tf_keras.layers.Layer):
    r"""Reset-before GRU whose state is clipped after each step, as LFADS uses it.

    .. math::

        z_t &= \sigma(x_t W_z + h_{t-1} U_z + b_z), \quad
        r_t = \sigma(x_t W_r + h_{t-1} U_r + b_r), \\
        c_t &= \tanh(x_t W_c + (r_t \odot h_{t-1}) U_c + b_c), \\
        h_t &= \mathrm{clip}(z_t \odot h_{t-1} + (1 - z_t) \odot c_t, -k, k)

    With `clip` large enough this is `tf_keras.layers.GRU(units, reset_after=False)`, and takes
    its weights. The initial state is a trainable vector that starts at zero.

    Args:
        units: size of the state.
        return_sequences: give the state after each step, not just the last.
        go_backwards: run from the last step to the first. Sequences stay in order of time.
        clip: `k`, largest absolute value of a state.
        recurrent_l2: adds `recurrent_l2 / 2 * ||U||^2` to the loss.

    Call arguments:
        inputs: `[batch, time, channel]`.

    Returns:
        `[batch, time, units]`, or `[batch, units]`.

    Source: Pandarinath et al., Nature Methods 2018. Kernels start at a standard deviation of
    `1 / sqrt(channels + units)`, biases of the two gates at 1.

    >>> ClippedGRU(4)(tf.zeros([2, 5, 3])).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        go_backwards: bool = False,
        clip: float = 5.0,
        recurrent_l2: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = checks.whole_number("units", units, 1)
        self.return_sequences = return_sequences
        self.go_backwards = go_backwards
        self.clip = checks.positive("clip", clip)
        self.recurrent_l2 = checks.in_interval("recurrent_l2", recurrent_l2, 0.0)

    def build(self, input_shape):
        checks.rank("inputs", input_shape, 3)
        channels = checks.last_dim("inputs", input_shape)
        stddev = (channels + self.units) ** -0.5
        self.kernel = self.add_weight(
            name="kernel", shape=(channels, 3 * self.units), initializer=scaled_normal(stddev)
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, 3 * self.units),
            initializer=scaled_normal(stddev),
        )
        self.bias = self.add_weight(
            name="bias", shape=(3 * self.units,), initializer=gate_bias(self.units)
        )
        self.initial_state = self.add_weight(
            name="initial_state", shape=(self.units,), initializer="zeros"
        )
        self.penalty = L2Penalty(self, self.recurrent_l2)
        super().build(input_shape)

    def call(self, inputs):
        inputs = tf.transpose(inputs, [1, 0, 2])  # [time, batch, channel]
        if self.go_backwards:
            inputs = tf.reverse(inputs, [0])
        start = tf.tile(self.initial_state[tf.newaxis], [tf.shape(inputs)[1], 1])
        kernel = tf.convert_to_tensor(self.recurrent_kernel)
        states = clipped_gru(inputs @ self.kernel + self.bias, start, kernel, self.clip)
        self.penalty(self.recurrent_kernel)
        if not self.return_sequences:
            return states[-1]
        if self.go_backwards:
            states = tf.reverse(states, [0])
        return tf.transpose(states, [1, 0, 2])

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            "clip": self.clip,
            "recurrent_l2": self.recurrent_l2,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class BidirectionalClippedGRU(tf_keras.layers.Layer):
    """Two `ClippedGRU`, one forward and one backward in time, side by side.

    Args:
        units: size of each direction's state.
        return_sequences: give the states after each step `[batch, time, 2 units]`; otherwise
            the forward state after the last step beside the backward state after the first.
        clip: largest absolute value of a state.
        recurrent_l2: adds `recurrent_l2 / 2 * ||U||^2` of both directions to the loss.

    Call arguments:
        inputs: `[batch, time, channel]`.

    >>> BidirectionalClippedGRU(4, return_sequences=True)(tf.zeros([2, 5, 3])).shape
    TensorShape([2, 5, 8])
    """

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        clip: float = 5.0,
        recurrent_l2: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        shared = {
            "units": units,
            "return_sequences": return_sequences,
            "clip": clip,
            "recurrent_l2": recurrent_l2,
            "dtype": self.dtype_policy,
        }
        self.forward_rnn = ClippedGRU(name="forward", **shared)
        self.backward_rnn = ClippedGRU(name="backward", go_backwards=True, **shared)

    def build(self, input_shape):
        self.forward_rnn.build(input_shape)
        self.backward_rnn.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        return tf.concat([self.forward_rnn(inputs), self.backward_rnn(inputs)], axis=-1)

    def get_config(self):
        shared = self.forward_rnn.get_config()
        names = ("units", "return_sequences", "clip", "recurrent_l2")
        return super().get_config() | {name: shared[name] for name in names}
