"""What a dataset of trials must have, and how it may look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "COORDS",
    "SPLITS",
    "VARIABLES",
    "numeric",
    "require_coords",
    "require_times",
    "require_variables",
]

SPLITS = ("train", "valid", "test", "none")
VARIABLES = {
    "spikes": ("trial", "time", "channel"),
    "behavior": ("trial", "time", "behavior_channel"),
    "ext_input": ("trial", "time", "ext_channel"),
    "truth": ("trial", "time", "channel"),
}
COORDS = {
    "trial": "trial",
    "split": "trial",
    "condition": "trial",
    "session": "trial",
    "start": "trial",
    "length": "trial",
    "time": "time",
    "forward": "time",
    "channel": "channel",
    "held_out": "channel",
    "behavior_channel": "behavior_channel",
    "ext_channel": "ext_channel",
}
NEEDED = ("trial", "split", "time", "forward", "channel", "held_out")
TOLERANCE = 1e-3  # of a bin


def numeric(name: str, value: Any, dtype: type = np.float32) -> np.ndarray:
    """Numbers as float32 or another type; NaN is allowed, infinity is not.

    Raises:
        TypeError: not numbers.
        ValueError: empty, or infinite.

    >>> numeric("spikes", [[1, 2]])
    array([[1., 2.]], dtype=float32)
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be numbers, got {array.dtype}")
    if not array.size:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    with np.errstate(over="ignore"):
        array = array.astype(dtype)
    bad = np.count_nonzero(np.isinf(array))
    if bad:
        raise ValueError(f"{name} must not be infinite, {bad} of {array.size} values are")
    return array


def require_variables(data: xr.Dataset, name: str, counts: bool) -> None:
    """The four variables, those that are there: dims, numbers, no negative count.

    Raises:
        KeyError: no spikes.
        TypeError: not numbers.
        ValueError: other dims, infinite or negative.
    """
    if "spikes" not in data.data_vars:
        there = ", ".join(repr(str(found)) for found in data.data_vars) or "none"
        raise KeyError(
            f"{name} must hold the variable 'spikes' [trial, time, channel], got {there}"
        )
    for variable, dims in VARIABLES.items():
        if variable not in data.data_vars:
            continue
        found = data[variable]
        if found.dims != dims:
            raise ValueError(
                f"{name}: {variable} must have the dims ({', '.join(dims)}), "
                f"got ({', '.join(map(str, found.dims))})"
            )
        values = numeric(f"{name}: {variable}", found.values)
        if counts and variable in ("spikes", "truth"):
            bad = np.count_nonzero(values < 0)
            if bad:
                raise ValueError(
                    f"{name}: {variable} must be at least 0 or NaN; {bad} of {values.size} "
                    f"values are negative, for example {values[values < 0][0]:g}"
                )


def require_coords(data: xr.Dataset, name: str) -> None:
    """The coordinates: there, on their dims, with names of their own.

    Raises:
        KeyError: one is missing.
        ValueError: on other dims, or a channel is named twice.
    """
    for coord, dim in COORDS.items():
        if coord not in data.coords:
            if coord in NEEDED:
                there = ", ".join(map(str, data.coords))
                raise KeyError(f"{name} must have the coordinate {coord!r} on {dim}, got {there}")
            continue
        if data[coord].dims != (dim,):
            raise ValueError(f"{name}: {coord} must be on {dim}, got {data[coord].dims}")
    for flag in ("held_out", "forward"):
        if data[flag].dtype != bool:
            raise ValueError(f"{name}: {flag} must be True or False, got {data[flag].dtype}")
    if "length" in data.coords:
        length, bins = data["length"].values, data.sizes["time"]
        if length.dtype.kind not in "iu" or (length < 1).any() or (length > bins).any():
            raise ValueError(f"{name}: length must be whole numbers from 1 to {bins}, got {length}")
    if data["held_out"].values.all():
        raise ValueError(f"{name}: held_out must leave channels for the encoders, got all True")
    for coord in ("channel", "behavior_channel", "ext_channel"):
        if coord in data.coords:
            names, count = np.unique(data[coord].values, return_counts=True)
            if (count > 1).any():
                raise ValueError(
                    f"{name}: {coord} must be named once each, got {names[count > 1][0]} twice"
                )


def require_times(data: xr.Dataset, name: str) -> None:
    """One bin width in attribute and time coordinate; forward bins at the end.

    Raises:
        KeyError: no bin width.
        ValueError: it is not positive, bins are not that wide, or forward bins are not last.
    """
    if "bin_width" not in data.attrs:
        raise KeyError(f"{name} must have the attribute 'bin_width' (s), got {list(data.attrs)}")
    width = data.attrs["bin_width"]
    width = checks.positive(f"{name}: bin_width", getattr(width, "item", lambda: width)())
    steps = np.diff(numeric(f"{name}: time", data["time"].values, np.float64))
    wrong = ~(np.abs(steps - width) <= TOLERANCE * width)
    if wrong.any():
        raise ValueError(
            f"{name}: time must go on by bin_width={width:g} s from bin to bin, "
            f"got a step of {steps[wrong][0]:g} s"
        )
    forward = data["forward"].values
    if forward.all():
        raise ValueError(f"{name}: forward must leave bins for the encoders, got all True")
    if (np.diff(forward.astype(int)) < 0).any():
        raise ValueError(f"{name}: forward bins must come after all others, got one before")
