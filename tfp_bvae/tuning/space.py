"""Which hyperparameters are searched, and where."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from tfp_bvae import checks
from tfp_bvae.models import RECIPES, Arguments, Params
from tfp_bvae.models.fhvae import FIXED
from tfp_bvae.settings import SearchRange
from tfp_bvae.tuning.perturbation import draw

__all__ = ["LIVE", "first_values", "search_space"]

# What a compiled step reads whenever it runs; anything else needs another model.
LIVE = (
    "beta_f",
    "beta_z",
    "coordinated_dropout",
    "dropout",
    "l2_controller",
    "l2_generator",
    "learning_rate",
)
# Without a z, or where it is not as it says, these do nothing.
OF_Z = ("beta_z", "controller_units", "l2_controller", "tau", "z_encoder_units", "z_size")
Given = Mapping[str, Any] | Sequence[str] | None


def search_space(
    model: str, arguments: Arguments, params: Params, given: Given = None, live: bool = True
) -> dict[str, SearchRange]:
    """The ranges that a search goes through, by name in order.

    Args:
        model: name of the model, one of `models.RECIPES`.
        arguments: of the model.
        params: settings that are not searched.
        given: names, or a dict of `(low, high)` or `(low, high, "log" or "linear")` by name, where
            None stands for the range of `Params.search_space()`; None for all that this model has.
        live: only what can change while a model is trained.

    Raises:
        KeyError: for a name that is not a hyperparameter, or has no range.
        ValueError: for one that cannot change in training, that the model does not have, or a
            range that is not one.

    >>> given = {"beta_f": (0.1, 1.0), "dropout": None}
    >>> space = search_space("lfads", Arguments(), Params(), given)
    >>> space["beta_f"], space["dropout"].high
    (SearchRange(low=0.1, high=1.0, scale='log'), 0.6)
    """
    usual = Params.search_space()
    if given is None:
        names = [name for name in usual if not live or name in LIVE]
        return {n: usual[n] for n in names if not _why_not(model, arguments, params, n, usual[n])}
    asked = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given)
    if not asked:
        raise ValueError("hyperparameters to search must be at least one, got none")
    found = {}
    for name, place in asked.items():
        names = LIVE if live else Params.names()
        checks.known_key("a hyperparameter to search", name, names, listing=Params.listing)
        found[name] = _range(name, place, usual.get(name))
        problem = _why_not(model, arguments, params, name, found[name])
        if problem:
            raise ValueError(f"{name} must not be searched: {problem}")
    return found


def first_values(
    space: Mapping[str, SearchRange], params: Params, population: int, seed: int
) -> list[dict[str, float]]:
    """What each member starts from: the first from the settings as they are, inside the ranges.

    >>> space = {"beta_f": SearchRange(0.05, 1.0, "log")}
    >>> first_values(space, Params(), population=2, seed=0)[0]
    {'beta_f': 0.1}
    """
    known = {n: min(max(getattr(params, n), p.low), p.high) for n, p in space.items()}
    others = [draw(space, random.Random(f"{seed} {n}")) for n in range(1, population)]
    return [_whole(values, params) for values in (known, *others)]


def _whole(values: dict[str, float], params: Params) -> dict[str, float]:
    """Sizes are whole numbers."""
    return {
        name: round(x) if isinstance(getattr(params, name), int) else float(x)
        for name, x in values.items()
    }


def _range(name: str, place: Any, usual: SearchRange | None) -> SearchRange:
    if place is None:
        if usual is None:
            raise KeyError(f"{name} must be given a range (low, high), got none")
        return usual
    if isinstance(place, str) or not isinstance(place, Sequence) or len(place) not in (2, 3):
        raise ValueError(f"{name} must have a range (low, high) or (low, high, scale), got {place}")
    low, high = (checks.real_number(f"{name}: an end of its range", x) for x in place[:2])
    scale = place[2] if len(place) == 3 else (usual.scale if usual else "linear")
    checks.one_of(f"{name}: scale", scale, ("log", "linear"))
    if not low <= high or (scale == "log" and low <= 0.0):
        rule = "0 < low <= high" if scale == "log" else "low <= high"
        raise ValueError(f"{name} must have a range with {rule}, got {low:g} to {high:g}")
    return SearchRange(low, high, scale)


def _why_not(
    model: str, arguments: Arguments, params: Params, name: str, place: SearchRange
) -> str:
    """Why a model cannot have a hyperparameter anywhere in a range; empty where it can."""
    if isinstance(getattr(params, name), bool | str):
        return "it is a switch and not a number"
    if name.startswith("beta") and arguments.importance_weighted:
        return "an importance-weighted model has no betas"
    if name in OF_Z and not params.z_size:
        return "the model has no z"
    if name in ("controller_units", "l2_controller") and params.generator_cell != "complex":
        return "the model has no controller"
    if name == "tau" and params.z_prior != "ar1":
        return "p(z) has no time constant"
    if name in ("coordinated_dropout", "l2_controller", "l2_generator") and place.low <= 0.0:
        return "a layer or penalty that can be 0 is not in the model; give a low end above 0"
    if model == "fhvae" and name in FIXED:
        return "fhvae fixes it"
    try:
        for end in place[:2]:
            end = round(end) if isinstance(getattr(params, name), int) else end
            RECIPES[model].params(params.to_dict() | {name: end})
    except (ValueError, KeyError) as error:
        return str(error)
    return ""
