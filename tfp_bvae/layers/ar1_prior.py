"""The prior of LFADS on its inferred inputs, with what is learned of it."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.distributions import AR1Process, AR1ProcessTriL
from tfp_bvae.layers.prior_base import COVARIANCES, PriorLayer, ScaleWeights, num_steps

__all__ = ["AR1Prior"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class AR1Prior(PriorLayer):
    r"""A stationary AR(1) process in each dimension, time constant and innovation learned.

    .. math::

        p(z_1) = N(0, P), \qquad p(z_t \mid z_{t-1}) = N(\phi \odot z_{t-1}, S), \qquad
        \phi = e^{-1/\tau}, \quad P_{ij} = \frac{S_{ij}}{1 - \phi_i \phi_j}

    with `S = diag(sigma^2)`, or `S = L L^T` where innovations are correlated across dimensions.

    Args:
        event_size: number of dimensions.
        tau: initial time constant, in bins.
        innovation_scale: initial `sigma`, a standard deviation. LFADS starts at `sqrt(0.1)`.
        trainable_tau: whether `tau` trains (as its logarithm).
        trainable_scale: whether `sigma` trains (as its logarithm), and with it `L`.
        covariance: of the innovations: `"diagonal"`, or `"full"`, with `L` a lower triangle,
            diagonal at first.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        An `AR1Process` (or `AR1ProcessTriL`), event shape `[time, event_size]`.

    Raises:
        ValueError, TypeError: for a setting out of its range, or inputs without a time axis.

    Source: the prior on inferred inputs of Pandarinath et al., Nature Methods 2018; there each
    dimension is on its own.

    >>> AR1Prior(2, tau=10.0)(tf.zeros([4, 50, 1])).event_shape
    TensorShape([50, 2])
    """

    def __init__(
        self,
        event_size: int,
        tau: float = 10.0,
        innovation_scale: float = 0.1**0.5,
        trainable_tau: bool = True,
        trainable_scale: bool = True,
        covariance: str = "diagonal",
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(event_size, value=value, seed=seed, **kwargs)
        self.tau = checks.positive("tau", tau)
        self.innovation_scale = checks.positive("innovation_scale", innovation_scale)
        self.trainable_tau = checks.boolean("trainable_tau", trainable_tau)
        self.trainable_scale = checks.boolean("trainable_scale", trainable_scale)
        self.covariance = checks.one_of("covariance", covariance, COVARIANCES)

    def build(self, input_shape):
        self.log_tau = self._vector("log_tau", math.log(self.tau), self.trainable_tau)
        self._scale_weights = ScaleWeights(
            self,
            "log_innovation_scale",
            self.innovation_scale,
            self.trainable_scale,
            self.covariance,
        )
        super().build(input_shape)

    @property
    def log_innovation_scale(self) -> tf.Variable:
        """Logarithm of `sigma`, `[event_size]`; of the diagonal of `L`."""
        return self._scale_weights.log_scale

    def distribution(self, inputs):
        tau, scale = tf.exp(self.log_tau), self._scale_weights
        if self.covariance == "full":
            return AR1ProcessTriL(tau, scale.tril(), num_steps(inputs))
        return AR1Process(tau, scale.diagonal(), num_steps(inputs))

    def get_config(self):
        return super().get_config() | {
            "tau": self.tau,
            "innovation_scale": self.innovation_scale,
            "trainable_tau": self.trainable_tau,
            "trainable_scale": self.trainable_scale,
            "covariance": self.covariance,
        }
