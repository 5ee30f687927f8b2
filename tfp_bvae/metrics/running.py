"""Scores of data that come a part at a time, because all of it is larger than memory."""

from __future__ import annotations

import math

import numpy as np

from .spikes import RATE_FLOOR, _known, _nll_without_factorial, _observed

__all__ = ["RunningBitsPerSpike", "RunningR2"]


class RunningBitsPerSpike:
    """`bits_per_spike` of trials that come a part at a time; parts in any order, of any size.

    >>> score = RunningBitsPerSpike()
    >>> score.add([[1.0]], [[0]])
    >>> score.add([[3.0]], [[4]])
    >>> round(score.result(), 6)
    0.584963
    """

    def __init__(self):
        self._nll = 0.0
        self._spikes = self._bins = np.zeros(0)  # of each channel

    def add(self, rates: np.ndarray, spikes: np.ndarray) -> None:
        """Take a part in.

        Args:
            rates: expected spikes per bin, `[..., time, channel]`.
            spikes: counts of the same shape; NaN marks what was not observed.

        Raises:
            ValueError: as `bits_per_spike`.
        """
        self._nll += _nll_without_factorial(*_observed(rates, spikes))
        spikes = np.asarray(spikes, np.float64)
        leading = tuple(range(spikes.ndim - 1))
        if not len(self._spikes):
            self._spikes = self._bins = np.zeros(spikes.shape[-1])
        self._spikes = self._spikes + np.nansum(spikes, axis=leading)
        self._bins = self._bins + np.sum(~np.isnan(spikes), axis=leading)

    @property
    def spikes(self) -> int:
        """How many spikes there were so far."""
        return int(self._spikes.sum())

    def result(self) -> float:
        """Bits per spike of all parts.

        Raises:
            ValueError: there was no spike, so that the score is not defined.
        """
        total = self._spikes.sum()
        if not total > 0:
            raise ValueError("spikes must hold at least one spike for bits per spike to be defined")
        mean = self._spikes / np.maximum(self._bins, 1)
        mean = np.where(mean == 0, RATE_FLOOR, mean)
        null_nll = np.sum(self._bins * mean - self._spikes * np.log(mean))
        return float((null_nll - self._nll) / (math.log(2) * total))


class RunningR2:
    r"""`r2_per_channel` of trials that come a part at a time; parts in any order, of any size.

    The spread of the true values is put together as :math:`M = M_a + M_b + (\bar y_a - \bar y_b)^2
    n_a n_b / (n_a + n_b)`, which does not lose digits where the mean is large.

    Source: Chan, Golub and LeVeque, 1983.

    >>> score = RunningR2()
    >>> score.add([[0.0, 1.0]], [[0.0, 0.0]])
    >>> score.add([[2.0, 1.0]], [[2.0, 2.0]])
    >>> score.result()
    array([1., 0.])
    """

    def __init__(self):
        self._count = self._residual = self._mean = self._spread = np.zeros(1)  # of each channel
        self._low, self._high = np.inf, -np.inf

    def add(self, predicted: np.ndarray, true: np.ndarray) -> None:
        """Take a part in.

        Args:
            predicted: any unit, `[..., channel]`.
            true: same unit and shape; NaN marks what is not known, and is left out.

        Raises:
            ValueError: shapes differ, there is no value, a true one is infinite, or one that is
                predicted is not finite where the true one is known.
        """
        predicted, true, known = _known(predicted, true)
        leading = tuple(range(true.ndim - 1))
        count = known.sum(axis=leading)
        mean = true.sum(axis=leading) / np.maximum(count, 1)
        both = np.maximum(self._count + count, 1)
        shift = mean - self._mean
        self._residual = self._residual + np.square(true - predicted).sum(axis=leading)
        self._spread = (
            self._spread
            + np.square(np.where(known, true - mean, 0.0)).sum(axis=leading)
            + np.square(shift) * self._count * count / both
        )
        self._mean = self._mean + shift * count / both
        low = true.min(axis=leading, where=known, initial=np.inf)
        high = true.max(axis=leading, where=known, initial=-np.inf)
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)
        self._count = self._count + count

    def result(self) -> np.ndarray:
        """`[channel]`; a channel that is constant scores 1 if it is predicted exactly, else 0.

        One of which nothing is known has NaN.

        Raises:
            ValueError: nothing was added, or nothing of it is known.
        """
        if not self._count.any():
            raise ValueError("true must hold values, got none")
        constant = self._low == self._high
        r2 = 1.0 - self._residual / np.where(self._spread > 0, self._spread, 1.0)
        r2 = np.where(constant, np.where(self._residual == 0, 1.0, 0.0), r2)
        return np.where(self._count > 0, r2, np.nan)
