"""Scores in plain numpy: spikes, rates, behaviour."""

from .spikes import bits_per_spike, poisson_nll, r2_per_channel, rate_r2

__all__ = ["bits_per_spike", "poisson_nll", "r2_per_channel", "rate_r2"]
