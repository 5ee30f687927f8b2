"""Tiny files and arrays that stand in for a reader's own, under the names that pages have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from nwb_files import write_nwb
from peer_weights import random_weights

from tfp_bvae import data, inference, models, training
from tfp_bvae.cli import main

SHORT = ("epochs=1", "warm_up=0", "batch_size=16", "jit_compile=false")
CUT = [word for setting in SHORT for word in ("--set", setting)]
TINY = {"num_conditions": 4, "num_channels": 6, "num_trials": 10, "num_valid": 2}


def lorenz(seed: int = 0) -> data.SpikeDataset:
    """32 training and 8 validation trials of 10 bins and 6 channels."""
    return data.synthetic.lorenz(seed=seed, duration_ms=200, **TINY)


def counts(*shape: int) -> np.ndarray:
    """Spikes that nothing drives."""
    return np.random.default_rng(0).poisson(1.0, shape).astype("float32")


def write_trials(path: Path) -> None:
    """Trials, as most pages mean them."""
    data.write_hdf5(path, lorenz())


def write_recording(path: Path) -> None:
    """A recording that runs on."""
    with h5py.File(path, "w") as file:
        file["spikes"] = counts(4000, 6).astype("u1")
        file["bin_width"] = 0.02


def write_classes(path: Path) -> None:
    """Trials with a static class."""
    data.write_hdf5(path, data.static_dynamic(seed=0, num_trials=12, num_valid=4, num_channels=6))


def write_weights(path: Path) -> None:
    """A checkpoint of lfads-torch, for the tiny trials."""
    np.savez(path, **random_weights(6, [6]))


def labelled_trials() -> xr.Dataset:
    """Trials of thirteen channels with names, some held out, and a condition."""
    trials = data.trials_dataset(
        counts(24, 10, 13),
        bin_width=0.02,
        coords={"channel": [f"c{i}" for i in range(13)], "condition": np.arange(24) % 3},
    )
    return data.hold_out_channels(data.split_trials(trials, 0.25, seed=0), every=4)


def write_run(path: Path) -> None:
    """A run of one epoch on those."""
    trials = path.with_name("of_run.h5").absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save(trials, labelled_trials())
    assert main(["fit", str(trials), "--out", str(path), *CUT]) == 0


FILES: dict[str, dict[str, Callable[[Path], None]]] = {
    "README": {"recording.h5": write_trials, "recording.nwb": write_nwb},
    "data": {"session.nwb": write_nwb},
    "command_line": {
        "session.nwb": write_nwb,
        "recording.h5": write_recording,
        "monday.h5": write_trials,
        "tuesday.h5": write_trials,
        "other.h5": write_trials,
        "weights.npz": write_weights,
        "theirs.h5": write_trials,
    },
    "long_recordings": {"recording.h5": write_recording, "large.h5": write_trials},
    "many_sessions": dict.fromkeys(("monday.h5", "tuesday.h5", "tuesday_later.h5"), write_trials),
    "report": {"runs/mine": write_run},
    "results": {"run": write_run},
    "dsae_factorized": {"trials.h5": write_classes},
    "runs_that_survive": {"trials.h5": write_trials},
}


def labelled(names: list[str]) -> dict[str, Any]:
    """What `trials_dataset` is given on the page of data."""
    return {
        "np": np,
        "spikes": counts(12, 80, 3),
        "hand": np.zeros([12, 80, 2]),
        "target": np.arange(12) % 4,
        "names": names,
        "day": np.repeat(["monday"], 12),
    }


def of_segments() -> dict[str, Any]:
    """A recording, and a model that takes segments of it."""
    model = models.fhvae({"channels": 6, "num_groups": 1}, {"segment_length": 20})
    return {"counts": counts(100, 6), "model": model, "data": data, "inference": inference}


def built_on() -> dict[str, Any]:
    """What the page of DSAE leaves to that of its other form."""
    trials = data.static_dynamic(seed=0, num_trials=12, num_valid=4, num_channels=6)
    return {"dataset": trials, "models": models, "training": training}


ARRAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "data": lambda: labelled(["a", "b", "c"]),
    "long_recordings": lambda: {"counts": counts(4000, 6)},
    "many_sessions": lambda: {
        day: lorenz(seed) for seed, day in enumerate(("monday", "tuesday", "friday"))
    },
    "missing": lambda: {"counts": counts(100, 50, 8), "rng": np.random.default_rng(0)},
    "dsae_factorized": built_on,
    "fhvae": of_segments,
    "results": lambda: {"dataset": data.to_splits(labelled_trials())},
}
