"""A checkpoint of lfads-torch, from a file or a dict, without trust."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfp_bvae.data.readers.array_files import read_npz

__all__ = ["read_checkpoint"]

OF_CONFIG = "hyper_parameters."


def read_checkpoint(
    source: str | os.PathLike[str] | Mapping[str, Any],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The weights by their keys, and the settings that are stored beside them.

    Args:
        source: an npz file of numpy, or arrays by key; what is called `hyper_parameters.NAME`
            is a setting.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds pickles, or an array is not of finite numbers.
    """
    arrays = source if isinstance(source, Mapping) else _of_file(Path(source))
    config, weights = {}, {}
    for key, value in arrays.items():
        array = np.asarray(value)
        if key.startswith(OF_CONFIG):
            config[key.removeprefix(OF_CONFIG)] = array.item() if array.ndim == 0 else array
        else:
            weights[key] = _checked(key, array)
    return weights, config


def _of_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"weights must be an npz file that exists, got {path}")
    return read_npz(path)


def _checked(key: str, array: np.ndarray) -> np.ndarray:
    """An array of finite numbers, in single precision."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{key} must be an array of real numbers, got {array.dtype}")
    array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{key} must be finite, got NaN or infinity")
    return array
