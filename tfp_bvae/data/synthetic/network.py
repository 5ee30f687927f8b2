"""Neurons that are the units of a chaotic recurrent network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import checks
from ..containers import SpikeDataset
from .conditions import as_dataset, condition_indices, training_trials

BIN_WIDTH = 0.01  # s, and the step of the network
LEAK = BIN_WIDTH / 0.025  # of a unit's time constant, 25 ms
PULSE = 20.0  # size of an input pulse
MAX_RATE = 30.0  # spikes/s
NORMALIZE = ("trial", "global")
LARGEST_SEED = 2**32 - 1
LARGEST_GAIN = 1e6  # far beyond any use; keeps the sums finite


def chaotic_rnn(
    seed: int = 0,
    *,
    gain: float = 1.5,
    pulses: bool = False,
    num_conditions: int = 400,
    num_channels: int = 50,
    num_trials: int = 10,
    num_valid: int = 2,
    num_bins: int = 100,
    normalize: str = "trial",
) -> SpikeDataset:
    r"""Poisson spikes of the units of a random network, from one initial state per condition.

    $$x_t = (1 - \tfrac{\Delta}{\tau}) x_{t-1} + \tfrac{\Delta}{\tau} \left( g W r_{t-1} +
      20\, B\, [t = t_{\mathrm{in}}] \right), \quad r_t = \tanh x_t$$

    with $\Delta$ = 10 ms, a bin; $\tau$ = 25 ms; $W \sim \mathcal N(0, 1/N)$; $B \sim
    \mathcal N(0, I)$; $x_0 \sim \mathcal N(0, I)$ per condition, not part of the trial. The last
    term is there with `pulses`: one per trial, in a random bin of its middle half, always in the
    same direction $B$. Activity is normalised to 0..1, and 1 means 30 spikes/s.

    With `normalize="trial"`, as in the paper, the least and the largest activity of every unit in
    every trial become 0 and 1. This hides how strongly a unit is driven in one trial and another,
    and with a pulse it shifts the bins before the pulse too. `"global"` takes them over all trials.

    Without pulses, the trials of a condition share their rates and differ only in the Poisson draw.
    With them, they are the same up to the pulse (if normalised globally). Trials are ordered by
    condition; the last `num_valid` draws of each are for validation.

    Args:
        seed: seed of `numpy.random.RandomState`, whose stream is frozen. Draws come in the order of
            the authors' script: `seed=5` gives the network that it names the paper's, and with its
            other settings (the defaults here) its initial states, pulse times and spikes, as far
            as round-off does not decide. More trials do not change network and initial states.
        gain: $g$, 0 to 1e6; the network is chaotic above 1: 1.5 mildly, 2.5 strongly.
        pulses: whether there is an input pulse in each trial.
        num_conditions: number of initial states.
        num_channels: number $N$ of units, all of them recorded.
        num_trials: trials per condition, training and validation together.
        num_valid: validation trials per condition.
        num_bins: length of a trial, bins of 10 ms.
        normalize: "trial" or "global".

    Returns:
        A dataset with `truth` (expected spikes per bin), and in `attrs`: `train_cond_idx` and
        `valid_cond_idx` `[trial]`, `weights` `[channel, channel]`, $W$ (row: to, column: from),
        `initial_states` `[condition, channel]`, `gain` and `normalize`; with pulses also
        `train_pulse_time` and `valid_pulse_time` `[trial]`, the first bin that feels the pulse,
        and `pulse_direction` `[channel]`, $B$.

    Raises:
        TypeError: a size is not a whole number, or `pulses` is not True or False.
        ValueError: a size, the seed or the gain is out of range, `num_valid` leaves no training
            trial, or the gain is so large that a unit is stuck at its limit for a whole trial.

    Sussillo, Jozefowicz, Abbott and Pandarinath (2016), "LFADS - Latent Factor Analysis
    via Dynamical Systems".

    >>> data = chaotic_rnn(seed=5, num_conditions=3, num_trials=5, num_valid=1, pulses=True)
    >>> data.train, data.bin_width
    (Split(12 trials, encod 100 x 50, recon 100 x 50, truth), 0.01)
    >>> round(float(data.attrs["weights"][0, 0]), 8)  # what the authors' script insists on
    0.06239899
    >>> data.attrs["valid_cond_idx"], data.attrs["valid_pulse_time"].shape
    (array([0, 1, 2]), (3,))
    """
    if checks.whole_number("seed", seed, minimum=0) > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}, got {seed}")
    gain = checks.in_interval("gain", gain, 0, LARGEST_GAIN)
    checks.boolean("pulses", pulses)
    checks.whole_number("num_conditions", num_conditions, minimum=1)
    checks.whole_number("num_channels", num_channels, minimum=1)
    num_train = training_trials(num_trials, num_valid)
    checks.whole_number("num_bins", num_bins, minimum=2)
    checks.one_of("normalize", normalize, NORMALIZE)

    rng = np.random.RandomState(seed)
    weights = rng.randn(num_channels, num_channels) / math.sqrt(num_channels)
    direction = rng.randn(num_channels)
    rng.randn(num_channels)  # a second direction, which the script draws and does not use
    initial = rng.randn(num_conditions, num_channels)
    per_trial = {"cond_idx": condition_indices(num_conditions, num_trials)}
    attrs: dict[str, Any] = {
        "weights": weights,
        "initial_states": initial,
        "gain": gain,
        "normalize": normalize,
    }
    kicks = np.zeros((num_conditions, 1, num_bins))  # without pulses, one trial stands for all
    if pulses:
        times = num_bins // 4 + rng.choice(num_bins // 2, size=(num_conditions, num_trials))
        kicks = PULSE * (times[..., None] == np.arange(num_bins))
        per_trial["pulse_time"] = times
        attrs["pulse_direction"] = direction

    activity = _activity(gain * weights, initial, kicks, direction)
    rates = _normalise(activity, normalize) * MAX_RATE * BIN_WIDTH
    counts = _spikes(rng, rates, num_trials)
    return as_dataset(counts, rates, num_train, BIN_WIDTH, per_trial, attrs)


def _activity(
    weights: np.ndarray, initial: np.ndarray, kicks: np.ndarray, direction: np.ndarray
) -> np.ndarray:
    """Activity of the units after each step, `[condition, trial, bin, unit]`.

    Args:
        weights: times the gain, `[to, from]`.
        initial: states before the first bin, `[condition, unit]`.
        kicks: the input, `[condition, trial, bin]`.
        direction: of the input, `[unit]`.
    """
    path = np.empty((*kicks.shape, len(direction)))
    state = np.broadcast_to(initial[:, None], (*kicks.shape[:2], len(direction)))
    for step in range(kicks.shape[-1]):
        drive = np.tanh(state) @ weights.T + kicks[:, :, step, None] * direction
        state = (1 - LEAK) * state + LEAK * drive
        path[:, :, step] = np.tanh(state)
    return path


def _normalise(activity: np.ndarray, normalize: str) -> np.ndarray:
    """To 0..1 per unit, over the bins of each trial or over all trials and bins."""
    axes = 2 if normalize == "trial" else (0, 1, 2)
    low, high = activity.min(axis=axes, keepdims=True), activity.max(axis=axes, keepdims=True)
    stuck = np.count_nonzero(low == high)
    if stuck:
        raise ValueError(
            "gain must let the activity of every unit change within every trial; "
            f"{stuck} of {low.size} never change"
        )
    scaled = activity - low
    scaled /= high - low
    return scaled


def _spikes(rng: np.random.RandomState, rates: np.ndarray, num_trials: int) -> np.ndarray:
    """Counts `[condition, trial, bin, unit]`, drawn trial by trial and unit by unit."""
    by_unit = rates.swapaxes(2, 3)
    num_conditions, _, num_units, num_bins = by_unit.shape
    counts = rng.poisson(by_unit, size=(num_conditions, num_trials, num_units, num_bins))
    return counts.swapaxes(2, 3)
