"""`tfp-bvae infer`."""

from __future__ import annotations

from argparse import Namespace

from tfp_bvae.cli.scores import infer_splits, read_dataset
from tfp_bvae.inference import write_posterior
from tfp_bvae.training import open_run

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write the posterior of each split of a file."""
    found = open_run(options.run_folder)
    arguments = found.arguments
    data = read_dataset(options.data, arguments.likelihood, arguments.bin_width)
    posteriors = infer_splits(found.load_model(), data, options.samples)
    write_posterior(options.out, posteriors, {"bin_width": data.bin_width})
    count = ", ".join(f"{len(posterior.rates)} {side}" for side, posterior in posteriors.items())
    print(f"{options.out}: {count} trials")
