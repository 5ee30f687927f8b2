"""Files: written whole or not at all; HDF5 opened without trust."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from .limits import reading

__all__ = ["atomic_file", "hdf5_file"]


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A place to write a file that takes the place of `path` only when all went well.

    The temporary file stands in the same folder; at the end of the block it is flushed to disk and
    renamed. After an error in the block it is removed, and what stood at `path` stays as it was.

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
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        yield beside
        with open(beside, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


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
