"""The converter: sizes from the arrays, the model of these sizes, and its weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tfp_bvae.models.arguments import Arguments
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.lfads import lfads
from tfp_bvae.models.lfads_torch.reading import read_checkpoint
from tfp_bvae.models.lfads_torch.settings import arguments_of, checked_config, params_of
from tfp_bvae.models.lfads_torch.shapes import require_shapes, sizes_of
from tfp_bvae.models.lfads_torch.weights import assign

__all__ = ["from_lfads_torch"]


def from_lfads_torch(
    weights: str | os.PathLike[str] | Mapping[str, Any],
    config: Mapping[str, Any] | None = None,
    arguments: Arguments | Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
) -> BetaVAE:
    """An LFADS with the weights of lfads-torch: the same outputs to 1e-5. Needs no torch.

    Sizes follow from the shapes: encoders, controller or none, generator, external inputs,
    read-ins, held-out channels, sessions. The scale rule is `"log_variance"`, theirs. What can be
    had of theirs, and what cannot, stands in the tutorial "Coming from other packages".

    Args:
        weights: its `state_dict`: an npz file of numpy (nothing in it is run), or a dict of
            arrays. What is called `hyper_parameters.NAME` in it belongs to `config`.
        config: what the weights do not say, by the names of its configuration: `ci_lag` (1),
            `cell_clip` (5), `encod_seq_len` and `recon_seq_len` (of one length),
            `reconstruction` (`"Poisson"`; or `"MSE"`), and, to go on with a fit, `dropout_rate`,
            `cd_rate` and `cd_pass_rate` of coordinated dropout, `lr_init`, the scales of KL and
            L2. Sizes, where it has them, must be those of the weights. It goes before what is
            stored beside the weights.
        arguments: what follows from the data or from how much is to be done, such as `bin_width`.
        params: settings of this package for a fit to come: betas, dropout, learning rate and
            their like, instead of theirs converted.

    Returns:
        A model as of `models.lfads`; its `hyperparameters` say its settings.

    Raises:
        FileNotFoundError: there is no such file.
        KeyError: naming a key that is missing or not known.
        ValueError: naming an array of another shape, or a setting that has no counterpart here:
            a segment for the initial condition, another floor on the variance, Gaussian, gamma
            and zero-inflated outputs, a Student's t as prior, no priors.

    Source: Sedler and Pandarinath, arXiv:2309.01230, 2023.

    >>> import numpy as np
    >>> from tfp_bvae.models import lfads_torch_shapes
    >>> shapes = lfads_torch_shapes(6, readout=[8], gen_dim=7, fac_dim=3, co_dim=2)
    >>> weights = {key: np.zeros(shape) for key, shape in shapes.items()}
    >>> model = from_lfads_torch(weights, {"ci_lag": 0}, {"bin_width": 0.005})
    >>> model.output_shape, model.hyperparameters["params"]["lag"]
    ((None, None, 8), 0)
    """
    arrays, stored = read_checkpoint(weights)
    sizes = sizes_of(arrays)
    require_shapes(arrays, sizes)
    known = checked_config(stored | dict(config or {}), sizes)
    arguments = arguments_of(known, sizes, arguments)
    model = lfads(arguments, params_of(known, sizes, params))
    assign(model, arrays, sizes, arguments)
    if arguments.num_sessions is not None:
        model.hyperparameters["aligned_by"] = "none"  # a fit starts read-ins where they are
    return model
