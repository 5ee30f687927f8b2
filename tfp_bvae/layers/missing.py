"""What stands in the place of values that were not observed, which are NaN."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks

__all__ = ["LearnedFill", "MissingToZero"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class MissingToZero(checks.TFKerasOnly, tf_keras.layers.Layer):
    """Puts zero in the place of NaN, which marks what was not observed.

    Call arguments:
        inputs: any floating tensor.

    >>> MissingToZero()(tf.constant([1.0, float("nan")])).numpy().tolist()
    [1.0, 0.0]
    """

    def call(self, inputs):
        return tf.where(tf.math.is_nan(inputs), tf.zeros_like(inputs), inputs)


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LearnedFill(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Puts a learned value of its channel in the place of NaN, which marks what was not observed.

    .. math:: \tilde x_{tc} = \begin{cases} x_{tc} & \text{observed} \\ w_c & \text{not}
        \end{cases}, \qquad w_c = 0 \text{ at the start}

    Of counts, zero says that no spike was seen. A value that is learned can say that nothing is
    known, which a recurrent encoder needs to carry its state through a bin that was lost.

    Call arguments:
        inputs: `[..., channel]`.

    >>> fill = LearnedFill()
    >>> fill(tf.constant([[1.0, float("nan")]])).numpy().tolist()
    [[1.0, 0.0]]
    >>> _ = fill.fill.assign([-1.0, -2.0])
    >>> fill(tf.constant([[1.0, float("nan")]])).numpy().tolist()
    [[1.0, -2.0]]
    """

    def build(self, input_shape):
        channels = checks.last_dim("inputs", input_shape)
        self.fill = self.add_weight(name="fill", shape=[channels], initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        return tf.where(tf.math.is_nan(inputs), self.fill, inputs)
