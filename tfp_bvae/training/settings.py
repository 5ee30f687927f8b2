"""How a model is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tfp_bvae.settings import Settings, setting
from tfp_bvae.training.schedules import SCHEDULES

__all__ = ["FitSettings"]


@dataclass(frozen=True)
class FitSettings(Settings):
    """Settings of `fit`.

    >>> FitSettings.of({"epochs": 10}).epochs
    10
    """

    optional: ClassVar[tuple[str, ...]] = ("patience",)

    epochs: int = setting(150, "passes over the training trials", 1)
    batch_size: int = setting(64, "trials per step", 1)
    learning_rate: float = setting(4e-3, "of Adam, at its highest", 1e-8, 1.0)
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
    jit_compile: bool = setting(True, "compile the step with XLA")
