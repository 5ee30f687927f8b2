"""Arrays of MATLAB files, v5 by scipy and v7.3 by h5py, in the shapes that MATLAB shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..files import hdf5_file
from ..set_aside import SetAside
from ..spike_times import need

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
    try:
        found = io.loadmat(path)
    except Exception as error:  # scipy raises whatever a damaged byte leads to
        raise _damaged(path, error) from error
    arrays: dict[str, Any] = {}
    left = []
    for name, value in found.items():
        if name.startswith("__"):
            continue
        kept = _of_cell(value.reshape(-1)) if value.dtype.kind == "O" else value
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
        for name in file:
            if name.startswith("#"):
                continue
            link = file.get(name, getlink=True)
            node = file[name] if isinstance(link, h5py.HardLink) else None
            kept = _of_dataset(file, node) if isinstance(node, h5py.Dataset) else None
            if kept is None:
                left.append(name)
            else:
                arrays[name] = kept
    aside.add(len(left), "MATLAB variable", "that is a struct or an object", sorted(left))
    return arrays


def _of_dataset(file: h5py.File, node: h5py.Dataset) -> Any:
    """A variable of v7.3; None for what is no array, and for data in other files."""
    if node.is_virtual or node.external or "MATLAB_object_decode" in node.attrs:
        return None
    kind = node.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if kind == "cell":
        parts = [file[reference] for reference in node[()].reshape(-1, order="F") if reference]
        if not all(isinstance(part, h5py.Dataset) for part in parts):
            return None
        return _of_cell([_of_dataset(file, part) for part in parts])
    if node.attrs.get("MATLAB_empty", 0) or node.dtype.kind not in "biuf":
        return None
    values = node[()].T
    if kind in TEXT:
        return np.array(["".join(map(chr, row)) for row in np.atleast_2d(values)])
    return values.astype(bool) if kind == "logical" else values


def _of_cell(values: Any) -> Any:
    """Trials, words or single numbers of a cell; None if it holds anything else."""
    values = [np.asarray(value) for value in values]
    if not values:
        return None
    if all(value.dtype.kind in "SU" and value.size == 1 for value in values):
        return np.array([str(value.reshape(())) for value in values])
    if all(value.dtype.kind in "biuf" for value in values):
        if all(value.size == 1 for value in values):
            return np.array([value.item() for value in values])
        if all(value.ndim == 2 for value in values):
            return values
    return None


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} must be a MATLAB file, complete and not damaged: {error}")
