"""Trials of several conditions: how many go to which side, and laid out one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import checks
from ..containers import SpikeDataset, Split


def training_trials(num_trials: int, num_valid: int) -> int:
    """How many of the trials of each condition are left for training.

    Args:
        num_trials: trials per condition, training and validation together.
        num_valid: validation trials per condition.

    Raises:
        TypeError: one is not a whole number.
        ValueError: one is too small, or no trial is left.

    >>> training_trials(20, 4)
    16
    """
    checks.whole_number("num_trials", num_trials, minimum=2)
    checks.whole_number("num_valid", num_valid, minimum=1)
    if num_valid >= num_trials:
        raise ValueError(f"num_valid must be below num_trials, {num_trials}, got {num_valid}")
    return num_trials - num_valid


def by_side(values: np.ndarray, num_train: int) -> dict[str, np.ndarray]:
    """Split the trials of each condition, and lay those of a side out condition by condition.

    Args:
        values: `[condition, trial, ...]`.
        num_train: the first so many trials of each condition are for training.

    Returns:
        Under "train" and "valid", each `[trial, ...]`.

    >>> by_side(np.array([[1, 2, 3], [4, 5, 6]]), 2)
    {'train': array([1, 2, 4, 5]), 'valid': array([3, 6])}
    """
    parts = {"train": values[:, :num_train], "valid": values[:, num_train:]}
    return {side: part.reshape(-1, *part.shape[2:]) for side, part in parts.items()}


def condition_indices(num_conditions: int, num_trials: int) -> np.ndarray:
    """The number of its condition for every trial: `[condition, trial]`.

    >>> condition_indices(2, 3)
    array([[0, 0, 0],
           [1, 1, 1]])
    """
    return np.repeat(np.arange(num_conditions), num_trials).reshape(num_conditions, num_trials)


def as_dataset(
    counts: np.ndarray,
    rates: np.ndarray,
    num_train: int,
    bin_width: float,
    per_trial: Mapping[str, np.ndarray],
    attrs: Mapping[str, Any],
) -> SpikeDataset:
    """Counts with their true rates as a dataset, ordered by condition.

    Args:
        counts: `[condition, trial, bin, channel]`, spikes per bin.
        rates: the same or with one trial per condition, expected spikes per bin.
        num_train: the first so many trials of each condition are for training.
        bin_width: s.
        per_trial: what else is known of each trial, by name: `[condition, trial, ...]`; goes to
            `attrs` as `train_{name}` and `valid_{name}`, `[trial, ...]`.
        attrs: what is known of all.

    >>> counts = np.ones((2, 3, 4, 5))
    >>> as_dataset(counts, counts, 2, 0.02, {"cond_idx": condition_indices(2, 3)}, {}).attrs
    {'train_cond_idx': array([0, 0, 1, 1]), 'valid_cond_idx': array([0, 1])}
    """
    spikes = by_side(counts.astype(np.float32), num_train)
    truth = by_side(np.broadcast_to(rates.astype(np.float32), counts.shape), num_train)
    known = {name: by_side(values, num_train) for name, values in per_trial.items()}
    return SpikeDataset(
        **{side: Split(spikes[side], spikes[side], truth=truth[side]) for side in spikes},
        bin_width=bin_width,
        attrs={
            **{f"{side}_{name}": values[side] for name, values in known.items() for side in values},
            **attrs,
        },
    )
