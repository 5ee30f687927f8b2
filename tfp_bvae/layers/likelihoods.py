"""The Gaussian likelihood layer: from locations to a distribution over the data."""

from __future__ import annotations

import math

import tensorflow as tf
import tensorflow_probability as tfp
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import ObservedMVNTriL, SharedMVNTriL
from tfp_bvae.layers.base import LikelihoodLayer

__all__ = ["GaussianLikelihood"]

COVARIANCES = ("diagonal", "full")


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GaussianLikelihood(LikelihoodLayer):
    r"""Gaussian data, independent over time, with a learned covariance of the channels.

    .. math::

        \log p(x) = \sum_t \log N(x_t; \mu_t, L L^T), \qquad
        L_{nn} = s_n, \quad L_{nm} = s_n c_{nm} \; (m < n)

    `"diagonal"`: `c = 0`, and `s` are standard deviations. `"full"`: `c` is learned as well, from
    zero on; the same `L` holds for all bins. Nothing but `s` has the unit of the data.

    Args:
        covariance: `"diagonal"`, or `"full"` over channels.
        init_scale: initial `s` of each channel.
        min_scale: a floor on it.
        value: what it is as a tensor: `"mean"`, `"sample"` or `"auto"`.
        seed: of the draws.
        missing: whether data may be NaN, where they were not observed, and are left out; `"full"`
            then has the marginal of the channels of each bin that were.

    Call arguments:
        inputs: locations `mu`, `[batch, time, channel]`; with samples of the latents
            `[S, batch, time, channel]`.

    Returns:
        Batch shape `[batch]` or `[S, batch]`, event `[time, channel]`. `"diagonal"`:
        `tfd.Independent(tfd.Normal, 2)`, whose `distribution.log_prob` is that of each entry.
        `"full"`: `tfd.Independent(SharedMVNTriL, 1)`, whose `distribution.log_prob`
        is that of each bin, `[..., time]`: channels have none of their own.

    >>> GaussianLikelihood()(tf.zeros([3, 4, 2])).event_shape
    TensorShape([4, 2])
    >>> full = GaussianLikelihood("full", init_scale=2.0)(tf.zeros([3, 4, 2]))
    >>> full.distribution.covariance()[0, 0].numpy().tolist()
    [[4.0, 0.0], [0.0, 4.0]]
    """

    def __init__(
        self,
        covariance: str = "diagonal",
        init_scale: float = 1.0,
        min_scale: float = 1e-3,
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value=value, seed=seed, **kwargs)
        self.covariance = checks.one_of("covariance", covariance, COVARIANCES)
        self.init_scale = checks.positive("init_scale", init_scale)
        self.min_scale = checks.positive("min_scale", min_scale)

    def build(self, input_shape):
        channels = checks.last_dim("inputs", input_shape)
        self.log_scale = self._weight("log_scale", channels, math.log(self.init_scale))
        self.below_diagonal = None
        if self.covariance == "full" and channels > 1:
            self.below_diagonal = self._weight("below_diagonal", channels * (channels - 1) // 2)
        super().build(input_shape)

    def _weight(self, name: str, size: int, initial: float = 0.0) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=(size,),
            initializer=tf_keras.initializers.Constant(initial),
            experimental_autocast=False,  # a density wants full precision
        )

    def distribution(self, inputs):
        loc = tf.cast(inputs, self.variable_dtype)
        scale = tf.maximum(tf.exp(self.log_scale), self.min_scale)
        if self.covariance == "diagonal":
            return self.of_entries(tfd.Normal(loc, scale))
        factor = tf.eye(tf.size(scale), dtype=scale.dtype)
        if self.below_diagonal is not None:
            factor += tf.pad(tfp.math.fill_triangular(self.below_diagonal), [[1, 0], [0, 1]])
        scale_tril = scale[:, tf.newaxis] * factor
        gaussian = ObservedMVNTriL if self.missing else SharedMVNTriL
        return tfd.Independent(gaussian(loc, scale_tril), 1)

    def get_config(self):
        return super().get_config() | {
            "covariance": self.covariance,
            "init_scale": self.init_scale,
            "min_scale": self.min_scale,
        }
