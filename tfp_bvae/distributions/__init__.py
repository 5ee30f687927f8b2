"""Distributions over latent paths, and the divergences between them: pure functions of tensors."""

from tfp_bvae.distributions.ar1 import AR1Process, AR1ProcessTriL
from tfp_bvae.distributions.from_params import (
    mvn_diag,
    mvn_diag_params_size,
    mvn_tril,
    mvn_tril_params_size,
)
from tfp_bvae.distributions.importance_weighted import ImportanceWeighted
from tfp_bvae.distributions.kl import path_kl, sampled_kl
from tfp_bvae.distributions.mean_field import time_marginals
from tfp_bvae.distributions.observed import Observed, ObservedMVNTriL
from tfp_bvae.distributions.path_distribution import PathDistribution
from tfp_bvae.distributions.poisson import Poisson
from tfp_bvae.distributions.recurrence import linear_recurrence
from tfp_bvae.distributions.recurrent_mvn import RecurrentMVNDiag
from tfp_bvae.distributions.scale_rules import softplus_shift
from tfp_bvae.distributions.shared_tril import SharedMVNTriL
from tfp_bvae.distributions.tiled import TiledMVNDiag, TiledMVNTriL
from tfp_bvae.distributions.zero_inflated import ZeroInflatedPoisson

__all__ = [
    "AR1Process",
    "AR1ProcessTriL",
    "ImportanceWeighted",
    "Observed",
    "ObservedMVNTriL",
    "PathDistribution",
    "Poisson",
    "RecurrentMVNDiag",
    "SharedMVNTriL",
    "TiledMVNDiag",
    "TiledMVNTriL",
    "ZeroInflatedPoisson",
    "linear_recurrence",
    "mvn_diag",
    "mvn_diag_params_size",
    "mvn_tril",
    "mvn_tril_params_size",
    "path_kl",
    "sampled_kl",
    "softplus_shift",
    "time_marginals",
]
