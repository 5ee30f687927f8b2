"""LFADS: the kit with the settings of its paper, which are the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfp_bvae import checks
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders import create_model
from tfp_bvae.models.hyperparameters import Arguments, Params

__all__ = ["lfads"]


def lfads(
    arguments: Arguments | Mapping[str, Any],
    params: Params | Mapping[str, Any] | None = None,
    mean_rates: np.ndarray | None = None,
) -> BetaVAE:
    r"""Latent factor analysis via dynamical systems.

    .. math::

        f &\sim q(f \mid x_{1:T}), \qquad g_0 = f W_0 + b_0, \\
        z_t &\sim q(z_t \mid x_{1:T}, z_{<t}, f), \qquad g_t = \mathrm{GRU}([z_t; a_t], g_{t-1}), \\
        x_t &\sim \mathrm{Poisson}(\exp(g_t W_{fac} W_{rate} + b_{rate})), \\
        L &= -\log p(x \mid f, z) + \beta_f \mathrm{KL}(q(f) \| p(f))
             + \beta_z \sum_t \mathrm{KL}(q(z_t) \| p(z_t \mid z_{t-1})) + L2

    with p(f) Gaussian of fixed scale and p(z) an AR(1) process.

    Args:
        arguments: what follows from the data; an `Arguments` or a plain dict.
        params: tunable settings; a `Params` or a plain dict; None for the defaults.
        mean_rates: mean of each predicted channel, spikes per bin, `[outputs]`: the read-out's
            bias starts at its logarithm (at the mean itself for a Gaussian likelihood).

    Returns:
        A `BetaVAE`. Inputs, by name: `spikes` `[batch, time, channels]`, and where asked for
        `ext_input` `[batch, time + forward_bins, ext_inputs]` and `trial` `[batch]` (with
        `sample_validation`). Output: the likelihood, event `[time - segment + forward_bins,
        outputs]`.

    Raises:
        KeyError: for an unknown setting.
        ValueError: for a value out of its range.

    Source: Pandarinath et al., Nature Methods 2018; Keshtkaran et al., Nature Methods 2022.

    >>> model = lfads({"channels": 30}, {"generator_units": 20, "factors": 5})
    >>> model.output_shape
    (None, None, 30)
    """
    params = Params.of(params)
    checks.one_of("generator_cell of lfads", params.generator_cell, ("complex",))
    return create_model(params, Arguments.of(arguments), mean_rates, name="lfads")
