"""Batches on their way to the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
import tf_keras

from tfp_bvae.training.batches import GroupBatches, TrialBatches

__all__ = ["NextEpoch", "as_dataset"]

AHEAD = 2  # batches that are made while a step runs


def as_dataset(batches: TrialBatches | GroupBatches) -> tf.data.Dataset:
    """One epoch of batches, made beside the steps; anew each time it is gone through.

    It is the epoch that the batches are at when it begins. All shapes are known, so that a step is
    traced for them once, and the next batch is cut, or read from disk, while a step runs.

    Args:
        batches: in their order.

    >>> import numpy as np
    >>> batches = TrialBatches({"x": np.arange(5)}, np.arange(5), batch_size=2)
    >>> as_dataset(batches).element_spec[1], len(as_dataset(batches))
    (TensorSpec(shape=(2,), dtype=tf.int64, name=None), 3)
    """

    def epoch() -> Iterator[Any]:
        return (batches[index] for index in range(len(batches)))

    def spec(array) -> tf.TensorSpec:
        return tf.TensorSpec([batches.batch_size, *array.shape[1:]], array.dtype)

    signature = {name: spec(x) for name, x in batches.inputs.items()}, spec(batches.targets)
    dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(AHEAD)


class NextEpoch(tf_keras.callbacks.Callback):
    """Moves batches on at the end of an epoch.

    Args:
        batches: those that the model is fitted to.
    """

    def __init__(self, batches: TrialBatches | GroupBatches):
        super().__init__()
        self.batches = batches

    def on_epoch_end(self, epoch, logs=None):
        self.batches.on_epoch_end()
