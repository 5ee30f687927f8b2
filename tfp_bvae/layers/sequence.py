"""Layers that move a sequence in time, cut it, lengthen it, and set a vector beside it."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks

__all__ = ["JoinOverTime", "PadTime", "SplitTime", "TimeLag"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class TimeLag(checks.TFKerasOnly, tf_keras.layers.Layer):
    """Shifts a sequence so that step t sees only bins at least `lag` bins away.

    The forward half of a bidirectional encoding is shifted to later bins, the backward half to
    earlier ones, zeros moving in: at t are `forward[t - lag]` and `backward[t + lag]`. With lag 1
    what enters the LFADS controller at step t holds nothing of bin t; a bidirectional encoding has
    brought that bin in at earlier steps all the same, and so has f.

    Args:
        lag: number of bins, 0 or more.
        bidirectional: whether the second half of the channels runs backward in time.

    Call arguments:
        inputs: `[batch, time, channel]`.

    >>> x = tf.constant([[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
    >>> TimeLag(1, bidirectional=True)(x).numpy()[0].tolist()
    [[0.0, 2.0], [1.0, 3.0], [2.0, 0.0]]
    """

    def __init__(self, lag: int, bidirectional: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.lag = checks.whole_number("lag", lag, 0)
        self.bidirectional = checks.boolean("bidirectional", bidirectional)

    def build(self, input_shape):
        channels = checks.last_dim("inputs", input_shape)
        if self.bidirectional and channels % 2:
            raise ValueError(f"inputs must have an even number of channels, got {channels}")
        super().build(input_shape)

    def call(self, inputs):
        if not self.lag:
            return inputs
        if not self.bidirectional:
            return self._later(inputs)
        forward, backward = tf.split(inputs, 2, axis=-1)
        backward = tf.reverse(self._later(tf.reverse(backward, [1])), [1])
        return tf.concat([self._later(forward), backward], axis=-1)

    def _later(self, x: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(x, [[0, 0], [self.lag, 0], [0, 0]])
        return tf.ensure_shape(padded[:, : tf.shape(x)[1]], x.shape)

    def get_config(self):
        return super().get_config() | {"lag": self.lag, "bidirectional": self.bidirectional}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SplitTime(checks.TFKerasOnly, tf_keras.layers.Layer):
    """Cuts a sequence into its first `steps` bins and the rest.

    Args:
        steps: length of the first part.

    Call arguments:
        inputs: `[batch, time, channel]`, with more bins than `steps`.

    Raises:
        ValueError: if the sequence is known to be no longer than `steps`.

    >>> head, rest = SplitTime(2)(tf.zeros([1, 5, 3]))
    >>> head.shape[1], rest.shape[1]
    (2, 3)
    """

    def __init__(self, steps: int, **kwargs):
        super().__init__(**kwargs)
        self.steps = checks.whole_number("steps", steps, 1)

    def call(self, inputs):
        length = inputs.shape[1]
        if length is not None and length <= self.steps:
            raise ValueError(f"inputs must have more than {self.steps} time bins, got {length}")
        head_shape = [inputs.shape[0], self.steps, *inputs.shape[2:]]
        return tf.ensure_shape(inputs[:, : self.steps], head_shape), inputs[:, self.steps :]

    def get_config(self):
        return super().get_config() | {"steps": self.steps}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class PadTime(checks.TFKerasOnly, tf_keras.layers.Layer):
    """Adds bins of zeros at the end of a sequence: bins to be predicted.

    Args:
        steps: number of bins to add.

    Call arguments:
        inputs: `[batch, time, channel]`.

    >>> PadTime(2)(tf.ones([1, 3, 1])).numpy().ravel().tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0]
    """

    def __init__(self, steps: int, **kwargs):
        super().__init__(**kwargs)
        self.steps = checks.whole_number("steps", steps, 0)

    def call(self, inputs):
        return tf.pad(inputs, [[0, 0], [0, self.steps], [0, 0]])

    def get_config(self):
        return super().get_config() | {"steps": self.steps}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class JoinOverTime(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Sets a vector beside every step of a sequence, as DSAE hands f to its z encoder.

    .. math:: y_t = [x_t; v]

    Args:
        keep: whether the sequence is kept; without it the vector alone is repeated, as often as
            the sequence has steps.

    Call arguments:
        inputs: `[x, v]`: `[batch, time, channel]` and `[batch, size]`.

    Returns:
        `[batch, time, channel + size]`, or `[batch, time, size]`.

    Source: Li and Mandt, ICML 2018.

    >>> JoinOverTime()([tf.zeros([1, 2, 1]), tf.ones([1, 1])]).numpy().tolist()
    [[[0.0, 1.0], [0.0, 1.0]]]
    """

    def __init__(self, keep: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.keep = checks.boolean("keep", keep)

    def build(self, input_shape):
        if not isinstance(input_shape, list | tuple) or len(input_shape) != 2:
            raise ValueError(f"inputs must be a sequence and a vector, got shapes {input_shape}")
        checks.rank("the sequence", input_shape[0], 3)
        checks.rank("the vector", input_shape[1], 2)
        super().build(input_shape)

    def call(self, inputs):
        sequence, vector = inputs
        tiled = tf.repeat(vector[:, tf.newaxis], tf.shape(sequence)[1], axis=1)
        tiled = tf.ensure_shape(tiled, [*sequence.shape[:2], vector.shape[-1]])
        return tf.concat([sequence, tiled], axis=-1) if self.keep else tiled

    def get_config(self):
        return super().get_config() | {"keep": self.keep}
