"""The folder that a verb writes a run into: free, begun, or gone on with."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfp_bvae.cli.sessions import read_sessions
from tfp_bvae.cli.settings import part
from tfp_bvae.data import SpikeDataset, write_hdf5
from tfp_bvae.models import RECIPES, Arguments, Params
from tfp_bvae.models.builders.model import with_read_in
from tfp_bvae.training import FitSettings, Run, create_run, data_arguments, open_run
from tfp_bvae.training.holding import clear_run, is_blank

__all__ = ["keep_data", "require_free", "resume_run", "start_run"]


def require_free(path: Path, options: Namespace) -> None:
    """Refuse a folder that a verb may not write into, before anything is touched.

    Raises:
        FileExistsError: there is something, and it is not to be overwritten, or is no run.
        ValueError: it is to go on, and is no run.
    """
    if not path.exists() or (path.is_dir() and is_blank(path)):
        return
    if getattr(options, "resume", False):  # not every verb has it
        open_run(path)
    elif not options.overwrite:
        raise FileExistsError(f"{path} exists: --overwrite replaces it")
    elif not (path / "run.json").is_file():
        raise FileExistsError(f"{path} exists and is not a run, so --overwrite leaves it alone")


def start_run(path: Path, options: Namespace, given: dict[str, Any]) -> tuple[Run, SpikeDataset]:
    """Read the data, and make the run that the options of a verb ask for, in a folder we hold."""
    likelihood = given.get("likelihood", "poisson")
    group_by = given.get("group_by", "trial") if RECIPES[options.model].of_groups else None
    data = read_sessions(options.data, likelihood, given.get("bin_width"), group_by, options.stream)
    settings = FitSettings.of(part(given, FitSettings))
    arguments = data_arguments(data).replace(part(given, Arguments))
    params = with_read_in(arguments, RECIPES[options.model].params(part(given, Params)))
    if options.resume and not options.quiet:
        print(f"tfp-bvae: note: nothing to resume at {path}, starting it", file=sys.stderr)
    require_free(path, options)
    clear_run(path)  # nothing, or what is to be overwritten
    file = path / "data.h5" if len(options.data) > 1 else options.data[0]
    found = create_run(path, options.model, data, arguments, params, settings, file)
    try:
        keep_data(found, data)
    except Exception:
        clear_run(path)
        raise
    return found, data


def keep_data(run: Run, data: SpikeDataset) -> None:
    """Write the data of a run that holds them itself, if they are not there yet."""
    file = run.path.resolve() / "data.h5"
    if run.data["path"] == str(file) and not file.exists():
        write_hdf5(file, data)


def resume_run(
    path: Path,
    options: Namespace,
    given: dict[str, Any],
    as_begun: Callable[[Run], Run] = lambda run: run,
) -> tuple[Run, SpikeDataset]:
    """The run that is to go on, and its data; refuses other settings and other data.

    Args:
        path: its folder.
        options: what was typed.
        given: settings among that.
        as_begun: gives a run the settings that it began with, where they may have changed.
    """
    found = open_run(path)
    if found.model != options.model:
        raise ValueError(f"{path} must go on as it began: with --model {found.model}")
    arguments = found.arguments
    group_by = arguments.group_by if RECIPES[found.model].of_groups else None
    data = read_sessions(
        options.data, arguments.likelihood, arguments.bin_width, group_by, options.stream
    )
    as_begun(found).require_same(data, given)
    keep_data(found, data)
    return found, data
