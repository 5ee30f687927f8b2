"""Making the folder of a fit, and finding one again."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tfp_bvae
from tfp_bvae import checks
from tfp_bvae.data import SpikeDataset
from tfp_bvae.data.plain_files import read_json
from tfp_bvae.models import RECIPES, Arguments, Params
from tfp_bvae.settings import Settings
from tfp_bvae.training.holding import hold_run, is_blank
from tfp_bvae.training.provenance import software
from tfp_bvae.training.run import Run, write_json
from tfp_bvae.training.run_data import fingerprint, require_data_entry
from tfp_bvae.training.settings import FitSettings

__all__ = ["create_run", "open_run", "update_run"]

FORMAT = 1
ENTRIES = ("format", "model", "arguments", "params", "fit", "data")


def create_run(
    path: str | os.PathLike[str],
    model: str,
    data: SpikeDataset,
    arguments: Arguments,
    params: Params | Mapping[str, Any] | None = None,
    fit: FitSettings | Mapping[str, Any] | None = None,
    data_file: str | os.PathLike[str] | None = None,
) -> Run:
    """Make the folder of a new fit, with its `run.json`: whole or not at all.

    Args:
        path: where; folders above it are made as well.
        model: name of the model, one of `models.RECIPES`.
        data: what will be fitted.
        arguments: what follows from the data; see `data_arguments`.
        params: tunable settings of the model, None for the defaults.
        fit: how it is fitted, None for the defaults.
        data_file: the file that holds `data`.

    Raises:
        BlockingIOError: another process is writing there.
        FileExistsError: there is something at `path`.
        KeyError, TypeError, ValueError: for a setting that is not known or not legal.

    >>> import tempfile
    >>> from tfp_bvae.data import lorenz
    >>> from tfp_bvae.training import data_arguments
    >>> data = lorenz(num_conditions=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(f"{folder}/run", "lfads", data, data_arguments(data))
    ...     open_run(f"{folder}/run") == run
    True
    """
    path = Path(path)
    _require_room(path)
    checks.one_of("model", model, tuple(RECIPES))
    params = RECIPES[model].params(params)
    known = {"arguments": arguments.to_dict(), "params": params.to_dict()}
    source = None if data_file is None else Path(data_file).resolve()
    run = Run(
        path=path,
        model=model,
        arguments=arguments,
        params=params,
        fit=FitSettings.of(fit).resolved(known),
        data={
            "path": None if source is None else str(source),
            "sha256": fingerprint(data),
            **_sessions(data),
        },
    )
    with hold_run(path):
        _require_room(path)
        write_json(path / "run.json", _described(run))
    return run


def open_run(path: str | os.PathLike[str]) -> Run:
    """The run in a folder.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: it is not a run; the error names what is missing.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"RUN must be the folder of a fit, got {path}, which is not there")
    file = path / "run.json"
    if not file.is_file():
        raise ValueError(f"{path} must be the folder of a fit, got one without run.json")
    entries = read_json(file)
    missing = [name for name in ENTRIES if name not in entries] if isinstance(entries, dict) else []
    if not isinstance(entries, dict) or missing:
        raise ValueError(f"{file} must describe a fit, {', '.join(missing) or 'all'} is missing")
    if entries["format"] != FORMAT:
        raise ValueError(f"{file} must have format {FORMAT}, got {entries['format']!r}")
    checks.one_of(f"{file}: model", entries["model"], tuple(RECIPES))
    require_data_entry(file, entries["data"])
    kinds = {"arguments": Arguments, "params": Params, "fit": FitSettings}
    try:
        settings = {name: _settings(kind, entries[name]) for name, kind in kinds.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise type(error)(f"{file}: {error.args[0]}") from error
    return Run(path=path, model=entries["model"], data=entries["data"], **settings)


def _settings(kind: type[Settings], given: Any) -> Settings:
    """Settings that were written out; what an earlier release did not have, by default."""
    return kind.of(kind().to_dict() | given if isinstance(given, dict) else given)


def update_run(run: Run, params: Params, fit: FitSettings) -> Run:
    """Write `run.json` once more, with settings that a search has found.

    Args:
        run: a run that was made.
        params: of the model that it holds.
        fit: how that was fitted.
    """
    found = dataclasses.replace(run, params=params, fit=fit)
    write_json(run.path / "run.json", _described(found))
    return found


def _require_room(path: Path) -> None:
    """Refuse what is there, but for a folder in which a start was killed, or an empty one."""
    if path.exists() and not (path.is_dir() and is_blank(path)):
        raise FileExistsError(f"{path} exists: --resume goes on with it, --overwrite replaces it")


def _sessions(data: SpikeDataset) -> dict[str, Any]:
    """Channels of each session by its name, encoded and predicted, where there are several."""
    if not {"session_names", "session_channels"} <= set(data.attrs):
        return {}
    names = [str(name) for name in data.attrs["session_names"]]
    sizes = [[int(size) for size in sizes] for sizes in data.attrs["session_channels"]]
    return {"sessions": dict(zip(names, sizes, strict=True))}


def _described(run: Run) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": tfp_bvae.__version__,
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "model": run.model,
        "arguments": run.arguments.to_dict(),
        "params": run.params.to_dict(),
        "fit": run.fit.to_dict(),
        "data": dict(run.data),
        "software": software(),
    }
