"""Arrays of MATLAB files, v5 by scipy and v7.3 by h5py, in the shapes that MATLAB shows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..files import hdf5_file
from ..hdf5_nodes import datasets, read_dataset, require_storage
from ..limits import claim, reading
from ..set_aside import SetAside
from ..spike_times import need
from .mat5_check import OF_PART, require_mat5

__all__ = ["read_mat5", "read_mat73", "variables_of_mat5"]

TEXT = ("char", "string")


def read_mat5(path: Path, aside: SetAside) -> dict[str, Any]:
    """Arrays by name; a cell of `[time, channel]` arrays as a list, a cell of words as strings.

    Structs and objects are left out, and noted in `aside`.

    Raises:
        ImportError: scipy is not installed.
        ValueError: the file is damaged or cut short.
    """
    io = need("scipy.io")
    with reading(path):
        require_mat5(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it cannot read, which is left out
            found = io.loadmat(path)
    except Exception as error:  # scipy raises whatever a damaged byte leads to
        raise _damaged(path, error) from error
    arrays: dict[str, Any] = {}
    left = []
    for name, value in found.items():
        if name.startswith("__"):
            continue
        kept = value if isinstance(value, np.ndarray) else None  # no error, and no sparse matrix
        if kept is not None and kept.dtype.kind == "O":
            kept = _of_cell(kept.reshape(-1))
        if isinstance(kept, np.ndarray) and kept.dtype.kind not in "biufSU":
            kept = None
        if kept is None:
            left.append(name)
        else:
            arrays[name] = kept
    aside.add(len(left), "MATLAB variable", "that is a struct or an object", sorted(left))
    return arrays


def variables_of_mat5(path: Path) -> dict[str, str]:
    """Name and class of each variable; only the heads are read.

    Raises:
        ImportError: scipy is not installed.
        ValueError: the file is damaged or cut short.
    """
    io = need("scipy.io")
    with reading(path):
        require_mat5(path)
    try:
        return {name: kind for name, _, kind in io.whosmat(path)}
    except Exception as error:
        raise _damaged(path, error) from error


def read_mat73(path: Path, aside: SetAside) -> dict[str, Any]:
    """As `read_mat5`, of a file of v7.3: axes, which HDF5 has the other way round, are turned back.

    Raises:
        ValueError: the file is damaged or cut short.
    """
    arrays: dict[str, Any] = {}
    left = []
    with hdf5_file(path) as file:
        for name, node in datasets(path, file, of_all_kinds=True):
            if "/" in name:  # cells and structs have theirs in groups
                continue
            kept = _of_dataset(path, name, file, node)
            if kept is None:
                left.append(name)
            else:
                arrays[name] = kept
        left += [name for name in file if name not in arrays and name not in left]
    left = sorted(name for name in left if not name.startswith("#"))
    aside.add(len(left), "MATLAB variable", "that is a struct or an object", left)
    return arrays


def _of_dataset(
    path: Path, name: str, file: h5py.File, node: h5py.Dataset, inside: bool = False
) -> Any:
    """A variable of v7.3; None for what is no array, and for data in other files."""
    try:
        kind = node.attrs.get("MATLAB_class", b"")
        empty = node.attrs.get("MATLAB_empty", 0)
        if "MATLAB_object_decode" in node.attrs:
            return None
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        if kind == "cell":
            return None if inside else _of_references(path, name, file, node)
        if np.any(empty) or node.dtype.kind not in "biuf":
            return None
    except (KeyError, OSError, RuntimeError, TypeError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    values = np.asarray(read_dataset(path, name, node)).T
    if kind in TEXT:
        return _words(path, name, values)
    return values.astype(bool) if kind == "logical" else values


def _of_references(path: Path, name: str, file: h5py.File, node: h5py.Dataset) -> Any:
    """What a cell refers to."""
    if h5py.check_ref_dtype(node.dtype) is not h5py.Reference:
        return None
    claim(f"{path}: {name}", node.shape, OF_PART)
    require_storage(path, name, node)
    parts = [file[reference] for reference in node[()].reshape(-1, order="F") if reference]
    if not all(isinstance(part, h5py.Dataset) for part in parts):
        return None
    if any(part.is_virtual or part.external or part.shape is None for part in parts):
        return None
    return _of_cell([_of_dataset(path, name, file, part, inside=True) for part in parts])


def _words(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Text, of which v7.3 keeps the number of each letter."""
    try:
        return np.array(["".join(map(chr, row)) for row in np.atleast_2d(values).astype(int)])
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{path}: {name} must hold letters, the file is damaged") from error


def _of_cell(values: Any) -> Any:
    """Trials, words or single numbers of a cell; None if it holds anything else."""
    if not len(values) or any(not isinstance(value, np.ndarray) for value in values):
        return None
    if all(value.dtype.kind in "SU" and value.size == 1 for value in values):
        return np.array([str(value.reshape(())) for value in values])
    if all(value.dtype.kind in "biuf" for value in values):
        if all(value.size == 1 for value in values):
            return np.array([value.item() for value in values])
        if all(value.ndim == 2 for value in values):
            return list(values)
    return None


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} must be a MATLAB file, complete and not damaged: {error}")
