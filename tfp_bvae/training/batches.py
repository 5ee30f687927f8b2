"""Batches of trials in an order that is a function of the seed and the step alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import tf_keras

from tfp_bvae import checks
from tfp_bvae.data import StoredArray

__all__ = ["GroupBatches", "TrialBatches"]

# Which stream of random numbers a seed is for: words after it, none of which is zero.
DRAW, ORDER = 1, 2


class TrialBatches(tf_keras.utils.Sequence):
    """An endless shuffled stream of trials, cut into batches of one size.

    The stream is one random permutation of the trials after another; a batch may span two. So no
    trial is dropped, each is seen equally often, and the compiled step meets one shape only.
    Batch `i` of epoch `e` depends on the seed, `e` and `i` alone: a resumed run sees what the
    undisturbed one would have seen.

    Where the trials are of several sessions, each permutation spreads those of each session evenly,
    so that every stretch of it, and so every epoch and every batch, has of each session its share
    of the trials, to within a trial or two.

    Args:
        inputs: arrays by name, trials first, `session` `[trial]` perhaps among them; in
            memory or on disk (`data.StoredArray`).
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
        inputs: Mapping[str, np.ndarray | StoredArray],
        targets: np.ndarray | StoredArray,
        batch_size: int,
        seed: int = 0,
        epoch: int = 0,
    ):
        super().__init__()
        self.inputs, self.targets = inputs, targets
        self.batch_size = min(batch_size, len(targets))
        self.seed, self.epoch = seed, epoch
        self._sessions = inputs["session"].tobytes() if "session" in inputs else b""

    def __len__(self) -> int:
        return -(-len(self.targets) // self.batch_size)

    def __getitem__(self, index: int):
        first = (self.epoch * len(self) + index) * self.batch_size
        trials = self._stream(first, first + self.batch_size)
        return {name: x[trials] for name, x in self.inputs.items()}, self.targets[trials]

    def _stream(self, first: int, last: int) -> np.ndarray:
        """Trials at the positions first..last of the stream."""
        return _shuffled(len(self.targets), first, last, [self.seed], self._sessions)

    def on_epoch_end(self) -> None:
        self.epoch += 1


class GroupBatches(tf_keras.utils.Sequence):
    r"""Batches of the segments of a few groups, which are drawn anew for each epoch.

    A round draws each of the S groups: it is one random permutation of them, cut into
    :math:`\lceil S / K \rceil` epochs of K groups, the last of which begins the permutation again
    where groups are too few. So no group is drawn twice for an epoch, and none is left
    out of a round. Numbers of groups that have no segment are not drawn.

    Within an epoch the segments come as trials do in `TrialBatches`. All epochs have as many
    batches of one size as K groups of average size fill: of larger groups some segments may wait
    for another epoch, of smaller ones some come twice. The groups of epoch `e` depend on the seed
    and `e` alone, batch `i` of it on the seed, `e` and `i`.

    Args:
        inputs: arrays by name, segments first; `group` `[segment]` among them.
        targets: the data to explain, segments first.
        batch_size: segments per batch; at most the average of K groups.
        groups_at_once: K, groups per epoch.
        seed: of draws and permutations.
        epoch: the epoch to start with.

    In what it gives, `group` is the row of the group among the `drawn`.

    Raises:
        ValueError: if fewer than K groups have segments.

    Source: hierarchical sampling, Hsu and Glass, Interspeech 2018.

    >>> group = np.array([0, 0, 1, 1, 5, 5])
    >>> batches = GroupBatches({"group": group}, group, batch_size=4, groups_at_once=2)
    >>> len(batches), batches.drawn(0), batches.drawn(1)
    (1, array([1, 5]), array([0, 1]))
    """

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray | StoredArray],
        targets: np.ndarray | StoredArray,
        batch_size: int,
        groups_at_once: int,
        seed: int = 0,
        epoch: int = 0,
    ):
        super().__init__()
        self.inputs, self.targets = inputs, targets
        self.seed, self.epoch = seed, epoch
        self.groups_at_once = checks.whole_number("groups_at_once", groups_at_once, 1)
        self._groups, sizes = np.unique(inputs["group"], return_counts=True)
        if groups_at_once > len(self._groups):
            raise ValueError(
                f"groups_at_once must be at most the {len(self._groups)} groups that have trials, "
                f"got {groups_at_once}"
            )
        by_group = np.argsort(inputs["group"], kind="stable")
        self._members = np.split(by_group, np.cumsum(sizes)[:-1])
        average = -(-len(targets) * groups_at_once // len(self._groups))
        self.batch_size = min(batch_size, average)
        self._count = -(-average // self.batch_size)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int):
        members = self.members(self.epoch)
        first = index * self.batch_size
        seed = [self.seed, self.epoch, ORDER]
        segments = members[_shuffled(len(members), first, first + self.batch_size, seed)]
        inputs = {name: x[segments] for name, x in self.inputs.items()}
        rows = np.searchsorted(self.drawn(self.epoch), inputs["group"])
        return inputs | {"group": rows.astype(np.int32)}, self.targets[segments]

    def drawn(self, epoch: int) -> np.ndarray:
        """The groups of an epoch, in order: that of row 0, of row 1 and so on, `[K]`."""
        return self._groups[self._draw(epoch)]

    def members(self, epoch: int) -> np.ndarray:
        """The segments of the groups of an epoch, as positions among all, `[segment]`."""
        return np.concatenate([self._members[group] for group in self._draw(epoch)])

    def _draw(self, epoch: int) -> np.ndarray:
        """The groups of an epoch as positions among those that have segments, in order."""
        count, at_once = len(self._groups), self.groups_at_once
        round_, part = divmod(epoch, -(-count // at_once))
        order = np.random.default_rng([self.seed, round_, DRAW]).permutation(count)
        return np.sort(order[(part * at_once + np.arange(at_once)) % count])

    def on_epoch_end(self) -> None:
        self.epoch += 1


def _shuffled(
    count: int, first: int, last: int, seed: list[int], sessions: bytes = b""
) -> np.ndarray:
    """Positions first..last of an endless stream of permutations of `count` things.

    `sessions` are the bytes of the number of the session of each, int32, or none.
    """
    return np.concatenate(
        [
            _permutation(count, (*seed, r), sessions)[max(first - r * count, 0) : last - r * count]
            for r in range(first // count, (last - 1) // count + 1)
        ]
    )


@lru_cache(maxsize=4)  # all batches of an epoch ask for the same one or two; bytes hash once
def _permutation(count: int, seed: tuple[int, ...], sessions: bytes) -> np.ndarray:
    rng = np.random.default_rng(seed)
    session = np.frombuffer(sessions, np.int32)
    known = np.unique(session)
    if len(known) < 2:
        return rng.permutation(count)
    place = np.empty(count)
    for number in known:  # cut into as many equal parts as it has trials, with one in each
        trials = np.flatnonzero(session == number)
        place[trials] = (rng.permutation(len(trials)) + rng.random()) / len(trials)
    return np.lexsort([rng.random(count), place])  # equal places in random order
