"""What a fitted model says of trials."""

from tfp_bvae.inference.posterior import Posterior, posterior_mean, sample_and_average
from tfp_bvae.inference.report import score, write_posterior

__all__ = ["Posterior", "posterior_mean", "sample_and_average", "score", "write_posterior"]
