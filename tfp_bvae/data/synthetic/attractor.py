"""Neurons driven by the Lorenz attractor."""

from __future__ import annotations

import math

import numpy as np

from ... import checks
from ..containers import SpikeDataset
from .conditions import as_dataset, condition_indices, training_trials

EULER_STEP = 0.006  # Lorenz time that passes in one millisecond
LATENT_DIM = 3


def lorenz(
    seed: int = 0,
    *,
    num_conditions: int = 65,
    num_channels: int = 30,
    num_trials: int = 20,
    num_valid: int = 4,
    duration_ms: int = 1000,
    bin_width_ms: int = 20,
    base_rate: float = 5.0,
    session: int = 0,
) -> SpikeDataset:
    r"""Poisson spikes of neurons driven by a Lorenz system, one trajectory per condition.

    $$\dot y_1 = 10 (y_2 - y_1), \quad \dot y_2 = y_1 (28 - y_3) - y_2, \quad
      \dot y_3 = y_1 y_2 - \tfrac83 y_3$$

    Euler steps of 0.006, one per millisecond, from $2\,\mathcal N(0, I)$, without burn-in. Per
    condition and dimension the trajectory is centred on its time mean and divided by its largest
    absolute value. Rate per ms = exp(latents . loadings + log(base_rate / 1000)), with loadings
    1.5 / sqrt(3) * (random sign) * U(1, 2); rates are summed over each bin, and counts drawn.

    The trials of a condition share their rates, and differ only in the Poisson draw. Trials are
    ordered by condition; the last `num_valid` draws of each condition are for validation.

    Args:
        seed: seed of `numpy.random.default_rng`; the same seed gives the same data. Initial states,
            loadings and counts have a stream each: more trials do not change the rates.
        num_conditions: number of initial states.
        num_channels: number of neurons.
        num_trials: trials per condition, training and validation together.
        num_valid: validation trials per condition.
        duration_ms: length of a trial, ms; a multiple of `bin_width_ms`.
        bin_width_ms: width of a bin, ms.
        base_rate: rate of a neuron where the latents are zero, spikes/s.
        session: the same system and the same conditions, seen by other neurons in other trials.

    Returns:
        A dataset with `truth` (expected spikes per bin), and in `attrs`: `train_cond_idx` and
        `valid_cond_idx` `[trial]`, `latents` `[condition, bin, 3]` (mean over the bin), `loadings`
        `[3, channel]`.

    Raises:
        TypeError: a size is not a whole number.
        ValueError: a size is too small, `num_valid` leaves no training trial, or the bins do not
            fill the trial.

    Sussillo, Jozefowicz, Abbott and Pandarinath (2016), "LFADS - Latent Factor Analysis
    via Dynamical Systems".

    >>> data = lorenz(seed=1, num_conditions=3, num_trials=5, num_valid=1)
    >>> data.train, data.bin_width
    (Split(12 trials, encod 50 x 30, recon 50 x 30, truth), 0.02)
    >>> data.attrs["valid_cond_idx"]
    array([0, 1, 2])
    """
    num_conditions = checks.whole_number("num_conditions", num_conditions, minimum=1)
    num_channels = checks.whole_number("num_channels", num_channels, minimum=1)
    num_train = training_trials(num_trials, num_valid)
    _check_bins(duration_ms, bin_width_ms)
    base_rate = checks.positive("base_rate", base_rate)
    session = checks.whole_number("session", session, minimum=0)
    state_rng, loading_rng, count_rng = np.random.default_rng(seed).spawn(3)
    if session:
        loading_rng, count_rng = np.random.default_rng([seed, session]).spawn(2)

    initial = 2 * state_rng.standard_normal((num_conditions, LATENT_DIM))
    latents = _normalise(_trajectories(initial, duration_ms))
    loadings = _loadings(loading_rng, num_channels)
    per_ms = np.exp(latents @ loadings + math.log(base_rate / 1000))  # [condition, ms, channel]
    rates = _by_bin(per_ms, bin_width_ms).sum(axis=2)  # [condition, bin, channel]
    counts = count_rng.poisson(rates, size=(num_trials, *rates.shape)).swapaxes(0, 1)

    return as_dataset(
        counts,
        rates[:, None],
        num_train,
        bin_width_ms / 1000,
        per_trial={"cond_idx": condition_indices(num_conditions, num_trials)},
        attrs={"latents": _by_bin(latents, bin_width_ms).mean(axis=2), "loadings": loadings},
    )


def _check_bins(duration_ms: int, bin_width_ms: int) -> None:
    checks.whole_number("bin_width_ms", bin_width_ms, minimum=1)
    checks.whole_number("duration_ms", duration_ms, minimum=2)
    if duration_ms % bin_width_ms:
        raise ValueError(
            f"duration_ms must be a multiple of bin_width_ms, {bin_width_ms}, got {duration_ms}"
        )


def _trajectories(initial: np.ndarray, num_steps: int) -> np.ndarray:
    """Euler path of the Lorenz system, the initial state first: `[condition, step, 3]`."""
    path = np.empty((initial.shape[0], num_steps, LATENT_DIM))
    path[:, 0] = initial
    for step in range(1, num_steps):
        y1, y2, y3 = path[:, step - 1].T
        velocity = np.stack([10 * (y2 - y1), y1 * (28 - y3) - y2, y1 * y2 - 8 / 3 * y3], axis=-1)
        path[:, step] = path[:, step - 1] + EULER_STEP * velocity
    return path


def _normalise(path: np.ndarray) -> np.ndarray:
    """Per condition and dimension: minus the time mean, over the largest absolute value."""
    centred = path - path.mean(axis=1, keepdims=True)
    return centred / np.abs(centred).max(axis=1, keepdims=True)


def _loadings(rng: np.random.Generator, num_channels: int) -> np.ndarray:
    shape = (LATENT_DIM, num_channels)
    sign = rng.choice([-1.0, 1.0], size=shape)
    return 1.5 / math.sqrt(LATENT_DIM) * sign * rng.uniform(1, 2, size=shape)


def _by_bin(per_ms: np.ndarray, bin_width_ms: int) -> np.ndarray:
    """Split the time axis: `[condition, ms, feature]` to `[condition, bin, ms in bin, feature]`."""
    num_conditions, num_ms, num_features = per_ms.shape
    return per_ms.reshape(num_conditions, num_ms // bin_width_ms, bin_width_ms, num_features)
