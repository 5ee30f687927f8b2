"""What a search is, in `tuning.json`: how it began, what it searches, what it has found."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfp_bvae.data.plain_files import read_json
from tfp_bvae.models import Params
from tfp_bvae.settings import SearchRange
from tfp_bvae.training import FitSettings, Run, fit_command
from tfp_bvae.training.run import write_json
from tfp_bvae.tuning.settings import TuneSettings

__all__ = ["Record", "as_begun", "command_of"]

# Settings that the command line has.
COMMANDED = (
    "population",
    "generations",
    "epochs_per_generation",
    "patience",
    "cpus",
    "gpus",
    "seed",
)


class Record:
    """The file `tuning.json` of a run.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.file = Path(folder) / "tuning.json"

    def exists(self) -> bool:
        """Whether a search was begun in this folder."""
        return self.file.exists()

    def read(self) -> dict[str, Any]:
        """What it says.

        Raises:
            ValueError: it is not JSON, or does not describe a search.
        """
        known = read_json(self.file)
        needed = ("search", "settings", "space", "command")
        missing = [n for n in needed if n not in known] if isinstance(known, dict) else needed
        if missing:
            raise ValueError(f"{self.file} must describe a search, {', '.join(missing)} is missing")
        return known

    def require_same(self, kind: str, settings: Any, space: Any) -> dict[str, Any]:
        """What the search began with; what is asked for must not differ.

        Args:
            kind: of the search.
            settings: a `TuneSettings`, or a dict of those that are asked for.
            space: names, or ranges by name; None for what it was.

        Raises:
            ValueError: naming all that differs.
        """
        found = self.read()
        known = TuneSettings.of(found["settings"]).to_dict()
        given = settings.to_dict() if isinstance(settings, TuneSettings) else dict(settings or {})
        differ = [
            f"{name} was {known[name]!r} and is now {value!r}"
            for name, value in given.items()
            if TuneSettings.of({name: value}).to_dict()[name] != known[name]
        ]
        if kind != found["search"]:
            differ.append(f"search was {found['search']!r} and is now {kind!r}")
        if space is not None and set(space) != set(found["space"]):
            differ.append(f"searched were {sorted(found['space'])} and are now {sorted(space)}")
        if differ:
            raise ValueError(f"{self.file.parent} must go on as it began: {'; '.join(differ)}")
        return found

    def write(
        self,
        kind: str,
        run: Run,
        settings: TuneSettings,
        space: Mapping[str, SearchRange],
        command: list[str],
        found: Mapping[str, Any] | None,
    ) -> None:
        """Write what is searched, and in the end what was found: whole or not at all."""
        content = {
            "search": kind,
            "began": {"params": run.params.to_dict(), "fit": run.fit.to_dict()},
            "settings": settings.to_dict(),
            "space": {name: list(place) for name, place in space.items()},
            "command": command,
            "found": found,
        }
        write_json(self.file, content)


def as_begun(run: Run) -> Run:
    """A run with the settings that a search in its folder began with, be it over or not.

    Args:
        run: as `training.open_run` finds it; one without a search stays as it is.
    """
    record = Record(run.path)
    began = record.read().get("began") if record.exists() else None
    if began is None:
        return run
    params, fit = Params.of(began["params"]), FitSettings.of(began["fit"])
    return dataclasses.replace(run, params=params, fit=fit)


def command_of(
    kind: str, run: Run, settings: TuneSettings, space: Mapping[str, SearchRange]
) -> list[str]:
    """The words of the command that searches in the same way.

    Args:
        kind: of the search.
        run: as it began.
        settings: of the search.
        space: ranges by name.
    """
    words = fit_command(run)
    words[1] = "tune"
    pairs = [(a, b) for a, b in itertools.pairwise(words) if a == "--set"]
    left_out = [pair for pair in pairs if pair[1].startswith(("epochs=", "seed="))]
    words = words[:7] + [x for pair in pairs if pair not in left_out for x in pair]
    words += ["--search", kind]
    for name in COMMANDED:
        value = getattr(settings, name)
        words += [f"--{name.replace('_', '-')}", "none" if value is None else f"{value:g}"]
    for name, (low, high, _) in space.items():
        words += ["--tune", f"{name}={low:g}:{high:g}"]
    return words
