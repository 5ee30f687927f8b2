"""What the figures of a fit say in words, each with the threshold it was held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .. import checks

__all__ = ["Finding", "FitFigures", "Thresholds"]

LEVELS = ("act", "look", "fine")  # what is to be done, what is to be looked at, what is as it was


class Finding(NamedTuple):
    """One thing that was looked at."""

    about: str  # what was looked at
    level: str  # "act", "look" or "fine"
    says: str  # what was found, with the figure it rests on
    advice: str = ""  # what to do about it; empty where all is well


@dataclass(frozen=True)
class Thresholds:
    """Where a figure becomes a finding; all of `diagnose` go by these.

    Args:
        level: share of the best simple method's score by which a fit must be above it.
        collapsed_kl: KL of a latent below which it is not used, nats per trial.
        few_active: share of its dimensions that follow the trial, below which it is told.
        strong_kl: KL of all latents together below which a weak score is laid to beta, nats per
            trial.
        room: share of what the true rates reach that a fit may stay below.
        weak_ratio: KL of all latents over the nats that the rates gain on each channel's mean.
        fall: share of its best that the held-out score may lose until the end.
        rise: share of its best that it may still gain over the last tenth of the epochs.
        near_end: share of the epochs from which on the best counts as at the end.
        skipped: share of the steps that may have had a gradient that was not finite.
        exploded: largest rate over the largest count of its channel (Gaussian: standard deviation).
        constant: standard deviation of a channel's rates over their mean.
        many: share of the channels from which on a finding about channels asks for action.

    Raises:
        ValueError: one is not above 0.
    """

    level: float = 0.02
    collapsed_kl: float = 0.1
    few_active: float = 0.1
    strong_kl: float = 1.0
    room: float = 0.2
    weak_ratio: float = 2.0
    fall: float = 0.05
    rise: float = 0.02
    near_end: float = 0.98
    skipped: float = 0.01
    exploded: float = 10.0
    constant: float = 0.01
    many: float = 0.5

    def __post_init__(self):
        for name, value in vars(self).items():
            checks.positive(name, value)


@dataclass(frozen=True, eq=False)
class FitFigures:
    """All that `diagnose` goes by; what is not known is left out, and then not judged.

    Args:
        history: figures of each epoch, as `training.fit` returns them.
        best_epoch: the epoch whose weights were kept, counted from 1.
        warm_up: epochs before scores count.
        steps_per_epoch: optimiser steps.
        kl: nats per trial of each dimension, under "f" and "z", `[dim]`.
        active: which dimensions follow the trial, under the same names, `[dim]`.
        betas: weights of the KL terms, under the same names.
        score: held-out score of the fitted model, on entries that its encoders do not see.
        floors: scores of simple methods on the same entries, by name.
        reached: score of the rates on all entries, bits per spike.
        reachable: score of the true rates, where these are known, bits per spike.
        gained: nats per trial that the rates gain on the mean of each channel.
        rates: inferred rates of some trials, `[trial, time, channel]`, spikes per bin.
        data: what was measured in these, same shape.
        silent: numbers of the channels without a spike in the training trials.
        counts: whether the data are counts.

    >>> FitFigures([{"epoch": 1, "loss": 3.0}]).last("loss")
    3.0
    """

    history: Sequence[Mapping[str, float]] = ()
    best_epoch: int | None = None
    warm_up: int = 0
    steps_per_epoch: int | None = None
    kl: Mapping[str, np.ndarray] = field(default_factory=dict)
    active: Mapping[str, np.ndarray] = field(default_factory=dict)
    betas: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    floors: Mapping[str, float] = field(default_factory=dict)
    reached: float | None = None
    reachable: float | None = None
    gained: float | None = None
    rates: np.ndarray | None = None
    data: np.ndarray | None = None
    silent: Sequence[int] = ()
    counts: bool = True

    def last(self, name: str) -> float | None:
        """The newest figure of that name in the history; None without one."""
        values = [row[name] for row in self.history if row.get(name) is not None]
        return values[-1] if values else None

    def divergence(self, name: str) -> float | None:
        """KL of the latent "f" or "z", nats per trial: of its dimensions, or by the history."""
        if name in self.kl:
            return float(np.sum(self.kl[name]))
        return self.last(f"kl_{name}")

    @property
    def all_divergence(self) -> float | None:
        """KL of all latents together, nats per trial."""
        known = [self.divergence(name) for name in ("f", "z")]
        return None if known == [None, None] else float(sum(x for x in known if x is not None))

    @property
    def unit(self) -> str:
        """Of the held-out score."""
        return "bits/spike" if self.counts else "nats/entry"
