"""What prior layers share: their weights, and how they read the number of steps."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.layers.base import DistributionLayer

__all__ = ["COVARIANCES", "PriorLayer", "ScaleWeights", "num_steps"]

COVARIANCES = ("diagonal", "full")


class PriorLayer(DistributionLayer):
    """A prior reads no values from its input; as a tensor it is its mean unless told otherwise."""

    def __init__(self, event_size: int, value: str = "mean", seed: int | None = None, **kwargs):
        super().__init__(value=value, seed=seed, **kwargs)
        self.event_size = checks.whole_number("event_size", event_size, 1)

    def _vector(
        self, name: str, initial: float, trainable: bool, size: int | None = None
    ) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=(self.event_size if size is None else size,),
            initializer=tf_keras.initializers.Constant(initial),
            trainable=trainable,
            experimental_autocast=False,  # a density wants full precision
        )

    def get_config(self):
        return super().get_config() | {"event_size": self.event_size}


class ScaleWeights:
    r"""The weights of a scale: standard deviations, or the Cholesky factor of a covariance.

    .. math:: L = \mathrm{diag}(s) (I + B), \qquad s = e^{log\_scale}

    with B strictly lower triangular, `below`, zero at first; without it where the covariance is
    diagonal. Rows of B have no unit: what a change of units scales is `s` alone.

    Args:
        layer: the prior that gains the weights.
        name: of the weight that holds the logarithm of `s`.
        initial: initial value of every `s`.
        trainable: whether `s` and B train.
        covariance: `"diagonal"` or `"full"`.
    """

    def __init__(
        self, layer: PriorLayer, name: str, initial: float, trainable: bool, covariance: str
    ):
        size = layer.event_size
        self.log_scale = layer._vector(name, math.log(initial), trainable)
        self.is_full = covariance == "full"
        if self.is_full:
            self._size = size
            self._below = layer._vector("below", 0.0, trainable, size * (size - 1) // 2)

    def diagonal(self) -> tf.Tensor:
        """Standard deviations `[size]`."""
        return tf.exp(self.log_scale)

    def tril(self) -> tf.Tensor:
        """L, `[size, size]`."""
        below = np.stack(np.tril_indices(self._size, -1), axis=-1)
        unit = tf.eye(self._size, dtype=self._below.dtype)
        unit = tf.tensor_scatter_nd_add(unit, below, tf.convert_to_tensor(self._below))
        return self.diagonal()[:, tf.newaxis] * unit


def num_steps(sequence: tf.Tensor) -> int | tf.Tensor:
    """Number of steps of `[batch, time, ...]`: an int where it is known."""
    if sequence.shape.rank < 2:
        raise ValueError(f"inputs must have at least 2 axes, got shape {tuple(sequence.shape)}")
    steps = sequence.shape[1]
    return tf.shape(sequence)[1] if steps is None else steps
