"""Penalties on the posterior of a static latent, for dimensions that do not repeat each other."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.layers.kl import scheduled_weight

__all__ = ["DIPPenalty", "TotalCorrelation"]

SAMPLINGS = ("weighted", "stratified")
KINDS = ("i", "ii")


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class TotalCorrelation(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Adds `weight` times the total correlation of the aggregate posterior of f to the loss.

    .. math::

        TC &= \mathrm{KL}\Big(q(f) \,\Big\|\, \prod_d q(f_d)\Big), \qquad
        q(f) = \frac{1}{N} \sum_{n=1}^{N} q(f \mid x_n) \\
        \log q(f_i) &\approx \log \sum_{j=1}^{M} w_{ij} \, q(f_i \mid x_j), \qquad
        w_{ij} = \frac{1}{N M}

    over the M trials of the batch, and the same for each `q(f_d)`; nats per trial, mean over the
    batch. Beside a `KLDivergence` with beta 1, `weight = beta - 1` makes a beta-TC-VAE.

    These are the weights of minibatch-weighted sampling. Their gradient does not depend on N, but
    the value is above the total correlation, where posteriors overlap by `(D - 1) log N` for D
    dimensions. Stratified sampling (`w_ii = 1 / N`, else `(N - 1) / (N (M - 1))`) makes of each
    density an unbiased estimate, exact if the batch is all trials.

    Args:
        weight: of the total correlation. A variable that is not trained; schedules assign it.
        num_trials: N, number of training trials.
        sampling: `"weighted"` (above) or `"stratified"`.

    Call arguments:
        inputs: q(f), the output of a posterior layer, batch shape `[batch]`, event `[size]`.

    Returns:
        The sample of q as a tensor, `[batch, size]`. Use it on the way to the model's output.

    Raises:
        TypeError: if the input is no distribution.
        ValueError: if it has another shape than that, or an argument is out of range.

    Source: Chen et al., NeurIPS 2018, arXiv:1802.04942; their stratified weights give one other
    trial of the batch a weight of its own, here is the mean over which one that is.

    >>> from tfp_bvae.layers import MVNDiagPosterior
    >>> layer = TotalCorrelation(weight=2.0, num_trials=4, sampling="stratified")
    >>> f = layer(MVNDiagPosterior(3)(tf.zeros([4, 6])))
    >>> f.shape, round(float(layer.losses[0]), 5) + 0.0
    (TensorShape([4, 3]), 0.0)
    """

    def __init__(self, weight: float, num_trials: int, sampling: str = "weighted", **kwargs):
        super().__init__(**kwargs)
        self.initial_weight = checks.in_interval("weight", weight, 0.0)
        self.num_trials = checks.whole_number("num_trials", num_trials, minimum=1)
        self.sampling = checks.one_of("sampling", sampling, SAMPLINGS)

    def build(self, input_shape):
        self.weight = scheduled_weight(self, "weight", self.initial_weight)
        super().build(input_shape)

    def call(self, inputs):
        q = _static(inputs)
        value = tf.convert_to_tensor(q)
        drawn = tf.cast(value, q.dtype)[:, tf.newaxis]  # [i, 1, size], to meet [j, size]
        log_weights = self._log_weights(tf.shape(drawn)[0], q.dtype)  # [i, j]
        joint = tf.reduce_logsumexp(log_weights + q.log_prob(drawn), axis=1)
        each = tfd.Normal(q.mean(), q.stddev()).log_prob(drawn)  # [i, j, size]
        marginals = tf.reduce_logsumexp(log_weights[..., tf.newaxis] + each, axis=1)
        total = tf.reduce_mean(joint - tf.reduce_sum(marginals, axis=-1))
        self.add_loss(tf.cast(self.weight, total.dtype) * total)
        self.add_metric(total, name=self.name)
        return value

    def _log_weights(self, batch: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        count = tf.cast(batch, dtype)
        if self.sampling == "weighted":
            return tf.fill([batch, batch], -tf.math.log(count) - math.log(self.num_trials))
        if self.num_trials == 1:
            return tf.zeros([batch, batch], dtype)
        share_of_others = math.log1p(-1.0 / self.num_trials)
        others = share_of_others - tf.math.log(tf.maximum(count - 1.0, 1.0))
        own = tf.fill([batch], tf.constant(-math.log(self.num_trials), dtype))
        return tf.linalg.set_diag(tf.fill([batch, batch], others), own)

    def get_config(self):
        return super().get_config() | {
            "weight": self.initial_weight,
            "num_trials": self.num_trials,
            "sampling": self.sampling,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class DIPPenalty(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Draws the covariance of f over trials to the identity, by a penalty on its entries.

    .. math::

        L &= \lambda_{od} \sum_{i \ne j} C_{ij}^2 + \lambda_d \sum_i (C_{ii} - 1)^2 \\
        C^{\mathrm{I}} &= \mathrm{Cov}_x[m(x)], \qquad
        C^{\mathrm{II}} = \mathrm{E}_x[S(x)] + \mathrm{Cov}_x[m(x)]

    for `q(f | x) = N(m(x), S(x))`; means and covariances over the trials of the batch (divided by
    their number). The metric is L, which is nats per trial as all that is added to the loss.

    Args:
        off_diagonal: lambda_od. A variable that is not trained, as `diagonal`; schedules assign
            them.
        diagonal: lambda_d.
        kind: `"i"` or `"ii"`: whether the covariance is that of the posterior means alone, or
            that of the aggregate posterior.

    Call arguments:
        inputs: q(f), the output of a posterior layer, batch shape `[batch]`, event `[size]`.

    Returns:
        The sample of q as a tensor, `[batch, size]`. Use it on the way to the model's output.

    Raises:
        TypeError: if the input is no distribution.
        ValueError: if it has another shape than that, or an argument is out of range.

    Source: Kumar et al., ICLR 2018, arXiv:1711.00848.

    >>> from tfp_bvae.layers import MVNDiagPosterior
    >>> layer = DIPPenalty(off_diagonal=10.0, diagonal=5.0)
    >>> f = layer(MVNDiagPosterior(3)(tf.zeros([4, 6])))
    >>> f.shape, float(layer.losses[0])  # all means are 0: each variance misses by 1
    (TensorShape([4, 3]), 15.0)
    """

    def __init__(self, off_diagonal: float, diagonal: float, kind: str = "i", **kwargs):
        super().__init__(**kwargs)
        self.initial_off_diagonal = checks.in_interval("off_diagonal", off_diagonal, 0.0)
        self.initial_diagonal = checks.in_interval("diagonal", diagonal, 0.0)
        self.kind = checks.one_of("kind", kind, KINDS)

    def build(self, input_shape):
        self.off_diagonal = scheduled_weight(self, "off_diagonal", self.initial_off_diagonal)
        self.diagonal = scheduled_weight(self, "diagonal", self.initial_diagonal)
        super().build(input_shape)

    def call(self, inputs):
        q = _static(inputs)
        value = tf.convert_to_tensor(q)
        away = q.mean() - tf.reduce_mean(q.mean(), axis=0)
        count = tf.cast(tf.shape(away)[0], away.dtype)
        covariance = tf.matmul(away, away, transpose_a=True) / count
        if self.kind == "ii":
            covariance += tf.reduce_mean(q.covariance(), axis=0)
        variances = tf.linalg.diag_part(covariance)
        off = tf.linalg.set_diag(covariance, tf.zeros_like(variances))
        penalty = tf.cast(self.off_diagonal, off.dtype) * tf.reduce_sum(off**2)
        penalty += tf.cast(self.diagonal, off.dtype) * tf.reduce_sum((variances - 1.0) ** 2)
        self.add_loss(penalty)
        self.add_metric(penalty, name=self.name)
        return value

    def get_config(self):
        return super().get_config() | {
            "off_diagonal": self.initial_off_diagonal,
            "diagonal": self.initial_diagonal,
            "kind": self.kind,
        }


def _static(q):
    """A posterior of one latent per trial."""
    checks.distribution("q", q)
    if q.batch_shape.rank != 1 or q.event_shape.rank != 1:
        raise ValueError(
            "q must be of one latent per trial, batch shape [batch] and event shape [size], "
            f"got {q.batch_shape} and {q.event_shape}"
        )
    return q
