"""`tfp-bvae simulate`."""

from __future__ import annotations

from argparse import Namespace

from tfp_bvae.data import lorenz, write_hdf5

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write a simulated dataset."""
    dataset = lorenz(
        options.seed,
        num_conditions=options.conditions,
        num_channels=options.channels,
        num_trials=options.trials,
        num_valid=options.valid,
        duration_ms=options.duration,
        bin_width_ms=options.bin_width,
        base_rate=options.base_rate,
    )
    write_hdf5(options.out, dataset)
    print(f"{options.out}: {dataset}")
