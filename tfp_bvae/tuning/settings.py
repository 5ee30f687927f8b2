"""How a search is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tfp_bvae.settings import Settings, setting
from tfp_bvae.training import FitSettings

__all__ = ["TuneSettings"]


@dataclass(frozen=True)
class TuneSettings(Settings):
    """Settings of `population_based_training` and `random_search`.

    A generation is what all members train between two comparisons.

    >>> TuneSettings.of({"population": 8}).generations
    30
    """

    optional: ClassVar[tuple[str, ...]] = ("burn_in", "patience")

    population: int = setting(20, "members", 2)
    generations: int = setting(30, "generations at most", 1)
    epochs_per_generation: int = setting(10, "passes over the training trials in a generation", 1)
    burn_in: int | None = setting(
        None, "generations before members are compared; None: the warm-up and one more", 1
    )
    patience: int | None = setting(
        6, "generations without a better best score before it stops; None: never", 1
    )
    tolerance: float = setting(
        5e-4, "share of the best score by which a score must be better to count as better", 0.0
    )
    replaced: float = setting(
        0.25, "share of the members that is replaced after each generation", 0.01, 0.5
    )
    strength: float = setting(
        0.5, "of a perturbation: factors up to 1 + strength, as often up as down", 1e-3, 10.0
    )
    seed: int = setting(0, "of first values, initial weights, orders of trials, perturbations", 0)
    cpus: int = setting(1, "cores for each member that trains", 1)
    gpus: float = setting(0.0, "GPUs for each member that trains; parts share one", 0.0)
    failures: int = setting(5, "times that a member may be lost and go on", 0)

    def first_comparison(self, fit: FitSettings) -> int:
        """The generation after which members are compared for the first time.

        Args:
            fit: how members are fitted, for the length of their warm-up.

        >>> TuneSettings().first_comparison(FitSettings(warm_up=20))
        3
        """
        if self.burn_in is not None:
            return self.burn_in
        return -(-fit.warm_up // self.epochs_per_generation) + 1
