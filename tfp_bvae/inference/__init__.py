"""What a fitted model says of trials, and what trials it makes up."""

from tfp_bvae.inference.decode import decode
from tfp_bvae.inference.generation import (
    Generated,
    Traversal,
    derangement,
    generate,
    swap,
    traverse,
)
from tfp_bvae.inference.groups import estimate_group_means
from tfp_bvae.inference.posterior import Posterior, posterior_mean, sample_and_average
from tfp_bvae.inference.report import score, write_posterior

__all__ = [
    "Generated",
    "Posterior",
    "Traversal",
    "decode",
    "derangement",
    "estimate_group_means",
    "generate",
    "posterior_mean",
    "sample_and_average",
    "score",
    "swap",
    "traverse",
    "write_posterior",
]
