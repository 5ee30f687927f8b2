"""`tfp-bvae report`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tfp_bvae.cli.scores import read_data_of
from tfp_bvae.data import SpikeDataset
from tfp_bvae.plots import write_report
from tfp_bvae.training import Run, hold_run, open_run

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write the report of a run into its folder; without its data too, where they are gone."""
    found = open_run(options.run_folder)
    with hold_run(found.path):
        data, without = _data(found, options)
        path = write_report(found, data, without, floors=not options.no_floors)
    note = f" (without the data: {without})" if without else ""
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB{note}")


def _data(found: Run, options: Namespace) -> tuple[SpikeDataset | None, str]:
    """What was fitted; or why it is not at hand. A file that was named must be it."""
    path = options.data or found.data["path"]
    if path is None:
        return None, "they came from no file; name one that holds them"
    if not options.data and not Path(path).is_file():
        return None, f"{path} is gone"
    try:
        data = read_data_of(found, path, options.stream)
        found.require_same(data)
    except (OSError, KeyError, ValueError) as error:
        if options.data:
            raise
        return None, str(error.args[0] if isinstance(error, KeyError) else error)
    return data, ""
