"""`tfp-bvae export`."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from tfp_bvae.cli.scores import read_data_of
from tfp_bvae.data import SpikeDataset
from tfp_bvae.data.readers.formats import recognise
from tfp_bvae.inference import (
    StoredPosterior,
    label_parts,
    open_posterior,
    posterior_dataset,
    write_csv,
    write_lfads_torch,
    write_netcdf,
    write_nlb,
    write_zarr,
)
from tfp_bvae.inference.labels import require_trials_of
from tfp_bvae.training import Run, open_run

__all__ = ["run"]

OF_SUFFIX = {".nc": "netcdf", ".zarr": "zarr", ".csv": "csv"}


def run(options: Namespace) -> None:
    """Write the posterior of a run in a form that other tools read."""
    if (options.format == "nlb") != (options.name is not None):
        raise ValueError("--name must go with --format nlb, and with no other")
    options.format = options.format or _format_of(options.out)
    found = open_run(options.run_folder)
    path = Path(options.posterior or found.posterior_file)
    if not path.is_file():
        missing = "" if options.posterior else ": the fit is not finished, go on with --resume"
        raise FileNotFoundError(f"{path} must be the posterior of a run, got no file{missing}")
    data = None if options.format == "nlb" else _labels(found, options)
    with open_posterior(path) as stored:
        if data is not None:
            require_trials_of(data, stored.num_trials)
        note = _write(found, stored, data, options)
        trials = ", ".join(f"{count} {side}" for side, count in stored.num_trials.items())
    print(f"{options.out}: {trials} trials{note}")


def _format_of(out: str) -> str:
    """The format that the name of the file asks for."""
    suffix = Path(out).suffix.lower()
    if suffix not in OF_SUFFIX:
        said = ", ".join(OF_SUFFIX)
        raise ValueError(f"--format must be given for a file that is not {said}, got {out}")
    return OF_SUFFIX[suffix]


def _write(run: Run, stored: StoredPosterior, data: SpikeDataset | None, options: Namespace) -> str:
    """Write it; what is to be said about that."""
    out, parts, counts = options.out, stored.parts(), stored.num_trials
    if options.format == "netcdf":
        write_netcdf(out, posterior_dataset(run, stored.whole(), data))
    elif options.format == "zarr":
        write_zarr(out, label_parts(run, parts, data))
    elif options.format == "csv":
        write_csv(out, label_parts(run, parts, data))
        return "; what has no time axis is left out"
    elif options.format == "nlb":
        write_nlb(out, options.name, run, parts, counts)
    elif options.format == "lfads-torch":
        absent = write_lfads_torch(out, run, parts, counts, data)
        return f"; without {', '.join(absent)}" if absent else ""
    else:
        raise ValueError(f"--format must be known, got {options.format}")
    return ""


def _labels(run: Run, options: Namespace) -> SpikeDataset | None:
    """The trials of the posterior, which have labels; None where they are not at hand.

    What the user names must do; what the run remembers may have moved, or changed since.
    """
    if options.data:
        return _read(run, options.data, of_run=not options.posterior)
    if options.posterior:
        return None  # of other trials than those of the run
    path = run.data["path"]
    try:
        if path is None or not Path(path).exists():
            raise FileNotFoundError(f"{path or 'the file of the data'} is not there")
        return _read(run, path, of_run=True)
    except (ValueError, KeyError, TypeError, OSError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        note = f"{reason}; trials, bins and channels are counted, --data finds their labels"
        print(f"tfp-bvae: note: {note}", file=sys.stderr)
        return None


def _read(run: Run, path: str, of_run: bool) -> SpikeDataset:
    data = read_data_of(run, path, stream=recognise(path).kind == "splits")
    if of_run:
        run.require_same(data)
    return data
