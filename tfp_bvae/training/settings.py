"""How a model is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tfp_bvae.models import Params
from tfp_bvae.settings import Settings, setting
from tfp_bvae.training.schedules import SCHEDULES

__all__ = ["FitSettings"]

OF_THE_MODEL = ("epochs", "batch_size", "learning_rate")


@dataclass(frozen=True)
class FitSettings(Settings):
    """Settings of `fit`.

    The first three are hyperparameters of the model; what is given here goes before them.

    >>> FitSettings.of({"epochs": 10}).epochs
    10
    """

    optional: ClassVar[tuple[str, ...]] = ("epochs", "batch_size", "learning_rate", "patience")
    strays: ClassVar[Mapping[str, str]] = dict.fromkeys(
        set(Params.names()) - set(OF_THE_MODEL),
        "among the settings of the model, the second argument of models.lfads and the others",
    )

    epochs: int | None = setting(None, "passes over the training trials", 1)
    batch_size: int | None = setting(None, "trials per step", 1)
    learning_rate: float | None = setting(None, "of Adam, at its highest", 1e-8, 1.0)
    final_rate: float = setting(
        0.01, "share of the learning rate that is left at the end of a cosine decay", 0.0, 1.0
    )
    weight_decay: float = setting(0.0, "decoupled weight decay, per step", 0.0, 1.0)
    clip_norm: float = setting(100.0, "largest global norm of a gradient, nats", 1e-6)
    warm_up: int = setting(20, "epochs over which betas and L2 rise from 0", 0, lfads="kl_increase")
    beta_schedule: str = setting(
        "linear",
        "how the KL terms come in over the warm-up: betas rise once, betas rise `cycles` times, "
        "or capacities rise",
        choices=SCHEDULES,
    )
    cycles: int = setting(4, "rises of the betas under the cyclical schedule", 1)
    patience: int | None = setting(
        None, "epochs without a better held-out likelihood before it stops; None: never", 1
    )
    validate_every: int = setting(1, "epochs between validations", 1)
    align_by: str = setting(
        "auto",
        "conditions to start the read-ins of sessions by: NAME of train_NAME, auto (condition or "
        "cond_idx) or none (at random)",
    )
    jit_compile: bool = setting(True, "compile the step with XLA")

    def resolved(self, hyperparameters: Mapping[str, Mapping[str, Any]]) -> FitSettings:
        """A copy in which nothing that the model knows is left open.

        Args:
            hyperparameters: of the model: dicts under `arguments` and `params`.
        """
        known = {**hyperparameters["arguments"], **hyperparameters["params"]}
        names = [name for name in OF_THE_MODEL if getattr(self, name) is None]
        return self.replace({name: known[name] for name in names})
