"""Labelled posteriors as netCDF, zarr and CSV: whole at the end, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfp_bvae.data import atomic_file
from tfp_bvae.data.files import atomic_folder

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TABLE = 2**22  # bytes of numbers that become text at a time

__all__ = ["write_csv", "write_netcdf", "write_zarr"]


def write_netcdf(path: str | os.PathLike[str], dataset: xr.Dataset) -> None:
    """Write a dataset as netCDF 4, which `xarray.open_dataset` and most other tools read.

    Args:
        path: the file; one that is there is replaced at the end.
        dataset: of `posterior_dataset`, say.

    Raises:
        FileNotFoundError: the folder does not exist.
        OSError: the disk has no room for it.

    >>> import tempfile
    >>> import xarray as xr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_netcdf(f"{folder}/a.nc", xr.Dataset({"rates": ("time", [1.0, 2.0])}))
    ...     xr.load_dataset(f"{folder}/a.nc").rates.values
    array([1., 2.])
    """
    with atomic_file(path) as beside:
        free = shutil.disk_usage(beside.parent).free
        if dataset.nbytes + 2**20 > free:  # HDF5 does not survive a disk that is full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        dataset.to_netcdf(beside, engine="h5netcdf")


def write_zarr(path: str | os.PathLike[str], parts: Iterable[xr.Dataset]) -> None:
    """Write datasets, one after the other along `trial`, as one zarr store, a folder.

    Memory is that of a part: for posteriors that are larger than memory. The store is of zarr's
    format 2, which every version of zarr reads, with consolidated metadata.

    Args:
        path: the folder; a zarr store that is there is replaced at the end.
        parts: of `label_parts`, say; all with the same variables.

    Raises:
        FileExistsError: there is something else than a zarr store.
        FileNotFoundError: the folder above it does not exist.
        ImportError: zarr is not installed; it comes with the extra "data".

    >>> import tempfile
    >>> import xarray as xr
    >>> parts = [xr.Dataset({"rates": ("trial", [1.0])}), xr.Dataset({"rates": ("trial", [2.0])})]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_zarr(f"{folder}/a.zarr", parts)
    ...     xr.open_zarr(f"{folder}/a.zarr").rates.values
    array([1., 2.])
    """
    try:
        import zarr  # noqa: F401
    except ImportError as error:
        message = 'zarr must be installed to write it: pip install "tfp_bvae[data]"'
        raise ImportError(message) from error
    _require_store(path)
    with atomic_folder(path) as beside:
        first = True
        for part in parts:
            if first:
                part.to_zarr(beside, mode="w-", zarr_format=2, encoding=_chunks(part))
            else:
                same = [name for name, x in part.variables.items() if "trial" not in x.dims]
                part.drop_vars(same).to_zarr(beside, mode="a", zarr_format=2, append_dim="trial")
            first = False


def write_csv(path: str | os.PathLike[str], parts: Iterable[xr.Dataset]) -> None:
    """Write what has a time axis as a table: a row for each bin of each trial.

    Columns are the labels of trials (`split`, `trial`, `condition`, ...), `time` (s) and, for each
    channel or dimension, `rates_NAME`, `rates_scale_NAME`, `factors_0` and so on. Bins after the
    end of a trial have no row. Memory is that of a part.

    Args:
        path: the file; one that is there is replaced at the end.
        parts: of `label_parts`; all with the same variables.

    Raises:
        FileNotFoundError: the folder does not exist.

    >>> import tempfile
    >>> import xarray as xr
    >>> rates = xr.Dataset({"rates": (("trial", "time", "channel"), np.ones([1, 2, 1]))})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(f"{folder}/a.csv", [rates.assign_coords(trial=[7], time=[0.0, 0.02])])
    ...     Path(f"{folder}/a.csv").read_text().split()
    ['trial,time,rates_0', '7,0,1', '7,0.02,1']
    """
    with atomic_file(path) as beside, open(beside, "w", encoding="utf-8", newline="") as file:
        header = True
        for part in parts:
            for block in _blocks(part):
                table = _table(block)
                table.to_csv(file, index=False, header=header, float_format="%.7g")
                header = False


def _blocks(part: xr.Dataset) -> Iterator[xr.Dataset]:
    """Some trials at a time: text takes many times the memory of its numbers."""
    size = max(1, TABLE // max(1, part.nbytes // part.sizes["trial"]))
    for first in range(0, part.sizes["trial"], size):
        yield part.isel(trial=slice(first, first + size))


def _table(part: xr.Dataset) -> pd.DataFrame:
    """A pandas table of a part."""
    import pandas as pd

    trials, bins = part.sizes["trial"], part.sizes["time"]
    columns = {
        str(name): np.repeat(part[name].values, bins)
        for name in part.coords
        if part[name].dims == ("trial",)
    }
    columns["time"] = np.tile(part["time"].values, trials)
    seen = np.full(trials * bins, False)
    for name, variable in part.data_vars.items():
        if variable.dims[:2] != ("trial", "time"):
            continue
        last = variable.dims[2]
        flat = variable.values.reshape(trials * bins, -1)
        seen |= ~np.isnan(flat).all(axis=1)
        labels = part[last].values if last in part.coords else range(flat.shape[1])
        for label, values in zip(labels, flat.T, strict=True):
            columns[f"{name}_{label}"] = values
    return pd.DataFrame(columns)[seen]


def _chunks(part: xr.Dataset) -> dict[str, dict[str, tuple[int, ...]]]:
    """Chunks of whole trials, about a megabyte each."""
    found = {}
    for name, variable in part.variables.items():
        if variable.dims[:1] == ("trial",) and variable.ndim > 1:
            size = max(1, variable.nbytes // variable.shape[0])
            rows = min(variable.shape[0], max(1, 2**20 // size))
            found[name] = {"chunks": (rows, *variable.shape[1:])}
    return found


def _require_store(path: str | os.PathLike[str]) -> None:
    """Leave alone what is there and is no zarr store."""
    path = Path(path)
    is_store = any((path / name).is_file() for name in ("zarr.json", ".zgroup"))
    if os.path.lexists(path) and not is_store:
        raise FileExistsError(f"{path} exists and is not a zarr store, so it is left alone")
