"""The mean of a group of FHVAE in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.models.base import BetaVAE

__all__ = ["estimate_group_means", "f_means"]

NOT_SEEN = ("group", "count")  # inputs that encoders do not look at


def estimate_group_means(
    f_means: np.ndarray, group: np.ndarray, scale: float = 0.5, prior_scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""The mean of each group, from the posterior means of its segments.

    .. math:: \mu^* = \arg\max_\mu \, \log N(\mu; 0, r^2 I) + \sum_{n=1}^N \log N(f_n; \mu, s^2 I)
        = \frac{\sum_n f_n}{N + s^2 / r^2}

    For groups that have no row in the table of a fitted `models.fhvae`, a new recording say. It
    is also what the fit draws the rows of its own groups to, but for the discrimination, and with
    a `beta_f` of 1 (else s^2 is to be divided by it). With `groups_at_once` the rows start each
    epoch there.

    Args:
        f_means: means of q(f) of each segment, `[segment, f_size]`.
        group: the group of each segment, `[segment]`: numbers or strings.
        scale: s, the setting `p_f_scale` of the model.
        prior_scale: r, the scale of the prior on group means, 1 in `models.fhvae`.

    Returns:
        The groups there are, in order, `[group]`, and the mean of each, `[group, f_size]`.

    Raises:
        ValueError: if there is no segment, a shape is wrong, a value is not finite, or a scale is
            not above zero.

    Source: Hsu, Zhang and Glass, NeurIPS 2017.

    >>> f_means = [[1.0, 0.0], [1.5, 0.0], [0.0, 5.0]]
    >>> groups, means = estimate_group_means(f_means, ["b", "b", "a"])
    >>> groups.tolist(), means.round(3).tolist()
    (['a', 'b'], [[0.0, 4.0], [1.111, 0.0]])
    """
    f_means, group = np.asarray(f_means, np.float64), np.asarray(group)
    checks.rank("f_means", f_means.shape, 2)
    checks.rank("group", group.shape, 1)
    checks.same_length(["f_means", "group"], [len(f_means), len(group)], "segments")
    if not len(group):
        raise ValueError("f_means must have at least one segment, got none")
    if not np.isfinite(f_means).all():
        raise ValueError(
            f"f_means must be finite, got {np.sum(~np.isfinite(f_means))} that are not"
        )
    shrinkage = (checks.positive("scale", scale) / checks.positive("prior_scale", prior_scale)) ** 2
    groups, row, count = np.unique(group, return_inverse=True, return_counts=True)
    sums = np.zeros([len(groups), f_means.shape[1]])
    np.add.at(sums, row, f_means)
    return groups, sums / (count[:, np.newaxis] + shrinkage)


def f_means(model: BetaVAE, jit_compile: bool = True) -> Callable[[dict], tf.Tensor]:
    """A function from inputs of a model to the means of q(f) `[segment, f_size]`.

    It takes `spikes` `[segment, time, channel]` and what else its encoders look at, but no group,
    since q(f) of `models.fhvae` does not depend on one, and follows the model's weights.

    Args:
        model: of `models.fhvae`.
        jit_compile: compile it with XLA.

    >>> from tfp_bvae import models
    >>> model = models.fhvae({"channels": 3, "num_groups": 2}, {"f_size": 4})
    >>> f_means(model, jit_compile=False)({"spikes": tf.ones([5, 6, 3])}).shape
    TensorShape([5, 4])
    """
    q_f = model.get_layer("q_f")
    seen = [name for name in model.input_names if name not in NOT_SEEN]
    entries = {name: model.get_layer(name).output for name in seen}
    encoder = tf_keras.Model(entries, model.get_layer("f_params").output, name="f_means")

    def means(inputs):
        inputs = {name: inputs[name] for name in seen}
        return q_f.distribution(encoder(inputs, training=False)).mean()

    return tf.function(means, autograph=False, jit_compile=jit_compile)
