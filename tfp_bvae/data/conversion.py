"""From labelled trials to what models are fitted to, and back to the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from .container import require_trials, trials_dataset
from .container_checks import SPLITS, VARIABLES
from .containers import SpikeDataset, Split
from .split_labels import SIDES, others, pairs, split_coords

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["from_splits", "to_splits"]


def to_splits(data: xr.Dataset, valid: str = "valid") -> SpikeDataset:
    r"""The arrays of labelled trials as models take them: training and validation trials.

    Channels that are held out come last, as forward bins do: `recon` has all of them, and its
    first bins and channels are `encod`. Trials that end before the others know their `length`: the
    coordinate `length` says it (bins), or else the last bin with any observed value. A trial that
    lasts through the bins of the encoders lasts through the forward bins, observed or not.

    All labels go to `attrs`, in the order of the arrays: `channel_names`, `channel_order` (place
    in `data`), `num_held_in`, `bin_times` (s), `session_names`, `behavior_names`, `ext_names`;
    and for each side, such as `train_condition`: `inds` (place in `data`), `trial`, `condition`,
    `start`, `behavior`, and whatever further coordinates and variables trials have.
    `from_splits` goes back.

    Args:
        data: of `trials_dataset`, `load` or another maker of such trials.
        valid: the split that stands for validation: "valid", or "test" to score a model on it.

    Returns:
        The dataset; `session` of its splits numbers `session_names`, where there are several.

    Raises:
        KeyError: something is missing of the dataset of trials.
        ValueError: there is no training or no validation trial, or `data` is not as it must be.

    >>> data = trials_dataset(
    ...     np.ones([3, 10, 4]),
    ...     0.02,
    ...     coords={"split": ["train", "valid", "train"], "held_out": [False, True, False, False]},
    ... )
    >>> splits = to_splits(data)
    >>> splits.train, splits.attrs["channel_names"]
    (Split(2 trials, encod 10 x 3, recon 10 x 4), array([0, 2, 3, 1]))
    """
    require_trials(data, counts=False)
    checks.one_of("valid", valid, SPLITS)
    held_out, forward = data["held_out"].values, data["forward"].values
    order = np.concatenate([np.flatnonzero(~held_out), np.flatnonzero(held_out)])
    seen = (np.sum(~forward), np.sum(~held_out))  # bins and channels of the encoders
    attrs = {name: value for name, value in data.attrs.items() if name != "bin_width"}
    attrs |= _shared_labels(data, order, int(seen[1]))
    session, names = _sessions(data)
    if names is not None:
        attrs["session_names"] = names
    lengths = _lengths(data, int(seen[0]))
    splits = {}
    for side, label in zip(SIDES, ("train", valid), strict=True):
        rows = np.flatnonzero(data["split"].values == label)
        if not len(rows):
            names, counts = np.unique(data["split"].values, return_counts=True)
            there = ", ".join(
                f"{n} of {str(name)!r}" for name, n in zip(names, counts, strict=True)
            )
            raise ValueError(
                f"data must have trials of split {label!r}, got {there}; split_trials draws them"
            )
        part = data.isel(trial=rows, channel=order)
        recon = part["spikes"].values
        splits[side] = Split(
            encod=recon[:, : seen[0], : seen[1]],
            recon=recon,
            ext_input=part["ext_input"].values if "ext_input" in part else None,
            truth=_truth(part, None if lengths is None else lengths[rows]),
            length=None if lengths is None else lengths[rows],
            session=None if session is None else session[rows],
        )
        attrs |= {f"{side}_{name}": value for name, value in _of_trials(part).items()}
        attrs[f"{side}_inds"] = rows
    return SpikeDataset(**splits, bin_width=_bin_width(data), attrs=attrs)


def from_splits(dataset: SpikeDataset) -> xr.Dataset:
    """The trials of a dataset with their labels: the way back from `to_splits`.

    Trials and channels come in the order in which `to_splits` found them; of a dataset that was
    never labelled, training trials come first, and everything is counted from 0.

    Args:
        dataset: of `to_splits`, or any other; trials that are on disk are read.

    Raises:
        TypeError: `dataset` is no `SpikeDataset`.

    >>> from tfp_bvae.data import lorenz
    >>> trials = from_splits(lorenz(num_conditions=2, num_trials=5, num_valid=1))
    >>> dict(trials.spikes.sizes), trials.condition.values.tolist()
    ({'trial': 10, 'time': 50, 'channel': 30}, [0, 0, 0, 0, 1, 1, 1, 1, 0, 1])
    """
    if not isinstance(dataset, SpikeDataset):
        raise TypeError(f"dataset must be a SpikeDataset, got {type(dataset).__name__}")
    labels = [split_coords(dataset, side) for side in SIDES]
    coords: dict[str, Any] = {}
    for name, (dim, values) in labels[0].items():
        both = [values, labels[1][name][1]]
        coords[name] = np.concatenate(both) if dim == "trial" else values
    arrays, further = {}, {}
    for name, field in (("spikes", "recon"), ("truth", "truth"), ("ext_input", "ext_input")):
        if getattr(dataset.train, field) is not None:
            both = [np.asarray(getattr(getattr(dataset, side), field)) for side in SIDES]
            arrays[name] = np.concatenate(both)
    for name, both in pairs(dataset).items():
        if name not in coords and name != "inds" and both[0].ndim > 1:
            fits = name == "behavior" and both[0].shape[1:2] == arrays["spikes"].shape[1:2]
            (arrays if fits and both[0].ndim == 3 else further)[name] = np.concatenate(both)
    attrs = {n: x for n, x in dataset.attrs.items() if isinstance(x, (bool, int, float, str))}
    attrs.pop("num_held_in", None)
    spikes = arrays.pop("spikes")
    made = trials_dataset(
        spikes, dataset.bin_width, coords=coords, attrs=attrs, counts=False, **arrays
    )
    for name, values in further.items():
        if name not in made.variables and name not in made.dims:
            made[name] = (_dims(name, values, made), values)
    for name, values in others(dataset).items():
        if name not in made.variables and name not in made.dims:
            made[name] = ([f"{name}_{axis}" for axis in range(values.ndim)], values)
    return _as_it_was(made, dataset)


def _as_it_was(made: xr.Dataset, dataset: SpikeDataset) -> xr.Dataset:
    """Trials and channels in the order in which they came."""
    inds = pairs(dataset).get("inds")
    if inds is not None and len(np.unique(np.concatenate(inds))) == made.sizes["trial"]:
        made = made.isel(trial=np.argsort(np.concatenate(inds)))
    order = np.asarray(dataset.attrs.get("channel_order", []))
    if len(order) == made.sizes["channel"]:
        made = made.isel(channel=np.argsort(order, kind="stable"))
    return made


def _dims(name: str, values: np.ndarray, made: xr.Dataset) -> tuple[str, ...]:
    """Dims of a further array of all trials: its second is time if it is as long."""
    rest = [f"{name}_{axis}" for axis in range(1, values.ndim)]
    if values.shape[1] == made.sizes["time"]:
        rest[0] = "time"
    return ("trial", *rest)


def _bin_width(data: xr.Dataset) -> float:
    return float(data.attrs["bin_width"])


def _shared_labels(data: xr.Dataset, order: np.ndarray, num_held_in: int) -> dict[str, Any]:
    """Labels that all trials share, in the order of the arrays."""
    labels = {
        "channel_names": data["channel"].values[order],
        "channel_order": order,
        "num_held_in": num_held_in,
        "bin_times": data["time"].values,
    }
    for name, coord in (("behavior_names", "behavior_channel"), ("ext_names", "ext_channel")):
        if coord in data.coords:
            labels[name] = data[coord].values
    further = {str(name): x for name, x in data.data_vars.items() if name not in VARIABLES}
    return labels | {name: x.values for name, x in further.items() if "trial" not in x.dims}


def _of_trials(part: xr.Dataset) -> dict[str, np.ndarray]:
    """Every further value that each trial has: labels, behaviour, and what else there is."""
    taken = {"split", "length", "spikes", "truth", "ext_input"}
    found = {
        str(name): array.values
        for name, array in (*part.coords.items(), *part.data_vars.items())
        if name not in taken and array.dims[:1] == ("trial",)
    }
    return found


def _truth(part: xr.Dataset, lengths: np.ndarray | None) -> np.ndarray | None:
    """True rates, NaN after the end of each trial."""
    if "truth" not in part or lengths is None:
        return part["truth"].values if "truth" in part else None
    after = np.arange(part.sizes["time"]) >= lengths[:, None]
    return np.where(after[..., None], np.nan, part["truth"].values)


def _sessions(data: xr.Dataset) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Number of the session of each trial, if there are several; and their names."""
    if "session" not in data.coords:
        return None, None
    names, numbers = np.unique(data["session"].values, return_inverse=True)
    return (numbers.astype(np.int32) if len(names) > 1 else None), names


def _lengths(data: xr.Dataset, num_seen: int) -> np.ndarray | None:
    """Bins of each trial, None if all have all."""
    num_bins = data.sizes["time"]
    if "length" in data.coords:
        lengths = data["length"].values.astype(np.int32)
    else:
        observed = ~np.isnan(data["spikes"].values).all(axis=2)
        last = num_bins - np.argmax(observed[:, ::-1], axis=1)
        lengths = np.where(observed.any(axis=1), last, num_bins).astype(np.int32)
    lengths = np.where(lengths >= num_seen, num_bins, lengths).astype(np.int32)
    return None if (lengths == num_bins).all() else lengths
