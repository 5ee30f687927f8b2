"""Named arrays in one HDF5 file: written whole or not at all, read without trust."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np


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


def write_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    attrs: Mapping[str, Any] | None = None,
) -> None:
    """Write named arrays, and a few scalars about them, to an HDF5 file: all or nothing.

    Args:
        path: the file; one that is there is replaced at the end.
        arrays: by name; a slash in a name makes a group. Numbers, booleans or strings.
        attrs: single numbers, booleans or strings, kept as attributes of the file.

    Raises:
        TypeError: naming the entry that is neither numbers nor strings, or no scalar in `attrs`.
        FileNotFoundError: the folder does not exist.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_arrays(f"{folder}/a.h5", {"rates": np.arange(3.0)}, {"bin_width": 0.02})
    ...     read_arrays(f"{folder}/a.h5")
    ({'rates': array([0., 1., 2.])}, {'bin_width': 0.02})
    """
    storable = {name: _storable(name, value) for name, value in arrays.items()}
    for name, value in (attrs or {}).items():
        if not isinstance(value, (bool, int, float, str, np.generic)):
            raise TypeError(f"attrs[{name!r}] must be a number or a string, got {_kind(value)}")
    content = io.BytesIO()  # HDF5 itself does not survive a disk that is full
    with h5py.File(content, "w") as file:
        for name, array in storable.items():
            packed = array.ndim > 0 and array.size > 0  # only those can be chunked
            options = {"compression": "gzip", "shuffle": True} if packed else {}
            file.create_dataset(name, data=array, **options)
        file.attrs.update(attrs or {})
    with atomic_file(path) as beside:
        beside.write_bytes(content.getbuffer())


def read_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read every array of an HDF5 file, and the attributes of the file.

    Only data inside the file itself is read: links to other files, virtual datasets and ragged or
    object types are refused.

    Args:
        path: the file.

    Returns:
        Arrays by their name ("group/name" inside groups), and attributes by theirs; text as str.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not HDF5, is cut short, or a dataset cannot be read: named.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must be an HDF5 file that exists, got {path}")
    try:
        with h5py.File(path, "r") as file:
            arrays = {name: _read(path, name, node) for name, node in _datasets(path, file)}
            attrs = {name: _plain(value) for name, value in file.attrs.items()}
    except (PermissionError, BlockingIOError):
        raise
    except OSError as error:
        raise ValueError(
            f"{path} must be an HDF5 file, complete and not damaged: {error}"
        ) from error
    return arrays, attrs


def _datasets(path: Path, file: h5py.File) -> list[tuple[str, h5py.Dataset]]:
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
    return found


def _read(path: Path, name: str, dataset: h5py.Dataset) -> np.ndarray:
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"{path}: {name} must be in the file itself, got data in another file")
    if dataset.shape is None:
        raise ValueError(f"{path}: {name} must hold values, got an empty dataset")
    text = h5py.check_string_dtype(dataset.dtype)
    if text is None and dataset.dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: {name} must hold numbers, all rows of one length, got {dataset.dtype}"
        )
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


def _storable(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged
        raise TypeError(f"{name} must be an array of numbers or strings: {error}") from error
    if array.dtype.kind == "U":
        return array.astype(h5py.string_dtype())
    if array.dtype.kind not in "biufS":
        raise TypeError(f"{name} must be an array of numbers or strings, got {_kind(value)}")
    return array


def _kind(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return type(value).__name__ if dtype is None else f"{type(value).__name__} of {dtype}"
