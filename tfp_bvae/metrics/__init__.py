"""Scores in numpy: spikes, rates, behaviour, disentanglement, swaps, posteriors."""

from .decoding import RidgeDecoder, fit_ridge, ridge_r2
from .factors import ShuffleBaseline, shuffle_baseline
from .importance import DCIScores, completeness, dci, disentanglement, importance_matrix
from .information import matrix_modularity, mig, modularity, mutual_information, quantile_bins
from .separability import explicitness, sap
from .spikes import bits_per_spike, poisson_nll, r2_per_channel, rate_r2

__all__ = [
    "DCIScores",
    "RidgeDecoder",
    "ShuffleBaseline",
    "bits_per_spike",
    "completeness",
    "dci",
    "disentanglement",
    "explicitness",
    "fit_ridge",
    "importance_matrix",
    "matrix_modularity",
    "mig",
    "modularity",
    "mutual_information",
    "poisson_nll",
    "quantile_bins",
    "r2_per_channel",
    "rate_r2",
    "ridge_r2",
    "sap",
    "shuffle_baseline",
]
