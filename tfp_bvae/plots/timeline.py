"""The time axis of every picture, and means over trials that leave out what is missing."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from tfp_bvae import checks
from tfp_bvae.plots.style import COLOURS

__all__ = ["bin_centres", "mean_and_error", "set_time", "smoothed", "variance"]


def bin_centres(bins: int, bin_width: float, start: float = 0.0) -> np.ndarray:
    """Middles of the bins, s.

    Raises:
        ValueError: if the bin width is not above 0.

    >>> bin_centres(3, 0.02, start=-0.02).round(3).tolist()
    [-0.01, 0.01, 0.03]
    """
    checks.positive("bin_width", bin_width)
    return checks.real_number("start", start) + (np.arange(bins) + 0.5) * bin_width


def set_time(ax: Axes, bins: int, bin_width: float, start: float = 0.0) -> None:
    """Label the time axis; a line where the event is, if trials begin before it.

    Args:
        ax: where.
        bins: number of bins.
        bin_width: s.
        start: of the first bin, s relative to the event.
    """
    end = start + bins * bin_width
    ax.set(xlim=(start, end), xlabel="time from event (s)" if start else "time (s)")
    if start < 0 < end:
        ax.axvline(0, color=COLOURS["faint"], lw=0.7, ls=":", zorder=0)


def mean_and_error(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the first axis without NaN, and its standard error; NaN where nothing is left.

    Args:
        x: `[trial, ...]`.

    >>> mean_and_error(np.array([[1.0, np.nan], [3.0, np.nan]]))
    (array([ 2., nan]), array([ 1., nan]))
    """
    seen = ~np.isnan(x)
    count = seen.sum(axis=0)
    known = np.where(count > 0, count, np.nan)
    mean = np.where(seen, x, 0.0).sum(axis=0) / known
    squares = np.where(seen, np.square(x - mean), 0.0).sum(axis=0)
    variance = squares / np.where(count > 1, count - 1, np.nan)  # of one trial, no error is known
    return mean, np.sqrt(variance / known)


def variance(x: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Variance without NaN; 0 where nothing is left.

    >>> variance(np.array([[1.0, np.nan], [3.0, np.nan]]), axis=0)
    array([1., 0.])
    """
    return np.ma.masked_invalid(x).var(axis=axis).filled(0.0)


def smoothed(x: np.ndarray, sd: float) -> np.ndarray:
    r"""Time courses under a Gaussian window, with weights of those bins alone that are known.

    .. math:: y_t = \sum_s k_{t-s} x_s / \sum_s k_{t-s}

    Args:
        x: `[..., time]`; NaN stays where it is, and counts for no other bin.
        sd: standard deviation of the window, bins; 0 leaves `x` as it is.

    >>> smoothed(np.array([2.0, 2.0, np.nan]), 1.0)
    array([ 2.,  2., nan])
    """
    if not sd:
        return x
    lag = np.arange(x.shape[-1])
    kernel = np.exp(-0.5 * np.square((lag[:, np.newaxis] - lag) / sd))
    seen = ~np.isnan(x)
    weight = seen @ kernel
    return np.where(seen, np.where(seen, x, 0.0) @ kernel / np.where(weight, weight, 1.0), np.nan)
