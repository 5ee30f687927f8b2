"""What verbs share that take a continuous recording."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tfp_bvae.data import read_arrays

__all__ = ["read_recording"]


def read_recording(
    path: str | os.PathLike[str], key: str | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """A recording `[time, channel]` of an HDF5 file, and the single values beside it.

    Args:
        path: the file.
        key: name of the dataset; None for the only one that has two axes.

    Raises:
        KeyError: there is no such dataset, or not just one with two axes.
        ValueError: the dataset is not `[time, channel]`, or the file is not as it must be.
    """
    arrays, attrs = read_arrays(path)
    single = {name: x for name, x in arrays.items() if np.ndim(x) == 0}
    flat = sorted(name for name, x in arrays.items() if np.ndim(x) == 2)
    if key is None and len(flat) != 1:
        raise KeyError(
            f"--key must say which dataset of {path} is the recording [time, channel], got none; "
            f"with two axes there are {', '.join(flat) or 'none'}"
        )
    key = flat[0] if key is None else key
    if key not in arrays:
        raise KeyError(f"--key must be a dataset of {path}, one of {sorted(arrays)}, got {key!r}")
    if np.ndim(arrays[key]) != 2 or not arrays[key].size or arrays[key].dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: {key} must be numbers [time, channel], got {arrays[key].dtype} of shape "
            f"{np.shape(arrays[key])}"
        )
    return arrays[key], attrs | single
