"""Frozen sets of named settings: checked once, to and from plain dicts."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from tfp_bvae import checks
from tfp_bvae.data.plain_files import read_small_text

if TYPE_CHECKING:
    from typing import Self  # new in Python 3.11

__all__ = ["SearchRange", "Settings", "setting"]

LARGEST = 2**16  # letters of YAML
DEEPEST = 8  # lists in lists of YAML


class SearchRange(NamedTuple):
    """Where to look for a good value: between `low` and `high`, evenly on a `scale`."""

    low: float
    high: float
    scale: str  # "log" or "linear"


def setting(
    default: Any,
    meaning: str,
    low: float = -math.inf,
    high: float = math.inf,
    choices: tuple | None = None,
    lfads: str = "",
    tune: tuple[float, float, str] | None = None,
) -> Any:
    """One field of a `Settings` dataclass.

    Args:
        default: its value where none is given; its type is the field's, or None for optional.
        meaning: what it is, with its unit.
        low: the smallest legal number.
        high: the largest.
        choices: the legal values, where they are few.
        lfads: the name that LFADS implementations give it.
        tune: where to search for a good value: low, high and `"log"` or `"linear"`.
    """
    metadata = {"meaning": meaning, "low": low, "high": high, "choices": choices, "lfads": lfads}
    metadata["tune"] = None if tune is None else SearchRange(*tune)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of the sets: legal ranges hold from construction on, unknown names are refused."""

    optional: ClassVar[tuple[str, ...]] = ()
    listing: ClassVar[str] = ""  # what stands in a message for many names
    strays: ClassVar[Mapping[str, str]] = {}  # names of other sets, and which these are

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
        if field.type == "str":
            return checks.text(field.name, value)
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
            raise TypeError(f"{cls.__name__} must be made from a dict, got {type(given).__name__}")
        for name in given or {}:
            cls.refuse_stray(name)
            checks.known_key(cls.__name__, name, cls.names(), cls.elsewhere(), cls.listing)
        return cls(**(given or {}))

    @classmethod
    def refuse_stray(cls, name: str) -> None:
        """Send the name of a setting of another set to its own.

        Raises:
            KeyError: if it is one, by `strays`.
        """
        if name in cls.strays:
            raise KeyError(f"{name} must be {cls.strays[name]}, got it in {cls.__name__}")

    @classmethod
    def names(cls) -> list[str]:
        """The names of the fields."""
        return [field.name for field in dataclasses.fields(cls)]

    @classmethod
    def elsewhere(cls) -> dict[str, str]:
        """The names that LFADS implementations have, and the field that each of them means."""
        found = {}
        for field in dataclasses.fields(cls):
            words = re.match(r"(?:sqrt\()?(\w+)", field.metadata.get("lfads", ""))
            if words and words[0] == field.metadata["lfads"]:
                found[words[1]] = field.name
            elif words:
                found.setdefault(words[1], field.name)
        return found

    @classmethod
    def parse(cls, name: str, text: str) -> Any:
        """The value that `text` means for the field `name`, as typed on a command line.

        Raises:
            KeyError: for a name that is not a field; it suggests the nearest.
            ValueError: for a text that is neither a number, nor true, false or none.
        """
        checks.known_key(cls.__name__, name, cls.names(), listing=cls.listing)
        field = {f.name: f for f in dataclasses.fields(cls)}[name]
        if field.type == "str":
            return text
        if text.lower() == "none":
            return None
        kind = field.type.removesuffix(" | None")
        try:
            return json.loads(text.lower())
        except (ValueError, RecursionError):  # no JSON, a number of 5000 digits, [[[[...
            raise ValueError(f"{name} must be of type {kind}, got {text[:80]!r}") from None

    def to_dict(self) -> dict[str, Any]:
        """A plain dict from which `of` makes an equal set."""
        return dataclasses.asdict(self)

    @classmethod
    def search_space(cls) -> dict[str, SearchRange]:
        """Where to look for a good value of each setting that is worth tuning."""
        found = {field.name: field.metadata.get("tune") for field in dataclasses.fields(cls)}
        return {name: place for name, place in found.items() if place is not None}

    def to_yaml(self) -> str:
        """YAML text from which `from_yaml` makes an equal set. Needs PyYAML."""
        return _yaml().safe_dump(self.to_dict(), sort_keys=False)

    @classmethod
    def from_yaml(cls, source: str | Path) -> Self:
        """The set that a YAML file (a `Path`) or YAML text (a `str`) describes. Needs PyYAML.

        Raises:
            KeyError, TypeError, ValueError: as `of`; ValueError for what is not YAML.
        """
        text = read_small_text(source, LARGEST) if isinstance(source, Path) else source
        if len(text) > LARGEST:
            raise ValueError(f"{cls.__name__} must be made from at most {LARGEST} letters of YAML")
        yaml = _yaml()
        try:
            _require_flat(yaml, text)
            given = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
            raise ValueError(f"{cls.__name__} must be made from YAML, got {error}") from error
        return cls.of(cls._with_numbers(given))

    @classmethod
    def _with_numbers(cls, given: Any) -> Any:
        """YAML takes `1e-3`, without a dot, for a word."""
        if not isinstance(given, Mapping):
            return given
        real = {f.name for f in dataclasses.fields(cls) if f.type.startswith("float")}
        found = dict(given)
        for name in real & {name for name, value in found.items() if isinstance(value, str)}:
            with contextlib.suppress(ValueError):
                found[name] = float(found[name])
        return found

    def replace(self, changes: Mapping[str, Any]) -> Self:
        """A copy with some values changed."""
        return type(self).of(self.to_dict() | dict(changes))


def _require_flat(yaml, text: str) -> None:
    """Refuse aliases, of which ten lines stand for a billion values, and what is deeply nested."""
    depth = 0
    for event in yaml.parse(text):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("an alias, or lists in lists")


def _yaml():
    try:
        import yaml
    except ImportError as error:
        raise ImportError("YAML needs PyYAML: pip install 'tfp_bvae[yaml]'") from error
    return yaml
