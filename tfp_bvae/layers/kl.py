"""The one layer that adds a Kullback-Leibler divergence to the loss."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import path_kl, sampled_kl
from tfp_bvae.distributions.kl import sum_until
from tfp_bvae.distributions.mean_field import time_marginals, unwrapped

__all__ = ["KLDivergence", "scheduled_weight"]

METHODS = ("path", "analytic", "sampled")


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class KLDivergence(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Adds `beta * KL(q || p)` to the loss, and reports the KL in nats per trial.

    .. math::

        \mathrm{KL}_{path} &= \sum_t \mathrm{KL}(q(z_t) \,\|\, p(z_t \mid z_{<t})) \\
        L_{free} &= \beta \sum_d \max(\lambda, \mathrm{KL}_d), \qquad
        L_{capacity} = \beta \, |\mathrm{KL} - C|

    where `z` is the very sample that q is as a tensor. Once per model, q and p: nobody else adds
    a KL. The loss is a mean over the batch and a sum over all else, so that beta does not depend
    on the batch size or the length of a trial. The metric is the KL itself, whatever the loss.

    Args:
        beta: weight of the KL. A variable that is not trained; schedules assign it.
        method: `"path"` (above; for latents without a time axis the closed form), `"analytic"`
            (`tfd.kl_divergence` of the whole), or `"sampled"` (`log q(z) - log p(z)`).
        free_bits: lambda, nats per latent dimension: a dimension whose KL (mean over the batch,
            sum over time) is less has no gradient. Where q or p has a full covariance, dimensions
            have no KL of their own: then the whole latent has `free_bits` times its size.
            Only with `method="path"`.
        capacity: C, nats per trial, that the KL is drawn to from both sides; None for no such
            goal. A variable as beta is. Not together with `free_bits`.

        prior: a prior layer that this layer is to own, for models whose layers have one input.

    Call arguments:
        inputs: `[q, p]` or `[q, p, x]`, where q and p are outputs of distribution layers; q
            alone, or `[q, x]`, where the layer owns its prior.
        length: number of bins of each trial that count, `[batch]`, for trials that are padded at
            their end; None for all. Not with `method="analytic"`, or a latent without time.

    Returns:
        The sample of q as a tensor; or `x`, unchanged, if it was given. Use what comes back on
        the way to the model's output: Keras leaves out layers on which no output depends.

    Raises:
        TypeError: if q or p is not a distribution.
        ValueError: if an argument is out of range, or `free_bits` meets what it cannot go with.

    Source: free bits: Kingma et al., NeurIPS 2016; capacity: Burgess et al., 2018,
    arXiv:1804.03599.

    >>> from tfp_bvae.layers import LearnableMVNPrior, MVNDiagPosterior
    >>> params = tf.zeros([4, 6])
    >>> kl = KLDivergence(beta=0.5)
    >>> z = kl([MVNDiagPosterior(3)(params), LearnableMVNPrior(3)(params)])
    >>> z.shape, round(float(kl.losses[0]), 5)
    (TensorShape([4, 3]), 0.0)
    """

    def __init__(
        self,
        beta: float = 1.0,
        method: str = "path",
        free_bits: float = 0.0,
        capacity: float | None = None,
        prior: tf_keras.layers.Layer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if prior is not None and not isinstance(prior, tf_keras.layers.Layer):
            raise TypeError(f"prior must be a prior layer, got {prior!r}")
        self.prior = prior
        self.initial_beta = checks.in_interval("beta", beta, 0.0)
        self.method = checks.one_of("method", method, METHODS)
        self.free_bits = checks.in_interval("free_bits", free_bits, 0.0)
        self.initial_capacity = capacity
        if capacity is not None:
            self.initial_capacity = checks.in_interval("capacity", capacity, 0.0)
        if self.free_bits and capacity is not None:
            raise ValueError(f"free_bits must be 0 where capacity is given, got {free_bits!r}")
        if self.free_bits and method != "path":
            raise ValueError(f"free_bits must be 0 with method={method!r}, got {free_bits!r}")

    def build(self, input_shape):
        self.beta = scheduled_weight(self, "beta", self.initial_beta)
        self.capacity = None
        if self.initial_capacity is not None:
            self.capacity = scheduled_weight(self, "capacity", self.initial_capacity)
        super().build(input_shape)

    def call(self, inputs, length=None):
        q, *rest = inputs if isinstance(inputs, list | tuple) else [inputs]
        checks.distribution("q", q)
        value = tf.convert_to_tensor(q)
        p = rest.pop(0) if self.prior is None else self.prior(value)
        checks.distribution("p", p)
        self._check_shapes(q, p, rest)
        path = tf.cast(value, q.dtype)
        raw = tf.reduce_mean(divergence(q, p, path, self.method, length))
        paid = self._paid(raw, q, p, path, length)
        self.add_loss(tf.cast(self.beta, paid.dtype) * paid)
        self.add_metric(raw, name=self.name)
        return rest[0] if rest else value

    def _check_shapes(self, q, p, rest) -> None:
        """What would else be scored in silence, or end in an error of TensorFlow."""
        if q.batch_shape.rank == 0:
            raise ValueError("q must be a posterior, with a batch of trials: is [q, p] swapped?")
        if self.prior is not None and any(hasattr(x, "log_prob") for x in rest):
            raise ValueError(
                "inputs must be q or [q, x] where the layer owns its prior, got [q, p]"
            )
        if not q.event_shape[-1:].is_compatible_with(p.event_shape[-1:]):
            raise ValueError(
                f"q and p must have one size, got {q.event_shape[-1:]} and {p.event_shape[-1:]}"
            )

    def _paid(self, raw, q, p, path, length) -> tf.Tensor:
        """What beta multiplies, nats per trial."""
        if self.capacity is not None:
            return tf.abs(raw - tf.cast(self.capacity, raw.dtype))
        if not self.free_bits:
            return raw
        each = _by_dimension(q, p, path, length)
        if each is None:
            return tf.maximum(raw, self.free_bits * path.shape[-1])
        return tf.reduce_sum(tf.maximum(each, tf.cast(self.free_bits, each.dtype)))

    def get_config(self):
        return super().get_config() | {
            "beta": self.initial_beta,
            "method": self.method,
            "free_bits": self.free_bits,
            "capacity": self.initial_capacity,
            "prior": self.prior and tf_keras.layers.serialize(self.prior),
        }

    @classmethod
    def from_config(cls, config):
        prior = config.get("prior")
        if isinstance(prior, dict):
            config = config | {"prior": tf_keras.layers.deserialize(prior)}
        return cls(**config)


def divergence(q, p, value, method: str, length: tf.Tensor | None = None) -> tf.Tensor:
    """KL of q from p by one of `METHODS`, for the sample `value` of q: nats of each trial.

    Raises:
        ValueError: with a `length`, where the KL is not a sum over time.
    """
    over_time = p.event_shape.rank == 2
    if length is not None and (method == "analytic" or not (over_time or q.batch_shape.rank == 2)):
        got = f"method={method!r}" if over_time else f"q of batch shape {q.batch_shape}"
        raise ValueError(
            "length must go with a KL that is a sum over time, of method 'path' or 'sampled' and "
            f"of a latent that has a time axis, got {got}"
        )
    if method == "path" and over_time:
        return path_kl(q, p, value, length)
    if method == "sampled" and over_time:
        return sampled_kl(q, p, value, length)
    if method == "sampled":
        found = q.log_prob(value) - p.log_prob(value)
    else:
        marginals = tfd.Independent(getattr(q, "tensor_distribution", q), 1) if over_time else q
        found = tfd.kl_divergence(marginals, p)
    if length is not None:
        return sum_until(found, length)
    # where p has no time axis and q has, there is one of each step
    return tf.reduce_sum(found, axis=range(1, found.shape.rank))


def scheduled_weight(layer: tf_keras.layers.Layer, name: str, value: float) -> tf.Variable:
    """A scalar in single precision that is not trained, for schedules to assign."""
    return layer.add_weight(
        name=name,
        shape=(),
        dtype="float32",
        initializer=tf_keras.initializers.Constant(value),
        trainable=False,
        experimental_autocast=False,
    )


def _by_dimension(q, p, path, length) -> tf.Tensor | None:
    """KL of each latent dimension, `[dim]`, mean over trials; None where it does not split."""
    q, p = unwrapped(q), unwrapped(p)
    if p.event_shape.rank == 2:
        q, p = time_marginals(q), p.conditionals(path)
    if not all(isinstance(x, tfd.MultivariateNormalDiag) for x in (q, p)):
        return None
    each = tfd.kl_divergence(*(tfd.Normal(x.mean(), x.stddev()) for x in (q, p)))
    if length is not None:  # [batch, time, dim]
        return tf.reduce_mean(
            sum_until(tf.linalg.matrix_transpose(each), length[:, tf.newaxis]), axis=0
        )
    return tf.reduce_mean(tf.reduce_sum(each, axis=range(1, each.shape.rank - 1)), axis=0)
