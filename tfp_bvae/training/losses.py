"""The reconstruction term."""

from __future__ import annotations

import tf_keras

__all__ = ["NegativeLogLikelihood"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class NegativeLogLikelihood(tf_keras.losses.Loss):
    """`-log p(x | f, z)` of a model whose output is the likelihood, in nats per trial.

    The likelihood's event must hold time and channels, so that the KL terms, which are per
    trial too, are weighed against the sum and not the mean.

    >>> import tensorflow as tf
    >>> from tfp_bvae.layers import PoissonLikelihood
    >>> rates = PoissonLikelihood()(tf.zeros([1, 2, 1]))
    >>> float(NegativeLogLikelihood().call(tf.zeros([1, 2, 1]), rates)[0])
    2.0
    """

    def __init__(self, name: str = "negative_log_likelihood", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        return -y_pred.log_prob(y_true)
