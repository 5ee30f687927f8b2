"""Batches of trials in an order that is a function of the seed and the step alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tf_keras

__all__ = ["TrialBatches"]


class TrialBatches(tf_keras.utils.Sequence):
    """An endless shuffled stream of trials, cut into batches of one size.

    The stream is one random permutation of the trials after another; a batch may span two. So no
    trial is dropped, each is seen equally often, and the compiled step meets one shape only.
    Batch `i` of epoch `e` depends on the seed, `e` and `i` alone: a resumed run sees what the
    undisturbed one would have seen.

    Args:
        inputs: arrays by name, trials first.
        targets: the data to explain, trials first.
        batch_size: trials per batch; at most all of them.
        seed: of the permutations.
        epoch: the epoch to start with.

    >>> batches = TrialBatches({"x": np.arange(5)}, np.arange(5), batch_size=2)
    >>> len(batches), batches[0][1].shape
    (3, (2,))
    """

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray],
        targets: np.ndarray,
        batch_size: int,
        seed: int = 0,
        epoch: int = 0,
    ):
        super().__init__()
        self.inputs, self.targets = inputs, targets
        self.batch_size = min(batch_size, len(targets))
        self.seed, self.epoch = seed, epoch

    def __len__(self) -> int:
        return -(-len(self.targets) // self.batch_size)

    def __getitem__(self, index: int):
        first = (self.epoch * len(self) + index) * self.batch_size
        trials = self._stream(first, first + self.batch_size)
        return {name: x[trials] for name, x in self.inputs.items()}, self.targets[trials]

    def _stream(self, first: int, last: int) -> np.ndarray:
        """Trials at the positions first..last of the stream."""
        count = len(self.targets)
        rounds = range(first // count, (last - 1) // count + 1)
        order = [np.random.default_rng([self.seed, r]).permutation(count) for r in rounds]
        start = rounds[0] * count
        return np.concatenate(order)[first - start : last - start]

    def on_epoch_end(self) -> None:
        self.epoch += 1
