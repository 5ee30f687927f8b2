"""Frozen sets of named settings: checked once, to and from plain dicts."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tfp_bvae import checks

if TYPE_CHECKING:
    from typing import Self  # new in Python 3.11

__all__ = ["Settings", "setting"]


def setting(
    default: Any,
    meaning: str,
    low: float = -math.inf,
    high: float = math.inf,
    choices: tuple | None = None,
    lfads: str = "",
) -> Any:
    """One field of a `Settings` dataclass.

    Args:
        default: its value where none is given; its type is the field's, or None for optional.
        meaning: what it is, with its unit.
        low: the smallest legal number.
        high: the largest.
        choices: the legal values, where they are few.
        lfads: the name that LFADS implementations give it.
    """
    metadata = {"meaning": meaning, "low": low, "high": high, "choices": choices, "lfads": lfads}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of the sets: legal ranges hold from construction on, unknown names are refused."""

    optional: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.metadata:
                object.__setattr__(self, field.name, self._checked(field))

    def _checked(self, field: dataclasses.Field) -> Any:
        value, rule = getattr(self, field.name), field.metadata
        if value is None and field.name in self.optional:
            return None
        if rule["choices"] is not None:
            return checks.one_of(field.name, value, rule["choices"])
        if field.type == "bool":
            return checks.boolean(field.name, value)
        if field.type.startswith("int"):
            value = checks.whole_number(field.name, value)
            checks.in_interval(field.name, value, rule["low"], rule["high"])
            return value
        return checks.in_interval(field.name, value, rule["low"], rule["high"])

    @classmethod
    def of(cls, given: Self | Mapping[str, Any] | None) -> Self:
        """The set itself, or one made from a plain dict; None gives the defaults.

        Raises:
            KeyError: for a name that is not a field; it suggests the nearest.
            TypeError, ValueError: for a value that is not legal.
        """
        if isinstance(given, cls):
            return given
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"{cls.__name__} must be made from a dict, got {given!r}")
        for name in given or {}:
            checks.known_key(cls.__name__, name, cls.names())
        return cls(**(given or {}))

    @classmethod
    def names(cls) -> list[str]:
        """The names of the fields."""
        return [field.name for field in dataclasses.fields(cls)]

    @classmethod
    def parse(cls, name: str, text: str) -> Any:
        """The value that `text` means for the field `name`, as typed on a command line.

        Raises:
            KeyError: for a name that is not a field; it suggests the nearest.
            ValueError: for a text that is neither a number, nor true, false or none.
        """
        checks.known_key(cls.__name__, name, cls.names())
        field = {f.name: f for f in dataclasses.fields(cls)}[name]
        if field.metadata.get("choices") is not None and field.type == "str":
            return text
        if text.lower() == "none":
            return None
        try:
            return json.loads(text.lower())
        except json.JSONDecodeError:
            raise ValueError(f"{name} must be of type {field.type}, got {text!r}") from None

    def to_dict(self) -> dict[str, Any]:
        """A plain dict from which `of` makes an equal set."""
        return dataclasses.asdict(self)

    def replace(self, changes: Mapping[str, Any]) -> Self:
        """A copy with some values changed."""
        return type(self).of(self.to_dict() | dict(changes))
