"""Where settings come in: a dataclass or a plain dict, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tf_keras

from tfp_bvae import checks
from tfp_bvae.models.hyperparameters import Arguments, Params

__all__ = ["Settings", "as_arguments", "as_params", "fan_in", "split_settings"]

Settings = Params | Mapping[str, Any] | None


def as_params(given: Settings) -> Params:
    """`Params`, from a flat dict that may hold `Arguments` as well."""
    return given if isinstance(given, Params) else split_settings(given)[1]


def as_arguments(given: Arguments | Mapping[str, Any] | None, params: Settings) -> Arguments:
    """`Arguments`, from what was given as such, else from the flat dict that holds all settings."""
    if given is not None:
        twice = set(params) & set(Arguments.names()) if isinstance(params, Mapping) else ()
        if twice:
            raise ValueError(f"{sorted(twice)[0]} must be among the arguments alone, got it twice")
        return Arguments.of(given)
    return split_settings(params)[0] if isinstance(params, Mapping) else Arguments()


def split_settings(given: Mapping[str, Any] | None) -> tuple[Arguments, Params]:
    """One flat dict of settings, parted into `Arguments` and `Params`.

    Raises:
        KeyError: for a name that neither knows.

    >>> arguments, params = split_settings({"channels": 36, "factors": 10})
    >>> arguments.channels, params.factors
    (36, 10)
    """
    names = [*Arguments.names(), *Params.names()]
    elsewhere = Arguments.elsewhere() | Params.elsewhere()
    if given is not None and not isinstance(given, Mapping):
        raise TypeError(f"settings must be a Params or a dict, got {given!r}")
    for name in given or {}:
        Params.refuse_stray(name)
        checks.known_key("setting", name, names, elsewhere, Params.listing)
    return tuple(
        kind.of({name: value for name, value in (given or {}).items() if name in kind.names()})
        for kind in (Arguments, Params)
    )


def fan_in(size: int) -> tf_keras.initializers.Initializer:
    """Normal kernels of standard deviation `1 / sqrt(size)`, as LFADS starts them."""
    return tf_keras.initializers.RandomNormal(stddev=size**-0.5)
