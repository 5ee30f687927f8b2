"""What is given as data, as the arrays that a `Split` holds; or an error that names it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_groups", "as_trials", "require_trials_shape"]


def as_groups(value: Any, num_trials: int) -> np.ndarray:
    """An int32 `[trial]` array of groups, -1 for one that is not known.

    Raises:
        ValueError: another shape, not whole numbers, or below -1.

    >>> as_groups([0, -1, 1], 3)
    array([ 0, -1,  1], dtype=int32)
    """
    group = np.asarray(value)
    if group.shape != (num_trials,):
        raise ValueError(f"group must have shape ({num_trials},), got {group.shape}")
    if group.dtype.kind not in "iu" or (group < -1).any():
        raise ValueError(f"group must hold whole numbers of at least -1, got {group!r}")
    return group.astype(np.int32)


def as_trials(name: str, value: Any) -> np.ndarray:
    """A float32 `[trial, time, channel]` array, or an error that names the argument.

    Args:
        name: how to call it in an error: an argument or a dataset key.
        value: anything numpy can turn into a numeric array.

    Raises:
        ValueError: not numeric, ragged, not three-dimensional, empty, or not finite.

    >>> as_trials("encod", [[[1, 2]]]).shape
    (1, 1, 2)
    """
    try:
        with np.errstate(over="ignore"):  # too large for float32 becomes infinite: refused below
            array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be a numeric [trial, time, channel] array, trials of one length: {error}"
        ) from error
    require_trials_shape(name, array.shape)
    bad = array.size - np.count_nonzero(np.isfinite(array))
    if bad:
        raise ValueError(f"{name} must be finite; {bad} of {array.size} values are NaN or infinite")
    return array


def require_trials_shape(name: str, shape: tuple[int, ...]) -> None:
    """Refuse what is not `[trial, time, channel]`, or has none of one of them.

    Raises:
        ValueError: naming the array.

    >>> require_trials_shape("encod", (5, 10))
    Traceback (most recent call last):
    ...
    ValueError: encod must be [trial, time, channel], got shape (5, 10)
    """
    if len(shape) != 3:
        raise ValueError(f"{name} must be [trial, time, channel], got shape {shape}")
    if 0 in shape:
        raise ValueError(f"{name} must not be empty, got shape {shape}")
