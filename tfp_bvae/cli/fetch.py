"""`tfp-bvae fetch`."""

from __future__ import annotations

import shutil
from argparse import Namespace

from tfp_bvae.data import atomic_file, fetch
from tfp_bvae.data.readers.fetching import RECORDINGS

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write a public recording to a file."""
    with atomic_file(options.out) as beside:
        shutil.copyfile(fetch(options.name, options.cache), beside)
    print(f"{options.out}: {RECORDINGS[options.name].about}")
