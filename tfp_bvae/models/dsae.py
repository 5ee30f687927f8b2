"""The disentangled sequential autoencoder: the kit with the settings of its paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfp_bvae import checks
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders import create_model
from tfp_bvae.models.hyperparameters import Arguments, Params

__all__ = ["dsae", "dsae_params"]

SHARED = {
    "f_encoder_cell": "lstm",
    "q_f_scale": 1.0,
    "p_f_scale": 1.0,
    "p_f_trainable_scale": True,
    "q_z_scale": 1.0,
    "z_prior": "lstm",
    "p_z_scale": 1.0,
    "lag": 0,
    "generator_cell": "dense",
    "f_enters": "inputs",
    "f_size": 16,
    "z_size": 8,
}
POSTERIORS = {
    "full": {
        "z_encoder_cell": "lstm",
        "z_encoder_cell2": "simple_rnn",
        "z_encoder_units2": 64,
        "f_joins": "first",
    },
    "factorized": {"z_encoder_cell": "dense"},
}


def dsae_params(
    posterior: str = "full", params: Params | Mapping[str, Any] | None = None
) -> Params:
    """Settings of DSAE: its own defaults, and over them what a plain dict says.

    Args:
        posterior: `"full"` or `"factorized"`.
        params: a plain dict; a `Params` is taken as it is.

    >>> dsae_params("factorized", {"z_size": 4}).z_encoder_cell
    'dense'
    """
    checks.one_of("posterior", posterior, tuple(POSTERIORS))
    if isinstance(params, Params):
        if params.generator_cell == "complex":
            raise ValueError("params must be of dsae_params, got generator_cell='complex'")
        return params
    return Params.of(SHARED | POSTERIORS[posterior] | dict(params or {}))


def dsae(
    arguments: Arguments | Mapping[str, Any],
    params: Params | Mapping[str, Any] | None = None,
    posterior: str = "full",
    mean_rates: np.ndarray | None = None,
) -> BetaVAE:
    r"""Disentangled sequential autoencoder, with a full or a factorized posterior.

    .. math::

        p(x, z, f) &= p(f) \prod_t p(z_t \mid z_{<t}) \, p(x_t \mid z_t, f) \\
        q(z, f \mid x) &= q(f \mid x_{1:T}) \prod_t q(z_t \mid x_{1:T}, f) \text{ (full)}, \quad
        q(f \mid x_{1:T}) \prod_t q(z_t \mid x_t) \text{ (factorized)}

    p(z) is an LSTM that is fed the posterior's own path. The decoder has no memory by default; a
    recurrent `generator_cell` reads f as its initial state or at each bin, as `f_enters` says.

    Args:
        arguments: what follows from the data; an `Arguments` or a plain dict.
        params: tunable settings; a plain dict over the defaults of `dsae_params`, or a `Params`.
        posterior: `"full"` or `"factorized"`.
        mean_rates: mean of each predicted channel, spikes per bin, `[outputs]`.

    Returns:
        A `BetaVAE`; inputs and output as of `create_model`.

    Raises:
        KeyError: for an unknown setting.
        ValueError: for a value out of its range, or settings that contradict each other.

    Source: Li and Mandt, ICML 2018.

    >>> model = dsae({"channels": 30}, {"z_size": 4}, posterior="factorized")
    >>> model.output_shape
    (None, None, 30)
    """
    params = dsae_params(posterior, params)
    return create_model(params, arguments, mean_rates, name=f"dsae_{posterior}")
