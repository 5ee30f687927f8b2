"""Several sessions as one dataset, each with channels of its own, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import checks
from .containers import SpikeDataset, Split
from .session_parts import SIDES, trial_keys

__all__ = ["as_session", "join_sessions"]


def join_sessions(sessions: Mapping[str, SpikeDataset]) -> SpikeDataset:
    """The trials of several sessions in one dataset, for models with `num_sessions`.

    Channels are filled up with NaN, not observed, to those of the widest session: first those that
    the encoders see, then those that they do not. Bins are filled up to the longest session's, with
    `length`, where no bins are predicted after the encoded ones.

    Args:
        sessions: datasets of one session each, by name, in order.

    Returns:
        All trials, session by session, with `session` in both splits: the number of the session.
        `truth` where all have it; groups are left out, since each session has its own
        (`with_groups(dataset, by="session")` makes one of each session). In `attrs`:
        `session_names`, `session_channels` `[session, 2]` (channels that are encoded, and that are
        predicted), `train_session` and `valid_session` `[trial]` (names); and arrays `train_NAME`
        and `valid_NAME` `[trial, ...]` that all sessions have, such as conditions.

    Raises:
        TypeError: if it is not datasets by name.
        ValueError: if there is none, their bins differ in width, or they differ in external inputs
            or in the number of bins after the encoded ones; if one is of several sessions already.

    >>> from tfp_bvae.data import lorenz
    >>> monday, tuesday = (lorenz(num_conditions=2, num_channels=n) for n in (20, 30))
    >>> both = join_sessions({"monday": monday, "tuesday": tuesday})
    >>> both.train, both.attrs["session_names"].tolist()
    (Split(64 trials, encod 50 x 30, recon 50 x 30, truth, session), ['monday', 'tuesday'])
    """
    _check(sessions)
    sizes = np.array([_channels(dataset) for dataset in sessions.values()])
    encoded = sizes[:, 0].max()
    outputs = encoded + np.subtract(*sizes.T[::-1]).max()
    bins = max(dataset.train.recon.shape[1] for dataset in sessions.values())
    placed = [
        as_session(dataset, number, encoded, outputs, bins)
        for number, dataset in enumerate(sessions.values())
    ]
    names = np.array(list(sessions))
    by_side = {side: [getattr(dataset, side) for dataset in placed] for side in SIDES}
    attrs = {"session_names": names, "session_channels": sizes} | _per_trial(sessions)
    for side, parts in by_side.items():
        attrs[f"{side}_session"] = np.repeat(names, [part.num_trials for part in parts])
    first = placed[0]
    return SpikeDataset(
        **{side: _concatenated(parts) for side, parts in by_side.items()},
        bin_width=first.bin_width,
        attrs=attrs,
    )


def as_session(
    dataset: SpikeDataset, number: int, channels: int, outputs: int, bins: int | None = None
) -> SpikeDataset:
    """One session as a part of several: its channels at their places, and its number.

    Args:
        dataset: of one session.
        number: of the session, from 0 on.
        channels: that are encoded, of the widest session; as a model's `channels`.
        outputs: that are predicted, of all sessions; as a model's `outputs`.
        bins: to fill up to; None for its own.

    Returns:
        The dataset, NaN where the session has no channel, with `session` in both splits.

    Raises:
        ValueError: if it has more channels or bins than there is room for.

    >>> from tfp_bvae.data import lorenz
    >>> placed = as_session(lorenz(num_conditions=1, num_channels=20), 2, 30, 30)
    >>> placed.valid, placed.valid.session
    (Split(4 trials, encod 50 x 30, recon 50 x 30, truth, session),
     array([2, 2, 2, 2], dtype=int32))
    """
    number = checks.whole_number("number", number, 0)
    encoded, predicted = _channels(dataset)
    for name, there, room in (
        ("channels", encoded, channels),
        ("outputs after the encoded ones", predicted - encoded, outputs - channels),
        ("bins", dataset.train.recon.shape[1], bins),
    ):
        if room is not None and there > room:
            raise ValueError(f"dataset must have at most {room} {name}, got {there}")
    places = np.concatenate([np.arange(encoded), channels + np.arange(predicted - encoded)])
    return SpikeDataset(
        **{
            side: _placed(getattr(dataset, side), number, places, (channels, outputs), bins)
            for side in SIDES
        },
        bin_width=dataset.bin_width,
        attrs=dataset.attrs,
    )


def _check(sessions: Mapping[str, SpikeDataset]) -> None:
    if not isinstance(sessions, Mapping) or not all(
        isinstance(dataset, SpikeDataset) for dataset in sessions.values()
    ):
        raise TypeError(f"sessions must be SpikeDatasets by name, got {sessions!r}")
    if not sessions:
        raise ValueError("sessions must hold at least one session, got none")
    (first, reference), *others = sessions.items()
    for name, dataset in sessions.items():
        session = dataset.train.session
        if session is not None and len(np.unique(session)) > 1:
            raise ValueError(f"{name} must be of one session, got {len(np.unique(session))}")
    for name, dataset in others:
        if not math.isclose(dataset.bin_width, reference.bin_width, rel_tol=1e-6):
            raise ValueError(
                f"sessions must have bins of one width, got {reference.bin_width:g} s in {first} "
                f"and {dataset.bin_width:g} s in {name}"
            )
        for what, size in (("bins after the encoded ones", _forward), ("external inputs", _ext)):
            if size(dataset) != size(reference):
                raise ValueError(
                    f"sessions must agree on the number of {what}, got {size(reference)} in "
                    f"{first} and {size(dataset)} in {name}"
                )
        bins = [data.train.recon.shape[1] for data in (reference, dataset)]
        if bins[0] != bins[1] and _forward(reference):
            raise ValueError(
                "sessions must have trials of one length where bins are predicted after the "
                f"encoded ones, got {bins[0]} bins in {first} and {bins[1]} in {name}"
            )


def _channels(dataset: SpikeDataset) -> tuple[int, int]:
    """Number of channels that are encoded, and that are predicted."""
    return dataset.train.encod.shape[2], dataset.train.recon.shape[2]


def _forward(dataset: SpikeDataset) -> int:
    return dataset.train.recon.shape[1] - dataset.train.encod.shape[1]


def _ext(dataset: SpikeDataset) -> int:
    return 0 if dataset.train.ext_input is None else dataset.train.ext_input.shape[2]


def _placed(
    split: Split, number: int, places: np.ndarray, widths: tuple[int, int], bins: int | None
) -> Split:
    """A split with its channels at their places in wider arrays, and bins filled up."""
    longer = 0 if bins is None else bins - split.recon.shape[1]
    arrays = {}
    same = split.recon is split.encod and widths[0] == widths[1]
    for name in ("encod", "truth") if same else ("encod", "recon", "truth"):
        array = getattr(split, name)
        if array is not None:
            where = places[: array.shape[2]] if name == "encod" else places
            shape = (len(array), array.shape[1] + longer, widths[name != "encod"])
            arrays[name] = np.full(shape, np.nan, np.float32)
            arrays[name][:, : array.shape[1], where] = np.asarray(array)
    arrays.setdefault("recon", arrays["encod"])
    if split.ext_input is not None:
        longer_by = ((0, 0), (0, longer), (0, 0))
        arrays["ext_input"] = np.pad(split.ext_input, longer_by, constant_values=np.nan)
    length = split.bins if longer or split.length is not None else None
    session = np.full(split.num_trials, number, np.int32)
    return Split(**arrays, group=split.group, length=length, session=session)


def _concatenated(parts: list[Split]) -> Split:
    """The trials of some splits of one shape, one after the other."""
    fields = {}
    same = all(part.recon is part.encod for part in parts)
    for name in ("encod", "recon", "ext_input", "truth", "session"):
        arrays = [getattr(part, name) for part in parts]
        if name == "recon" and same:
            fields[name] = fields["encod"]
        elif all(array is not None for array in arrays):
            fields[name] = np.concatenate(arrays)
    if any(part.length is not None for part in parts):
        fields["length"] = np.concatenate([part.bins for part in parts])
    return Split(**fields)


def _per_trial(sessions: Mapping[str, SpikeDataset]) -> dict[str, Any]:
    """What is known of each trial in all sessions: `train_NAME` and `valid_NAME`, joined."""
    found = {}
    keys = [trial_keys(dataset) for dataset in sessions.values()]
    for key in keys[0]:
        if not all(key in others for others in keys[1:]):
            continue
        sides = {
            f"{side}_{key}": [np.asarray(data.attrs[f"{side}_{key}"]) for data in sessions.values()]
            for side in SIDES
        }
        arrays = [array for parts in sides.values() for array in parts]
        numbers = {array.dtype.kind in "biuf" for array in arrays}
        if len({array.shape[1:] for array in arrays}) == 1 and len(numbers) == 1:
            found |= {name: np.concatenate(parts) for name, parts in sides.items()}
    return found
