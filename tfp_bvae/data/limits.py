"""How much a file may bring into memory: asked before any of it is made room for."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from .. import checks

__all__ = ["claim", "memory_limit", "reading", "require_held"]

SMALL = 2**26  # bytes that any file may hold, however small it is
PACKED = 2000  # bytes for each byte of a file: deflate packs zeros 1032 to 1
UNKNOWN = 2**32  # bytes, where the system does not say what is free
HOW = "data.memory_limit(max_bytes) and tfp-bvae --max-memory raise that"


@dataclass
class _Room:
    """What may still be read of one file."""

    limit: int
    given: bool  # by the user, and not by what is free
    size: int  # bytes of the file
    taken: int = 0


_given: ContextVar[int | None] = ContextVar("max_bytes", default=None)
_room: ContextVar[_Room | None] = ContextVar("room", default=None)


@contextmanager
def memory_limit(max_bytes: float) -> Iterator[None]:
    """Set how many bytes one file may bring into memory, for what is read in this block.

    Without it that is half of the memory that is free, and a file may declare no more than 2000
    times its own size, beyond 64 MiB. With it only `max_bytes` counts. It is asked of the shapes
    that a file declares, before an array is made; values count as float32, or as what they are if
    that is wider. Trials that stay on disk (`open_hdf5`) do not count.

    Args:
        max_bytes: of one file, at least 1.

    Raises:
        TypeError, ValueError: `max_bytes` is no such number.

    >>> import tempfile
    >>> import numpy as np
    >>> from tfp_bvae import data
    >>> with tempfile.TemporaryDirectory() as folder, data.memory_limit(1e3):
    ...     np.savez(f"{folder}/a.npz", spikes=np.ones([4, 10, 30]))
    ...     try:
    ...         data.load(f"{folder}/a.npz")
    ...     except ValueError as error:
    ...         print(str(error).partition(": ")[2])
    spikes must fit into memory: shape (4, 10, 30) takes 9.6 kB, of the 1 kB that a file may ...
    """
    max_bytes = int(checks.in_interval("max_bytes", max_bytes, 1))
    token = _given.set(max_bytes)
    outer = _room.set(None)
    try:
        yield
    finally:
        _room.reset(outer)
        _given.reset(token)


@contextmanager
def reading(*paths: str | os.PathLike[str]) -> Iterator[None]:
    """What is claimed in this block is of these files; a block inside another is part of it."""
    if _room.get() is not None:
        yield
        return
    given = _given.get()
    limit = _free() // 2 if given is None else given
    token = _room.set(_Room(limit, given is not None, sum(map(_size, paths))))
    try:
        yield
    finally:
        _room.reset(token)


def claim(name: str, shape: Sequence[int], itemsize: int = 4, keep: bool = True) -> None:
    """Refuse an array that is too large to be read, or that the file cannot hold.

    Args:
        name: of the array, with its file, for the error.
        shape: as the file declares it.
        itemsize: bytes of a value in memory.
        keep: whether it stays in memory; False for what is soon let go.

    Raises:
        ValueError: it does not fit, together with what was claimed before it.
    """
    room = _room.get()
    if room is None:
        with reading():
            claim(name, shape, itemsize, keep)
        return
    size = _bytes(shape, itemsize)
    if size > room.limit - room.taken:
        before = f" ({_shown(room.taken)} are taken)" if room.taken else ""
        raise ValueError(
            f"{name} must fit into memory: shape {_plain(shape)} takes {_shown(size)}, of the "
            f"{_shown(room.limit)} that a file may take{before}; {HOW}"
        )
    require_held(name, shape, itemsize, room.taken)
    room.taken += size * keep


def require_held(name: str, shape: Sequence[int], itemsize: int = 4, beside: int = 0) -> None:
    """Refuse an array that its file is far too small to hold, even one that stays on disk.

    Args:
        name: of the array, with its file, for the error.
        shape: as the file declares it.
        itemsize: bytes of a value in memory.
        beside: bytes that the file holds beside.

    Raises:
        ValueError: it declares more than 2000 times the size of the file.
    """
    room = _room.get()
    if room is None or room.given or not room.size:
        return
    size = _bytes(shape, itemsize)
    if size + beside > max(SMALL, PACKED * room.size):
        raise ValueError(
            f"{name} must hold what it declares: shape {_plain(shape)} takes {_shown(size)}, in a "
            f"file of {_shown(room.size)}; if that is meant, data.memory_limit(max_bytes) or "
            "tfp-bvae --max-memory lets it pass"
        )


def _bytes(shape: Sequence[int], itemsize: int) -> int:
    return math.prod(map(int, shape)) * itemsize  # Python's numbers do not wrap around


def _plain(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(int, shape))


def _shown(size: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.4g} {unit}"
        size /= 1000
    return f"{size:.4g} TB"


def _size(path: str | os.PathLike[str]) -> int:
    """Bytes of a file, or of all files in a folder."""
    path = Path(path)
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())


def _free() -> int:
    """Bytes of memory that are free: of the machine, or of the container if that has less."""
    found = UNKNOWN
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found = 1024 * int(line.split()[1])
    except (OSError, ValueError):
        if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):  # macOS: of all that there is
            found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    group = Path("/sys/fs/cgroup")
    try:
        most, now = (int((group / f"memory.{of}").read_text()) for of in ("max", "current"))
    except (OSError, ValueError):  # no container, or one without a limit
        return found
    return min(found, max(most - now, 0))
