"""The command line with all that takes long left out: fitting, models, searches, downloads."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import mock

import fuzz_seeds as seeds

FILES = {
    "trials.h5": lambda: seeds.splits()[0],
    "spikes.npz": lambda: seeds.npz()[0],
    "trials.nc": lambda: seeds.netcdf()[0],
    "recording.h5": lambda: seeds.recording()[0],
    "there": lambda: seeds.run()[0],
}
LEFT_OUT = (
    "tfp_bvae.cli.fit.fit_run",
    "tfp_bvae.cli.demo.run",
    "tfp_bvae.cli.fetch.run",
    "tfp_bvae.cli.report.run",
    "tfp_bvae.cli.tune.run",
    "tfp_bvae.cli.simulate.run",
)


class _NoModel(ValueError):
    """Says that a verb has come as far as its model."""


@cache
def _contents() -> dict[str, bytes]:
    return {name: make() for name, make in FILES.items()}


def sound_folder(folder: Path) -> None:
    """Sound files and a run, for the words of a call to name."""
    for name, content in _contents().items():
        path = folder / name
        if name == "there":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(path)
        else:
            path.write_bytes(content)


@contextlib.contextmanager
def stubbed() -> Iterator[None]:
    """Nothing is fitted, searched, drawn or downloaded in this block."""
    from tfp_bvae.cli import demo, fetch, fit, report, simulate, tune  # noqa: F401
    from tfp_bvae.training import Run

    def no_model(self):
        raise _NoModel("there is no model")

    with contextlib.ExitStack() as stack:
        for name in LEFT_OUT:
            stack.enter_context(mock.patch(name, lambda *_, **__: None))
        stack.enter_context(mock.patch.object(Run, "load_model", no_model))
        yield
