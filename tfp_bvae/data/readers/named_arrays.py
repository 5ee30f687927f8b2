"""From arrays that have names to labelled trials: npz, MATLAB, HDF5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..container import trials_dataset
from ..container_checks import COORDS, VARIABLES
from ..conversion import from_splits
from ..hdf5 import splits_of_arrays
from ..set_aside import SetAside
from .formats import family_of
from .nlb import nlb_trials

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["trials_of_arrays"]


def trials_of_arrays(
    path: str,
    arrays: dict[str, Any],
    attrs: dict[str, Any],
    names: Mapping[str, str],
    bin_width: float | None,
    counts: bool,
    aside: SetAside,
) -> tuple[xr.Dataset, str]:
    """Labelled trials, and what their names are of.

    Args:
        path: of the file, for errors.
        arrays: by name; a list of arrays is of trials of unequal length.
        attrs: single values beside.
        names: by our name, theirs.
        bin_width: for a file that does not say, s.
        counts: whether negative and broken numbers are refused.
        aside: takes what is left out.

    Raises:
        KeyError: what `names` names is not there, or nothing is recognised.
        ValueError: shapes are wrong.
    """
    arrays, attrs = _renamed(path, arrays, names), dict(attrs)
    family = family_of(arrays)
    if family is not None and family.kind == "nlb":
        return nlb_trials(path, arrays, attrs, bin_width, aside), f"the keys of {family.name}"
    if family is not None:
        plain = {name: x for name, x in arrays.items() if isinstance(x, np.ndarray)}
        aside.add(
            len(arrays) - len(plain), "array", "of unequal rows", sorted({*arrays} - {*plain})
        )
        splits = splits_of_arrays(path, plain, attrs, bin_width, counts)
        return from_splits(splits), f"the keys of {family.name}"
    key = _spikes(path, arrays)
    stated = _single(arrays.pop("bin_width", attrs.pop("bin_width", bin_width)))
    if stated is None:
        attrs["bin_width_note"] = "the file states no bin width; 1.0 s stands in"
    made = _container(path, arrays, key, 1.0 if stated is None else stated, attrs, counts, aside)
    return made, f"{key} {' x '.join(map(str, made.spikes.shape))}"


def _renamed(path: str, arrays: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The arrays under our names."""
    arrays = dict(arrays)
    for ours, theirs in names.items():
        if theirs not in arrays:
            raise KeyError(f"{path} must hold {theirs!r}, for {ours}; got {_shown(arrays)}")
        arrays[ours] = arrays.pop(theirs)
    return arrays


def _spikes(path: str, arrays: dict[str, Any]) -> str:
    """The name of the spikes: "spikes", or the only array with three axes."""
    if "spikes" in arrays:
        return "spikes"
    others = [name for name in VARIABLES if name != "spikes"]
    like = [n for n, x in arrays.items() if _axes(x) == 3 and n not in others]
    if len(like) != 1:
        raise KeyError(
            f"{path} must hold 'spikes' [trial, time, channel], or names={{'spikes': ...}} must "
            f"say which array it is; got {_shown(arrays)}"
        )
    return like[0]


def _container(
    path: str,
    arrays: dict[str, Any],
    key: str,
    bin_width: float,
    attrs: dict[str, Any],
    counts: bool,
    aside: SetAside,
) -> xr.Dataset:
    variables = {name: arrays.pop(name) for name in VARIABLES if name in arrays and name != key}
    spikes = arrays.pop(key)
    if _axes(spikes) != 3:
        raise ValueError(
            f"{path}: {key} must be [trial, time, channel], got shape {np.shape(spikes)}"
        )
    trials = len(spikes)
    coords, left = {}, []
    for name, value in arrays.items():
        flat = _flat(value)
        if flat is None or (name not in COORDS and len(flat) != trials):
            left.append(name)
        else:
            coords[name] = _typed(name, flat)
    aside.add(len(left), "array", "not understood", sorted(left))
    single = {n: x for n, x in attrs.items() if isinstance(x, (bool, int, float, str))}
    try:
        return trials_dataset(
            spikes, bin_width, coords=coords, attrs=single, counts=counts, **variables
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error


def _flat(value: Any) -> np.ndarray | None:
    """One value of each of something; MATLAB makes a row or a column of it."""
    if isinstance(value, list):
        return None
    array = np.asarray(value)
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)
    return array if array.ndim == 1 and array.dtype.kind in "biufSU" else None


def _typed(name: str, flat: np.ndarray) -> np.ndarray:
    """Values as a coordinate has them; MATLAB has numbers for all."""
    if name in ("held_out", "forward") and flat.dtype.kind in "biuf":
        return flat.astype(bool)
    if name in ("length", "trial") and flat.dtype.kind == "f" and (flat == np.floor(flat)).all():
        return flat.astype(np.int32)
    return flat


def _single(value: Any) -> float | None:
    return value if value is None or np.size(value) != 1 else float(np.asarray(value).reshape(()))


def _axes(value: Any) -> int:
    """Number of axes; a list of trials has one more than each."""
    if isinstance(value, list):
        return 1 + np.ndim(value[0]) if len(value) else 0
    return np.ndim(value) if np.asarray(value).dtype.kind in "biuf" else 0


def _shown(arrays: dict[str, Any]) -> str:
    def shape(x: Any) -> str:
        return f"{len(x)} arrays" if isinstance(x, list) else str(np.shape(x)).replace(" ", "")

    return ", ".join(f"{name} {shape(x)}" for name, x in arrays.items()) or "nothing"
