"""Named arrays of npz and of HDF5 files with any keys."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ... import checks
from ..arrays import read_arrays
from ..limits import claim, reading

__all__ = ["read_hdf5_arrays", "read_npz"]

# a zip file that is cut short, is packed in another way, has a password, or has a wrong byte
DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError)
DAMAGED += (RuntimeError, zlib.error, OverflowError, UnicodeError)


def read_npz(path: Path) -> dict[str, Any]:
    """Arrays by name; nothing that could run code.

    Raises:
        ValueError: the file is damaged, one of them is a pickle, or takes too much memory.
    """
    arrays: dict[str, Any] = {}
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    name = info.filename.removesuffix(".npy")
                    with archive.open(info) as file:
                        arrays[name] = _read_npy(path, name, file, info.file_size)
    except DAMAGED as error:
        raise ValueError(f"{path} must be npz, complete and not damaged: {error}") from error
    return arrays


def _read_npy(path: Path, name: str, file: IO[bytes], size: int) -> np.ndarray:
    """One array, once its header says that it fits."""
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"{path}: {name} must be of version 1 or 2 of npy, got {version}")
    try:
        shape, fortran, dtype = read(file)
    except (MemoryError, RecursionError, SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f"{path}: {name} must have a header of npy, got another") from error
    if dtype.hasobject:
        raise ValueError(
            f"{path}: {name} must be an array of numbers or strings, got a pickle of Python "
            "objects, which is not read: it can run any code; trials of unequal length can be "
            "padded with NaN"
        )
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > size:
        raise ValueError(
            f"{path}: {name} must hold what it declares, got shape {shape} of {dtype} in {size} "
            "bytes"
        )
    claim(f"{path}: {name}", shape, max(4, dtype.itemsize))
    content = file.read(math.prod(shape) * dtype.itemsize)
    array = np.frombuffer(content, dtype) if dtype.itemsize else np.empty(math.prod(shape), dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def read_hdf5_arrays(
    paths: list[Path], names: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays of one file, or of several; of the only group, or of that which `names` tells.

    Raises:
        KeyError: there is no such group.
        ValueError: a file is damaged, has several groups, or an array is there twice.
    """
    arrays: dict[str, Any] = {}
    attrs: dict[str, Any] = {}
    wanted = names.pop("group", None)
    for path in paths:
        found, single = read_arrays(path)
        groups = sorted({name.partition("/")[0] for name in found if "/" in name})
        if wanted is not None or (len(groups) > 0 and not any("/" not in name for name in found)):
            if wanted is None and len(groups) > 1:
                raise ValueError(
                    f"{path} must hold one data set, or names={{'group': ...}} must say which of "
                    f"{', '.join(groups)}"
                )
            chosen = groups[0] if wanted is None else checks.known_key("group", wanted, groups)
            found = {n.partition("/")[2]: x for n, x in found.items() if n.startswith(f"{chosen}/")}
        twice = sorted(set(arrays) & set(found))
        if twice:
            raise ValueError(f"path must hold each array once, got {', '.join(twice)} twice")
        arrays |= {name: np.asarray(value) for name, value in found.items()}
        attrs |= single
    return arrays, attrs
