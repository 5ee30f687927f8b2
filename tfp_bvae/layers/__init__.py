"""Drop-in Keras layers: posteriors, priors, likelihoods, the KL between them, and masks."""

from tfp_bvae.layers.base import DistributionLayer
from tfp_bvae.layers.disentangle import DIPPenalty, TotalCorrelation
from tfp_bvae.layers.kl import KLDivergence
from tfp_bvae.layers.likelihoods import GaussianLikelihood, PoissonLikelihood
from tfp_bvae.layers.masks import CoordinatedDropout, GradientBlock, SampleValidation, SeededDropout
from tfp_bvae.layers.posteriors import MVNDiagPosterior, MVNTriLPosterior, PathPosterior
from tfp_bvae.layers.priors import AR1Prior, LearnableMVNPrior, TiledMVNPrior
from tfp_bvae.layers.sequence import JoinOverTime, PadTime, SplitTime, TimeLag

__all__ = [
    "AR1Prior",
    "CoordinatedDropout",
    "DIPPenalty",
    "DistributionLayer",
    "GaussianLikelihood",
    "GradientBlock",
    "JoinOverTime",
    "KLDivergence",
    "LearnableMVNPrior",
    "MVNDiagPosterior",
    "MVNTriLPosterior",
    "PadTime",
    "PathPosterior",
    "PoissonLikelihood",
    "SampleValidation",
    "SeededDropout",
    "SplitTime",
    "TiledMVNPrior",
    "TimeLag",
    "TotalCorrelation",
]
