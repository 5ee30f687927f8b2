"""Likelihood layers: from log-rates or locations to a distribution over the data."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.layers.base import DistributionLayer

__all__ = ["GaussianLikelihood", "PoissonLikelihood"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class PoissonLikelihood(DistributionLayer):
    r"""Independent Poisson counts, time and channels together one event.

    .. math:: \log p(x) = \sum_{t,n} x_{tn} \eta_{tn} - e^{\eta_{tn}} - \log x_{tn}!

    so that `log_prob` is in nats per trial. Above `max_log_rate` the log-rate grows
    logarithmically, so that no step of a fit can overflow.

    Args:
        max_log_rate: where the log-rate starts to saturate; 6 is 403 spikes per bin.
        value: what it is as a tensor: `"mean"` (rates), `"sample"` (counts) or `"auto"`.
        seed: of the draws.

    Call arguments:
        inputs: log-rates `eta` (log expected spikes per bin), `[batch, time, channel]`.

    Returns:
        `tfd.Independent(tfd.Poisson, 2)`, batch shape `[batch]`, event `[time, channel]`.

    >>> PoissonLikelihood()(tf.zeros([1, 2, 1])).log_prob([[[0.0], [0.0]]]).numpy().tolist()
    [-2.0]
    """

    def __init__(
        self, max_log_rate: float = 6.0, value: str = "mean", seed: int | None = None, **kwargs
    ):
        super().__init__(value=value, seed=seed, **kwargs)
        self.max_log_rate = checks.positive("max_log_rate", max_log_rate)

    def build(self, input_shape):
        checks.rank("inputs", input_shape, 3)
        super().build(input_shape)

    def distribution(self, inputs):
        log_rate = tf.cast(inputs, self.variable_dtype)
        excess = tf.nn.relu(log_rate - self.max_log_rate)
        log_rate = log_rate - excess + tf.math.log1p(excess)
        return tfd.Independent(tfd.Poisson(log_rate=log_rate), 2)

    def get_config(self):
        return super().get_config() | {"max_log_rate": self.max_log_rate}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GaussianLikelihood(DistributionLayer):
    r"""Independent Gaussian data with a learned standard deviation per channel.

    .. math:: \log p(x) = \sum_{t,n} \log N(x_{tn}; \mu_{tn}, s_n^2)

    Args:
        init_scale: initial standard deviation of each channel.
        min_scale: a floor on it.
        value: what it is as a tensor: `"mean"`, `"sample"` or `"auto"`.
        seed: of the draws.

    Call arguments:
        inputs: locations `mu`, `[batch, time, channel]`.

    Returns:
        `tfd.Independent(tfd.Normal, 2)`, batch shape `[batch]`, event `[time, channel]`.

    >>> GaussianLikelihood()(tf.zeros([3, 4, 2])).event_shape
    TensorShape([4, 2])
    """

    def __init__(
        self,
        init_scale: float = 1.0,
        min_scale: float = 1e-3,
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value=value, seed=seed, **kwargs)
        self.init_scale = checks.positive("init_scale", init_scale)
        self.min_scale = checks.positive("min_scale", min_scale)

    def build(self, input_shape):
        checks.rank("inputs", input_shape, 3)
        self.log_scale = self.add_weight(
            name="log_scale",
            shape=(checks.last_dim("inputs", input_shape),),
            initializer=tf_keras.initializers.Constant(math.log(self.init_scale)),
            experimental_autocast=False,
        )
        super().build(input_shape)

    def distribution(self, inputs):
        loc = tf.cast(inputs, self.variable_dtype)
        scale = tf.maximum(tf.exp(self.log_scale), self.min_scale)
        return tfd.Independent(tfd.Normal(loc, scale), 2)

    def get_config(self):
        return super().get_config() | {
            "init_scale": self.init_scale,
            "min_scale": self.min_scale,
        }
