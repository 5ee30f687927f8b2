"""What a fitted model says of trials, and what trials it makes up."""

from tfp_bvae.inference.comparison import BesidePrior, compare_with_prior
from tfp_bvae.inference.decode import decode
from tfp_bvae.inference.evidence import Evidence, log_likelihood
from tfp_bvae.inference.export_files import write_csv, write_netcdf, write_zarr
from tfp_bvae.inference.export_keys import write_lfads_torch, write_nlb
from tfp_bvae.inference.generation import (
    Generated,
    Traversal,
    derangement,
    generate,
    swap,
    swap_grid,
    traverse,
)
from tfp_bvae.inference.groups import estimate_group_means, group_means
from tfp_bvae.inference.labelled import label_parts, posterior_dataset
from tfp_bvae.inference.parts import posterior_parts
from tfp_bvae.inference.posterior import Posterior, posterior_mean, sample_and_average
from tfp_bvae.inference.recordings import infer_recordings
from tfp_bvae.inference.report import Scores, score, write_posterior
from tfp_bvae.inference.stored_posterior import StoredPosterior, open_posterior
from tfp_bvae.inference.translation import translate

__all__ = [
    "BesidePrior",
    "Evidence",
    "Generated",
    "Posterior",
    "Scores",
    "StoredPosterior",
    "Traversal",
    "compare_with_prior",
    "decode",
    "derangement",
    "estimate_group_means",
    "generate",
    "group_means",
    "infer_recordings",
    "label_parts",
    "log_likelihood",
    "open_posterior",
    "posterior_dataset",
    "posterior_mean",
    "posterior_parts",
    "sample_and_average",
    "score",
    "swap",
    "swap_grid",
    "translate",
    "traverse",
    "write_csv",
    "write_lfads_torch",
    "write_netcdf",
    "write_nlb",
    "write_posterior",
    "write_zarr",
]
