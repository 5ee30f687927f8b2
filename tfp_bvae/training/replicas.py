"""Replicas of a model on several devices or hosts, each of which takes its part of every batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import tf_keras

from tfp_bvae.models import BetaVAE
from tfp_bvae.rnn import part_of_batch

__all__ = [
    "EpochFigures",
    "replicated_step",
    "without_metrics",
    "without_results",
    "without_strategy",
]

SUM = tf.distribute.ReduceOp.SUM


def replicated_step(
    model: BetaVAE, strategy: tf.distribute.Strategy, batch_size: int, jit_compile: bool = True
) -> Callable[[Iterator[Any]], dict[str, tf.Tensor]]:
    r"""A step that does with a batch on several replicas what `BetaVAE.train_step` does on one.

    .. math:: \nabla L = \sum_{r=1}^{R} \nabla \frac{L_r}{R}

    with `L_r` the mean over the trials of part r, which have the noise that they would have on one
    replica. The forward pass and its gradient are compiled, one program for each device; the sum
    over replicas and the step of the optimiser come after it. What is not finite on one replica is
    not finite in the sum, so that all skip a step or none does.

    Args:
        model: compiled, and built under the strategy.
        strategy: mirrored, on one host or several.
        batch_size: of all replicas together.
        jit_compile: compile with XLA.

    Returns:
        A function of an iterator over parts, for `model.train_function`. It returns the loss of
        the batch; `EpochFigures` has the rest.
    """
    replicas = strategy.num_replicas_in_sync
    model.compiled_loss.build(model.output)
    metrics = [metric for metric in model.metrics if metric is not model.skipped_steps]
    figures = [variable for metric in metrics for variable in metric.variables]

    @tf.function(autograph=False, jit_compile=jit_compile)
    def compiled(data, index):
        with part_of_batch(index, replicas, batch_size // replicas), without_results(metrics):
            gradients, loss, before = model.gradients_of(data)
        dense = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        return dense, loss, [value for _, value in before]

    def gradients_of_all(data):
        replica = tf.distribute.get_replica_context()
        gradients, loss, before = compiled(data, replica.replica_id_in_sync_group)
        there = [n for n, gradient in enumerate(gradients) if gradient is not None]
        *sums, loss = replica.all_reduce(SUM, [*(gradients[n] for n in there), loss])
        finite = tf.math.is_finite(tf.linalg.global_norm(sums)) & tf.math.is_finite(loss)
        for n, gradient in zip(there, sums, strict=True):
            gradients[n] = gradient
        return gradients, loss, finite, before

    def settle(finite, before):
        for variable, value in zip(figures, before, strict=True):
            variable.assign(tf.where(finite, variable, value))
        model.skipped_steps.update_state(tf.cast(~finite, tf.float32))

    @tf.function(autograph=False)
    def step(iterator):
        gradients, loss, finite, before = strategy.run(gradients_of_all, args=(next(iterator),))
        first = [strategy.experimental_local_results(x)[0] for x in (finite, loss)]
        model.apply_on_replicas(strategy, gradients, first[0])
        strategy.run(settle, args=(finite, before))
        return {"loss": first[1]}

    return step


@contextlib.contextmanager
def without_results(metrics: list[tf_keras.metrics.Metric]) -> Iterator[None]:
    """Within this context metrics take values, and are not asked for their results.

    Keras asks whenever it hands over a value. The result is that of all replicas, for which
    they would have to wait for each other in the middle of a compiled program; or the chief for
    others who are not there.

    Args:
        metrics: whose results are 0 here.
    """
    with _replaced(metrics, result=lambda: tf.zeros([])):
        yield


@contextlib.contextmanager
def without_metrics(metrics: list[tf_keras.metrics.Metric]) -> Iterator[None]:
    """Within this context metrics take no values either.

    They have a part on each device, and a program compiled for one device must touch no other's.

    Args:
        metrics: that stay as they are.
    """
    with _replaced(
        metrics, result=lambda: tf.zeros([]), update_state=lambda *values, **weights: None
    ):
        yield


@contextlib.contextmanager
def _replaced(metrics: list[tf_keras.metrics.Metric], **methods: Callable) -> Iterator[None]:
    """Other methods of metrics, for as long as this lasts."""
    before = [{name: getattr(metric, name) for name in methods} for metric in metrics]
    for metric in metrics:
        for name, method in methods.items():
            setattr(metric, name, method)
    try:
        yield
    finally:
        for metric, own in zip(metrics, before, strict=True):
            for name, method in own.items():
                setattr(metric, name, method)


class EpochFigures(tf_keras.callbacks.Callback):
    """Adds the figures of an epoch, over all replicas, to its logs. It comes before the others."""

    def on_epoch_end(self, epoch, logs=None):
        logs.update({name: float(x) for name, x in self.model.get_metrics_result().items()})


def without_strategy(model: BetaVAE) -> BetaVAE:
    """A copy of a model with its weights, of ordinary variables: to save, and to infer with.

    One process can do so by itself, where a model of replicas on several hosts would wait for the
    others. Call it outside of any `strategy.scope()`.

    Args:
        model: fitted with a strategy, or without one.

    >>> from tfp_bvae import models
    >>> with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
    ...     model = models.lfads({"channels": 3})
    >>> isinstance(without_strategy(model).weights[0], tf.distribute.DistributedValues)
    False
    """
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    return plain
