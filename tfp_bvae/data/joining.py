"""Several sessions as one dataset, each with channels of its own, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import checks
from .containers import SpikeDataset, Split

__all__ = ["as_session", "join_sessions", "session_part", "split_sessions"]

SIDES = ("train", "valid")


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


def session_part(
    dataset: SpikeDataset, side: str, session: str | int
) -> tuple[np.ndarray, np.ndarray]:
    """Which trials and channels of a dataset are those of one session.

    Args:
        dataset: of several sessions.
        side: `"train"` or `"valid"`.
        session: its name, or its number.

    Returns:
        Numbers of trials `[trial]`, and of channels of `recon`, such as rates have, `[channel]`.

    Raises:
        KeyError: if there is no such session.
        ValueError: if the dataset has no sessions.

    >>> from tfp_bvae.data import lorenz
    >>> a, b = (lorenz(num_conditions=1, num_channels=n) for n in (2, 3))
    >>> session_part(join_sessions({"a": a, "b": b}), "valid", "a")
    (array([0, 1, 2, 3]), array([0, 1]))
    """
    checks.one_of("side", side, SIDES)
    names = _names(dataset)
    known = [*names, *range(len(names))]
    if session not in known:
        raise KeyError(f"session must be one of {names}, got {session!r}")
    number = known.index(session) % len(names)
    rows = np.flatnonzero(getattr(dataset, side).session == number)
    encoded, predicted = _sizes(dataset)[number]
    first = dataset.train.encod.shape[2]
    return rows, np.r_[:encoded, first : first + predicted - encoded]


def split_sessions(dataset: SpikeDataset) -> dict[str, SpikeDataset]:
    """The datasets that `join_sessions` made one of, by name.

    Args:
        dataset: of several sessions.

    Raises:
        ValueError: if the dataset has no sessions, or does not know their channels.

    >>> from tfp_bvae.data import lorenz
    >>> a, b = (lorenz(num_conditions=1, num_channels=n) for n in (2, 3))
    >>> split_sessions(join_sessions({"a": a, "b": b}))["b"].train
    Split(16 trials, encod 50 x 3, recon 50 x 3, truth)
    """
    found = {}
    for number, name in enumerate(_names(dataset)):
        parts = {side: session_part(dataset, side, number) for side in SIDES}
        attrs = {
            f"{side}_{key}": dataset.attrs[f"{side}_{key}"][rows]
            for side, (rows, _) in parts.items()
            for key in _trial_keys(dataset)
        }
        encoded = _sizes(dataset)[number][0]
        bins = _longest(dataset, {side: rows for side, (rows, _) in parts.items()})
        splits = {
            side: _cut(getattr(dataset, side).select(rows), encoded, channels, bins)
            for side, (rows, channels) in parts.items()
        }
        attrs = {key: value for key, value in attrs.items() if key.partition("_")[2] != "session"}
        found[name] = SpikeDataset(**splits, bin_width=dataset.bin_width, attrs=attrs)
    return found


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
