"""Mean responses of conditions, and how well inferred rates match them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import checks
from .spikes import r2_per_channel

__all__ = ["psth", "psth_r2", "smooth_spikes"]


def smooth_spikes(spikes: np.ndarray, scale: float) -> np.ndarray:
    r"""Smooth along time with a Gaussian, as `nlb_tools` does before it averages a PSTH.

    $$y_t = \sum_j w_j \, x_{t + c - j}, \qquad w_j \propto e^{-(j - (n - 1) / 2)^2 / 2 s^2}$$

    The kernel has $n = \lfloor 6 s \rfloor$ bins, `c = (n - 1) // 2`, and sums to one; with `n`
    even the result is half a bin late. Beyond the ends, and beyond bins that were not observed,
    stand zeros: rates fall off there, so smooth a recording before it is cut into trials where
    there is one. Each run of observed bins is smoothed alone.

    Args:
        spikes: counts, `[..., time, channel]`; NaN marks what was not observed, and stays.
        scale: standard deviation, bins; the benchmark has 70 ms (mc_maze, dmfc_rsg), 50 ms (the
            smaller mazes) and 40 ms (area2_bump). A kernel of one bin leaves all as it is.

    Raises:
        ValueError: there are no two axes, or `scale` is not above 0.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> smooth_spikes([[0.0], [0.0], [1.0], [0.0], [0.0]], scale=0.5).ravel().round(3)
    array([0.   , 0.107, 0.787, 0.107, 0.   ])
    """
    spikes = np.asarray(spikes, np.float64)
    if spikes.ndim < 2:
        raise ValueError(f"spikes must be [..., time, channel], got shape {spikes.shape}")
    kernel = _kernel(checks.positive("scale", scale))
    if not np.isnan(spikes).any():
        return np.moveaxis(_convolved(np.moveaxis(spikes, -2, 0), kernel), 0, -2)
    lines = np.moveaxis(spikes, -2, -1)
    smooth = np.full(lines.shape, np.nan)
    for index in np.ndindex(lines.shape[:-1]):
        seen = np.flatnonzero(~np.isnan(lines[index]))
        for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
            smooth[index][run] = _convolved(lines[index][run], kernel)
    return np.moveaxis(smooth, -1, -2)


def psth(spikes: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """Mean response of each condition: the mean over its trials, where they were observed.

    Args:
        spikes: counts (smoothed by `smooth_spikes`, say) or rates, `[trial, time, channel]`; NaN
            marks what was not observed.
        condition: number of each trial's condition, `[trial]`, from 0 on; -1 for none.

    Returns:
        `[condition, time, channel]`, unit of `spikes`; NaN where no trial was observed.

    Raises:
        ValueError: shapes do not match, or conditions are not whole numbers of at least -1.

    >>> psth([[[1.0]], [[3.0]], [[5.0]]], [0, 0, 1]).tolist()
    [[[2.0]], [[5.0]]]
    """
    spikes = np.asarray(spikes, np.float64)
    checks.rank("spikes", spikes.shape, 3)
    members = _members(condition, len(spikes), None)
    found = np.full((len(members), *spikes.shape[1:]), np.nan)
    for index, trials in enumerate(members):
        count = (~np.isnan(spikes[trials])).sum(axis=0)
        total = np.nansum(spikes[trials], axis=0)
        np.divide(total, count, out=found[index], where=count > 0)
    return found


def psth_r2(
    true: np.ndarray,
    rates: np.ndarray,
    condition: np.ndarray | Sequence[np.ndarray],
    jitter: np.ndarray | None = None,
) -> float:
    """R2 of the mean inferred rates of conditions against PSTHs; `psth R2` of the benchmark.

    Conditions and bins are put one after the other, R2 is taken of each channel and averaged over
    channels. A condition without a trial is left out, and so are bins in which the PSTH of the
    first channel is NaN.

    Args:
        true: PSTHs, `[condition, time, channel]`, in the unit of the rates; NaN for unknown.
        rates: inferred rates, `[trial, time, channel]`.
        condition: number of each trial's row in `true`, `[trial]`, -1 for none; or, as the files of
            the benchmark have it (`eval_cond_idx`), for each row the numbers of its trials.
        jitter: by how many bins each trial was moved when it was cut, `[trial]`: its rates are
            moved back before they are averaged.

    Raises:
        ValueError: shapes do not match, there is no trial of any condition, or rates are NaN (also
            after they were moved) where the PSTH is not.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> rates = np.array([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [5.0]]])
    >>> psth_r2([[[2.0], [3.0]], [[5.0], [6.0]]], rates, [0, 0, 1])  # 1 - 1 / 10
    0.9
    """
    true, rates = np.asarray(true, np.float64), np.asarray(rates, np.float64)
    checks.rank("true", true.shape, 3)
    checks.rank("rates", rates.shape, 3)
    checks.same_length(["true", "rates"], [true.shape[1], rates.shape[1]], "time bins")
    checks.last_dim("rates", rates.shape, true.shape[2])
    members = _members(condition, len(rates), len(true))
    moved = rates if jitter is None else _moved(rates, jitter)
    there, measured = [], []
    for row, trials in zip(true, members, strict=True):
        if len(trials):
            bins = ~np.isnan(row[:, 0])
            there.append(moved[trials].mean(axis=0)[bins])
            measured.append(row[bins])
    if not there:
        raise ValueError("condition must have at least one trial in one condition, got none")
    return float(r2_per_channel(np.concatenate(there), np.concatenate(measured)).mean())


def _kernel(scale: float) -> np.ndarray:
    size = max(1, int(6 * scale))
    kernel = np.exp(-np.square((np.arange(size) - (size - 1) / 2) / scale) / 2)
    return kernel / kernel.sum()


def _convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The middle of a convolution along the first axis, as long as `x`."""
    smooth, center = np.zeros(x.shape), (len(kernel) - 1) // 2
    for j, weight in enumerate(kernel):  # y[t] += w[j] x[t + center - j]
        shift = center - j
        into, out = max(0, -shift), max(0, shift)
        length = len(x) - abs(shift)
        if length > 0:
            smooth[into : into + length] += weight * x[out : out + length]
    return smooth


def _members(
    condition: np.ndarray | Sequence[np.ndarray], trials: int, count: int | None
) -> list[np.ndarray]:
    """The trials of each condition."""
    per_condition = len(condition) > 0 and np.ndim(condition[0]) == 1
    if per_condition:
        members = [np.asarray(part).astype(np.int64) for part in condition]
        if any(part.size and (part.min() < 0 or part.max() >= trials) for part in members):
            raise ValueError(f"condition must hold numbers of the {trials} trials, got others")
    else:
        numbers = np.asarray(condition)
        if numbers.shape != (trials,) or numbers.dtype.kind not in "iu" or (numbers < -1).any():
            raise ValueError(
                f"condition must hold a whole number of at least -1 for each of {trials} trials, "
                f"got {numbers.dtype} of shape {numbers.shape}"
            )
        rows = max(numbers.max() + 1, count or 0)
        members = [np.flatnonzero(numbers == row) for row in range(rows)]
    if count is not None and len(members) != count:
        raise ValueError(f"condition must be of the {count} rows of true, got {len(members)}")
    return members


def _moved(rates: np.ndarray, jitter: np.ndarray) -> np.ndarray:
    """Trials moved to later bins by as many as `jitter` says, NaN where nothing is left."""
    jitter = np.asarray(jitter)
    if jitter.shape != (len(rates),) or jitter.dtype.kind not in "iu":
        raise ValueError(
            f"jitter must hold a whole number for each of {len(rates)} trials, "
            f"got {jitter.dtype} of shape {jitter.shape}"
        )
    source = np.arange(rates.shape[1]) - jitter[:, np.newaxis]  # [trial, time]
    inside = (source >= 0) & (source < rates.shape[1])
    found = np.take_along_axis(rates, np.where(inside, source, 0)[..., np.newaxis], axis=1)
    return np.where(inside[..., np.newaxis], found, np.nan)
