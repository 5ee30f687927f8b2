"""Scores in plain numpy: spikes, rates, behaviour."""

from .decoding import RidgeDecoder, fit_ridge, ridge_r2
from .spikes import bits_per_spike, poisson_nll, r2_per_channel, rate_r2

__all__ = [
    "RidgeDecoder",
    "bits_per_spike",
    "fit_ridge",
    "poisson_nll",
    "r2_per_channel",
    "rate_r2",
    "ridge_r2",
]
