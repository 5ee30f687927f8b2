"""Recipes: functions that build whole models from the layers, and their settings."""

from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.hyperparameters import Arguments, LFADSParams
from tfp_bvae.models.inputs import model_arrays
from tfp_bvae.models.lfads import lfads

__all__ = ["Arguments", "BetaVAE", "LFADSParams", "lfads", "model_arrays"]
