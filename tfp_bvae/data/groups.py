"""Which trials belong together: those of a recording, of a condition, or each for itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .containers import SpikeDataset

__all__ = ["with_groups"]


def with_groups(dataset: SpikeDataset, by: str = "trial") -> SpikeDataset:
    """A dataset whose trials know their groups, for `models.fhvae`.

    Args:
        dataset: the trials.
        by: the name of arrays `train_NAME` and `valid_NAME` `[trial]` in `dataset.attrs`, numbers
            or strings, such as a session or a condition: trials of one value are a group.
            `"trial"`: each training trial is a group of its own.

    Returns:
        The dataset, with `group` in both splits: numbers from 0 on, in the order of the values.
        Validation trials of a value that no training trial has are of group -1, not known.
        `attrs["group_labels"]` holds the value of each group.

    Raises:
        KeyError: if there are no such arrays; it names those that there are.
        ValueError: if one does not have a value for each trial, or numbers stand on one side and
            strings on the other.

    >>> from tfp_bvae.data import static_dynamic
    >>> data = with_groups(static_dynamic(num_trials=3, num_valid=1), by="static")
    >>> data.train.group, data.valid.group
    (array([0, 0, 1, 1, 2, 2, 3, 3], dtype=int32), array([0, 1, 2, 3], dtype=int32))
    """
    values = {side: _values(dataset, side, by) for side in ("train", "valid")}
    kinds = {side: "SU".count(array.dtype.kind) > 0 for side, array in values.items()}
    if kinds["train"] != kinds["valid"]:
        raise ValueError(f"train_{by} and valid_{by} must both be numbers, or both strings")
    labels = np.unique(values["train"])
    if by == "group":  # made here before: -1 is what was not known
        labels = labels[labels >= 0]
    if by == "trial":
        values["valid"] = np.full(dataset.valid.num_trials, -1)
    train, valid = (_numbers(labels, values[side]) for side in ("train", "valid"))
    return SpikeDataset(
        train=dataclasses.replace(dataset.train, group=train),
        valid=dataclasses.replace(dataset.valid, group=valid),
        bin_width=dataset.bin_width,
        attrs={**dataset.attrs, "group_labels": labels},
    )


def _numbers(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The place of each value among the labels, -1 where it is not there."""
    if not len(labels):
        return np.full(len(values), -1)
    nearest = np.minimum(np.searchsorted(labels, values), len(labels) - 1)
    return np.where(labels[nearest] == values, nearest, -1)


def _values(dataset: SpikeDataset, side: str, by: str) -> np.ndarray:
    """The value by which each trial is put into a group."""
    count = getattr(dataset, side).num_trials
    if by == "trial":
        return np.arange(count)
    key = f"{side}_{by}"
    if key not in dataset.attrs:
        raise KeyError(
            f"by must name arrays train_NAME and valid_NAME of the dataset, got {by!r}: {key} is "
            f"not among {_per_trial(dataset)}"
        )
    values = np.asarray(dataset.attrs[key])
    if values.shape != (count,) or values.dtype.kind not in "biufSU":
        raise ValueError(
            f"{key} must hold a number or a string for each of {count} trials, "
            f"got {values.dtype} of shape {values.shape}"
        )
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(f"{key} must hold a value for each trial, got NaN")
    return values


def _per_trial(dataset: SpikeDataset) -> list[str]:
    """Names of the arrays that would do."""

    def fits(side: str, value: Any) -> bool:
        return np.shape(value) == (getattr(dataset, side).num_trials,)

    parts = [(name, *name.partition("_")[::2], value) for name, value in dataset.attrs.items()]
    return sorted(
        name
        for name, side, rest, value in parts
        if side in ("train", "valid") and rest and fits(side, value)
    )
