"""The first process of a fit on several hosts: the one that validates, writes and decides."""

from __future__ import annotations

import os
from collections.abc import Callable

import tensorflow as tf
import tf_keras

from tfp_bvae.training.replicas import without_metrics

__all__ = ["is_chief", "of_chief", "require_shared"]


def is_chief(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether this process is the one that writes files: the first of a cluster, or the only one.

    Args:
        strategy: of the fit; None for none.

    >>> is_chief(None), is_chief(tf.distribute.MirroredStrategy(["CPU:0"]))
    (True, True)
    """
    resolver = strategy and strategy.cluster_resolver
    tasks = resolver.cluster_spec().as_dict() if resolver else {}
    if not tasks:
        return True
    first = "chief" if "chief" in tasks else "worker"
    return resolver.task_type == first and resolver.task_id == 0


def of_chief(
    strategy: tf.distribute.Strategy | None, model: tf_keras.Model, score: Callable[[], float]
) -> Callable[[], float]:
    """A score that the first process finds, and tells the others; it takes their time alone.

    Args:
        strategy: of the fit; without one, or on one host, the score is as it was.
        model: what is scored.
        score: for the chief to call. All must call what is returned.

    >>> of_chief(None, tf_keras.Sequential(), lambda: 0.5)()
    0.5
    """
    if strategy is None:
        return score

    def alone() -> float:
        with without_metrics(model.metrics):
            return score()

    if not strategy.extended._in_multi_worker_mode():
        return alone

    @tf.function(autograph=False)
    def shared(value):
        def part():
            replica = tf.distribute.get_replica_context()
            is_first = tf.equal(replica.replica_id_in_sync_group, 0)
            return tf.where(is_first, value, tf.zeros_like(value))

        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(part), axis=None)

    def of_all() -> float:
        mine = alone() if is_chief(strategy) else 0.0
        return float(shared(tf.constant(mine, tf.float64)))

    return of_all


def require_shared(
    strategy: tf.distribute.Strategy | None,
    model: tf_keras.Model,
    run: str | os.PathLike[str],
    epochs: int,
) -> None:
    """Refuse a folder in which a process finds other checkpoints than the chief does.

    Args:
        strategy: of the fit; None for none.
        model: that is fitted.
        run: the folder.
        epochs: how many its newest checkpoint has seen, as this process finds it.

    Raises:
        ValueError: with both numbers.

    >>> require_shared(None, tf_keras.Sequential(), "runs/a", 3)
    """
    found = int(of_chief(strategy, model, lambda: epochs)())
    if found != epochs:
        raise ValueError(
            f"run must be a folder that all hosts see, got {run}, where the first one finds "
            f"{found} epochs and this one {epochs}"
        )
