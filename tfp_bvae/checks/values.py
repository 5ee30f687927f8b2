"""Numbers, words and names."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

__all__ = [
    "boolean",
    "in_interval",
    "known_key",
    "one_of",
    "positive",
    "real_number",
    "text",
    "whole_number",
]

T = TypeVar("T")
LISTED = 20  # names that a message can still hold


def real_number(name: str, value: Any) -> float:
    """Check that `value` is one finite real number; hand it back as a float.

    Raises:
        TypeError: if it is no number (a bool is none).
        ValueError: if it is NaN or infinite.

    >>> real_number("tau", 10)
    10.0
    """
    is_bool = isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")
    if is_bool or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, got {_shown(value)}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return float(value)


def positive(name: str, value: Any) -> float:
    """Check that `value` is a finite number above zero; hand it back as a float.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is not finite, or not above zero.

    >>> positive("init_scale", 0.1)
    0.1
    >>> positive("init_scale", 0.0)
    Traceback (most recent call last):
        ...
    ValueError: init_scale must be above 0, got 0.0
    """
    number = real_number(name, value)
    if number <= 0.0:
        raise ValueError(f"{name} must be above 0, got {value!r}")
    return number


def in_interval(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    include_low: bool = True,
    include_high: bool = True,
) -> float:
    """Check that `value` lies between `low` and `high`; hand it back as a float.

    Args:
        name: what the caller calls it.
        value: a real number.
        low: lower end of the interval.
        high: upper end of the interval.
        include_low: whether `low` itself is allowed.
        include_high: whether `high` itself is allowed.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is not finite, or outside.

    >>> in_interval("rate", 0.3, 0, 1, include_high=False)
    0.3
    >>> in_interval("rate", 1.0, 0, 1, include_high=False)
    Traceback (most recent call last):
        ...
    ValueError: rate must be in [0, 1), got 1.0
    """
    number = real_number(name, value)
    above = number >= low if include_low else number > low
    below = number <= high if include_high else number < high
    if not (above and below):
        left, right = "[" if include_low else "(", "]" if include_high else ")"
        raise ValueError(f"{name} must be in {left}{low}, {high}{right}, got {value!r}")
    return number


def whole_number(name: str, value: Any, minimum: int | None = None) -> int:
    """Check that `value` is an integer of at least `minimum`; hand it back as an int.

    Raises:
        TypeError: if it is no integer (neither 2.0 nor True is one).
        ValueError: if it is below `minimum`.

    >>> whole_number("units", 64, minimum=1)
    64
    >>> whole_number("units", 0, minimum=1)
    Traceback (most recent call last):
        ...
    ValueError: units must be a whole number of at least 1, got 0
    """
    bound = "" if minimum is None else f" of at least {minimum}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number{bound}, got {_shown(value)}")
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be a whole number{bound}, got {value!r}")
    return int(value)


def boolean(name: str, value: Any) -> bool:
    """Check that `value` is True or False; hand it back.

    Raises:
        TypeError: if it is anything else (0 and "no" are).

    >>> boolean("causal", True)
    True
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {_shown(value)}")
    return value


def text(name: str, value: Any) -> str:
    """Return `value` as it is, if it is a string that is not empty.

    Args:
        name: argument or setting, for the error.
        value: what came.

    Raises:
        TypeError: if it is no string.
        ValueError: if it is empty.

    >>> text("group_by", "session")
    'session'
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {_shown(value)}")
    if not value:
        raise ValueError(f"{name} must be a string that is not empty, got ''")
    return value


def one_of(name: str, value: T, allowed: Collection[T]) -> T:
    """Check that `value` is one of a few; hand it back.

    Raises:
        ValueError: if it is none of them.

    >>> one_of("method", "path", ["path", "analytic"])
    'path'
    >>> one_of("method", "pth", ["path", "analytic"])
    Traceback (most recent call last):
        ...
    ValueError: method must be one of 'path', 'analytic', got 'pth'
    """
    if value not in tuple(allowed):
        listed = ", ".join(repr(option) for option in allowed)
        raise ValueError(f"{name} must be one of {listed}, got {value!r}")
    return value


def known_key(
    name: str,
    key: str,
    allowed: Iterable[str],
    elsewhere: Mapping[str, str] | None = None,
    listing: str = "",
) -> str:
    """Check that `key` is a known name; if it is not, suggest the nearest that is.

    Where there are many names the message has the nearest few, and not all of them.

    Args:
        name: what the keys are, for the message: "parameter", "dataset".
        key: the name that came.
        allowed: the names there are.
        elsewhere: names that others have for some of them, and which of them is meant.
        listing: what they are and where they are listed, in place of them where they are many.

    Raises:
        KeyError: if it is unknown.

    >>> known_key("parameter", "beta_f", ["beta_f", "beta_z"])
    'beta_f'
    >>> known_key("parameter", "betaf", ["beta_f", "beta_z"])
    Traceback (most recent call last):
        ...
    KeyError: "parameter must be one of 'beta_f', 'beta_z', got 'betaf'; did you mean 'beta_f'?"
    >>> known_key("channel", "c9", [f"ch{number}" for number in range(96)])
    Traceback (most recent call last):
        ...
    KeyError: "channel must be one of 96 names, 'ch0' to 'ch95', got 'c9'; did you mean ..."
    """
    names = list(allowed)
    if key in names:
        return key
    many = len(names) > LISTED
    near = difflib.get_close_matches(str(key), names, n=3 if many else 1, cutoff=0.5)
    meant = [elsewhere[key]] if elsewhere and key in elsewhere else near
    hint = f"; did you mean {' or '.join(map(repr, meant))}?" if meant else ""
    if many:
        listed = listing or f"{len(names)} names, {names[0]!r} to {names[-1]!r}"
    else:
        listed = ", ".join(map(repr, names)) or "(there are none)"
    raise KeyError(f"{name} must be one of {listed}, got {key!r}{hint}")


def _shown(value: Any) -> str:
    """A value and its type, cut to fit a line."""
    text = repr(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"{text} ({type(value).__name__})"
