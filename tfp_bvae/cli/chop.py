"""`tfp-bvae chop`."""

from __future__ import annotations

from argparse import Namespace

from tfp_bvae.cli.recording import read_recording
from tfp_bvae.data import chop, write_hdf5

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write a continuous recording as windows, for `fit`."""
    recording, beside = read_recording(options.data, options.key)
    bin_width = options.bin_width or beside.get("bin_width")
    if bin_width is None:
        raise ValueError(f"--bin-width must be given: {options.data} does not say bin_width")
    data = chop(
        recording,
        options.window,
        options.overlap,
        bin_width,
        options.valid_fraction,
        options.block,
        seed=options.seed,
    )
    write_hdf5(options.out, data)
    print(f"{options.out}: {data}")
