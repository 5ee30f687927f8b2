"""Labelled trials on disk: netCDF and zarr, read without trust, written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ... import checks
from ..container import require_trials, trials_dataset
from ..container_checks import COORDS, VARIABLES
from ..conversion import to_splits
from ..files import atomic_file, atomic_folder, hdf5_file
from ..hdf5 import write_hdf5
from ..hdf5_nodes import datasets, read_dataset, require_attrs, require_storage
from ..limits import claim, reading
from ..spike_times import need
from .formats import ZARR
from .zarr_check import require_zarr

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["read_netcdf", "read_zarr", "save"]

ENDINGS = {".h5": "hdf5", ".hdf5": "hdf5", ".nc": "netcdf", ".zarr": "zarr"}


def save(path: str | os.PathLike[str], data: xr.Dataset) -> None:
    """Write labelled trials to a file that `load` and `tfp-bvae fit` read: all or nothing.

    Args:
        path: the ending says how: `.nc` netCDF and `.zarr` a zarr folder, as they are; `.h5` HDF5
            with the keys of lfads-torch, with training and validation trials only. What is there
            is replaced at the end.
        data: labelled trials.

    Raises:
        FileExistsError: a folder that is no zarr folder stands where one shall be.
        FileNotFoundError: the folder does not exist.
        ImportError: zarr is not installed.
        OSError: the disk has no room for it.
        ValueError: another ending, or `data` is not as it must be.

    >>> import tempfile
    >>> from tfp_bvae.data import load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/a.nc", trials_dataset(np.ones([4, 10, 3]), 0.02))
    ...     load(f"{folder}/a.nc").spikes.shape
    (4, 10, 3)
    """
    require_trials(data, counts=False)
    path = Path(path)
    kind = ENDINGS.get(path.suffix)
    if kind is None:
        raise ValueError(f"path must end in one of {', '.join(ENDINGS)}, got {path}")
    if kind == "hdf5":
        write_hdf5(path, to_splits(data))
        return
    data = data.assign_attrs({n: _plain(x) for n, x in data.attrs.items()})
    if kind == "netcdf":
        with atomic_file(path) as beside:
            _require_room(path, data.nbytes)
            data.to_netcdf(beside, engine="h5netcdf")
        return
    need("zarr")
    if path.exists() and not any((path / name).exists() for name in ZARR):
        raise FileExistsError(f"path must be free, or a zarr folder to replace, got {path}")
    with atomic_folder(path) as beside, warnings.catch_warnings():
        _require_room(path, data.nbytes)
        warnings.simplefilter("ignore")  # strings are not yet in the standard of zarr 3
        data.to_zarr(beside, mode="w")


def _require_room(path: Path, size: int) -> None:
    """HDF5 does not survive a disk that is full: see to it that this one is not."""
    if size + 2**20 > shutil.disk_usage(path.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def read_netcdf(
    path: Path, names: Mapping[str, str], bin_width: float | None, counts: bool
) -> xr.Dataset:
    """Labelled trials of a netCDF file.

    Raises:
        KeyError: it has no spikes.
        ValueError: it is damaged, refers to other files, or is not as it must be.
    """
    import xarray as xr

    with open(path, "rb") as file:
        old = file.read(3) == b"CDF"
    if not old:
        with hdf5_file(path) as file:
            require_attrs(path, file)
            for name, node in datasets(path, file):
                require_attrs(path, node)
                if h5py.check_string_dtype(node.dtype):
                    read_dataset(path, name, node)  # whether all its words fit
                else:
                    require_storage(path, name, node)
                    claim(f"{path}: {name}", node.shape, max(4, node.dtype.itemsize))
    else:
        _require_netcdf3(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it sets right
            found = xr.load_dataset(path, engine="scipy" if old else "h5netcdf")
    except Exception as error:  # whatever a damaged byte leads to
        raise ValueError(f"{path} must be netCDF, complete and not damaged: {error}") from error
    return _complete(path, found, names, bin_width, counts)


def _require_netcdf3(path: Path) -> None:
    """Refuse variables that take too much memory: all may have the same place in the file."""
    io = need("scipy.io")
    with reading(path):
        try:
            file = io.netcdf_file(path, mmap=True)
        except Exception as error:  # scipy raises whatever a damaged byte leads to
            raise ValueError(f"{path} must be netCDF, complete and not damaged: {error}") from error
        sizes = {name: (x.shape, x.data.itemsize) for name, x in file.variables.items()}
        file.close()
        for name, (shape, itemsize) in sizes.items():
            claim(f"{path}: {name}", shape, max(4, itemsize))


def read_zarr(
    path: Path, names: Mapping[str, str], bin_width: float | None, counts: bool
) -> xr.Dataset:
    """Labelled trials of a zarr folder.

    Raises:
        ImportError: zarr is not installed.
        KeyError: it has no spikes.
        ValueError: it is damaged, has pickles, or is not as it must be.
    """
    import xarray as xr

    need("zarr")
    with reading(path):
        require_zarr(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that is not consolidated
            found = xr.open_zarr(path, chunks=None).load()
    except Exception as error:  # whatever a damaged byte leads to
        raise ValueError(f"{path} must be zarr, complete and not damaged: {error}") from error
    return _complete(path, found, names, bin_width, counts)


def _complete(
    path: Path, found: xr.Dataset, names: Mapping[str, str], bin_width: float | None, counts: bool
) -> xr.Dataset:
    """The trials with all coordinates; of what xarray users have, who may lack some."""
    for ours, theirs in names.items():
        checks.known_key(
            f"{path}: {ours}", theirs, [str(n) for n in (*found.variables, *found.dims)]
        )
        found = found.rename({theirs: ours})
    if "spikes" not in found or found["spikes"].dims != VARIABLES["spikes"]:
        there = ", ".join(
            f"{n} {'(' + ', '.join(map(str, x.dims)) + ')'}" for n, x in found.data_vars.items()
        )
        raise KeyError(
            f"{path} must hold 'spikes' (trial, time, channel), got {there or 'no variable'}"
        )
    width = found.attrs.get("bin_width", bin_width)
    if width is None and "time" in found.coords and found.sizes["time"] > 1:
        width = float(np.median(np.diff(found["time"].values)))
    attrs: dict[str, Any] = {n: _plain(x) for n, x in found.attrs.items() if n != "bin_width"}
    if width is None:
        attrs["bin_width_note"] = "the file states no bin width; 1.0 s stands in"
    coords = {
        str(n): x.values for n, x in found.coords.items() if n in COORDS or x.dims == ("trial",)
    }
    arrays = {n: found[n].values for n in VARIABLES if n in found}
    made = trials_dataset(
        arrays.pop("spikes"),
        1.0 if width is None else float(width),
        coords=coords,
        attrs=attrs,
        counts=counts,
        **arrays,
    )
    further = {n: x.variable for n, x in found.data_vars.items() if n not in VARIABLES}
    return made.assign(further)


def _plain(value: Any) -> Any:
    """What netCDF and JSON can hold of an attribute."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    return value.item() if isinstance(value, np.generic) else value
