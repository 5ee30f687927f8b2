"""`tfp-bvae settings`, and what `--set` means."""

from __future__ import annotations

import difflib
import math
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import Field, fields
from typing import Any

from tfp_bvae.models import RECIPES, Arguments, Params
from tfp_bvae.settings import Settings
from tfp_bvae.training import FitSettings

__all__ = ["part", "read_settings", "run"]

# The arguments that the data do not fix; epochs and batch size are listed with the fit.
CHOSEN = ("bin_width", "likelihood", "group_by", "seed", "num_samples", "importance_weighted")


def run(options: Namespace) -> None:
    """Print a table of all settings."""
    header = ("name", "default", "legal", "lfads", "meaning")
    defaults = RECIPES[options.model].params(None).to_dict()
    rows = [
        (title, [_row(field, defaults.get(name, field.default)) for name, field in found.items()])
        for title, found in _fields(options.model).items()
    ]
    every = [header, *(row for _, group in rows for row in group)]
    widths = [max(len(row[column]) for row in every) for column in range(len(header) - 1)]
    print(_line(header, widths))
    for title, group in rows:
        print(f"\n{title}")
        for row in group:
            print(_line(row, widths))


def read_settings(model: str, words: Sequence[str], **short: str | None) -> dict[str, Any]:
    """Values by name, from `name=value` words and from options that are short for one.

    Args:
        model: name of the model.
        words: as typed after `--set`.
        short: as typed after an option of that name; None where it was not.

    Raises:
        KeyError: for a name that is not a setting; it suggests the nearest.
        ValueError: for a word without `=`, a name that is there twice, or a value that is illegal.
        TypeError: for a value of the wrong type.

    >>> read_settings("lfads", ["factors=20", "patience=none"], epochs="100", seed=None)
    {'factors': 20, 'patience': None, 'epochs': 100}
    """
    pairs = [_pair(word) for word in words]
    pairs += [(name, text) for name, text in short.items() if text is not None]
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name in values:
            raise ValueError(f"{name} must be set once, got it twice")
        values[name] = _kind_of(model, name).parse(name, text)
    RECIPES[model].params(part(values, Params))  # refuses what is not legal
    for kind in (Arguments, FitSettings):
        kind.of(part(values, kind))
    return values


def part(values: dict[str, Any], kind: type[Settings]) -> dict[str, Any]:
    """Those of `values` that belong to one kind of settings.

    >>> part({"factors": 20, "epochs": 100}, FitSettings)
    {'epochs': 100}
    """
    return {name: value for name, value in values.items() if name in kind.names()}


def _pair(word: str) -> tuple[str, str]:
    name, equals, text = word.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--set must be given NAME=VALUE, got {word!r}")
    return name.strip(), text.strip()


def _fields(model: str) -> dict[str, dict[str, Field]]:
    """All fields that can be set, by title and name."""
    arguments = {field.name: field for field in fields(Arguments)}
    params = {field.name: field for field in fields(Params)}
    fit = {field.name: field for field in fields(FitSettings) if field.name not in params}
    return {
        f"model {model}": params,
        "fit": {name: arguments.get(name, field) for name, field in fit.items()},
        "data": {name: arguments[name] for name in CHOSEN},
    }


def _kind_of(model: str, name: str) -> type[Settings]:
    """The kind of settings that has this name."""
    groups = list(_fields(model).values())
    kinds = (Params, FitSettings, Arguments)
    for kind, group in zip(kinds, groups, strict=True):
        if name in group:
            return kind
    known = [name for group in groups for name in group]
    elsewhere = {key: ours for kind in kinds for key, ours in kind.elsewhere().items()}
    near = elsewhere.get(name) or next(iter(difflib.get_close_matches(name, known, 1, 0.5)), None)
    hint = f"; did you mean {near!r}?" if near else ""
    raise KeyError(f"--set must name a setting (tfp-bvae settings lists them), got {name!r}{hint}")


def _row(field: Field, default: Any) -> tuple[str, ...]:
    rule = field.metadata
    shown = f"{default:.3g}" if isinstance(default, float) else str(default).lower()
    return field.name, shown, _legal(field), rule["lfads"], rule["meaning"]


def _legal(field: Field) -> str:
    rule = field.metadata
    if rule["choices"] is not None:
        return ", ".join(map(str, rule["choices"]))
    if field.type == "bool":
        return "true, false"
    low = f">= {rule['low']:g}" if rule["low"] > -math.inf else ""
    return f"{rule['low']:g} to {rule['high']:g}" if rule["high"] < math.inf else low


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()
