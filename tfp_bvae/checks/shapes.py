"""Shapes, and what goes into a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = [
    "distribution",
    "last_dim",
    "rank",
    "same_length",
]

T = TypeVar("T")


def rank(name: str, shape: Sequence[int | None], expected: int) -> tuple[int | None, ...]:
    """Check that `shape` has `expected` axes; hand it back as a tuple.

    Args:
        name: what the caller calls the array.
        shape: a tuple, a list or a `TensorShape`; unknown axes are None.
        expected: how many axes there must be.

    Raises:
        ValueError: if there are more, or fewer.

    >>> rank("spikes", (8, 50, 30), 3)
    (8, 50, 30)
    >>> rank("spikes", (50, 30), 3)
    Traceback (most recent call last):
        ...
    ValueError: spikes must have 3 axes, got shape (50, 30)
    """
    axes = _axes(shape)
    if len(axes) != expected:
        plural = "axis" if expected == 1 else "axes"
        raise ValueError(f"{name} must have {expected} {plural}, got shape {axes}")
    return axes


def last_dim(name: str, shape: Sequence[int | None], expected: int | None = None) -> int:
    """Check that the last axis is known, and of size `expected` if that is given; hand it back.

    Raises:
        ValueError: if there is no last axis, its size is unknown, or it is another.

    >>> last_dim("spikes", (None, None, 30))
    30
    >>> last_dim("params", (8, 50, 30), expected=32)
    Traceback (most recent call last):
        ...
    ValueError: params must have a last axis of size 32, got shape (8, 50, 30)
    """
    axes = _axes(shape)
    size = axes[-1] if axes else None
    wanted = "of known size" if expected is None else f"of size {expected}"
    if size is None or (expected is not None and size != expected):
        raise ValueError(f"{name} must have a last axis {wanted}, got shape {axes}")
    return size


def same_length(names: Sequence[str], lengths: Sequence[int], axis: str) -> int:
    """Check that several arrays agree along an axis; hand back its length.

    Args:
        names: what the caller calls the arrays.
        lengths: the length of each along the axis.
        axis: what the axis is, for the message: "trials", "time bins", "channels".

    Raises:
        ValueError: if they differ, or there are none.

    >>> same_length(["encod", "recon"], [12, 12], "trials")
    12
    >>> same_length(["encod", "recon"], [12, 11], "trials")
    Traceback (most recent call last):
        ...
    ValueError: encod and recon must have the same number of trials, got 12 and 11
    """
    if len(set(lengths)) != 1:
        came = " and ".join(str(length) for length in lengths) or "none"
        raise ValueError(f"{' and '.join(names)} must have the same number of {axis}, got {came}")
    return lengths[0]


def distribution(name: str, value: T) -> T:
    """Check that `value` is a distribution, as distribution layers put out; hand it back.

    Raises:
        TypeError: if it is anything else.

    >>> distribution("q", 3.0)
    Traceback (most recent call last):
        ...
    TypeError: q must be the output of a distribution layer, got 3.0
    """
    if not hasattr(value, "log_prob"):
        raise TypeError(f"{name} must be the output of a distribution layer, got {value!r}")
    return value


def _axes(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """A shape as a plain tuple; a `TensorShape` knows how to list itself."""
    as_list = getattr(shape, "as_list", None)
    return tuple(as_list() if as_list is not None else shape)
