"""Named arrays of npz and of HDF5 files with any keys."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ... import checks
from ..arrays import read_arrays

__all__ = ["read_hdf5_arrays", "read_npz"]


def read_npz(path: Path) -> dict[str, Any]:
    """Arrays by name; nothing that could run code.

    Raises:
        ValueError: the file is damaged, or one of them is a pickle.
    """
    arrays = {}
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            for name in archive.files:
                try:
                    arrays[name] = archive[name]
                except ValueError as error:
                    if "allow_pickle" not in str(error):
                        raise
                    raise ValueError(
                        f"{path}: {name} must be an array of numbers or strings, got a pickle of "
                        "Python objects, which is not read: it can run any code; trials of "
                        "unequal length can be padded with NaN"
                    ) from error
    except (zipfile.BadZipFile, EOFError, OSError, zipfile.LargeZipFile) as error:
        raise ValueError(f"{path} must be npz, complete and not damaged: {error}") from error
    return arrays


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
