"""What a fitted model says of trials."""

from tfp_bvae.inference.posterior import Posterior, posterior_mean, sample_and_average

__all__ = ["Posterior", "posterior_mean", "sample_and_average"]
