"""Trials of a file of any format that needs no further word, as `fit` and its like read them."""

from __future__ import annotations

import math
import os
import warnings

from tfp_bvae.data import SpikeDataset, load, open_hdf5, read_hdf5, split_trials, to_splits
from tfp_bvae.data.readers.formats import recognise

__all__ = ["read_trials"]

VALID_FRACTION = 0.2


def read_trials(
    path: str | os.PathLike[str], counts: bool, bin_width: float | None, stream: bool
) -> SpikeDataset:
    """The dataset of a file.

    Of a file that does not part its trials, a fifth of each condition is for validation, always the
    same. `attrs["read_notes"]` says so, and what else is worth a word.

    Args:
        path: the file, or the zarr folder.
        counts: whether it must hold counts.
        bin_width: s; for a file that does not say, and to check one that does.
        stream: leave the trials on disk, and read them when they are needed.

    Raises:
        ValueError: the bins of the file have another width, or the file is not as it must be.
    """
    found = recognise(path)
    if found.kind == "splits":
        door = open_hdf5 if stream else read_hdf5
        data = door(path, default_bin_width=bin_width, counts=counts)
        if bin_width is not None and not math.isclose(bin_width, data.bin_width, rel_tol=1e-6):
            raise ValueError(
                f"{path} must have bins of {bin_width:g} s, got bins of {data.bin_width:g} s"
            )
        return data
    if found.kind == "nwb":
        raise ValueError(f"{path} is NWB: tfp-bvae convert makes trials of it, in bins you choose")
    if stream:
        raise ValueError(
            f"--stream must be given HDF5 with the keys of lfads-torch, got {found.name}: "
            "tfp-bvae convert makes one"
        )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        data = load(path, bin_width, counts=counts, silent="keep")
    notes = [data.attrs["source"]]
    notes += [str(one.message) for one in told if one.category is UserWarning]
    if not {"train", "valid"} <= set(data.split.values.tolist()):
        data = split_trials(data, VALID_FRACTION)
        notes.append(
            f"{path} does not part its trials: {VALID_FRACTION:.0%} are drawn for validation; "
            "tfp-bvae convert does it otherwise"
        )
    splits = to_splits(data)
    splits.attrs["read_notes"] = "\n".join(notes)
    return splits
