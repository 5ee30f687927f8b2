"""What belongs to one session in a dataset of several."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import checks
from .containers import SpikeDataset, Split

__all__ = ["channels_apart", "session_part", "split_sessions"]

SIDES = ("train", "valid")


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

    >>> from tfp_bvae.data import join_sessions, lorenz
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
    return rows, _channels(dataset, number)


def split_sessions(dataset: SpikeDataset) -> dict[str, SpikeDataset]:
    """The datasets that `join_sessions` made one of, by name.

    Args:
        dataset: of several sessions.

    Raises:
        ValueError: if the dataset has no sessions.

    >>> from tfp_bvae.data import join_sessions, lorenz
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
            for key in trial_keys(dataset)
        }
        bins = _longest(dataset, {side: rows for side, (rows, _) in parts.items()})
        splits = {
            side: _cut(getattr(dataset, side).select(rows), channels, bins)
            for side, (rows, channels) in parts.items()
        }
        attrs = {key: value for key, value in attrs.items() if key.partition("_")[2] != "session"}
        found[name] = SpikeDataset(**splits, bin_width=dataset.bin_width, attrs=attrs)
    return found


def channels_apart(array: np.ndarray, session: np.ndarray, num_sessions: int) -> np.ndarray:
    """Give the channels of each session columns of their own: other sessions have other neurons.

    So a score of each channel is one of each neuron.

    Args:
        array: `[trial, time, channel]`.
        session: the number of the session of each trial, `[trial]`.
        num_sessions: how many there are.

    Returns:
        `[trial, time, num_sessions * channel]`, NaN in the columns of other sessions.

    >>> channels_apart(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), np.array([1, 0]), 2)[:, 0]
    array([[nan, nan,  1.,  2.],
           [ 3.,  4., nan, nan]])
    """
    own = np.arange(num_sessions) == np.asarray(session)[:, np.newaxis]
    spread = np.where(own[:, np.newaxis, :, np.newaxis], array[:, :, np.newaxis], np.nan)
    return spread.reshape(*array.shape[:2], -1)


def trial_keys(dataset: SpikeDataset) -> list[str]:
    """Each NAME of arrays `train_NAME` and `valid_NAME` that have a value for each trial."""

    def fits(name: str, side: str) -> bool:
        shape = np.shape(dataset.attrs.get(f"{side}_{name}"))
        return bool(shape) and shape[0] == getattr(dataset, side).num_trials

    names = [key.partition("_")[2] for key in dataset.attrs if key.startswith("train_")]
    return [name for name in names if name and all(fits(name, side) for side in SIDES)]


def _names(dataset: SpikeDataset) -> list[str]:
    """The names of the sessions, in order."""
    if dataset.train.session is None:
        raise ValueError("dataset must be of sessions (data.join_sessions makes one), got none")
    names = dataset.attrs.get("session_names")
    if names is None:
        names = np.arange(max(getattr(dataset, side).session.max() for side in SIDES) + 1)
    return [str(name) for name in names]


def _channels(dataset: SpikeDataset, number: int) -> np.ndarray:
    """Which channels of `recon` are a session's: those of `join_sessions`, or all observed ones."""
    seen = dataset.train.encod.shape[2]
    if "session_channels" in dataset.attrs:
        encoded, predicted = dataset.attrs["session_channels"][number]
        return np.r_[:encoded, seen : seen + predicted - encoded]
    observed = np.zeros(dataset.train.recon.shape[2], bool)
    for split in (dataset.train, dataset.valid):
        trials = np.asarray(split.recon[np.flatnonzero(split.session == number)])
        observed |= ~np.isnan(trials).all((0, 1))
    return np.flatnonzero(observed)


def _longest(dataset: SpikeDataset, rows: Mapping[str, np.ndarray]) -> int:
    """Bins of the longest of some trials."""
    return max(int(getattr(dataset, side).bins[trials].max()) for side, trials in rows.items())


def _cut(split: Split, channels: np.ndarray, bins: int) -> Split:
    """A split of one session without the channels and bins that it does not have."""
    forward = split.recon.shape[1] - split.encod.shape[1]
    encoded = channels[channels < split.encod.shape[2]]
    cut = {"encod": np.asarray(split.encod)[:, : bins - forward, encoded]}
    for name in ("recon", "truth"):
        if getattr(split, name) is not None:
            cut[name] = np.asarray(getattr(split, name))[:, :bins, channels]
    if split.ext_input is not None:
        cut["ext_input"] = np.asarray(split.ext_input)[:, :bins]
    length = split.length if split.length is not None and split.length.min() < bins else None
    return Split(**cut, length=length)
