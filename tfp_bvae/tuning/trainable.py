"""A member as Ray Tune trains it: an actor that stays, while members and hyperparameters change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from ray import tune

from tfp_bvae.data import SpikeDataset
from tfp_bvae.tuning.member import Member, Plan

__all__ = ["MemberActor"]

OWNER = "owner.txt"


class MemberActor(tune.Trainable):
    """Trains a generation in each step, for whichever member it is given.

    `config` has the one key `member`: a dict of the `number` and the `values` of the
    hyperparameters; for a search that goes on after its driver was killed also the `result` of the
    member's last generation, which is reported once more, and the `checkpoint` it was saved in.
    """

    def setup(
        self,
        config: Mapping[str, Any],
        plan: Plan | None = None,
        data: SpikeDataset | Callable[[], SpikeDataset] | None = None,
        threads: int = 1,
        best: str | None = None,
    ) -> None:
        """Begin in a new process.

        Args:
            config: of the first member.
            plan: what all members have in common.
            data: what they are fitted to, or what reads it.
            threads: of TensorFlow.
            best: a folder for the weights of each generation in which a member becomes better
                than it was; they are there before the generation is reported.
        """
        with contextlib.suppress(RuntimeError):  # TensorFlow has begun: not in an actor
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        self._member, self._best = Member(plan, data() if callable(data) else data), best
        self.reset_config(config)

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        """Become another member; Ray hands over its checkpoint next, if it has one."""
        self._at_start, self._parent = True, None
        return True

    def step(self) -> dict[str, Any]:
        """Train for one generation."""
        own = self.config["member"]
        if self._at_start and own.get("result"):
            if own["checkpoint"]:
                self._member.load(own["checkpoint"])
            self._at_start = False
            return own["result"]
        if self._at_start:
            self._member.start(own["number"], own["values"])
            self._at_start = False
        found, parent, self._parent = self._member.train(), self._parent, None
        if self._best and self._member.improved:
            found["weights"] = f"{found['generation']}-of-{self.trial_id}"
            self._member.save_best(f"{self._best}/{found['weights']}")
        return found | {"parent": parent}

    def save_checkpoint(self, checkpoint_dir: str) -> str:
        """Write all that training goes on from."""
        self._member.save(checkpoint_dir)
        with open(f"{checkpoint_dir}/{OWNER}", "w", encoding="utf-8") as file:
            file.write(self.trial_id)
        return checkpoint_dir

    def load_checkpoint(self, checkpoint: str) -> None:
        """Go on from a checkpoint, of this member or of another, with the values of now."""
        self._member.load(checkpoint)
        self._member.set(self.config["member"]["values"])
        with open(f"{checkpoint}/{OWNER}", encoding="utf-8") as file:
            owner = file.read()
        self._parent = None if owner == self.trial_id else owner
        self._at_start = False
