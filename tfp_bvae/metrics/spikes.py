"""How well rates explain spikes, and how well they match rates that are known."""

from __future__ import annotations

import math

import numpy as np

from .. import checks

RATE_FLOOR = 1e-9  # spikes per bin, for a rate of zero: as in the Neural Latents Benchmark


def poisson_nll(rates: np.ndarray, spikes: np.ndarray) -> float:
    r"""Exact Poisson negative log-likelihood, summed over everything that was observed, in nats.

    $$-\log p(k \mid r) = \sum r - k \log r + \log k!$$

    The factorial is exact, not Stirling's formula (which several LFADS implementations use: their
    numbers differ from these by a constant of the data).

    Args:
        rates: expected spikes per bin, `[..., time, channel]`; zeros count as 1e-9 (on a copy).
        spikes: counts of the same shape; NaN marks what was not observed, and is left out.

    Raises:
        ValueError: shapes differ, a rate is negative or not finite where spikes were observed, or a
            count is negative, infinite or not whole.

    >>> round(poisson_nll([[2.0]], [[3]]), 6)  # 2 - 3 log 2 + log 6
    1.712318
    """
    rates, spikes = _observed(rates, spikes)
    counts, occurrences = np.unique(spikes, return_counts=True)
    log_factorials = np.array([math.lgamma(count + 1.0) for count in counts])
    return _nll_without_factorial(rates, spikes) + float(log_factorials @ occurrences)


def bits_per_spike(rates: np.ndarray, spikes: np.ndarray) -> float:
    r"""How much better rates predict spikes than each channel's mean does, in bits per spike.

    $$\frac{\mathrm{NLL}(\bar k) - \mathrm{NLL}(r)}{\log 2 \; \sum k}$$

    The null model $\bar k$ is, per channel, the mean of the *evaluated* spikes over trials and time
    (not of the training spikes). The log-factorials of the two likelihoods are the same numbers
    and cancel in the difference, so the score is exact without them. On held-out channels this is
    the co-smoothing score of the benchmark.

    Args:
        rates: expected spikes per bin, `[..., time, channel]`; zeros count as 1e-9 (on a copy).
        spikes: counts of the same shape; NaN marks what was not observed, and is left out.

    Returns:
        Zero for the null model, and less for worse.

    Raises:
        ValueError: as `poisson_nll`; or there is no spike, so that the score is not defined.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> score = bits_per_spike([[1.0], [3.0]], [[0], [4]])  # null rate 2: log2(3 / 2)
    >>> round(score, 6)
    0.584963
    """
    spikes = np.asarray(spikes, dtype=np.float64)
    observed_rates, observed = _observed(rates, spikes)
    total = observed.sum()
    if not total > 0:
        raise ValueError("spikes must hold at least one spike for bits per spike to be defined")
    null_nll = _nll_without_factorial(*_observed(_null_rates(spikes), spikes))
    model_nll = _nll_without_factorial(observed_rates, observed)
    return float((null_nll - model_nll) / (math.log(2) * total))


def r2_per_channel(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    r"""Coefficient of determination of each channel, over all leading axes together.

    $$R^2 = 1 - \frac{\sum (y - \hat y)^2}{\sum (y - \bar y)^2}$$

    Args:
        predicted: any unit, `[..., channel]`.
        true: same unit and shape; NaN marks what is not known (a bin that was not observed, or
            after the end of a trial), and is left out.

    Returns:
        `[channel]`. A channel that is constant scores 1 if it is predicted exactly and 0 if not.
        One of which nothing is known has NaN.

    Raises:
        ValueError: shapes differ, nothing is known, a true value is infinite, or one that is
            predicted is not finite where the true one is known.

    >>> r2_per_channel([[0.0, 1.0], [2.0, 1.0]], [[0.0, 0.0], [2.0, 2.0]])
    array([1., 0.])
    """
    predicted, true, known = _known(predicted, true)
    if not known.any():
        raise ValueError("true must hold values that are known, got only NaN")
    leading = tuple(range(true.ndim - 1))
    count = np.maximum(known.sum(axis=leading), 1)
    mean = true.sum(axis=leading) / count
    residual = np.square(true - predicted).sum(axis=leading)
    # A mean carries rounding, so a constant channel is told by its range, not by its variance.
    constant = true.max(axis=leading, where=known, initial=-np.inf) == true.min(
        axis=leading, where=known, initial=np.inf
    )
    spread = np.square(np.where(known, true - mean, 0.0)).sum(axis=leading)
    r2 = 1.0 - residual / np.where(spread > 0, spread, 1.0)
    r2 = np.where(constant, np.where(residual == 0, 1.0, 0.0), r2)
    return np.where(known.any(axis=leading), r2, np.nan)


def rate_r2(inferred: np.ndarray, true: np.ndarray, average: str = "channel") -> float:
    """R2 of inferred rates against the true ones.

    Args:
        inferred: rates, `[..., time, channel]`, spikes per bin (or any unit).
        true: true rates, same shape and unit; NaN marks what is not known, and is left out.
        average: "channel" for the R2 of each channel over all trials and bins, averaged over
            channels of which something is known (the number to quote); "pooled" for one R2 over all
            values with one grand mean, which also credits the differences between channels' mean
            rates, and is higher for it.

    Raises:
        ValueError: as `r2_per_channel`; or `average` is neither of the two.

    >>> inferred, true = [[0.0, 11.0], [2.0, 11.0]], [[0.0, 10.0], [2.0, 12.0]]
    >>> rate_r2(inferred, true)
    0.5
    >>> round(rate_r2(inferred, true, average="pooled"), 3)
    0.981
    """
    checks.one_of("average", average, ("channel", "pooled"))
    if average == "pooled":
        inferred, true = np.reshape(inferred, (-1, 1)), np.reshape(true, (-1, 1))
    return float(np.nanmean(r2_per_channel(inferred, true)))


def _known(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Checked values, both zero where the true one is NaN; and where it is not."""
    predicted, true = _same_shape("predicted", predicted, "true", true)
    known = ~np.isnan(true)
    predicted, true = (np.where(known, array, 0.0) for array in (predicted, true))
    for name, array in (("predicted", predicted), ("true", true)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, got {_example(array, ~np.isfinite(array))}")
    return predicted, true, known


def _observed(rates: np.ndarray, spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The checked rates and counts where spikes were observed, flat, float64, rates above zero."""
    rates, spikes = _same_shape("rates", rates, "spikes", spikes)
    seen = ~np.isnan(spikes)
    rates, spikes = rates[seen], spikes[seen]
    for name, array, wrong, wanted in (
        ("rates", rates, ~np.isfinite(rates) | (rates < 0), "finite and at least 0"),
        ("spikes", spikes, (spikes < 0) | (spikes != np.floor(spikes)), "whole, at least 0"),
        ("spikes", spikes, np.isinf(spikes), "finite (or NaN, for not observed)"),
    ):
        if wrong.any():
            raise ValueError(f"{name} must be {wanted}, got {_example(array, wrong)}")
    return np.where(rates == 0, RATE_FLOOR, rates), spikes


def _nll_without_factorial(rates: np.ndarray, spikes: np.ndarray) -> float:
    return float(np.sum(rates - spikes * np.log(rates)))


def _null_rates(spikes: np.ndarray) -> np.ndarray:
    """Mean count of each channel where it was observed, in the shape of `spikes`."""
    leading = tuple(range(spikes.ndim - 1))
    seen = np.maximum(np.sum(~np.isnan(spikes), axis=leading), 1)
    return np.broadcast_to(np.nansum(spikes, axis=leading) / seen, spikes.shape)


def _same_shape(
    name: str, array: np.ndarray, other_name: str, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    array, other = (np.asarray(value, dtype=np.float64) for value in (array, other))
    if array.shape != other.shape:
        raise ValueError(
            f"{name} must have the shape of {other_name}, {other.shape}, got {array.shape}"
        )
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{name} must be [..., time, channel] and not empty, got {array.shape}")
    return array, other


def _example(array: np.ndarray, wrong: np.ndarray) -> str:
    """How many values are wrong, and the first of them."""
    return f"{array[wrong][0]:g} and {wrong.sum() - 1} more of {array.size} values"
