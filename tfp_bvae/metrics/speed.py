"""How fast inferred rates move, against the time that an animal lets pass."""

from __future__ import annotations

import numpy as np

from .. import checks

__all__ = ["speed_correlation"]


def speed_correlation(
    rates: np.ndarray, produced: np.ndarray, condition: np.ndarray, observed: np.ndarray
) -> float:
    r"""Correlation of neural speed with the produced interval; `tp corr` of the benchmark.

    $$v_n = \frac{1}{T_n - 1} \sum_{t} \lVert r_{n,t} - r_{n,t-1} \rVert$$

    Pearson's correlation of `v` and the interval within each condition, averaged over conditions.
    Slower dynamics mean a longer interval, so that more negative is better.

    Args:
        rates: inferred rates, `[trial, time, channel]`, spikes per bin.
        produced: interval that the animal produced, `[trial]`, s; of dmfc_rsg it is
            `eval_behavior[:, -1]`.
        condition: what makes a condition, `[trial, any]` or `[trial]`; of dmfc_rsg it is
            `eval_behavior[:, :3]`. A trial with a NaN in it is left out.
        observed: bins between Set and Go, `[trial, time]`, bool; of dmfc_rsg those where the
            held-out spikes are not NaN.

    Raises:
        ValueError: shapes do not match, no trial is left, or a condition has fewer than two trials,
            or none that differ.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> rates = np.array([[[0.0], [3.0]], [[0.0], [2.0]], [[0.0], [1.0]]])
    >>> round(speed_correlation(rates, [0.5, 0.6, 0.7], [0, 0, 0], np.full((3, 2), True)), 6)
    -1.0
    """
    rates, produced = np.asarray(rates, np.float64), np.asarray(produced, np.float64)
    checks.rank("rates", rates.shape, 3)
    checks.rank("produced", produced.shape, 1)
    condition = np.asarray(condition, np.float64).reshape(len(condition), -1)
    observed = np.asarray(observed)
    names = ["rates", "produced", "condition", "observed"]
    arrays = [rates, produced, condition, observed]
    checks.same_length(names, [len(x) for x in arrays], "trials")
    if observed.shape != rates.shape[:2] or observed.dtype != bool:
        raise ValueError(
            f"observed must be boolean, {rates.shape[:2]}, got {observed.dtype} {observed.shape}"
        )
    known = ~np.isnan(condition).any(axis=1)
    if not known.any():
        raise ValueError("condition must be known of at least one trial, got NaN of all")
    labels = np.unique(condition[known], axis=0)
    found = []
    for label in labels:
        trials = np.flatnonzero((condition == label).all(axis=1))
        speeds = np.array([_speed(rates[n][observed[n]]) for n in trials])
        found.append(_pearson(speeds, produced[trials], label))
    return float(np.mean(found))


def _speed(trial: np.ndarray) -> float:
    if len(trial) < 2:
        raise ValueError(f"observed must have at least two bins of each trial, got {len(trial)}")
    return float(np.linalg.norm(np.diff(trial, axis=0), axis=1).mean())


def _pearson(x: np.ndarray, y: np.ndarray, label: np.ndarray) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = np.linalg.norm(x) * np.linalg.norm(y)
    if not size > 0:
        raise ValueError(
            f"condition {label.tolist()} must have trials of other speeds and other intervals, "
            f"got {len(x)} trials"
        )
    return float(x @ y / size)
