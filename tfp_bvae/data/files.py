"""Files: written whole or not at all; HDF5 read without trust."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = ["atomic_file", "datasets", "hdf5_file", "read_attrs", "read_dataset"]


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
            yield file
        except BaseException:
            close = True
            raise
        finally:
            if close:
                file.close()
    except (PermissionError, BlockingIOError):
        raise
    except OSError as error:
        raise ValueError(
            f"{path} must be an HDF5 file, complete and not damaged: {error}"
        ) from error


def read_attrs(file: h5py.File) -> dict[str, Any]:
    """The attributes of a file, as plain values."""
    return {name: _plain(value) for name, value in file.attrs.items()}


def datasets(path: Path, file: h5py.File) -> list[tuple[str, h5py.Dataset]]:
    """Name and dataset of each that may be read; links, and data in other files, are refused."""
    found: list[tuple[str, h5py.Dataset]] = []

    def visit(group: h5py.Group) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{path}: {name} must be in the file itself, got a link")

    def collect(name: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Dataset):
            found.append((name, node))
        elif isinstance(node, h5py.Group):
            visit(node)

    visit(file)
    file.visititems(collect)
    for name, dataset in found:
        _check(path, name, dataset)
    return found


def _check(path: Path, name: str, dataset: h5py.Dataset) -> None:
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"{path}: {name} must be in the file itself, got data in another file")
    if dataset.shape is None:
        raise ValueError(f"{path}: {name} must hold values, got an empty dataset")
    if h5py.check_string_dtype(dataset.dtype) is None and dataset.dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: {name} must hold numbers, all rows of one length, got {dataset.dtype}"
        )


def read_dataset(path: Path, name: str, dataset: h5py.Dataset) -> np.ndarray:
    """A dataset as an array.

    Raises:
        ValueError: it cannot be read: named.
    """
    text = h5py.check_string_dtype(dataset.dtype)
    try:
        return _plain(dataset.asstr()[()] if text else dataset[()])
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {name} cannot be read, the file is damaged: {error}") from error


def _plain(value: Any) -> Any:
    """A Python scalar or a numpy array without objects, from what h5py hands back."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return value.astype(np.str_)
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
