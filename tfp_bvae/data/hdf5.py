"""Datasets on disk, under the names that lfads-torch reads and writes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import checks
from .arrays import read_arrays, write_arrays
from .as_arrays import as_trials
from .containers import SpikeDataset, Split, require_counts

SIDES = ("train", "valid")
KEYS = {
    "encod": "{}_encod_data",
    "recon": "{}_recon_data",
    "ext_input": "{}_ext_input",
    "truth": "{}_truth",
}
RESERVED = {key.format(side) for side in SIDES for key in KEYS.values()}
RESERVED |= {"conversion_factor", "bin_width"}


def read_hdf5(
    path: str | os.PathLike[str],
    *,
    default_bin_width: float | None = None,
    counts: bool = True,
) -> SpikeDataset:
    """Read a dataset from an HDF5 file with the keys of lfads-torch.

    - `train_encod_data`, `valid_encod_data`: `[trial, time, channel_in]`.
    - `train_recon_data`, `valid_recon_data`: `[trial, time_out, channel_out]`.
    - `train_ext_input`, `valid_ext_input`: optional, `[trial, time_out, ext]`.
    - `train_truth`, `valid_truth`: optional, shape of recon; rate per bin = truth / factor.
    - `conversion_factor`: optional, one number: that factor, 1 if absent.
    - `bin_width`: optional, s; an attribute of the file or a dataset.

    `train_data` and `valid_data` (lfads-cd, lfads-tf2) stand for encod and recon both. Every other
    array (`train_behavior`, `valid_cond_idx`, `psth`, ...) and attribute goes to `attrs`.

    Args:
        path: the file.
        default_bin_width: bin width for a file that does not say, s. Without it such a file gets
            1.0 (rates per second are then rates per bin), and `attrs["bin_width_note"]` says so.
        counts: whether the data must be spike counts; False for data with a Gaussian likelihood.

    Raises:
        FileNotFoundError: there is no such file.
        KeyError: a key is missing; it is named, and so are those that are there.
        ValueError: the file is not HDF5 or is damaged, or an array is not `[trial, time, channel]`,
            is empty, not finite, does not hold counts, or does not match the others.

    >>> import tempfile
    >>> from tfp_bvae.data import lorenz, write_hdf5
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_hdf5(f"{folder}/lorenz.h5", lorenz(num_conditions=2, num_trials=5, num_valid=1))
    ...     read_hdf5(f"{folder}/lorenz.h5").valid
    Split(2 trials, encod 50 x 30, recon 50 x 30, truth)
    """
    arrays, attrs = read_arrays(path)
    checks.boolean("counts", counts)
    if default_bin_width is not None:
        checks.positive("default_bin_width", default_bin_width)
    arrays = _with_old_names(arrays)
    factor = _scalar(path, "conversion_factor", arrays.pop("conversion_factor", 1.0))
    stated = arrays.pop("bin_width", attrs.pop("bin_width", default_bin_width))
    if stated is None:
        attrs["bin_width_note"] = "the file states no bin width; 1.0 s stands in"
    splits = {side: _read_split(path, side, arrays, factor, counts) for side in SIDES}
    try:
        return SpikeDataset(
            **splits,
            bin_width=1.0 if stated is None else _scalar(path, "bin_width", stated),
            attrs={**attrs, **{key: arrays[key] for key in arrays if key not in RESERVED}},
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_hdf5(path: str | os.PathLike[str], dataset: SpikeDataset) -> None:
    """Write a dataset under the keys that `read_hdf5` and lfads-torch read.

    Counts are kept in the smallest unsigned integer that holds them, true rates per bin with a
    `conversion_factor` of 1, single values of `dataset.attrs` as attributes of the file, and its
    arrays as datasets. Groups go to `train_group` and `valid_group`, of which
    `with_groups(dataset, "group")` makes them again. A file that is there is replaced only when the
    new one is complete.

    Args:
        path: the file.
        dataset: what to write.

    Raises:
        TypeError: `dataset` is no `SpikeDataset`, or an entry of its `attrs` cannot be stored.
        ValueError: an entry of `attrs` has the name of one of the keys.
        FileNotFoundError: the folder does not exist.
    """
    if not isinstance(dataset, SpikeDataset):
        raise TypeError(f"dataset must be a SpikeDataset, got {type(dataset).__name__}")
    taken = RESERVED.intersection(dataset.attrs)
    if taken:
        raise ValueError(f"attrs must not use the keys of the file, got {sorted(taken)}")
    arrays: dict[str, Any] = {}
    for side in SIDES:
        for name, key in KEYS.items():
            value = getattr(getattr(dataset, side), name)
            if value is not None:
                arrays[key.format(side)] = _compact(value) if name in ("encod", "recon") else value
    if dataset.train.truth is not None:
        arrays["conversion_factor"] = 1.0
    scalars = {"bin_width": dataset.bin_width}
    for name, value in dataset.attrs.items():
        is_array = isinstance(value, (np.ndarray, list, tuple))
        (arrays if is_array else scalars)[name] = value
    if dataset.train.group is not None:
        arrays |= {f"{side}_group": getattr(dataset, side).group for side in SIDES}
    write_arrays(path, arrays, scalars)


def _with_old_names(arrays: dict[str, Any]) -> dict[str, Any]:
    """`train_data` under both its newer names, where those are not there."""
    arrays = dict(arrays)
    for side in SIDES:
        new = {KEYS[name].format(side) for name in ("encod", "recon")}
        if f"{side}_data" in arrays and not new.intersection(arrays):
            arrays.update(dict.fromkeys(new, arrays.pop(f"{side}_data")))
    return arrays


def _read_split(
    path: str | os.PathLike[str], side: str, arrays: dict[str, Any], factor: float, counts: bool
) -> Split:
    fields = {}
    for name, pattern in KEYS.items():
        key = pattern.format(side)
        if key in arrays:
            fields[name] = as_trials(f"{path}: {key}", arrays[key])
        elif name in ("encod", "recon"):
            raise KeyError(f"{path} must hold the dataset {key!r}, got {sorted(arrays)}")
    if "truth" in fields:
        fields["truth"] = fields["truth"] / factor
    try:
        split = Split(**fields)
        if counts:
            require_counts(split)
    except ValueError as error:
        names = ", ".join(KEYS[name].format(side) for name in fields)
        raise ValueError(f"{path} ({names}): {error}") from error
    return split


def _scalar(path: str | os.PathLike[str], name: str, value: Any) -> float:
    if np.size(value) != 1:
        raise ValueError(f"{path}: {name} must be one number, got shape {np.shape(value)}")
    return checks.positive(f"{path}: {name}", np.asarray(value).item())


def _compact(array: np.ndarray) -> np.ndarray:
    """Counts as the smallest unsigned integers that hold them; anything else as it is."""
    if (array < 0).any() or (array != np.floor(array)).any():
        return array
    return array.astype(np.min_scalar_type(int(array.max())))
