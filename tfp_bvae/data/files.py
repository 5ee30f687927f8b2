"""Files: written whole or not at all; HDF5 opened without trust."""

from __future__ import annotations

import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from .limits import reading
from .sound import require_sound_hdf5

__all__ = ["atomic_file", "atomic_folder", "hdf5_file"]


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A place to write a file that takes the place of `path` only when all went well.

    The temporary file stands in the same folder; at the end of the block it is flushed to disk and
    renamed. After an error in the block it is removed, and what stood at `path` stays as it was.
    What a process that was killed has left of the same file is removed as well.

    Args:
        path: where the file shall be.

    Yields:
        The path to write to.

    Raises:
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: `path` is a folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder) / "note.txt") as beside:
    ...         _ = beside.write_text("done")
    ...     [file.name for file in Path(folder).iterdir()]
    ['note.txt']
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must be in a folder that exists, got {path}")
    if path.is_dir():
        raise IsADirectoryError(f"path must be a file, got the folder {path}")
    for left in _left_by_the_dead(path, "tmp"):
        left.unlink(missing_ok=True)
    beside = _beside(path, "tmp")
    try:
        yield beside
        with open(beside, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A place to make a folder that takes the place of `path` only when all went well.

    As `atomic_file`, but that a folder which is there is moved aside first: whoever is killed at
    that very moment leaves it under a hidden name, and the next one puts it back.

    Args:
        path: where the folder shall be.

    Yields:
        The path of the folder to make.

    Raises:
        FileNotFoundError: the folder above it does not exist.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as above:
    ...     with atomic_folder(Path(above) / "notes") as beside:
    ...         beside.mkdir()
    ...     [folder.name for folder in Path(above).iterdir()]
    ['notes']
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must be in a folder that exists, got {path}")
    for old in _left_by_the_dead(path, "old"):
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, path)
    for left in _left_by_the_dead(path, "tmp"):
        shutil.rmtree(left, ignore_errors=True)
    beside, old = _beside(path, "tmp"), _beside(path, "old")
    try:
        yield beside
        if path.exists():
            os.rename(path, old)
        os.rename(beside, path)
    except BaseException:
        if old.exists() and not path.exists():
            os.rename(old, path)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path, ending: str) -> Path:
    """A hidden name beside a path, which says whose it is."""
    mark = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return path.with_name(f".{path.name}.{mark}.{ending}")


def _left_by_the_dead(path: Path, ending: str) -> list[Path]:
    """What processes of this machine that are no more have left beside a path."""
    mark = re.compile(
        rf"\.{re.escape(path.name)}\.{re.escape(socket.gethostname())}-(\d+)-[0-9a-f]{{8}}\.{ending}"
    )
    found = [(entry, mark.fullmatch(entry.name)) for entry in path.parent.iterdir()]
    return [entry for entry, ours in found if ours and not _alive(int(ours[1]))]


def _alive(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def hdf5_file(path: str | os.PathLike[str], close: bool = True) -> Iterator[h5py.File]:
    """An HDF5 file to read from; what goes wrong while it is read is said as of its content.

    Args:
        path: the file.
        close: whether it is closed at the end; else it is once nothing refers to its datasets.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not HDF5, or is cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must be an HDF5 file that exists, got {path}")
    require_sound_hdf5(path)
    try:
        file = h5py.File(path, "r")
        try:
            with reading(path):
                yield file
        except BaseException:
            close = True
            raise
        finally:
            if close:
                file.close()
    except (PermissionError, BlockingIOError):
        raise
    except (OSError, RuntimeError) as error:  # h5py raises either where a byte is damaged
        raise ValueError(
            f"{path} must be an HDF5 file, complete and not damaged: {error}"
        ) from error
