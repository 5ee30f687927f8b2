"""Arrays that are written some rows at a time, because all of them are larger than memory."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .files import atomic_file

__all__ = ["RowWriter", "row_file"]


class RowWriter:
    """Takes rows of named arrays, and puts them where they belong in an open file.

    Args:
        file: an HDF5 file that is open to be written.
    """

    def __init__(self, file: h5py.File):
        self._file = file

    def write(self, rows: slice, arrays: Mapping[str, np.ndarray], count: int) -> None:
        """Write the same rows of some arrays.

        Args:
            rows: which rows.
            arrays: by name, those rows of each.
            count: rows that each array has in all.

        Raises:
            OSError: the disk has no room for the whole of the arrays.
        """
        new = {name: x for name, x in arrays.items() if name not in self._file}
        self._require_room(sum(x[:1].nbytes * count for x in new.values()))
        for name, x in new.items():
            self._file.create_dataset(name, shape=(count, *x.shape[1:]), dtype=x.dtype)
        for name, x in arrays.items():
            self._file[name][rows] = x

    def _require_room(self, size: int) -> None:
        """HDF5 does not survive a disk that is full: see to it that this one is not."""
        self._file.flush()
        folder = Path(self._file.filename).parent
        if size > shutil.disk_usage(folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


@contextmanager
def row_file(
    path: str | os.PathLike[str], attrs: Mapping[str, Any] | None = None
) -> Iterator[RowWriter]:
    """An HDF5 file whose arrays are written some rows at a time: whole at the end, or not at all.

    Args:
        path: the file; one that is there is replaced at the end.
        attrs: single numbers, booleans or strings, kept as attributes of the file.

    Yields:
        What writes the rows.

    Raises:
        FileNotFoundError: the folder does not exist.

    >>> import tempfile
    >>> from tfp_bvae.data import read_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with row_file(f"{folder}/a.h5") as file:
    ...         for first in (0, 2):
    ...             file.write(slice(first, first + 2), {"x": np.arange(first, first + 2)}, count=4)
    ...     read_arrays(f"{folder}/a.h5")[0]
    {'x': array([0, 1, 2, 3])}
    """
    with atomic_file(path) as beside:
        with h5py.File(beside, "w") as file:
            file.attrs.update(attrs or {})
            yield RowWriter(file)
