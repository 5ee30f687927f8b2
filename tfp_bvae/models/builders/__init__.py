"""The kit: functions that build each part of a beta-VAE as a set of hyperparameters says."""

from tfp_bvae.models.builders.doors import split_settings
from tfp_bvae.models.builders.dynamic import (
    create_z_encoder,
    create_z_prior,
    make_z_variational,
    sample_z_prior,
)
from tfp_bvae.models.builders.generator import create_generator, create_generator_lfads
from tfp_bvae.models.builders.inputs import PreparedInputs, prepare_inputs
from tfp_bvae.models.builders.model import create_model
from tfp_bvae.models.builders.output import create_output_distribution
from tfp_bvae.models.builders.static import create_f_encoder, create_f_prior, make_f_variational

__all__ = [
    "PreparedInputs",
    "create_f_encoder",
    "create_f_prior",
    "create_generator",
    "create_generator_lfads",
    "create_model",
    "create_output_distribution",
    "create_z_encoder",
    "create_z_prior",
    "make_f_variational",
    "make_z_variational",
    "prepare_inputs",
    "sample_z_prior",
    "split_settings",
]
