"""Public recordings: brought once, checked, and kept."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import checks
from ..spike_times import need

__all__ = ["RECORDINGS", "Recording", "fetch"]

COMMIT = "a96475070972d8fcbb28897ad6661942838ad0ab"
RAW = "https://raw.githubusercontent.com/SachsLab/IntracranialNeurophysDL"
TIMEOUT = 30  # s without a byte


@dataclass(frozen=True)
class Recording:
    """Where a public recording is, and what it is.

    Args:
        url: of one file, of one version.
        sha256: of its content.
        file: its name in the cache.
        about: who made it, to be cited, and under which licence it is.
    """

    url: str
    sha256: str
    file: str
    about: str


RECORDINGS = {
    "m1-isometric-day0": Recording(
        f"{RAW}/{COMMIT}/data/ADAN/Day0.mat",
        "9f90f64a285ba277721204d2b9e6b90fac61fb2dd30a17152b5e6a48a9749b4b",
        "m1-isometric-day0.mat",
        "macaque motor cortex, 96 channels, isometric wrist force to 8 targets, 20 minutes; "
        "SachsLab/IntracranialNeurophysDL (MIT), contributed with arXiv:1810.00045: cite them",
    )
}


def fetch(name: str, folder: str | os.PathLike[str] | None = None, progress: bool = True) -> Path:
    """Bring a public recording from its home, unless it is here already; by pooch.

    The content is checked whenever it is asked for. A download takes its place in the folder only
    when it is whole and is what it should be: one that was cut off leaves nothing behind.

    Args:
        name: "m1-isometric-day0": macaque motor cortex, isometric force, 299 trials, 96 channels.
            `load` reads it, with `align` and `window` as it does NWB.
        folder: where it is kept; pooch's cache of the system without, made where it is not there.
        progress: whether to show on stderr how much has come.

    Returns:
        The path of the file.

    Raises:
        ConnectionError: it could not be brought, or was cut off.
        ImportError: pooch is not installed.
        KeyError: there is no such recording.
        ValueError: what came is not what it should be.

    >>> fetch("m1-isometric-day7")
    Traceback (most recent call last):
        ...
    KeyError: "name must be one of 'm1-isometric-day0', got 'm1-isometric-day7'; did you mean ...
    """
    recording = RECORDINGS[checks.known_key("name", name, RECORDINGS)]
    pooch = need("pooch")
    requests = need("requests")
    home = Path(pooch.os_cache("tfp_bvae") if folder is None else folder)
    bar = Bar(name) if progress else False
    keeper = pooch.create(
        path=home,
        base_url="",
        registry={recording.file: f"sha256:{recording.sha256}"},
        urls={recording.file: recording.url},
    )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # it would say on stderr what the bar says
    try:
        downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT)
        return Path(keeper.fetch(recording.file, downloader=downloader))
    except requests.exceptions.RequestException as error:
        raise ConnectionError(f"{recording.url} could not be brought: {error}") from error
    except ValueError as error:
        raise ValueError(
            f"{recording.url} must have the sha256 {recording.sha256}, got something else; "
            "nothing was kept"
        ) from error
    finally:
        logger.setLevel(level)
        if bar:
            bar.end()


class Bar:
    """How much of a file has come, on one line of stderr; what pooch takes for a progress bar.

    Args:
        name: of what is brought.
        stream: where to; stderr without.
    """

    def __init__(self, name: str, stream: Any = None):
        self.total = 0  # bytes; pooch says it
        self._name, self._come, self._shown = name, 0, ""
        self._stream = sys.stderr if stream is None else stream

    def update(self, count: int) -> None:
        """So many more bytes have come."""
        self._come = min(self._come + count, self.total)
        share = self._come / self.total if self.total else 0.0
        text = f"{self._name}: {self._come / 1e6:.1f} of {self.total / 1e6:.1f} MB ({share:.0%})"
        if text != self._shown:
            print(f"\r{text}", end="", file=self._stream, flush=True)
            self._shown = text

    def reset(self) -> None:
        """All has come; pooch says so before it fills the bar."""
        self._come = 0

    def close(self) -> None:
        """Nothing: `end` ends the line, also after an error."""

    def end(self) -> None:
        """End the line, if there is one."""
        if self._shown:
            print(file=self._stream, flush=True)
