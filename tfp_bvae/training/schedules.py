"""What changes while a model is fitted: the weights of the KL and L2 terms, the learning rate."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf
import tf_keras

from tfp_bvae.layers import KLDivergence
from tfp_bvae.rnn import L2Penalty

__all__ = ["WarmUp", "cosine_decay", "ramped_weights"]


def ramped_weights(model: tf_keras.Model) -> Iterator[tuple[tf.Variable, float]]:
    """Each weight of a KL or L2 term in the model, with its final value."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, KLDivergence):
            yield layer.beta, layer.initial_beta
        for value in vars(layer).values():
            if isinstance(value, L2Penalty) and value.weight is not None:
                yield value.weight, value.target


class WarmUp(tf_keras.callbacks.Callback):
    r"""Raises the weights of all KL and L2 terms linearly from 0 to their targets, step by step.

    .. math:: w(s) = w_{target} \min(1, s / S)

    Args:
        steps: `S`, optimiser steps of the rise; 0 sets the targets at once.
        steps_per_epoch: to know `s` from the epoch and the batch.

    Source: the ramp of Sussillo et al., 2016, arXiv:1608.06315.
    """

    def __init__(self, steps: int, steps_per_epoch: int):
        super().__init__()
        self.steps, self.steps_per_epoch = steps, steps_per_epoch
        self._epoch = 0
        self._share = None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        step = self._epoch * self.steps_per_epoch + batch + 1
        share = min(1.0, step / self.steps) if self.steps else 1.0
        if share != self._share:
            for weight, target in ramped_weights(self.model):
                weight.assign(share * target)
            self._share = share


def cosine_decay(
    learning_rate: float, steps: int, final_rate: float
) -> tf_keras.optimizers.schedules.LearningRateSchedule:
    """Half a cosine from `learning_rate` down to `final_rate * learning_rate` after `steps`.

    >>> float(cosine_decay(0.1, 100, 0.0)(50)).__round__(6)
    0.05
    """
    return tf_keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=final_rate)
