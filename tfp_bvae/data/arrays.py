"""Named arrays in one HDF5 file: written whole or not at all, read without trust."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .files import atomic_file, hdf5_file
from .hdf5_nodes import datasets, read_attrs, read_dataset

CHUNK = 2**13  # bytes of a chunk before it is compressed: larger ones are slower to read from
LARGEST_ROW = 2**20  # what h5py's cache of chunks holds, bytes


def write_arrays(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    attrs: Mapping[str, Any] | None = None,
) -> None:
    """Write named arrays, and a few scalars about them, to an HDF5 file: all or nothing.

    Large arrays are stored in compressed chunks of a few rows, whole ones, so that any row is read
    without many others.

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
            file.create_dataset(name, data=array, chunks=_chunks(array), **options)
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
    with hdf5_file(path) as file:
        arrays = {name: read_dataset(path, name, node) for name, node in datasets(path, file)}
        return arrays, read_attrs(file)


def _chunks(array: np.ndarray) -> tuple[int, ...] | None:
    """As many whole rows as fill a chunk; None, for h5py to choose, where one row is too large."""
    row = array[:1].nbytes if array.ndim > 1 and array.size else 0
    if not 0 < row <= LARGEST_ROW:
        return None
    return (min(len(array), max(1, CHUNK // row)), *array.shape[1:])


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
