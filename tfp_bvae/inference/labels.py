"""What trials, bins and channels are called: what a model says of them is called so too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import SpikeDataset, split_coords
from tfp_bvae.models import Arguments, BetaVAE, Params, is_of_counts

__all__ = [
    "DIMS",
    "VALUES",
    "FittedRun",
    "ModelFacts",
    "counted_labels",
    "known_labels",
    "labels_of_trials",
    "require_trials_of",
]

Labels = dict[str, tuple[str, np.ndarray]]  # by name: dim and values
DIMS = {
    "rates": ("trial", "time", "channel"),
    "factors": ("trial", "time", "factor"),
    "inferred": ("trial", "time", "latent_z"),
    "f": ("trial", "latent_f"),
    "initial_state": ("trial", "unit"),
}
TAKEN = {name for dims in DIMS.values() for name in dims[1:]} - {"time", "channel"}
TAKEN |= {name + suffix for name in DIMS for suffix in ("", "_scale")}
COUNTS, VALUES = "spikes per bin", "unit of the data"


class FittedRun(Protocol):
    """What labels need of a `training.Run`."""

    model: str
    arguments: Arguments
    params: Params


class ModelFacts(NamedTuple):
    """What labels need to know of a model."""

    name: str
    arguments: Mapping[str, Any]
    params: Mapping[str, Any]

    @classmethod
    def of(cls, model: BetaVAE | FittedRun) -> ModelFacts:
        """Of a model, or of a run, whose model is then not loaded.

        Raises:
            TypeError: it is neither.
        """
        if isinstance(model, BetaVAE):
            settings = model.hyperparameters
            return cls(model.name, settings["arguments"], settings["params"])
        if not (hasattr(model, "arguments") and hasattr(model, "params")):
            raise TypeError(f"model must be a BetaVAE or a Run, got {type(model).__name__}")
        return cls(model.model, model.arguments.to_dict(), model.params.to_dict())

    @property
    def rates_unit(self) -> str:
        """Of the rates."""
        return COUNTS if is_of_counts(self.arguments["likelihood"]) else VALUES


def require_trials_of(data: SpikeDataset, num_trials: Mapping[str, int]) -> None:
    """Refuse data that have other trials than a posterior.

    Args:
        data: the trials.
        num_trials: of the posterior of each split.

    Raises:
        ValueError: there is no such split, or it has more trials, or fewer.
    """
    for side, count in num_trials.items():
        checks.one_of("split of a posterior", side, ("train", "valid"))
        there = getattr(data, side).num_trials
        checks.same_length(["posteriors", "data"], [count, there], f"{side} trials")


def known_labels(facts: ModelFacts, data: SpikeDataset, side: str) -> Labels:
    """Labels of all trials of a split, in the bins that are predicted.

    A label that has the name of a variable, or of its dim, is called `trial_NAME`.
    """
    skipped = facts.params["segment"]
    found = {}
    for name, (dim, values) in split_coords(data, side).items():
        if dim not in ("trial", "time", "channel"):
            continue
        if name in TAKEN:
            name = f"trial_{name}"
        if name == "length":
            values = np.maximum(values - skipped, 0)
        found[name] = (dim, values[skipped:] if dim == "time" else values)
    return found


def counted_labels(
    facts: ModelFacts, side: str, trials: slice, shape: tuple[int, int, int]
) -> Labels:
    """Labels of some trials of which nothing is known but their number."""
    count, bins, channels = shape
    time = (facts.params["segment"] + np.arange(bins)) * facts.arguments["bin_width"]
    return {
        "trial": ("trial", trials.start + np.arange(count)),
        "split": ("trial", np.full(count, side)),
        "time": ("time", time),
        "forward": ("time", np.arange(bins) >= bins - facts.arguments["forward_bins"]),
        "channel": ("channel", np.arange(channels)),
        "held_out": ("channel", np.arange(channels) >= facts.arguments["channels"]),
    }


def labels_of_trials(coords: Labels, trials: slice, cut: bool) -> Labels:
    """Labels of some trials, strings as Python's."""
    found = {}
    for name, (dim, values) in coords.items():
        values = values[trials] if cut and dim == "trial" else values
        found[name] = (dim, values.astype(object) if values.dtype.kind == "U" else values)
    return found
