"""Prior layers: what a latent looks like before any data, with what is learned of it."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import AR1Process, TiledMVNDiag
from tfp_bvae.layers.base import DistributionLayer

__all__ = ["AR1Prior", "LearnableMVNPrior", "TiledMVNPrior"]


class _PriorLayer(DistributionLayer):
    """A prior reads no values from its input; as a tensor it is its mean unless told otherwise."""

    def __init__(self, event_size: int, value: str = "mean", seed: int | None = None, **kwargs):
        super().__init__(value=value, seed=seed, **kwargs)
        self.event_size = checks.whole_number("event_size", event_size, 1)

    def _vector(self, name: str, initial: float, trainable: bool) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=(self.event_size,),
            initializer=tf_keras.initializers.Constant(initial),
            trainable=trainable,
            experimental_autocast=False,  # a density wants full precision
        )

    def get_config(self):
        return super().get_config() | {"event_size": self.event_size}


class _GaussianPrior(_PriorLayer):
    """Weights of a diagonal Gaussian: `loc`, and the logarithm of its scale."""

    def __init__(
        self,
        event_size: int,
        scale: float = 1.0,
        trainable_loc: bool = True,
        trainable_scale: bool = True,
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(event_size, value=value, seed=seed, **kwargs)
        self.scale = checks.positive("scale", scale)
        self.trainable_loc = checks.boolean("trainable_loc", trainable_loc)
        self.trainable_scale = checks.boolean("trainable_scale", trainable_scale)

    def build(self, input_shape):
        self.loc = self._vector("loc", 0.0, self.trainable_loc)
        self.log_scale = self._vector("log_scale", math.log(self.scale), self.trainable_scale)
        super().build(input_shape)

    def get_config(self):
        return super().get_config() | {
            "scale": self.scale,
            "trainable_loc": self.trainable_loc,
            "trainable_scale": self.trainable_scale,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LearnableMVNPrior(_GaussianPrior):
    r"""A diagonal Gaussian whose location and scale are learned.

    .. math:: p(f) = N(m, \mathrm{diag}\, s^2)

    Args:
        event_size: size of the latent.
        scale: initial standard deviation of each dimension.
        trainable_loc: whether `m` (initially 0) trains.
        trainable_scale: whether `s` trains. LFADS fixes it at `sqrt(0.1)`.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor of the graph; nothing is read from it.

    Returns:
        A `tfd.MultivariateNormalDiag`, batch shape `[]`, event shape `[event_size]`.

    >>> LearnableMVNPrior(3)(tf.zeros([2, 1])).event_shape
    TensorShape([3])
    """

    def distribution(self, inputs):
        loc = tf.convert_to_tensor(self.loc)
        return tfd.MultivariateNormalDiag(loc, tf.exp(self.log_scale))


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class TiledMVNPrior(_GaussianPrior):
    r"""The same diagonal Gaussian at every time step, independent over time.

    .. math:: p(z_{1:T}) = \prod_t N(z_t; m, \mathrm{diag}\, s^2)

    Args:
        event_size: size of the latent at one step.
        scale: initial standard deviation of each dimension.
        trainable_loc: whether `m` (initially 0) trains.
        trainable_scale: whether `s` trains.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        A `TiledMVNDiag`, event shape `[time, event_size]`.

    >>> TiledMVNPrior(3)(tf.zeros([2, 5, 1])).event_shape
    TensorShape([5, 3])
    """

    def distribution(self, inputs):
        loc = tf.convert_to_tensor(self.loc)
        return TiledMVNDiag(loc, tf.exp(self.log_scale), num_steps(inputs))


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class AR1Prior(_PriorLayer):
    r"""A stationary AR(1) process in each dimension, time constant and innovation learned.

    .. math::

        p(z_1) = N\left(0, \frac{\sigma^2}{1 - \phi^2}\right), \qquad
        p(z_t \mid z_{t-1}) = N(\phi z_{t-1}, \sigma^2), \qquad \phi = e^{-1/\tau}

    Args:
        event_size: number of dimensions.
        tau: initial time constant, in bins.
        innovation_scale: initial `sigma`, a standard deviation. LFADS starts at `sqrt(0.1)`.
        trainable_tau: whether `tau` trains (as its logarithm).
        trainable_scale: whether `sigma` trains (as its logarithm).
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        An `AR1Process`, event shape `[time, event_size]`.

    Source: the prior on inferred inputs of Pandarinath et al., Nature Methods 2018.

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
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(event_size, value=value, seed=seed, **kwargs)
        self.tau = checks.positive("tau", tau)
        self.innovation_scale = checks.positive("innovation_scale", innovation_scale)
        self.trainable_tau = checks.boolean("trainable_tau", trainable_tau)
        self.trainable_scale = checks.boolean("trainable_scale", trainable_scale)

    def build(self, input_shape):
        self.log_tau = self._vector("log_tau", math.log(self.tau), self.trainable_tau)
        self.log_scale = self._vector(
            "log_innovation_scale", math.log(self.innovation_scale), self.trainable_scale
        )
        super().build(input_shape)

    def distribution(self, inputs):
        return AR1Process(tf.exp(self.log_tau), tf.exp(self.log_scale), num_steps(inputs))

    def get_config(self):
        return super().get_config() | {
            "tau": self.tau,
            "innovation_scale": self.innovation_scale,
            "trainable_tau": self.trainable_tau,
            "trainable_scale": self.trainable_scale,
        }


def num_steps(sequence: tf.Tensor) -> int | tf.Tensor:
    """Number of steps of `[batch, time, ...]`: an int where it is known."""
    if sequence.shape.rank < 2:
        raise ValueError(f"inputs must have at least 2 axes, got shape {tuple(sequence.shape)}")
    steps = sequence.shape[1]
    return tf.shape(sequence)[1] if steps is None else steps
