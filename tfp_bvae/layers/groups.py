"""A latent whose prior mean is shared by all segments of a group, as in the FHVAE."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.layers.base import DistributionLayer

__all__ = ["GroupDiscrimination", "GroupMVNPrior", "GroupMeans"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GroupMeans(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""A learned mean for each group (a recording, a condition, a trial), with a prior on it.

    .. math:: \mu_i \sim N(0, s^2 I), \qquad L = -\frac{1}{n_i} \log N(\mu_i; 0, s^2 I)

    L, the mean over the batch, is added to the loss: over all `n_i` segments of a group, its mean
    pays for itself once. A group that has no row has a mean of NaN, and so has the loss.

    Args:
        num_groups: number of rows of the table.
        event_size: size of the latent.
        scale: `s`, also that of the initial values.

    Call arguments:
        inputs: `[group, count]`, each `[batch]`: the row of each segment (whole numbers), and the
            number `n_i` of segments its group has.

    Returns:
        The mean of each segment's group `[batch, event_size]`, and the whole table
        `[num_groups, event_size]`.

    Source: Hsu, Zhang and Glass, NeurIPS 2017 (their mu_2).

    >>> means, table = GroupMeans(3, 2)([tf.constant([0, 2, 0, 1]), tf.fill([4], 5.0)])
    >>> means.shape, table.shape
    (TensorShape([4, 2]), TensorShape([3, 2]))
    """

    def __init__(self, num_groups: int, event_size: int, scale: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.num_groups = checks.whole_number("num_groups", num_groups, 1)
        self.event_size = checks.whole_number("event_size", event_size, 1)
        self.scale = checks.positive("scale", scale)

    def build(self, input_shape):
        self.table = self.add_weight(
            name="table",
            shape=(self.num_groups, self.event_size),
            initializer=tf_keras.initializers.RandomNormal(stddev=self.scale),
            experimental_autocast=False,
        )
        super().build(input_shape)

    def call(self, inputs):
        group, count = inputs
        table = tf.convert_to_tensor(self.table)
        group = tf.cast(group, tf.int32)
        means = tf.gather(table, tf.clip_by_value(group, 0, self.num_groups - 1))
        known = (group >= 0) & (group < self.num_groups)
        means = tf.where(known[:, tf.newaxis], means, np.nan)
        prior = tfd.Normal(tf.zeros([], table.dtype), tf.cast(self.scale, table.dtype))
        log_prior = tf.reduce_sum(prior.log_prob(means), axis=1)
        loss = -tf.reduce_mean(log_prior / tf.cast(count, log_prior.dtype))
        self.add_loss(loss)
        self.add_metric(loss, name=self.name)
        return tf.cast(means, self.compute_dtype), tf.cast(table, self.compute_dtype)

    def get_config(self):
        return super().get_config() | {
            "num_groups": self.num_groups,
            "event_size": self.event_size,
            "scale": self.scale,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GroupMVNPrior(DistributionLayer):
    r"""A Gaussian of fixed scale around the mean of each segment's group.

    .. math:: p(f^{(i,n)}) = N(\mu_i, s^2 I)

    Args:
        scale: `s`; 0.5 in the FHVAE.
        value: what it is as a tensor: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.

    Call arguments:
        inputs: means `[batch, size]`, from `GroupMeans`.

    Returns:
        A `tfd.MultivariateNormalDiag`, batch shape `[batch]`, event shape `[size]`.

    Source: Hsu, Zhang and Glass, NeurIPS 2017.

    >>> GroupMVNPrior()(tf.zeros([4, 3])).stddev()[0].numpy().tolist()
    [0.5, 0.5, 0.5]
    """

    def __init__(self, scale: float = 0.5, value: str = "mean", seed: int | None = None, **kwargs):
        super().__init__(value=value, seed=seed, **kwargs)
        self.scale = checks.positive("scale", scale)

    def build(self, input_shape):
        checks.rank("inputs", input_shape, 2)
        super().build(input_shape)

    def distribution(self, inputs):
        loc = tf.cast(inputs, self.variable_dtype)
        scale = tf.fill([loc.shape[-1]], tf.cast(self.scale, loc.dtype))
        return tfd.MultivariateNormalDiag(loc, scale)

    def get_config(self):
        return super().get_config() | {"scale": self.scale}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GroupDiscrimination(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Asks of each posterior mean that it tells its own group from all others.

    .. math:: L = -\alpha \log p(i \mid \bar f), \qquad
        p(i \mid \bar f) \propto \exp\left(-\frac{\|\bar f - \mu_i\|^2}{2 s^2}\right)

    with the softmax over all groups, from `|a|^2 - 2 ab + |b|^2`, so that no tensor of batch times
    groups times size is made. The metric is `-log p(i | f)`, in nats per segment.

    Args:
        weight: `alpha`; 10 in the FHVAE of speech.
        scale: `s`, that of the `GroupMVNPrior`.

    Call arguments:
        inputs: `[q, group, table]`: the posterior of f, the row of each segment `[batch]`, and
            the table `[num_groups, size]` of `GroupMeans`.

    Returns:
        The sample of q as a tensor `[batch, size]`. Use it on the way to the model's output. The
        loss is NaN if a group has no row.

    Raises:
        TypeError: if q is no distribution.

    Source: Hsu, Zhang and Glass, NeurIPS 2017, equation 7.

    >>> from tfp_bvae.layers import MVNDiagPosterior
    >>> layer = GroupDiscrimination(weight=1.0)
    >>> f = layer([MVNDiagPosterior(3)(tf.zeros([2, 6])), tf.constant([0, 1]), tf.zeros([4, 3])])
    >>> round(float(layer.losses[0]), 4)  # four groups in one place: log 4
    1.3863
    """

    def __init__(self, weight: float, scale: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        self.weight = checks.in_interval("weight", weight, 0.0)
        self.scale = checks.positive("scale", scale)

    def call(self, inputs):
        q, group, table = inputs
        checks.distribution("q", q)
        value = tf.convert_to_tensor(q)
        mean, table = q.mean(), tf.cast(table, q.dtype)
        distance = (
            tf.reduce_sum(mean**2, axis=-1, keepdims=True)
            - 2.0 * tf.matmul(mean, table, transpose_b=True)
            + tf.reduce_sum(table**2, axis=-1)
        )  # [batch, num_groups]
        logits = -distance / (2.0 * self.scale**2)
        own = tf.one_hot(tf.cast(group, tf.int32), tf.shape(logits)[1], dtype=logits.dtype)
        surprise = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_sum(own * logits, axis=-1)
        known = tf.reduce_sum(own, axis=-1) > 0.0
        surprise = tf.reduce_mean(tf.where(known, surprise, np.nan))
        self.add_loss(self.weight * surprise)
        self.add_metric(surprise, name=self.name)
        return value

    def get_config(self):
        return super().get_config() | {"weight": self.weight, "scale": self.scale}
