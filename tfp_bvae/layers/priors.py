"""Priors whose steps are independent: a learned Gaussian, tiled over time or not, and N(0, I)."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import TiledMVNDiag, TiledMVNTriL
from tfp_bvae.layers.prior_base import COVARIANCES, PriorLayer, ScaleWeights, num_steps

__all__ = ["LearnableMVNPrior", "StandardNormalPrior", "TiledMVNPrior"]


class _GaussianPrior(PriorLayer):
    """Weights of a Gaussian: `loc`, and those of its scale."""

    def __init__(
        self,
        event_size: int,
        scale: float = 1.0,
        trainable_loc: bool = True,
        trainable_scale: bool = True,
        covariance: str = "diagonal",
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(event_size, value=value, seed=seed, **kwargs)
        self.scale = checks.positive("scale", scale)
        self.trainable_loc = checks.boolean("trainable_loc", trainable_loc)
        self.trainable_scale = checks.boolean("trainable_scale", trainable_scale)
        self.covariance = checks.one_of("covariance", covariance, COVARIANCES)

    def build(self, input_shape):
        self.loc = self._vector("loc", 0.0, self.trainable_loc)
        self._scale_weights = ScaleWeights(
            self, "log_scale", self.scale, self.trainable_scale, self.covariance
        )
        super().build(input_shape)

    @property
    def log_scale(self) -> tf.Variable:
        """Logarithm of the standard deviations, `[event_size]`; of the diagonal of `L`."""
        return self._scale_weights.log_scale

    def get_config(self):
        return super().get_config() | {
            "scale": self.scale,
            "trainable_loc": self.trainable_loc,
            "trainable_scale": self.trainable_scale,
            "covariance": self.covariance,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LearnableMVNPrior(_GaussianPrior):
    r"""A Gaussian whose location and covariance are learned.

    .. math:: p(f) = N(m, \mathrm{diag}\, s^2) \quad \text{or} \quad N(m, L L^T)

    Args:
        event_size: size of the latent.
        scale: initial standard deviation of each dimension.
        trainable_loc: whether `m` (initially 0) trains.
        trainable_scale: whether `s`, or `L`, trains. LFADS fixes it at `sqrt(0.1)`.
        covariance: `"diagonal"`, or `"full"`: `L` is a lower triangle, diagonal at first.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor of the graph; nothing is read from it.

    Returns:
        A `tfd.MultivariateNormalDiag` (or `MultivariateNormalTriL`), batch shape `[]`, event shape
        `[event_size]`.

    Raises:
        ValueError, TypeError: for a setting out of its range.

    >>> LearnableMVNPrior(3)(tf.zeros([2, 1])).event_shape
    TensorShape([3])
    """

    def distribution(self, inputs):
        loc = tf.convert_to_tensor(self.loc)
        if self.covariance == "full":
            return tfd.MultivariateNormalTriL(loc, self._scale_weights.tril())
        return tfd.MultivariateNormalDiag(loc, self._scale_weights.diagonal())


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class TiledMVNPrior(_GaussianPrior):
    r"""The same Gaussian at every time step, independent over time.

    .. math:: p(z_{1:T}) = \prod_t N(z_t; m, \mathrm{diag}\, s^2) \quad \text{or} \quad
        \prod_t N(z_t; m, L L^T)

    Args:
        event_size: size of the latent at one step.
        scale: initial standard deviation of each dimension.
        trainable_loc: whether `m` (initially 0) trains.
        trainable_scale: whether `s`, or `L`, trains.
        covariance: of one step: `"diagonal"`, or `"full"`, with `L` a lower triangle, diagonal at
            first.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        A `TiledMVNDiag` (or `TiledMVNTriL`), event shape `[time, event_size]`.

    Raises:
        ValueError, TypeError: for a setting out of its range, or inputs without a time axis.

    >>> TiledMVNPrior(3)(tf.zeros([2, 5, 1])).event_shape
    TensorShape([5, 3])
    """

    def distribution(self, inputs):
        loc = tf.convert_to_tensor(self.loc)
        if self.covariance == "full":
            return TiledMVNTriL(loc, self._scale_weights.tril(), num_steps(inputs))
        return TiledMVNDiag(loc, self._scale_weights.diagonal(), num_steps(inputs))


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class StandardNormalPrior(PriorLayer):
    r"""Standard normal at every time step; nothing of it is learned.

    .. math:: p(z_{1:T}) = \prod_t N(z_t; 0, I)

    Args:
        event_size: size of the latent at one step.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        A `TiledMVNDiag`, event shape `[time, event_size]`.

    Raises:
        ValueError, TypeError: for a setting out of its range, or inputs without a time axis.

    Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014).

    >>> StandardNormalPrior(3)(tf.zeros([2, 5, 1])).stddev()[0].numpy().tolist()
    [1.0, 1.0, 1.0]
    """

    def distribution(self, inputs):
        zeros = tf.zeros([self.event_size], self.variable_dtype)
        return TiledMVNDiag(zeros, tf.ones_like(zeros), num_steps(inputs))
