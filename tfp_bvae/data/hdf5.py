"""Datasets on disk, under the names that lfads-torch reads and writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .. import checks
from .arrays import read_arrays, write_arrays
from .as_arrays import as_trials
from .containers import SpikeDataset, Split
from .counts import require_counts
from .files import hdf5_file
from .hdf5_nodes import datasets, read_attrs, read_dataset, require_storage
from .limits import claim
from .stored import StoredArray

SIDES = ("train", "valid")
KEYS = {
    "encod": "{}_encod_data",
    "recon": "{}_recon_data",
    "ext_input": "{}_ext_input",
    "truth": "{}_truth",
}
OF_TRIALS = {"length": "{}_length", "session": "{}_session_index"}
OF_TRIAL = 64  # bytes that are known of each trial that stays on disk
RESERVED = {key.format(side) for side in SIDES for key in KEYS.values()}
TRIALS = RESERVED | {f"{side}_data" for side in SIDES}  # [trial, time, channel]
RESERVED |= {key.format(side) for side in SIDES for key in OF_TRIALS.values()}
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
    - `train_length`, `valid_length`: optional, `[trial]`, bins of each trial.
    - `train_session_index`, `valid_session_index`: optional, `[trial]`, its session's number.
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
            is empty, infinite, does not hold counts, or does not match the others.

    >>> import tempfile
    >>> from tfp_bvae.data import lorenz, write_hdf5
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_hdf5(f"{folder}/lorenz.h5", lorenz(num_conditions=2, num_trials=5, num_valid=1))
    ...     read_hdf5(f"{folder}/lorenz.h5").valid
    Split(2 trials, encod 50 x 30, recon 50 x 30, truth)
    """
    return splits_of_arrays(path, *read_arrays(path), default_bin_width, counts)


def open_hdf5(
    path: str | os.PathLike[str],
    *,
    default_bin_width: float | None = None,
    counts: bool = True,
) -> SpikeDataset:
    """Open a dataset that may be larger than memory: its trials are read when they are needed.

    As `read_hdf5`, with each `[trial, time, channel]` array a `StoredArray`; all else of the file
    is read. The door is the same: every value is looked at once, a block at a time. The fit of an
    open dataset ends with the very weights that the fit of a read one ends with.

    A file of `write_hdf5` lies well for it, and so does one without chunks. Chunks that each hold
    some bins or channels of many trials do not: reading one trial then unpacks many chunks.
    The file must stay as it is for as long as the dataset is used.

    Arguments and errors are those of `read_hdf5`.

    >>> import tempfile
    >>> from tfp_bvae.data import lorenz, write_hdf5
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_hdf5(f"{folder}/lorenz.h5", lorenz(num_conditions=2, num_trials=5, num_valid=1))
    ...     open_hdf5(f"{folder}/lorenz.h5").valid.encod
    StoredArray(2 x 50 x 30)
    """
    path, arrays = Path(path), {}
    with hdf5_file(path, close=False) as file:
        for name, dataset in datasets(path, file):
            if name in TRIALS:
                require_storage(path, name, dataset)
                claim(f"{path}: a trial of {name}", dataset.shape[1:], keep=False)
                claim(f"{path}: trials of {name}", dataset.shape[:1], OF_TRIAL)
            arrays[name] = dataset if name in TRIALS else read_dataset(path, name, dataset)
        return splits_of_arrays(path, arrays, read_attrs(file), default_bin_width, counts)


def splits_of_arrays(
    path: str | os.PathLike[str],
    arrays: dict[str, Any],
    attrs: dict[str, Any],
    default_bin_width: float | None,
    counts: bool,
) -> SpikeDataset:
    """The dataset that the arrays of a file are, or the datasets in it."""
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

    Counts are kept in the smallest unsigned integer that holds them (with NaN among them as
    float32), true rates per bin with a `conversion_factor` of 1, single values of `dataset.attrs`
    as attributes of the file, and its arrays as datasets. Lengths and sessions of trials come back
    as they were. Groups go to `train_group` and `valid_group`, of which
    `with_groups(dataset, "group")` makes them again. A file that is there is replaced only when the
    new one is complete.

    Args:
        path: the file.
        dataset: what to write; trials that are on disk are read, all of them.

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
                value = np.asarray(value)
                arrays[key.format(side)] = _compact(value) if name in ("encod", "recon") else value
        for name, key in OF_TRIALS.items():
            value = getattr(getattr(dataset, side), name)
            if value is not None:
                arrays[key.format(side)] = value
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
            divisor = factor if name == "truth" else 1.0
            if name == "recon" and arrays[key] is arrays.get(KEYS["encod"].format(side)):
                fields[name] = fields["encod"]  # one dataset under an old name: look at it once
                continue
            fields[name] = _trials(f"{path}: {key}", arrays[key], divisor)
        elif name in ("encod", "recon"):
            raise KeyError(f"{path} must hold the dataset {key!r}, got {sorted(arrays)}")
    for name, pattern in OF_TRIALS.items():
        if pattern.format(side) in arrays:
            fields[name] = arrays[pattern.format(side)]
    try:
        split = Split(**fields)
        if counts:
            require_counts(split)
    except ValueError as error:
        names = ", ".join((KEYS | OF_TRIALS)[name].format(side) for name in fields)
        raise ValueError(f"{path} ({names}): {error}") from error
    return split


def _trials(name: str, value: Any, divisor: float) -> np.ndarray | StoredArray:
    if isinstance(value, h5py.Dataset):
        return StoredArray(value, name, divisor)
    trials = as_trials(name, value)
    return trials if divisor == 1.0 else trials / divisor


def _scalar(path: str | os.PathLike[str], name: str, value: Any) -> float:
    if np.size(value) != 1:
        raise ValueError(f"{path}: {name} must be one number, got shape {np.shape(value)}")
    return checks.positive(f"{path}: {name}", np.asarray(value).item())


def _compact(array: np.ndarray) -> np.ndarray:
    """Counts as the smallest unsigned integers that hold them; anything else as it is."""
    if (array < 0).any() or (array != np.floor(array)).any():  # NaN among them
        return array
    return array.astype(np.min_scalar_type(int(array.max())))
