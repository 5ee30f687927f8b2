"""What `fit`, `infer` and `evaluate` share: reading a file, inferring and scoring its splits."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from tfp_bvae.data import SpikeDataset, Split, read_hdf5, with_groups
from tfp_bvae.inference import Posterior, sample_and_average, score
from tfp_bvae.models import RECIPES, BetaVAE, is_of_counts
from tfp_bvae.training import Run

__all__ = ["infer_splits", "read_data_of", "read_dataset", "score_splits", "score_table"]

SPLITS = ("train", "valid")
LABELS = {
    "bits_per_spike": "bits/spike",
    "bits_per_spike_held_out": "bits/spike, held-out channels (co-smoothing)",
    "bits_per_spike_forward": "bits/spike, later bins",
    "bits_per_spike_true": "bits/spike that the true rates give",
    "rate_r2": "rate R2, mean over channels",
    "rate_r2_pooled": "rate R2, pooled",
    "r2": "R2 of the data, mean over channels",
}


def read_dataset(
    path: str | os.PathLike[str],
    likelihood: str,
    bin_width: float | None,
    group_by: str | None = None,
) -> SpikeDataset:
    """A file's dataset.

    Args:
        path: the file.
        likelihood: one of counts demands counts.
        bin_width: s; for a file that does not say, and to check one that does.
        group_by: what makes a group, for a model of groups.

    Raises:
        KeyError: there is no array by which to make groups.
        ValueError: the bins of the file have another width, or the file is not as it must be.
    """
    data = read_hdf5(path, default_bin_width=bin_width, counts=is_of_counts(likelihood))
    if bin_width is not None and not math.isclose(bin_width, data.bin_width, rel_tol=1e-6):
        raise ValueError(
            f"{path} must have bins of {bin_width:g} s, got bins of {data.bin_width:g} s"
        )
    return data if group_by is None else with_groups(data, group_by)


def read_data_of(run: Run, path: str | os.PathLike[str]) -> SpikeDataset:
    """The dataset that a run was fitted to, with its groups where the model has them."""
    arguments = run.arguments
    group_by = arguments.group_by if RECIPES[run.model].of_groups else None
    return read_dataset(path, arguments.likelihood, arguments.bin_width, group_by)


def infer_splits(model: BetaVAE, data: SpikeDataset, samples: int = 50) -> dict[str, Posterior]:
    """The posterior of each split, averaged over samples.

    The splits go through the model as one, which is then compiled once.
    """
    names = [field.name for field in fields(Split)]
    pairs = [(getattr(data.train, name), getattr(data.valid, name)) for name in names]
    together = Split(*(None if pair[0] is None else np.concatenate(pair) for pair in pairs))
    arrays = sample_and_average(model, together, samples).arrays()
    count = data.train.num_trials
    return {
        "train": Posterior(**{name: array[:count] for name, array in arrays.items()}),
        "valid": Posterior(**{name: array[count:] for name, array in arrays.items()}),
    }


def score_splits(
    model: BetaVAE, data: SpikeDataset, posteriors: Mapping[str, Posterior]
) -> dict[str, Any]:
    """The scores of each split."""
    return {side: score(model, getattr(data, side), posteriors[side].rates) for side in SPLITS}


def score_table(scores: Mapping[str, Any]) -> str:
    """Scores of the splits side by side, to read."""
    width = max(len(LABELS[name]) for name in scores["valid"])
    lines = [f"{'':{width}}  {'train':>7}  {'valid':>7}"]
    for name in scores["valid"]:
        cells = [scores[side][name] for side in SPLITS]
        shown = ["-" if cell is None else f"{cell:.3f}" for cell in cells]
        lines.append(f"{LABELS[name]:{width}}  {shown[0]:>7}  {shown[1]:>7}")
    return "\n".join(lines)
