"""Which models can be fitted on several replicas, and the part of a batch that each takes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import copy
from typing import Any

import tensorflow as tf

from tfp_bvae.layers import DIPPenalty, KLDivergence, TotalCorrelation
from tfp_bvae.models import BetaVAE
from tfp_bvae.training.batches import GroupBatches, TrialBatches
from tfp_bvae.training.feed import AHEAD

__all__ = ["parts_of_batches", "require_divisible", "require_replicable"]

KINDS = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy)


def require_replicable(model: BetaVAE, strategy: tf.distribute.Strategy | None) -> None:
    """Refuse a strategy that a model cannot be fitted with to the numbers of one replica.

    Args:
        model: built.
        strategy: that it is to be fitted with; None for none.

    Raises:
        TypeError: if it is no strategy of mirrored variables.
        ValueError: if the model was not built under it, or its loss is no mean over trials.

    >>> from tfp_bvae import models
    >>> require_replicable(models.lfads({"channels": 3}), tf.distribute.MirroredStrategy(["CPU:0"]))
    Traceback (most recent call last):
        ...
    ValueError: model must be built under the strategy (with strategy.scope(): model = ...), got \
one that was not
    """
    if strategy is not None and not isinstance(strategy, KINDS):
        raise TypeError(
            "strategy must be a tf.distribute.MirroredStrategy or MultiWorkerMirroredStrategy, "
            f"got {type(strategy).__name__}"
        )
    if strategy is None:
        if any(isinstance(weight, tf.distribute.DistributedValues) for weight in model.weights):
            raise ValueError("strategy must be the one that the model was built under, got None")
        return
    built_here = all(map(strategy.extended.variable_created_in_scope, model.weights))
    if not built_here or model.distribute_strategy is not strategy:
        raise ValueError(
            "model must be built under the strategy (with strategy.scope(): model = ...), "
            "got one that was not"
        )
    _require_means(model)


def _require_means(model: BetaVAE) -> None:
    """The loss of a batch must be the mean of the losses of its parts."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, TotalCorrelation | DIPPenalty):
            _refuse(layer, "compares the trials of a batch with each other")
        if isinstance(layer, KLDivergence) and layer.free_bits:
            _refuse(layer, "has free bits, a bound on the mean over a batch")
        if isinstance(layer, KLDivergence) and layer.capacity is not None:
            _refuse(layer, "has a capacity, a distance from the mean over a batch")
    if model.dtype_policy.name == "mixed_float16":
        raise ValueError(
            "the policy of the model must not be mixed_float16 with a strategy: the search for "
            "the scale of its loss is made for one replica"
        )
    if model.hyperparameters["params"].get("groups_at_once"):
        raise ValueError(
            "groups_at_once must be None with a strategy: the rows of the table change hands "
            "between the steps, on one replica"
        )


def _refuse(layer, why: str) -> None:
    raise ValueError(
        f"the loss must be a mean over trials with a strategy, but layer {layer.name} {why}, and "
        "a replica sees a part of it"
    )


def require_divisible(batch_size: int, strategy: tf.distribute.Strategy | None) -> None:
    """Refuse a batch that the replicas cannot share evenly.

    Args:
        batch_size: of all replicas together.
        strategy: of the fit; None for none.

    Raises:
        ValueError: with the numbers of both.

    >>> require_divisible(65, tf.distribute.MirroredStrategy(["CPU:0"]))
    """
    if strategy is not None and batch_size % strategy.num_replicas_in_sync:
        raise ValueError(
            f"batch_size must be a multiple of the {strategy.num_replicas_in_sync} replicas, "
            f"got {batch_size} (of all replicas together; at most all trials)"
        )


def parts_of_batches(
    batches: TrialBatches | GroupBatches, strategy: tf.distribute.Strategy
) -> tf.distribute.DistributedDataset:
    """The parts of each batch for the replicas of this process: those of one epoch after the other.

    Replica r of R takes trials `r B / R` to `(r + 1) B / R` of each batch of B trials.
    It begins with the epoch that the batches are at. There is no end: steps are to be counted.

    Args:
        batches: the same in all processes.
        strategy: whose replicas share them.

    >>> import numpy as np
    >>> batches = TrialBatches({"x": np.arange(6)}, np.arange(6), batch_size=2)
    >>> parts = parts_of_batches(batches, tf.distribute.MirroredStrategy(["CPU:0"]))
    >>> next(iter(parts))[1].shape
    TensorShape([2])
    """
    batches, begin = copy(batches), batches.epoch  # goes on by itself, ahead of the steps
    replicas = strategy.num_replicas_in_sync
    size = batches.batch_size // replicas

    def spec(array) -> tf.TensorSpec:
        return tf.TensorSpec([size, *array.shape[1:]], array.dtype)

    signature = {name: spec(x) for name, x in batches.inputs.items()}, spec(batches.targets)

    def of_process(context: tf.distribute.InputContext) -> tf.data.Dataset:
        here = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * here
        rows = [slice(r * size, (r + 1) * size) for r in range(first, first + here)]

        def parts() -> Iterator[Any]:
            for epoch in itertools.count(begin):
                batches.epoch = epoch
                for index in range(len(batches)):
                    inputs, targets = batches[index]
                    yield from (({k: x[r] for k, x in inputs.items()}, targets[r]) for r in rows)

        # known to have no end, or shapes would be left open for parts that are too small
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        dataset = tf.data.Dataset.from_generator(parts, output_signature=signature)
        return dataset.apply(endless).prefetch(AHEAD * here)

    return strategy.distribute_datasets_from_function(of_process)
