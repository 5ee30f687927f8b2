"""Which format a file is of, told by its first bytes and the keys in it, never by its name."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import h5py

from ..files import hdf5_file

__all__ = ["NLB_KEY", "Format", "family_of", "recognise"]

HDF5 = b"\x89HDF\r\n\x1a\n"
ZARR = ("zarr.json", ".zgroup", ".zmetadata", ".zarray")
NLB_KEY = re.compile(r"(train|eval)_(spikes|data)_(heldin|heldout)(_forward)?")
READABLE = (
    "NWB, HDF5 with the keys of lfads-torch, lfads-tf2, lfads-cd or the Neural Latents Benchmark, "
    "npz, MATLAB, netCDF or zarr"
)
OTHERS = {  # first bytes of what people try
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"PK": "a zip file without arrays of numpy: unpack it first",
    b"\x80\x02": "a pickle, which is not read: it can run any code",
    b"\x80\x03": "a pickle, which is not read: it can run any code",
    b"\x80\x04": "a pickle, which is not read: it can run any code",
    b"\x80\x05": "a pickle, which is not read: it can run any code",
    b"\x93NUMPY": "a single array of numpy: save it with numpy.savez(path, spikes=array)",
}


class Format(NamedTuple):
    """What a file is: the kind that decides who reads it, and its name in a sentence."""

    kind: str  # nwb, splits, nlb, arrays, recording, npz, mat5, mat73, netcdf, netcdf3 or zarr
    name: str


def recognise(path: str | os.PathLike[str]) -> Format:
    """The format of a file, or of a folder.

    Raises:
        FileNotFoundError: there is nothing.
        ValueError: it is of no format that is read here; it says what it looks like.

    >>> recognise("no/such/file")
    Traceback (most recent call last):
        ...
    FileNotFoundError: path must be a file of data that exists, got no/such/file
    """
    path = Path(path)
    if path.is_dir():
        if any((path / name).exists() for name in ZARR):
            return Format("zarr", "zarr")
        raise ValueError(f"{path} must be a file, or a zarr folder; got a folder without zarr keys")
    if not path.is_file():
        what = ", which is a pipe or a device" if path.exists() else ""
        raise FileNotFoundError(f"path must be a file of data that exists, got {path}{what}")
    with open(path, "rb") as file:
        head = file.read(128)
    if head.startswith(b"MATLAB 5.0"):
        return Format("mat5", "MATLAB v5")
    if head.startswith(b"MATLAB 7.3"):
        return Format("mat73", "MATLAB v7.3")
    if head.startswith(HDF5) or h5py.is_hdf5(path):
        return _of_hdf5(path)
    if head.startswith((b"CDF\x01", b"CDF\x02", b"CDF\x05")):
        return Format("netcdf3", "netCDF 3")
    if head.startswith(b"PK\x03\x04") and _holds_arrays(path):
        return Format("npz", "npz of numpy")
    for start, looks in OTHERS.items():
        if head.startswith(start):
            raise ValueError(f"{path} must be {READABLE}; it looks like {looks}")
    looks = "it is empty" if not head else f"its first bytes are {head[:8]!r}"
    raise ValueError(f"{path} must be {READABLE}, complete and not damaged; {looks}")


def family_of(keys: Collection[str]) -> Format | None:
    """Which of the four families of keys a set of names is, None for none.

    >>> family_of(["train_encod_data", "valid_encod_data"])
    Format(kind='splits', name='lfads-torch')
    >>> family_of(["train_spikes_heldin"]).name
    'Neural Latents Benchmark'
    """
    keys = set(keys)
    if any(re.fullmatch(r"(train|valid)_(encod|recon)_data", key) for key in keys):
        return Format("splits", "lfads-torch")
    found = [NLB_KEY.fullmatch(key) for key in keys]
    if any(found):
        renamed = any(match and match[2] == "data" for match in found)
        name = "Neural Latents Benchmark"
        return Format("nlb", f"{name}, as NDT names it" if renamed else name)
    if keys & {"train_data", "valid_data"}:
        if keys & {"train_inds", "valid_inds"}:
            return Format("splits", "lfads-tf2")
        if keys & {"alignment_matrix_cxf", "alignment_bias_c"}:
            return Format("splits", "lfads-cd")
        return Format("splits", "lfads-cd or lfads-tf2")
    return None


def _of_hdf5(path: Path) -> Format:
    """The format of a file that is HDF5."""
    with hdf5_file(path) as file:
        keys = list(file)
        if "nwb_version" in file.attrs or ".specloc" in file.attrs:
            return Format("nwb", "NWB")
        if any("MATLAB_class" in file[key].attrs for key in keys if _is_hard(file, key)):
            return Format("mat73", "MATLAB v7.3")
        found, inside = family_of(keys), family_of(_keys_of_groups(file))
        found = inside if found is None and inside is not None and inside.kind == "nlb" else found
        if found:
            return Format(found.kind, f"HDF5 with the keys of {found.name}")
        if "trials" in keys and "counts" in keys and "bin_seconds" in file.attrs:
            return Format("recording", "HDF5 of a binned recording with trials")
        if "_NCProperties" in file.attrs or _is_netcdf(file):
            return Format("netcdf", "netCDF")
    return Format("arrays", "HDF5")


def _is_hard(file: h5py.File, key: str) -> bool:
    return isinstance(file.get(key, getlink=True), h5py.HardLink)


def _keys_of_groups(file: h5py.File) -> set[str]:
    """Names inside the groups of a file: targets of the benchmark have a group per data set."""
    groups = (file[key] for key in file if _is_hard(file, key))
    return {name for group in groups if isinstance(group, h5py.Group) for name in group}


def _is_netcdf(file: h5py.File) -> bool:
    """Whether datasets have named dimensions."""
    datasets = (file[key] for key in file if _is_hard(file, key))
    return any("DIMENSION_LIST" in dataset.attrs for dataset in datasets)


def _holds_arrays(path: Path) -> bool:
    """Whether a zip file holds arrays of numpy, or is cut short."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError):
        with open(path, "rb") as file:  # the table of contents, at the end, is gone
            return b".npy" in file.read(256)
