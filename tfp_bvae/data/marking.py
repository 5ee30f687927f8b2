"""Which trials, channels and bins are for what: marks on labelled trials."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from .container import require_trials
from .trials import stratified_split

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["append_forward_bins", "hold_out_channels", "mark_forward", "split_trials"]


def split_trials(
    data: xr.Dataset, valid_fraction: float = 0.2, by: str | None = None, seed: int = 0
) -> xr.Dataset:
    """Draw trials for validation, the same fraction of each condition of each session.

    Args:
        data: labelled trials; those of split "test" stay so, all others are drawn anew.
        valid_fraction: between 0 and 1, both excluded.
        by: the coordinate of trials whose values are drawn from alike; without it `condition`,
            where there is one.
        seed: the same seed gives the same split.

    Raises:
        KeyError: there is no such coordinate.
        ValueError: the fraction is out of range, or too small for a single trial.

    >>> from tfp_bvae.data import trials_dataset
    >>> data = trials_dataset(np.ones([10, 5, 2]), 0.1, coords={"condition": list("aaaaabbbbb")})
    >>> drawn = split_trials(data, 0.2)
    >>> drawn.condition[drawn.split == "valid"].values.tolist()
    ['a', 'b']
    """
    require_trials(data, counts=False)
    if by is None:
        by = "condition" if "condition" in data.coords else "split"
        labels = data[by].values if by == "condition" else np.zeros(data.sizes["trial"], int)
    else:
        of_trials = [str(name) for name, x in data.coords.items() if x.dims == ("trial",)]
        labels = data[checks.known_key("by", by, of_trials)].values
    number = np.unique(labels, return_inverse=True)[1]
    if "session" in data.coords:
        session = np.unique(data["session"].values, return_inverse=True)[1]
        number = number + session * (number.max() + 1)
    free = np.flatnonzero(data["split"].values != "test")
    _, valid = stratified_split(number[free], valid_fraction, seed)
    split = np.full(data.sizes["trial"], "train")
    split[data["split"].values == "test"] = "test"
    split[free[valid]] = "valid"
    return data.assign_coords(split=("trial", split))


def hold_out_channels(
    data: xr.Dataset,
    every: int | None = None,
    *,
    names: Collection[Any] | None = None,
    fraction: float | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Mark channels that encoders do not see and the model predicts: for co-smoothing.

    Just one of `every`, `names` and `fraction` says which.

    Args:
        data: labelled trials.
        every: each so many-th channel: with 4 those at 3, 7, 11, ... from 0 on.
        names: these channels.
        fraction: a random share of them, between 0 and 1.
        seed: of that draw.

    Raises:
        KeyError: a name that no channel has.
        ValueError: not just one of the three, or it leaves no channel to see or none to predict.

    >>> from tfp_bvae.data import trials_dataset
    >>> data = trials_dataset(np.ones([3, 5, 8]), 0.1)
    >>> hold_out_channels(data, 4).held_out.values.nonzero()[0].tolist()
    [3, 7]
    """
    require_trials(data, counts=False)
    given = {"every": every, "names": names, "fraction": fraction}
    told = [name for name, value in given.items() if value is not None]
    if len(told) != 1:
        raise ValueError(f"one of every, names and fraction must be given, got {told or 'none'}")
    channels = data["channel"].values
    hidden = np.zeros(len(channels), bool)
    if every is not None:
        hidden[checks.whole_number("every", every, 2) - 1 :: every] = True
    elif names is not None:
        for name in names:
            checks.known_key("channel", name, channels.tolist())
        hidden = np.isin(channels, list(names))
    else:
        checks.in_interval("fraction", fraction, 0, 1, include_low=False, include_high=False)
        count = round(fraction * len(channels))
        hidden[np.random.default_rng(seed).permutation(len(channels))[:count]] = True
    if hidden.all() or not hidden.any():
        raise ValueError(
            f"{told[0]} must leave channels on both sides, got {hidden.sum()} of {len(channels)} "
            "held out"
        )
    return data.assign_coords(held_out=("channel", hidden))


def mark_forward(data: xr.Dataset, bins: int) -> xr.Dataset:
    """Mark the last bins of all trials as after what encoders see: for forward prediction.

    Args:
        data: labelled trials.
        bins: how many; 0 for none.

    Raises:
        ValueError: no bin is left for the encoders.

    >>> from tfp_bvae.data import trials_dataset
    >>> mark_forward(trials_dataset(np.ones([3, 5, 2]), 0.1), 2).forward.values.tolist()
    [False, False, False, True, True]
    """
    require_trials(data, counts=False)
    bins, there = checks.whole_number("bins", bins, 0), data.sizes["time"]
    if bins >= there:
        raise ValueError(f"bins must leave bins for the encoders, got {bins} of {there}")
    return data.assign_coords(forward=("time", np.arange(there) >= there - bins))


def append_forward_bins(data: xr.Dataset, bins: int) -> xr.Dataset:
    """Add bins after the end of all trials, of which nothing was observed, to be predicted.

    Args:
        data: labelled trials of one length, without external inputs (nobody knows those to come).
        bins: how many; they are marked as forward.

    Raises:
        ValueError: trials are of unequal length, or have external inputs.

    >>> from tfp_bvae.data import trials_dataset
    >>> longer = append_forward_bins(trials_dataset(np.ones([3, 5, 2]), 0.1), 2)
    >>> longer.time.values.round(1).tolist(), longer.spikes.values[0, 4:, 0].tolist()
    ([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1.0, nan, nan])
    """
    require_trials(data, counts=False)
    bins, there = checks.whole_number("bins", bins, 1), data.sizes["time"]
    if "ext_input" in data:
        raise ValueError("data must have no ext_input, which would be unknown in further bins")
    if "length" in data.coords and (data["length"] < there).any():
        raise ValueError("data must have trials of one length, got a coordinate 'length'")
    added = data["time"].values[-1] + data.attrs["bin_width"] * np.arange(1, bins + 1)
    time = np.concatenate([data["time"].values, added])
    forward = np.concatenate([data["forward"].values, np.ones(bins, bool)])
    longer = data.drop_vars(["forward", "length"], errors="ignore")
    widths = {"time": (0, bins)}
    longer = longer.drop_vars("time").pad(widths, constant_values=np.nan)
    return longer.assign_coords(time=time, forward=("time", forward))
