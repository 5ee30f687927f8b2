"""Drop-in Keras layers: posteriors, priors, likelihoods, the KL between them, and masks."""

from tfp_bvae.layers.adjustable import adjustable, rates_of
from tfp_bvae.layers.ar1_prior import AR1Prior
from tfp_bvae.layers.base import DistributionLayer
from tfp_bvae.layers.count_likelihoods import (
    NegativeBinomialLikelihood,
    PoissonLikelihood,
    ZeroInflatedPoissonLikelihood,
)
from tfp_bvae.layers.disentangle import DIPPenalty, TotalCorrelation
from tfp_bvae.layers.groups import GroupDiscrimination, GroupMeans, GroupMVNPrior
from tfp_bvae.layers.kl import KLDivergence
from tfp_bvae.layers.likelihoods import GaussianLikelihood
from tfp_bvae.layers.masks import (
    CoordinatedDropout,
    GradientBlock,
    SampleValidation,
    SeededDropout,
)
from tfp_bvae.layers.missing import LearnedFill, MissingToZero
from tfp_bvae.layers.posteriors import MVNDiagPosterior, MVNTriLPosterior, PathPosterior
from tfp_bvae.layers.prior_cell import LearnableMVNDiagCell
from tfp_bvae.layers.priors import LearnableMVNPrior, StandardNormalPrior, TiledMVNPrior
from tfp_bvae.layers.recurrent_prior import RecurrentMVNPrior
from tfp_bvae.layers.sample_prior import sample_z_prior
from tfp_bvae.layers.samples import (
    ImportanceWeightedLikelihood,
    LogRatio,
    RepeatSamples,
    SplitSamples,
)
from tfp_bvae.layers.sequence import JoinOverTime, PadTime, SplitTime, TimeLag
from tfp_bvae.layers.sessions import SessionReadIn, SessionReadOut

__all__ = [
    "AR1Prior",
    "CoordinatedDropout",
    "DIPPenalty",
    "DistributionLayer",
    "GaussianLikelihood",
    "GradientBlock",
    "GroupDiscrimination",
    "GroupMVNPrior",
    "GroupMeans",
    "ImportanceWeightedLikelihood",
    "JoinOverTime",
    "KLDivergence",
    "LearnableMVNDiagCell",
    "LearnableMVNPrior",
    "LearnedFill",
    "LogRatio",
    "MVNDiagPosterior",
    "MVNTriLPosterior",
    "MissingToZero",
    "NegativeBinomialLikelihood",
    "PadTime",
    "PathPosterior",
    "PoissonLikelihood",
    "RecurrentMVNPrior",
    "RepeatSamples",
    "SampleValidation",
    "SeededDropout",
    "SessionReadIn",
    "SessionReadOut",
    "SplitSamples",
    "SplitTime",
    "StandardNormalPrior",
    "TiledMVNPrior",
    "TimeLag",
    "TotalCorrelation",
    "ZeroInflatedPoissonLikelihood",
    "adjustable",
    "rates_of",
    "sample_z_prior",
]
