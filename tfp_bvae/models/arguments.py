"""What follows from the data, or from how much is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tfp_bvae import checks
from tfp_bvae.settings import Settings, setting

__all__ = ["Arguments", "is_of_counts"]

LIKELIHOODS = (
    "poisson", "gaussian", "gaussian_full", "negative_binomial", "zero_inflated_poisson"
)  # fmt: skip


@dataclass(frozen=True)
class Arguments(Settings):
    """What follows from the data or from how much is to be done, and is not tuned.

    >>> Arguments.of({"channels": 30}).outputs
    30
    """

    optional: ClassVar[tuple[str, ...]] = ("outputs", "num_trials", "num_groups", "num_sessions")

    channels: int = setting(1, "channels that the encoders see", 1)
    outputs: int | None = setting(
        None, "channels that are predicted, the encoded ones first; None for the encoded ones", 1
    )
    forward_bins: int = setting(0, "bins predicted after the last that is encoded", 0)
    ext_inputs: int = setting(0, "known inputs to the generator", 0, lfads="ext_input_dim")
    bin_width: float = setting(0.02, "width of a bin, s", 1e-6)
    likelihood: str = setting("poisson", "distribution of the data", choices=LIKELIHOODS)
    masked: bool = setting(
        False, "whether data may be NaN (not observed), or trials of unequal length"
    )
    num_trials: int | None = setting(
        None, "trials that are fitted; the total correlation of f needs to know", 1
    )
    num_groups: int | None = setting(
        None, "groups that the segments are of (recordings, conditions, trials); of fhvae", 1
    )
    group_by: str = setting(
        "trial", "what makes a group: trial, or NAME of train_NAME and valid_NAME; of fhvae"
    )
    num_sessions: int | None = setting(
        None, "sessions, each with channels of its own (data.join_sessions); None: no such thing", 1
    )
    fixed_sessions: int = setting(
        0, "first of these sessions, whose weights stay, as do all that sessions share", 0
    )
    num_samples: int = setting(1, "posterior samples of each trial in a training step", 1)
    importance_weighted: bool = setting(
        False, "train on the importance-weighted bound of these samples"
    )
    batch_size: int = setting(64, "trials per step", 1)
    epochs: int = setting(150, "passes over the training trials", 1)
    seed: int = setting(0, "seeds initial weights, masks and samples", 0)

    def __post_init__(self):
        super().__post_init__()
        if self.outputs is None:
            object.__setattr__(self, "outputs", self.channels)
        checks.in_interval("outputs", self.outputs, self.channels)
        if self.fixed_sessions:
            if self.num_sessions is None:
                raise ValueError("fixed_sessions must go with num_sessions, got None")
            checks.in_interval("fixed_sessions", self.fixed_sessions, 0, self.num_sessions - 1)
        if self.num_sessions is not None and self.likelihood != "poisson":
            raise ValueError(
                "likelihood must be 'poisson' with num_sessions, since its other weights are of "
                f"channels and not of sessions, got {self.likelihood!r}"
            )
        if self.importance_weighted and self.num_samples < 2:
            raise ValueError(
                "importance_weighted must go with num_samples of at least 2, "
                f"got {self.num_samples}"
            )


def is_of_counts(likelihood: str) -> bool:
    """Whether a likelihood is one of counts, so that its mean is a rate."""
    return not likelihood.startswith("gaussian")
