"""Ray's synchronous population based training, with our perturbation and the seed's numbers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from ray.tune.schedulers import PopulationBasedTraining

from tfp_bvae.settings import SearchRange
from tfp_bvae.tuning.perturbation import perturb

__all__ = ["Generations"]


class Generations(PopulationBasedTraining):
    """Compares all members after each generation: the last ones become copies of the first ones.

    Ray's scheduler in its synchronous form. What a copy changes is up to `perturb`, and random
    numbers follow from the seed and the generation alone, so that a search that is resumed goes on
    as it would have.

    Args:
        space: ranges of hyperparameters.
        first: the generation after which members are compared for the first time.
        replaced: share of the members that is replaced.
        strength: of a perturbation.
        seed: of the choice of parents and of perturbations.
    """

    def __init__(
        self,
        space: Mapping[str, SearchRange],
        first: int,
        replaced: float,
        strength: float,
        seed: int,
    ):
        super().__init__(
            time_attr="generation",
            metric="score",
            mode="max",
            perturbation_interval=1,
            burn_in_period=first,
            quantile_fraction=replaced,
            custom_explore_fn=self.explore,
            log_config=False,
            synch=True,
        )
        self.space, self.strength, self.seed = dict(space), strength, seed

    def explore(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration of a copy."""
        own = config["member"]
        values = perturb(own["values"], self.space, self.strength, random)
        return {"member": {"number": own["number"], "values": values}}

    def on_trial_result(self, tune_controller, trial, result):
        """Compare, once the last member is there."""
        before = random.getstate()
        random.seed(f"{self.seed} {result['generation']}")
        try:
            return super().on_trial_result(tune_controller, trial, result)
        finally:
            random.setstate(before)
