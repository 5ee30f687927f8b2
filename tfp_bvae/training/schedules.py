"""What changes while a model is fitted: the weights of the KL and L2 terms, the learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.layers import DIPPenalty, KLDivergence, TotalCorrelation
from tfp_bvae.rnn import L2Penalty

__all__ = ["SCHEDULES", "WarmUp", "cosine_decay", "cyclical", "linear", "ramped_weights"]

SCHEDULES = ("linear", "cyclical", "capacity")
RISE = 0.5  # share of a cycle over which it rises


def linear(step: int, steps: int) -> float:
    """One rise from 0 to 1: `min(1, s / S)`.

    Args:
        step: s, optimiser step, the first is 1.
        steps: S, steps of the rise; 0 for 1 at once.

    Source: the ramp of Sussillo et al., 2016, arXiv:1608.06315.

    >>> [linear(step, 4) for step in (1, 2, 4, 9)]
    [0.25, 0.5, 1.0, 1.0]
    """
    return min(1.0, step / steps) if steps else 1.0


def cyclical(step: int, steps: int, cycles: int = 4) -> float:
    r"""Several rises from 0 to 1, each followed by as many steps at 1; then 1 for good.

    .. math:: \min(1, \tau / R), \quad
        \tau = (1 + (s - 1) \bmod \lceil S / M \rceil) / \lceil S / M \rceil, \quad R = 1 / 2

    Args:
        step: s, optimiser step, the first is 1.
        steps: S, steps of all cycles.
        cycles: M.

    Source: Fu et al., NAACL 2019, arXiv:1903.10145.

    >>> [cyclical(step, 8, cycles=2) for step in range(1, 10)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    """
    if step > steps:
        return 1.0
    length = -(-steps // cycles)
    return min(1.0, (1 + (step - 1) % length) / length / RISE)


def ramped_weights(model: tf_keras.Model) -> Iterator[tuple[tf.Variable, float]]:
    """Each weight of a term of the objective (KL, penalty on f, L2), with its final value."""
    for layer in _layers(model):
        yield from _divergence_weights(layer)
        yield from _penalty_weights(layer)


def capacities(model: tf_keras.Model) -> Iterator[tuple[tf.Variable, float]]:
    """The capacity of each KL term that has one, with its final value."""
    for layer in _layers(model):
        if isinstance(layer, KLDivergence) and layer.capacity is not None:
            yield layer.capacity, layer.initial_capacity


class WarmUp(tf_keras.callbacks.Callback):
    r"""Raises the weights of the objective from 0 to their targets, step by step.

    .. math:: w(s) = w_{target} \, r(s)

    with `r` one of the functions above. All weights are functions of the epoch and the batch
    alone, so that a fit that is resumed goes on where it was. After `steps` each is at its target,
    whatever the schedule, which is one of:

    * `"linear"`: all weights rise once.
    * `"cyclical"`: those of the KL terms rise `cycles` times, all others once.
    * `"capacity"`: those of the KL terms are at their targets from the start, their capacities
      rise once, as all other weights do.

    Args:
        steps: `S`, optimiser steps of the rise; 0 sets the targets at once.
        steps_per_epoch: to know `s` from the epoch and the batch.
        schedule: one of the above.
        cycles: number of rises of the cyclical schedule.

    Raises:
        ValueError: if the schedule is unknown; when a fit begins, if it is `"capacity"` and no
            KL term of the model has a capacity.

    Source: Sussillo et al., 2016, arXiv:1608.06315; Fu et al., NAACL 2019; Burgess et al., 2018,
    arXiv:1804.03599.
    """

    def __init__(self, steps: int, steps_per_epoch: int, schedule: str = "linear", cycles: int = 4):
        super().__init__()
        self.steps = checks.whole_number("steps", steps, minimum=0)
        self.steps_per_epoch = checks.whole_number("steps_per_epoch", steps_per_epoch, minimum=1)
        self.schedule = checks.one_of("schedule", schedule, SCHEDULES)
        self.cycles = checks.whole_number("cycles", cycles, minimum=1)
        self._epoch = 0

    def on_train_begin(self, logs=None):
        layers = list(_layers(self.model))
        self._divergences = [pair for layer in layers for pair in _divergence_weights(layer)]
        self._penalties = [pair for layer in layers for pair in _penalty_weights(layer)]
        self._capacities = list(capacities(self.model)) if self.schedule == "capacity" else []
        self._shares = None
        if self.schedule == "capacity" and not self._capacities:
            raise ValueError(
                "beta_schedule must be 'linear' or 'cyclical' for a model without a KLDivergence "
                "that has a capacity, got 'capacity'"
            )

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        step = self._epoch * self.steps_per_epoch + batch + 1
        rise = linear(step, self.steps)
        of_divergences = {"cyclical": cyclical(step, self.steps, self.cycles), "capacity": 1.0}.get(
            self.schedule, rise
        )
        if (rise, of_divergences) == self._shares:  # as after the rise: nothing to be done
            return
        self._shares = rise, of_divergences
        _assign(self._capacities, rise)
        _assign(self._divergences, of_divergences)
        _assign(self._penalties, rise)


def cosine_decay(
    learning_rate: float, steps: int, final_rate: float
) -> tf_keras.optimizers.schedules.LearningRateSchedule:
    """Half a cosine from `learning_rate` down to `final_rate * learning_rate` after `steps`.

    >>> float(cosine_decay(0.1, 100, 0.0)(50)).__round__(6)
    0.05
    """
    return tf_keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=final_rate)


def _layers(model: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
    return model._flatten_layers(include_self=False)


def _divergence_weights(layer: tf_keras.layers.Layer) -> Iterator[tuple[tf.Variable, float]]:
    if isinstance(layer, KLDivergence):
        yield layer.beta, layer.initial_beta


def _penalty_weights(layer: tf_keras.layers.Layer) -> Iterator[tuple[tf.Variable, float]]:
    if isinstance(layer, TotalCorrelation):
        yield layer.weight, layer.initial_weight
    if isinstance(layer, DIPPenalty):
        yield layer.off_diagonal, layer.initial_off_diagonal
        yield layer.diagonal, layer.initial_diagonal
    for value in vars(layer).values():
        if isinstance(value, L2Penalty) and value.weight is not None:
            yield value.weight, value.target


def _assign(weights: Iterable[tuple[tf.Variable, float]], share: float) -> None:
    for weight, target in weights:
        weight.assign(share * target)
