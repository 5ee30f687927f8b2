"""What is given as data, as the arrays that a `Split` holds; or an error that names it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_numbers", "as_trials", "require_no_infinity", "require_trials_shape"]


def as_numbers(name: str, value: Any, num_trials: int, minimum: int) -> np.ndarray:
    """An int32 `[trial]` array: the number of each trial's group, or session.

    Raises:
        ValueError: another shape, not whole numbers, or below `minimum`.

    >>> as_numbers("group", [0, -1, 1], 3, minimum=-1)
    array([ 0, -1,  1], dtype=int32)
    """
    numbers = np.asarray(value)
    if numbers.shape != (num_trials,):
        raise ValueError(f"{name} must have shape ({num_trials},), got {numbers.shape}")
    if numbers.dtype.kind not in "iu" or (numbers < minimum).any():
        raise ValueError(f"{name} must hold whole numbers of at least {minimum}, got {numbers!r}")
    return numbers.astype(np.int32)


def as_trials(name: str, value: Any) -> np.ndarray:
    """A float32 `[trial, time, channel]` array, or an error that names the argument.

    NaN stays: what was not observed. Infinity, and what is too large for float32, is refused.

    Args:
        name: how to call it in an error: an argument or a dataset key.
        value: anything numpy can turn into a numeric array.

    Raises:
        ValueError: not numeric, ragged, not three-dimensional, empty, or infinite.

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
    require_no_infinity(name, np.count_nonzero(np.isinf(array)), array.size)
    return array


def require_no_infinity(name: str, count: int, size: int) -> None:
    """Refuse an array of which `count` of `size` values are infinite."""
    if count:
        raise ValueError(
            f"{name} must be finite, or NaN where nothing was observed; {count} of {size} values "
            "are infinite"
        )


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
