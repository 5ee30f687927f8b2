"""What `attrs` of a `SpikeDataset` knows of its trials, bins and channels."""

from __future__ import annotations

import numpy as np

from .. import checks
from .container_checks import COORDS
from .containers import SpikeDataset

__all__ = ["SIDES", "others", "pairs", "split_coords"]

SIDES = ("train", "valid")
LABELS = ("channel_names", "channel_order", "bin_times", "behavior_names", "ext_names")
LABELS += ("session_names", "num_held_in")
FREE = (None, "trial")  # dims of coordinates that have one value of each trial


def split_coords(dataset: SpikeDataset, side: str) -> dict[str, tuple[str, np.ndarray]]:
    """Labels of the trials, bins and channels of one side, in the order of its arrays.

    They label what a model says of that side too: rates have the bins and channels of `recon`.

    Args:
        dataset: of `to_splits`, with its labels; or any other: what it does not know is counted
            from 0.
        side: "train" or "valid".

    Returns:
        By the name of the coordinate, as of `trials_dataset`: its dim, and its values.

    Raises:
        ValueError: another side.

    >>> from tfp_bvae.data import lorenz
    >>> coords = split_coords(lorenz(num_conditions=2, num_trials=5, num_valid=1), "valid")
    >>> coords["condition"], coords["time"][1][:3].tolist()
    (('trial', array([0, 1])), [0.0, 0.02, 0.04])
    """
    checks.one_of("side", side, SIDES)
    split, attrs = getattr(dataset, side), dataset.attrs
    trials, bins, channels = split.recon.shape
    seen_bins, seen_channels = split.encod.shape[1:]
    first = 0 if side == "train" else dataset.train.num_trials
    found = {
        "trial": ("trial", first + np.arange(trials)),
        "split": ("trial", np.full(trials, side)),
        "time": ("time", _or(attrs.get("bin_times"), np.arange(bins) * dataset.bin_width)),
        "forward": ("time", np.arange(bins) >= seen_bins),
        "channel": ("channel", _or(attrs.get("channel_names"), np.arange(channels))),
        "held_out": ("channel", np.arange(channels) >= seen_channels),
    }
    for coord, name, array in (
        ("behavior_channel", "behavior_names", attrs.get(f"{side}_behavior")),
        ("ext_channel", "ext_names", split.ext_input),
    ):
        if name in attrs and array is not None and np.shape(array)[-1] == len(attrs[name]):
            found[coord] = (coord, np.asarray(attrs[name]))
    for name, both in pairs(dataset).items():
        if both[0].ndim == 1 and name not in ("inds", "split") and COORDS.get(name) in FREE:
            found[name] = ("trial", both[SIDES.index(side)])
    if "condition" not in found and "cond_idx" in found:  # the name of lfads-torch
        found["condition"] = found["cond_idx"]
    if split.group is not None:
        found["group"] = ("trial", split.group)
    if split.length is not None:
        found["length"] = ("trial", split.length)
    session = _session(dataset, side)
    if session is not None:
        found["session"] = ("trial", session)
    return found


def pairs(dataset: SpikeDataset) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By name, the arrays `train_NAME` and `valid_NAME` that have an entry for each trial.

    >>> from tfp_bvae.data import lorenz
    >>> sorted(pairs(lorenz(num_conditions=2, num_trials=5, num_valid=1)))
    ['cond_idx']
    """
    found = {}
    for key, value in dataset.attrs.items():
        side, _, name = key.partition("_")
        other = dataset.attrs.get(f"valid_{name}")
        if side != "train" or not name or other is None:
            continue
        both = (np.asarray(value), np.asarray(other))
        lengths = [len(x) if x.ndim else None for x in both]
        if lengths != [getattr(dataset, s).num_trials for s in SIDES]:
            continue
        if both[0].shape[1:] == both[1].shape[1:]:
            found[name] = both
    return found


def others(dataset: SpikeDataset) -> dict[str, np.ndarray]:
    """Arrays of `attrs` that are neither labels nor of trials of both sides, by name.

    >>> import dataclasses
    >>> from tfp_bvae.data import lorenz
    >>> data = lorenz(num_conditions=2, num_trials=5, num_valid=1)
    >>> list(others(dataclasses.replace(data, attrs={"psth": np.ones([2, 50, 30]), "who": "J"})))
    ['psth']
    """
    taken = {f"{side}_{name}" for side in SIDES for name in pairs(dataset)} | {*LABELS}
    arrays = {
        name: np.asarray(value)
        for name, value in dataset.attrs.items()
        if name not in taken and isinstance(value, (np.ndarray, list, tuple))
    }
    return {name: array for name, array in arrays.items() if array.dtype.kind in "biufU"}


def _or(labels: np.ndarray | None, counted: np.ndarray) -> np.ndarray:
    """Labels, where they fit; what is counted else."""
    return counted if labels is None or len(labels) != len(counted) else np.asarray(labels)


def _session(dataset: SpikeDataset, side: str) -> np.ndarray | None:
    """The name of each trial's session."""
    number, names = getattr(dataset, side).session, dataset.attrs.get("session_names")
    if number is None:
        one = names is not None and len(names) == 1
        return np.repeat(np.asarray(names), getattr(dataset, side).num_trials) if one else None
    return number if names is None else np.asarray(names)[number]
