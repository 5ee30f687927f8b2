"""Trials as one labelled `xarray.Dataset`: what readers make, and what users look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from .container_checks import (
    COORDS,
    SPLITS,
    VARIABLES,
    numeric,
    require_coords,
    require_times,
    require_variables,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["pad_trials", "require_trials", "trials_dataset"]


def trials_dataset(
    spikes: np.ndarray | Sequence[np.ndarray],
    bin_width: float,
    *,
    behavior: np.ndarray | Sequence[np.ndarray] | None = None,
    ext_input: np.ndarray | Sequence[np.ndarray] | None = None,
    truth: np.ndarray | Sequence[np.ndarray] | None = None,
    coords: Mapping[str, Any] | None = None,
    attrs: Mapping[str, Any] | None = None,
    counts: bool = True,
) -> xr.Dataset:
    r"""Put the trials of a recording, or of several, into one labelled dataset.

    Each array is `[trial, time, channel]`; or a list of trials `[time, channel]`, each as long as
    it is: shorter ones are padded with NaN at the end. NaN means not observed, everywhere.

    Args:
        spikes: spikes per bin, at least 0.
        bin_width: width of a bin, s.
        behavior: what was measured beside, `[trial, time, behavior_channel]`, any unit.
        ext_input: known inputs, `[trial, time, ext_channel]`, any unit.
        truth: true rates where they are known, shaped as `spikes`, expected spikes per bin.
        coords: by name. `time` (s, left edges of bins, relative to an event) and `forward` (after
            what encoders see) on time; `channel` (names or numbers) and `held_out` (not seen by
            encoders) on channel; `trial` (numbers), `split` ("train", "valid", "test" or "none"),
            `condition`, `session` and `start` (s, in the recording) on trial;
            `behavior_channel`, `ext_channel`. A further name is one value of each trial. What is
            not given is counted from 0, "none", or False; the rest is left away.
        attrs: single values to keep.
        counts: whether spikes must not be negative; False for data of a Gaussian likelihood.

    Returns:
        An `xarray.Dataset` with dims trial, time, channel.

    Raises:
        KeyError: an unknown dim.
        TypeError: what must be numbers is not.
        ValueError: shapes do not match, a value is infinite, a count negative, names are there
            twice, bins are not equally wide.

    >>> data = trials_dataset(np.ones([4, 10, 3]), 0.02, coords={"channel": ["a", "b", "c"]})
    >>> dict(data.sizes), data.attrs["bin_width"], data.split.values[0].item()
    ({'trial': 4, 'time': 10, 'channel': 3}, 0.02, 'none')
    """
    import xarray as xr

    bin_width = checks.positive("bin_width", bin_width)
    given = {"spikes": spikes, "behavior": behavior, "ext_input": ext_input, "truth": truth}
    arrays = {name: pad_trials(name, x) for name, x in given.items() if x is not None}
    for name, array in arrays.items():
        checks.rank(name, array.shape, 3)
    variables = {name: (VARIABLES[name], array) for name, array in arrays.items()}
    trials, bins, channels = arrays["spikes"].shape
    defaults = {
        "trial": np.arange(trials),
        "time": np.arange(bins) * bin_width,
        "channel": np.arange(channels),
        "split": np.full(trials, "none"),
        "held_out": np.zeros(channels, bool),
        "forward": np.zeros(bins, bool),
    }
    found = {}
    for name, value in {**defaults, **_lengths(spikes), **(coords or {})}.items():
        dim = COORDS.get(name, "trial")
        value = np.asarray(value)
        checks.rank(f"coords[{name!r}]", value.shape, 1)
        found[name] = (dim, value.astype(np.str_) if value.dtype.kind in "OS" else value)
    try:
        data = xr.Dataset(variables, found, {"bin_width": bin_width, **(attrs or {})})
    except ValueError as error:
        raise ValueError(f"arrays and coords must agree in size: {error}") from error
    return require_trials(data, counts=counts)


def _lengths(spikes: Any) -> dict[str, np.ndarray]:
    """Bins of each trial, of a list of trials of unequal length."""
    if isinstance(spikes, np.ndarray) and spikes.dtype.kind != "O":
        return {}  # of one length
    lengths = np.array([len(trial) for trial in spikes], np.int32)
    return {} if (lengths == lengths[0]).all() else {"length": lengths}


def pad_trials(name: str, value: Any) -> np.ndarray:
    """Trials as one float32 `[trial, time, channel]` array; NaN where a trial has no bin.

    Raises:
        TypeError: not numbers.
        ValueError: not `[trial, time, channel]`, or other channels from trial to trial.

    >>> pad_trials("spikes", [np.ones([2, 1]), np.ones([3, 1])])[0, :, 0]
    array([ 1.,  1., nan], dtype=float32)
    """
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return numeric(name, value)
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise TypeError(f"{name} must be an array, or a list of trials, got {type(value).__name__}")
    parts = [numeric(f"{name}[{i}]", trial) for i, trial in enumerate(value)]
    if not parts:
        raise ValueError(f"{name} must hold at least one trial, got none")
    for index, part in enumerate(parts):
        checks.rank(f"{name}[{index}]", part.shape, 2)
        checks.last_dim(f"{name}[{index}]", part.shape, parts[0].shape[1])
    padded = np.full(
        [len(parts), max(map(len, parts)), parts[0].shape[1]], np.nan, dtype=np.float32
    )
    for row, part in zip(padded, parts, strict=True):
        row[: len(part)] = part
    return padded


def require_trials(data: xr.Dataset, name: str = "data", counts: bool = True) -> xr.Dataset:
    """Check that a dataset is one of trials, as `trials_dataset` makes it; hand it back.

    Args:
        data: anything.
        name: how to call it in an error.
        counts: whether spikes must not be negative; False for data of a Gaussian likelihood.

    Raises:
        KeyError: a variable, coordinate or attribute is missing.
        TypeError: no `xarray.Dataset`, or not numbers.
        ValueError: other dims, infinite or negative values, names that are there twice, bins that
            are not as wide as `bin_width` says, an unknown split, forward bins before others.

    >>> import xarray as xr
    >>> require_trials(xr.Dataset({"rates": ("time", [1.0])}))
    Traceback (most recent call last):
        ...
    KeyError: "data must hold the variable 'spikes' [trial, time, channel], got 'rates'"
    """
    import xarray as xr

    if not isinstance(data, xr.Dataset):
        raise TypeError(f"{name} must be an xarray.Dataset, got {type(data).__name__}")
    require_variables(data, name, counts)
    require_coords(data, name)
    require_times(data, name)
    unknown = set(np.unique(data["split"].values.astype(np.str_))) - set(SPLITS)
    if unknown:
        raise ValueError(
            f"{name}: split must be one of {', '.join(SPLITS)}, got {', '.join(sorted(unknown))}"
        )
    return data
