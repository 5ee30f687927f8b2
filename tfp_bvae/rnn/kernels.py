"""How recurrent kernels start, and how they are penalised."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks

__all__ = ["L2Penalty", "forget_bias", "gate_bias", "scaled_normal", "start_bias", "unit_columns"]


def scaled_normal(stddev: float) -> tf_keras.initializers.Initializer:
    """Normal initial values of this standard deviation."""
    return tf_keras.initializers.RandomNormal(stddev=stddev)


def gate_bias(units: int) -> tf_keras.initializers.Initializer:
    """Biases stacked as (z, r, c): 1 for both gates, 0 for the candidate."""
    return tf_keras.initializers.Constant([1.0] * (2 * units) + [0.0] * units)


def forget_bias(units: int) -> tf_keras.initializers.Initializer:
    """Biases stacked as (i, f, c, o): 1 for the forget gate of an LSTM, 0 for all else."""
    return tf_keras.initializers.Constant([0.0] * units + [1.0] * units + [0.0] * (2 * units))


def start_bias(cell: str, units: int) -> tf_keras.initializers.Initializer:
    """Initial biases of a cell that is to remember: of its gates, or of its forget gate."""
    if cell == "lstm":
        return forget_bias(units)
    return tf_keras.initializers.Zeros() if cell == "simple_rnn" else gate_bias(units)


def unit_columns(kernel: tf.Tensor) -> tf.Tensor:
    """Scales each column of `kernel` to unit Euclidean norm."""
    return tf.math.l2_normalize(kernel, axis=0)


class L2Penalty:
    """Adds `weight / 2 * ||U||^2` to the loss of the layer that owns it.

    The weight is a variable that is not trained, so that a schedule can ramp it.

    Args:
        layer: the Keras layer; gains a non-trainable weight `name`.
        weight: the penalty's weight, in nats per trial; 0 adds nothing.
        name: the name of the variable.
    """

    def __init__(self, layer: tf_keras.layers.Layer, weight: float, name: str = "l2"):
        checks.in_interval(name, weight, 0.0, float("inf"))
        self.target = weight
        self._layer = layer
        self.weight = None
        if weight:
            self.weight = layer.add_weight(
                name=name,
                shape=(),
                dtype="float32",
                initializer=tf_keras.initializers.Constant(weight),
                trainable=False,
                experimental_autocast=False,
            )

    def __call__(self, kernel: tf.Tensor) -> None:
        if self.weight is not None:
            penalty = tf.nn.l2_loss(tf.cast(kernel, tf.float32))
            self._layer.add_loss(self.weight * penalty)
