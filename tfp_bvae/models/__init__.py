"""Recipes: functions that build each part of a model and whole models, and their settings."""

from tfp_bvae.models.adding import add_session
from tfp_bvae.models.arguments import Arguments, is_of_counts
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders import (
    PreparedInputs,
    create_f_encoder,
    create_f_prior,
    create_generator,
    create_generator_lfads,
    create_model,
    create_output_distribution,
    create_z_encoder,
    create_z_prior,
    make_f_variational,
    make_z_variational,
    prepare_inputs,
    sample_z_prior,
    split_settings,
)
from tfp_bvae.models.dsae import dsae, dsae_params
from tfp_bvae.models.fhvae import fhvae, fhvae_params
from tfp_bvae.models.hyperparameters import Params
from tfp_bvae.models.inputs import (
    Segments,
    equal_batches,
    model_arrays,
    model_segments,
    require_masked,
)
from tfp_bvae.models.lfads import lfads
from tfp_bvae.models.lfads_torch import from_lfads_torch, lfads_torch_shapes
from tfp_bvae.models.recipes import RECIPES, Recipe

__all__ = [  # noqa: RUF022 (plainly by letter)
    "Arguments",
    "BetaVAE",
    "Params",
    "PreparedInputs",
    "RECIPES",
    "Recipe",
    "Segments",
    "add_session",
    "create_f_encoder",
    "create_f_prior",
    "create_generator",
    "create_generator_lfads",
    "create_model",
    "create_output_distribution",
    "create_z_encoder",
    "create_z_prior",
    "dsae",
    "dsae_params",
    "equal_batches",
    "fhvae",
    "fhvae_params",
    "from_lfads_torch",
    "is_of_counts",
    "lfads",
    "lfads_torch_shapes",
    "make_f_variational",
    "make_z_variational",
    "model_arrays",
    "model_segments",
    "prepare_inputs",
    "require_masked",
    "sample_z_prior",
    "split_settings",
]
