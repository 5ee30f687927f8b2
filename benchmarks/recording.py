"""The benchmark on the motor-cortex recording: its trials, its splits and its scores.

The file comes from `make_m1_day0.py`. Window: go - 0.2 s to go + 1.4 s, 32 bins of 50 ms, rewarded
trials. 20 % of the trials of each target are for validation. Every fourth channel is held out: the
encoders see the other 72, the model predicts all 96.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from tfp_bvae.data import SpikeDataset, Split, stratified_split, trials_from_events
from tfp_bvae.metrics import bits_per_spike, ridge_r2

WINDOW = (-0.2, 1.4)  # s, around the go cue
VALID_FRACTION = 0.2
NUM_FORCE = 2  # the first channels of behaviour; the other 14 are muscles


@dataclass(frozen=True)
class Recording:
    """Rewarded trials of the session.

    Args:
        counts: `[trial, bin, channel]`, spikes per bin.
        behavior: `[trial, bin, 16]`: force x, y and 14 muscles, arbitrary units.
        target: `[trial]`, 1 to 8.
        bin_width: s.
    """

    counts: np.ndarray
    behavior: np.ndarray
    target: np.ndarray
    bin_width: float


def load_recording(path: str | Path) -> Recording:
    """Cut the rewarded trials out of the continuous recording."""
    with h5py.File(path, "r") as file:
        bin_width = float(file.attrs["bin_seconds"])
        rewarded = file["trials/result"][()] == b"R"
        go = file["trials/go"][()][rewarded]
        target = file["trials/target"][()][rewarded]
        counts, force, emg = (file[name][()] for name in ("counts", "force", "emg"))
        start = float(file["time"][0])
    samples = np.concatenate([counts, force, emg], axis=-1, dtype=np.float32)
    trials, kept = trials_from_events(samples, go, WINDOW, bin_width, start=start, outside="drop")
    channels = counts.shape[-1]
    return Recording(trials[..., :channels], trials[..., channels:], target[kept], bin_width)


def held_out(num_channels: int) -> np.ndarray:
    """Which channels the encoders do not see: index 3, 7, 11, ..."""
    return np.arange(num_channels) % 4 == 3


def make_dataset(path: str | Path, seed: int) -> SpikeDataset:
    """One seeded split of the recording.

    `recon` has all channels, the held-in ones first: `recon[..., :72]` is `encod`.

    Returns:
        A dataset with, in `attrs`: `train_behavior` and `valid_behavior` `[trial, bin, 16]`,
        `train_target` and `valid_target` `[trial]`, `channel_order` (index of each channel of
        `recon` in the recording) and `num_held_in`.
    """
    recording = load_recording(path)
    hidden = held_out(recording.counts.shape[-1])
    order = np.concatenate([np.flatnonzero(~hidden), np.flatnonzero(hidden)])
    num_held_in = int(np.sum(~hidden))
    splits, attrs = [], {"channel_order": order, "num_held_in": num_held_in}
    drawn = stratified_split(recording.target, VALID_FRACTION, seed)
    for side, trials in zip(("train", "valid"), drawn, strict=True):
        recon = recording.counts[trials][..., order]
        splits.append(Split(encod=recon[..., :num_held_in], recon=recon))
        attrs[f"{side}_behavior"] = recording.behavior[trials]
        attrs[f"{side}_target"] = recording.target[trials]
    return SpikeDataset(*splits, bin_width=recording.bin_width, attrs=attrs)


def co_bps(rates_valid: np.ndarray, dataset: SpikeDataset) -> float:
    """Co-smoothing: bits per spike of the held-out channels on the validation trials."""
    hidden = slice(dataset.attrs["num_held_in"], None)
    return bits_per_spike(rates_valid[..., hidden], dataset.valid.recon[..., hidden])


def behavior_r2(
    features_train: np.ndarray, features_valid: np.ndarray, dataset: SpikeDataset
) -> dict[str, float]:
    """R2 of force and of muscle activity read out by ridge, averaged over their channels."""
    r2 = ridge_r2(
        features_train,
        dataset.attrs["train_behavior"],
        features_valid,
        dataset.attrs["valid_behavior"],
    )
    return {"force_r2": float(r2[:NUM_FORCE].mean()), "emg_r2": float(r2[NUM_FORCE:].mean())}


def score(
    rates_train: np.ndarray, rates_valid: np.ndarray, dataset: SpikeDataset
) -> dict[str, float]:
    """Scores of a model: `co_bps`, `force_r2` and `emg_r2`.

    Args:
        rates_train: rates of the training trials, `[trial, bin, 96]`, spikes per bin, channels in
            the order of `recon`.
        rates_valid: rates of the validation trials.
        dataset: from `make_dataset`.
    """
    logs = (np.log(np.maximum(rates, 1e-9)) for rates in (rates_train, rates_valid))
    return {"co_bps": co_bps(rates_valid, dataset), **behavior_r2(*logs, dataset)}
