"""Rates, spikes and behaviour for `nlb_parity.py`: simulated, with gaps, and nearly collinear."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tfp_bvae import data

BINS, HELD_IN = 40, 20  # that the encoders would see


class Case(NamedTuple):
    """What both sides score."""

    name: str
    train_rates: np.ndarray  # [trial, time, channel], spikes per bin
    eval_rates: np.ndarray
    train_spikes: np.ndarray
    eval_spikes: np.ndarray
    train_velocity: np.ndarray  # [trial, time, 2], NaN where it is not known
    eval_velocity: np.ndarray
    train_condition: np.ndarray  # [trial]
    eval_condition: np.ndarray


def lorenz(seed: int) -> Case:
    """A simulated system: its rates with an error on them, velocity a mix of the rates."""
    found = data.lorenz(num_conditions=8, num_trials=20, num_valid=4, seed=seed)
    rng = np.random.default_rng(seed)
    sides = [found.train, found.valid]
    rates = [s.truth * rng.lognormal(0, 0.1, s.truth.shape) for s in sides]
    mix = rng.normal(size=(rates[0].shape[-1], 2))
    velocity = [x @ mix + 0.3 * rng.normal(size=(*x.shape[:2], 2)) for x in rates]
    conditions = [found.attrs[f"{side}_cond_idx"] for side in ("train", "valid")]
    spikes = [side.recon.astype(float) for side in sides]
    return Case(f"Lorenz, seed {seed}", *rates, *spikes, *velocity, *conditions)


def missing(seed: int) -> Case:
    """Random numbers with gaps in spikes and behaviour, zero rates and a silent channel."""
    rng = np.random.default_rng(seed)
    rates = [rng.gamma(0.5, 0.5, size=(trials, 50, 30)) for trials in (60, 25)]
    spikes = [rng.poisson(x).astype(float) for x in rates]
    velocity = [rng.normal(size=(len(x), 50, 2)) + x[..., :2] for x in rates]
    for x, k, v in zip(rates, spikes, velocity, strict=True):
        x[rng.random(x.shape) < 0.01] = 0.0
        k[..., 23] = 0.0
        k[rng.random(k.shape[:2]) < 0.1] = np.nan
        v[rng.random(v.shape[:2]) < 0.1] = np.nan
    conditions = [rng.integers(0, 5, size=len(x)) for x in rates]
    return Case(f"random with gaps, seed {seed}", *rates, *spikes, *velocity, *conditions)


def collinear(seed: int) -> Case:
    """Many channels that are mixes of a few factors, in small units: what a model's rates are."""
    case, rng = missing(seed), np.random.default_rng(seed)
    mix = np.exp(rng.normal(size=(6, 30)))
    rates = [1e-2 * x[..., :6] @ mix + 1e-4 for x in case[1:3]]
    return Case(f"collinear, seed {seed}", *rates, *case[3:])
