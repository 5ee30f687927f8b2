"""The models by name: how each is built, and the settings it starts from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.dsae import dsae, dsae_params
from tfp_bvae.models.fhvae import fhvae, fhvae_params
from tfp_bvae.models.hyperparameters import Params
from tfp_bvae.models.lfads import lfads

__all__ = ["RECIPES", "Recipe"]


class Recipe(NamedTuple):
    """How a model is made.

    Args:
        build: `(arguments, params, mean_rates=...)` to a `BetaVAE`.
        params: a plain dict of settings, or None, to `Params`, the model's own defaults below.
        of_groups: its data need groups: `data.with_groups`.
    """

    build: Callable[..., BetaVAE]
    params: Callable[[Mapping[str, Any] | None], Params]
    of_groups: bool = False


RECIPES = {
    "lfads": Recipe(lfads, Params.of),
    "dsae-full": Recipe(
        functools.partial(dsae, posterior="full"), functools.partial(dsae_params, "full")
    ),
    "dsae-factorized": Recipe(
        functools.partial(dsae, posterior="factorized"),
        functools.partial(dsae_params, "factorized"),
    ),
    "fhvae": Recipe(fhvae, fhvae_params, of_groups=True),
}
