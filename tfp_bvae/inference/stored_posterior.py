"""Posteriors that were written to a file, read some trials at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py

from tfp_bvae.data import row_blocks
from tfp_bvae.data.files import hdf5_file
from tfp_bvae.data.hdf5_nodes import datasets, read_attrs, read_dataset, require_storage
from tfp_bvae.data.limits import claim
from tfp_bvae.inference.posterior import Posterior

__all__ = ["StoredPosterior", "open_posterior"]

SIDES = ("train", "valid")
NAMES = tuple(field.name for field in fields(Posterior))


class StoredPosterior:
    """The posterior of each split, on disk: what `open_posterior` yields.

    Args:
        path: of the file.
        arrays: by the name of the split, then of the quantity: datasets `[trial, ...]`.
        attrs: attributes of the file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        arrays: dict[str, dict[str, h5py.Dataset]],
        attrs: dict[str, Any],
    ):
        self._path, self._arrays, self.attrs = Path(path), arrays, attrs

    @property
    def num_trials(self) -> dict[str, int]:
        """Trials of each split that is there."""
        return {side: len(found["rates"]) for side, found in self._arrays.items()}

    @property
    def names(self) -> list[str]:
        """Names of what a `Posterior` has of each trial."""
        return list(next(iter(self._arrays.values())))

    def parts(self) -> Iterator[tuple[str, slice, Posterior]]:
        """Split, trials and posterior of some trials at a time, one after the other."""
        for side, found in self._arrays.items():
            for rows in row_blocks(found["rates"]):
                yield side, rows, Posterior(**{name: x[rows] for name, x in found.items()})

    def whole(self) -> dict[str, Posterior]:
        """The posterior of each split, read."""
        return {
            side: Posterior(
                **{name: read_dataset(self._path, x.name[1:], x) for name, x in found.items()}
            )
            for side, found in self._arrays.items()
        }


@contextmanager
def open_posterior(path: str | os.PathLike[str]) -> Iterator[StoredPosterior]:
    """A file of `write_posterior`, or `posterior.h5` of a run, to read from.

    Args:
        path: the file.

    Yields:
        What reads it; memory is that of the trials that are asked for.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not HDF5 or is damaged, it holds no posterior of a split, or splits of
            other sizes.

    >>> import tempfile
    >>> import numpy as np
    >>> from tfp_bvae.inference import write_posterior
    >>> posterior = Posterior(*np.ones([2, 4, 5, 3]), *np.ones([2, 4, 1]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_posterior(f"{folder}/p.h5", {"valid": posterior})
    ...     with open_posterior(f"{folder}/p.h5") as stored:
    ...         [(side, rows.stop, part.rates.shape) for side, rows, part in stored.parts()]
    [('valid', 4, (4, 5, 3))]
    """
    with hdf5_file(path) as file:
        found: dict[str, dict[str, h5py.Dataset]] = {}
        for key, dataset in datasets(Path(path), file):
            side, _, name = key.partition("_")
            if side in SIDES and name in NAMES:
                found.setdefault(side, {})[name] = dataset
        arrays = {side: found[side] for side in SIDES if side in found}
        for side, ours in arrays.items() or [("train", {})]:
            _check(path, side, ours)
        if len({tuple(sorted(ours)) for ours in arrays.values()}) > 1:
            raise ValueError(f"{path} must hold the same of each split, got {sorted(file)}")
        yield StoredPosterior(path, arrays, read_attrs(file))


def _check(path: str | os.PathLike[str], side: str, found: dict[str, h5py.Dataset]) -> None:
    missing = [f"{side}_{name}" for name in ("rates", "factors", "f", "f_scale")]
    missing = [key for key in missing if key.removeprefix(f"{side}_") not in found]
    if missing:
        raise ValueError(f"{path} must be the posterior of trials, {', '.join(missing)} is missing")
    for name, dataset in found.items():
        require_storage(Path(path), f"{side}_{name}", dataset)
        claim(f"{path}: a trial of {side}_{name}", dataset.shape[1:], keep=False)
        axes = 3 if name.removesuffix("_scale") in ("rates", "factors", "inferred") else 2
        if dataset.dtype.kind not in "biuf":
            raise ValueError(f"{path}: {side}_{name} must be numbers, got {dataset.dtype}")
        if dataset.ndim != axes or len(dataset) != len(found["rates"]):
            raise ValueError(
                f"{path}: {side}_{name} must have {axes} axes and {len(found['rates'])} trials, "
                f"got shape {dataset.shape}"
            )
