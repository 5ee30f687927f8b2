"""The same neurons and the same dynamics in several recordings, with other gains, and drifting."""

from __future__ import annotations

import math

import numpy as np

from ... import checks
from ..containers import SpikeDataset
from .conditions import as_dataset, condition_indices, training_trials
from .oscillator import LATENT_DIM, draw_loadings, oscillate, transition_matrix

BIN_WIDTH = 0.02  # s


def sessions(
    seed: int = 0,
    *,
    num_sessions: int = 2,
    num_channels: int = 30,
    num_trials: int = 300,
    num_valid: int = 50,
    num_bins: int = 40,
    gain: float = 0.4,
    drift: float = 0.4,
    base_rate: float = 40.0,
) -> SpikeDataset:
    r"""Poisson spikes of one noisy oscillator, seen in recordings of other gains that drift.

    $$\log r_{skt} = \log b + \log g_s + d_{sk} + z_{skt} C, \quad
      \log g_s \sim \mathcal N(0, \gamma^2 I), \quad
      d_{sk} = \delta\, \left( u_k v_s + w_{sk} \right)$$

    in bin $t$ of trial $k$ of session $s$. The oscillator $z$ and the loadings $C$ are those of
    `static_dynamic`: the same process in each session, at a phase of its own in each trial. A
    session has a gain $g$ for each neuron, and the base rates drift from trial to trial: along a
    direction of the session, $v_s \sim \mathcal N(0, I)$, with $u_k$ from -1/2 in its first to 1/2
    in its last trial, and each neuron on a random walk besides, $w_{sk} = w_{s,k-1} +
    \mathcal N(0, I / K)$ of $K$ trials, less its mean over them. So $\log g_s$ is the mean of the
    session, and from its first to its last trial each term of $d$ moves a neuron by about $\delta$.

    Trials are ordered by session, and in each session by time. Validation trials are spread
    evenly through the session, so that its drift is theirs as well.

    Args:
        seed: seed of `numpy.random.default_rng`; the same seed gives the same data. The neurons,
            the sessions, the walks, the oscillator and the counts have a stream each: more trials
            do not change neurons and gains, and more sessions not the first ones.
        num_sessions: number of sessions.
        num_channels: number of neurons, the same in each session.
        num_trials: trials per session, training and validation together.
        num_valid: validation trials per session.
        num_bins: length of a trial, bins of 20 ms.
        gain: $\gamma$, standard deviation of the log-gains; 0: sessions differ in drift alone.
        drift: $\delta$, of log-rates; 0: sessions are stationary.
        base_rate: rate $b$ of a neuron where the others are zero, spikes/s.

    Returns:
        A dataset with `truth` (expected spikes per bin), and in `attrs`: `train_session` and
        `valid_session` `[trial]`; `train_trial_in_session` and the same of validation, $k$, from 0;
        `train_dynamic` and `valid_dynamic` `[trial, bin, 2]`, $z$; `train_drift` and `valid_drift`
        `[trial, channel]`, $d$; `log_gains` `[session, channel]`, `drift_directions`
        `[session, channel]`, $v$; `dynamic_loadings` `[2, channel]`, and `transition` `[2, 2]`.

    Raises:
        TypeError: a size is not a whole number.
        ValueError: a size is too small, `num_valid` leaves no training trial, or `gain` or `drift`
            is negative.

    In the manner of the sequences of Hsu, Zhang and Glass (2017), "Unsupervised learning of
    disentangled and interpretable representations from sequential data": a recording has something
    to itself, beside what changes within it.

    >>> data = sessions(seed=1, num_trials=6, num_valid=2)
    >>> data.train, data.attrs["valid_session"]
    (Split(8 trials, encod 40 x 30, recon 40 x 30, truth), array([0, 0, 1, 1]))
    >>> data.attrs["valid_trial_in_session"], data.attrs["valid_drift"].shape
    (array([1, 4, 1, 4]), (4, 30))
    """
    checks.whole_number("seed", seed, minimum=0)
    checks.whole_number("num_sessions", num_sessions, minimum=1)
    checks.whole_number("num_channels", num_channels, minimum=1)
    num_train = training_trials(num_trials, num_valid)
    checks.whole_number("num_bins", num_bins, minimum=1)
    checks.in_interval("gain", gain, low=0.0)
    checks.in_interval("drift", drift, low=0.0)
    base_rate = checks.positive("base_rate", base_rate)
    neuron_rng, session_rng, walk_rng, latent_rng, count_rng = np.random.default_rng(seed).spawn(5)

    loadings = draw_loadings(neuron_rng, num_channels)
    own = session_rng.standard_normal((num_sessions, 2, num_channels))
    log_gains, directions = gain * own[:, 0], own[:, 1]
    steps = walk_rng.standard_normal((num_sessions, num_trials, num_channels))
    drifts = drift * _courses(directions, steps)  # [session, trial, channel]
    noise = latent_rng.standard_normal((num_sessions, num_trials, num_bins, LATENT_DIM))
    transition = transition_matrix()
    dynamic = oscillate(transition, noise)  # [session, trial, bin, 2]

    offsets = math.log(base_rate * BIN_WIDTH) + log_gains[:, None] + drifts
    rates = np.exp(offsets[:, :, None] + dynamic @ loadings)
    counts = count_rng.poisson(rates)
    order = _training_first(num_trials, num_valid)
    per_trial = {
        "session": condition_indices(num_sessions, num_trials),
        "trial_in_session": np.broadcast_to(np.arange(num_trials), (num_sessions, num_trials)),
        "dynamic": dynamic,
        "drift": drifts,
    }
    return as_dataset(
        counts[:, order],
        rates[:, order],
        num_train,
        BIN_WIDTH,
        per_trial={name: values[:, order] for name, values in per_trial.items()},
        attrs={
            "log_gains": log_gains,
            "drift_directions": directions,
            "dynamic_loadings": loadings,
            "transition": transition,
        },
    )


def _courses(directions: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """A trend along the direction of each session, and a walk: `[session, trial, channel]`."""
    num_trials = steps.shape[1]
    place = np.linspace(-0.5, 0.5, num_trials)
    walk = np.cumsum(steps, axis=1) / math.sqrt(num_trials)
    return place[:, None] * directions[:, None] + walk - walk.mean(axis=1, keepdims=True)


def _training_first(num_trials: int, num_valid: int) -> np.ndarray:
    """Trials in the order of time, those for validation, at equal distances, after the others."""
    held = ((np.arange(num_valid) + 0.5) * num_trials / num_valid).astype(int)
    return np.concatenate([np.setdiff1d(np.arange(num_trials), held), held])
