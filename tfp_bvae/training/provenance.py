"""How to make a run again: the command, and what it was made with."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from tfp_bvae.models import RECIPES, Arguments
from tfp_bvae.settings import Settings
from tfp_bvae.training.run import Run
from tfp_bvae.training.settings import FitSettings

__all__ = ["changed_settings", "fit_command", "software"]

PACKAGES = ("tensorflow", "tf-keras", "tensorflow-probability", "numpy", "h5py")
# What the data do not fix of the arguments; epochs and batch size go with the fit.
CHOSEN = ("likelihood", "group_by", "seed", "num_samples", "importance_weighted")
ASSUMED_BIN_WIDTH = 1.0  # s, of a file that does not say


def changed_settings(run: Run) -> dict[str, Any]:
    """The settings of a run that are not those `tfp-bvae fit` starts from, by name.

    Epochs and batch size are those of the fit, and so is the learning rate.

    >>> from pathlib import Path
    >>> from tfp_bvae.models import Arguments, Params
    >>> params, fit = Params.of({"factors": 20}), FitSettings.of({"epochs": 9})
    >>> changed_settings(Run(Path("runs/a"), "lfads", Arguments(seed=3), params, fit, {}))
    {'factors': 20, 'epochs': 9, 'seed': 3}
    """
    defaults = RECIPES[run.model].params(None)
    arguments = Arguments()
    known = {"arguments": arguments.to_dict(), "params": defaults.to_dict()}
    fit = FitSettings().resolved(known)
    found = _differ(run.params, defaults) | _differ(run.fit.resolved(known), fit)
    if run.fit.learning_rate in (None, run.params.learning_rate):
        found |= _only({"learning_rate": run.params.learning_rate}, defaults.to_dict())
    chosen = {name: getattr(run.arguments, name) for name in CHOSEN}
    return found | _only(chosen, arguments.to_dict())


def fit_command(run: Run, out: str | os.PathLike[str] | None = None) -> list[str]:
    """The words of the command that fits the same model to the same file in the same way.

    Args:
        run: what to repeat.
        out: the folder it is to write; None for that of the run with `-again` after its name.

    Returns:
        Words, to be joined by `shlex.join`. Where the data came from no file, that of the data is
        `F.h5`.

    >>> from pathlib import Path
    >>> from tfp_bvae.models import Arguments, Params
    >>> parts = Arguments(bin_width=0.02), Params.of({"factors": 20}), FitSettings()
    >>> fit_command(Run(Path("runs/a"), "lfads", *parts, {"path": "/data/a.h5"}))[:5]
    ['tfp-bvae', 'fit', '/data/a.h5', '--model', 'lfads']
    """
    out = f"{os.fspath(run.path).rstrip(os.sep)}-again" if out is None else os.fspath(out)
    data = run.data.get("path") or "F.h5"
    words = ["tfp-bvae", "fit", str(data), "--model", run.model, "--out", out]
    settings = changed_settings(run)
    if run.arguments.bin_width != ASSUMED_BIN_WIDTH:  # for a file that does not say
        settings["bin_width"] = run.arguments.bin_width
    for name, value in settings.items():
        words += ["--set", f"{name}={_typed(value)}"]
    return words


def software() -> dict[str, str]:
    """Versions of what counts, and the machine, as they are now.

    >>> sorted(software())[:3]
    ['cores', 'h5py', 'machine']
    """
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return found | {"machine": _processor(), "cores": str(cores), "system": platform.system()}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _differ(values: Settings, defaults: Settings) -> dict[str, Any]:
    return _only(values.to_dict(), defaults.to_dict())


def _only(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """What is not as it is by default."""
    return {name: value for name, value in values.items() if value != defaults[name]}


def _typed(value: Any) -> str:
    """A value as it is typed after `--set`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str) else repr(value)
