"""The one layer that adds a Kullback-Leibler divergence to the loss."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import path_kl, sampled_kl

__all__ = ["KLDivergence"]

METHODS = ("path", "analytic", "sampled")


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class KLDivergence(tf_keras.layers.Layer):
    r"""Adds `beta * KL(q || p)` to the loss, and reports the KL in nats per trial.

    .. math:: \mathrm{KL}_{path} = \sum_t \mathrm{KL}(q(z_t) \,\|\, p(z_t \mid z_{<t}))

    where `z` is the very sample that q is as a tensor. Once per model, q and p: nobody else adds
    a KL. The loss is a mean over the batch and a sum over all else, so that beta does not depend
    on the batch size or the length of a trial.

    Args:
        beta: weight of the KL. A variable that is not trained; schedules assign it.
        method: `"path"` (above; for latents without a time axis the closed form), `"analytic"`
            (`tfd.kl_divergence` of the whole), or `"sampled"` (`log q(z) - log p(z)`).

    Call arguments:
        inputs: `[q, p]` or `[q, p, x]`, where q and p are outputs of distribution layers.

    Returns:
        The sample of q as a tensor; or `x`, unchanged, if it was given. Use what comes back on
        the way to the model's output: Keras leaves out layers on which no output depends.

    Raises:
        TypeError: if q or p is not a distribution.

    >>> from tfp_bvae.layers import LearnableMVNPrior, MVNDiagPosterior
    >>> params = tf.zeros([4, 6])
    >>> kl = KLDivergence(beta=0.5)
    >>> z = kl([MVNDiagPosterior(3)(params), LearnableMVNPrior(3)(params)])
    >>> z.shape, round(float(kl.losses[0]), 5)
    (TensorShape([4, 3]), 0.0)
    """

    def __init__(self, beta: float = 1.0, method: str = "path", **kwargs):
        super().__init__(**kwargs)
        self.initial_beta = checks.in_interval("beta", beta, 0.0)
        self.method = checks.one_of("method", method, METHODS)

    def build(self, input_shape):
        self.beta = self.add_weight(
            name="beta",
            shape=(),
            dtype="float32",
            initializer=tf_keras.initializers.Constant(self.initial_beta),
            trainable=False,
            experimental_autocast=False,
        )
        super().build(input_shape)

    def call(self, inputs):
        q, p, *rest = inputs
        for name, given in (("q", q), ("p", p)):
            if not hasattr(given, "log_prob"):
                raise TypeError(f"{name} must be the output of a distribution layer, got {given!r}")
        value = tf.convert_to_tensor(q)
        per_trial = self._divergence(q, p, tf.cast(value, q.dtype))  # [batch, ...]
        divergence = tf.reduce_mean(tf.reduce_sum(per_trial, axis=range(1, per_trial.shape.rank)))
        self.add_loss(tf.cast(self.beta, divergence.dtype) * divergence)
        self.add_metric(divergence, name=self.name)
        return rest[0] if rest else value

    def _divergence(self, q, p, value) -> tf.Tensor:
        """KL of each trial, `[batch]`; of each step, where p has no time axis and q has."""
        over_time = p.event_shape.rank == 2
        if self.method == "path" and over_time:
            return path_kl(q, p, value)
        if self.method == "sampled":
            if over_time:
                return sampled_kl(q, p, value)
            return q.log_prob(value) - p.log_prob(value)
        if over_time:
            q = tfd.Independent(getattr(q, "tensor_distribution", q), 1)
        return tfd.kl_divergence(q, p)

    def get_config(self):
        return super().get_config() | {"beta": self.initial_beta, "method": self.method}
