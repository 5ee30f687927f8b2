"""Where several sessions agree: components of what their conditions have in common."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import checks
from .containers import Split

__all__ = [
    "Affine",
    "Alignment",
    "condition_averages",
    "filled",
    "fit_affine",
    "log_rates",
    "principal_component_regression",
]

SMALLEST = 0.05  # share of a channel's mean below which an averaged rate is not trusted


class Affine(NamedTuple):
    """`y = x kernel + bias`."""

    kernel: np.ndarray  # [channel, size]
    bias: np.ndarray  # [size]


class Alignment(NamedTuple):
    """How each session reads the components that all share, and is read from them."""

    components: np.ndarray  # of the condition averages, [condition, time, component]
    read_in: list[Affine]  # of each session, encoded channels to components
    read_out: list[Affine]  # components to log-rates of the predicted channels


def condition_averages(
    split: Split, condition: np.ndarray, smoothing: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Smoothed means over the trials of each condition that all sessions have.

    Args:
        split: trials of several sessions.
        condition: of each trial, `[trial]`: numbers or strings.
        smoothing: standard deviation of a Gaussian over time, bins; 0 for none.

    Returns:
        The conditions, `[condition]`, and spikes per bin, `[session, condition, time, channel]`
        over the bins of `encod` and the channels of `recon`; NaN where there is nothing to average:
        a channel that a session does not have, a bin that no trial reaches.

    Raises:
        ValueError: if the split has no sessions, or there is not a condition for each trial.

    >>> from tfp_bvae.data import join_sessions, lorenz
    >>> both = join_sessions({name: lorenz(num_conditions=4) for name in ("a", "b")})
    >>> found, averages = condition_averages(both.train, both.attrs["train_cond_idx"])
    >>> found, averages.shape
    (array([0, 1, 2, 3]), (2, 4, 50, 30))
    """
    if split.session is None:
        raise ValueError("split must have sessions (data.join_sessions), got none")
    condition = np.asarray(condition)
    checks.same_length(["split", "condition"], [split.num_trials, len(condition)], "trials")
    sessions, bins = np.unique(split.session), split.encod.shape[1]
    shared = [np.unique(condition[split.session == number]) for number in sessions]
    found = np.array([label for label in shared[0] if all(label in other for other in shared[1:])])
    averages = np.full([len(sessions), len(found), bins, split.recon.shape[2]], np.nan)
    for row, number in enumerate(sessions):
        for column, label in enumerate(found):
            trials = np.flatnonzero((split.session == number) & (condition == label))
            averages[row, column] = _observed_mean(np.asarray(split.recon[trials])[:, :bins])
    return found, _smoothed(averages, smoothing)


def principal_component_regression(
    averages: np.ndarray, num_encoded: int, num_components: int, ridge: float = 1.0
) -> Alignment:
    r"""Principal-component regression: the same components, from the channels of each session.

    .. math:: C = \mathrm{PCA}\left([\bar x_1, \dots, \bar x_S]\right), \qquad
        W_s = (\tilde x_s^T \tilde x_s + \lambda I)^{-1} \tilde x_s^T C, \qquad b_s = -\bar m_s W_s

    of the condition averages of all sessions, side by side, centred; :math:`\tilde x_s` are those
    of session s, less their mean :math:`\bar m_s`. All components are scaled by one number, so that
    they have a mean square of one. The read-out is the regression of log-rates on the components,
    each scaled to a variance of one.

    Args:
        averages: spikes per bin, `[session, condition, time, channel]`, of `condition_averages`.
        num_encoded: leading channels that the encoders see.
        num_components: P; fewer come back where the averages have not so many.
        ridge: penalty, as of the averages in spikes per bin.

    Raises:
        ValueError: if there are fewer than two averaged bins.

    Source: the stitching of Pandarinath et al., Nature Methods 2018.

    >>> from tfp_bvae.data import join_sessions, lorenz
    >>> both = join_sessions({"a": lorenz(num_channels=20), "b": lorenz(num_channels=30)})
    >>> _, averages = condition_averages(both.train, both.attrs["train_cond_idx"])
    >>> alignment = principal_component_regression(averages, num_encoded=30, num_components=3)
    >>> alignment.components.shape, alignment.read_in[0].kernel.shape
    ((65, 50, 3), (30, 3))
    """
    checks.rank("averages", averages.shape, 4)
    checks.whole_number("num_components", num_components, 1)
    flat = averages.reshape(len(averages), -1, averages.shape[-1])
    rows = ~np.isnan(flat).all(-1).any(0)  # bins that each session has
    if rows.sum() < 2:
        raise ValueError(f"averages must hold at least two bins, got {rows.sum()}")
    seen = [filled(session[rows, :num_encoded]) for session in flat]
    together = np.concatenate([x - x.mean(0) for x in seen], axis=1)
    left, values, _ = np.linalg.svd(together, full_matrices=False)
    size = min(num_components, int((values > 1e-6 * values[0]).sum()))
    components = left[:, :size] * values[:size]
    components /= max(np.sqrt(np.mean(components**2)), 1e-12)
    unit = components / components.std(0)
    shared = np.full([flat.shape[1], size], np.nan)
    shared[rows] = components
    return Alignment(
        shared.reshape(*averages.shape[1:3], size),
        [fit_affine(x, components, ridge) for x in seen],
        [fit_affine(unit, log_rates(session[rows]), ridge) for session in flat],
    )


def fit_affine(x: np.ndarray, y: np.ndarray, ridge: float = 1.0) -> Affine:
    """The ridge regression of y on x, with a bias that is not penalised.

    Args:
        x: `[row, channel]`.
        y: `[row, size]`.
        ridge: the penalty.

    >>> fit_affine(np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]]), ridge=0.0)
    Affine(kernel=array([[2.]]), bias=array([1.]))
    """
    means = x.mean(0), y.mean(0)
    x, y = x - means[0], y - means[1]
    penalty = checks.in_interval("ridge", ridge, 0.0) ** 0.5 * np.eye(x.shape[1])
    padded = np.concatenate([y, np.zeros([x.shape[1], y.shape[1]])])
    kernel = np.linalg.lstsq(np.concatenate([x, penalty]), padded, rcond=None)[0]
    return Affine(kernel, means[1] - means[0] @ kernel)


def log_rates(averages: np.ndarray) -> np.ndarray:
    """Logarithms of averaged rates, from a twentieth of a channel's mean on.

    Args:
        averages: spikes per bin, `[row, channel]`; what is NaN counts as the channel's mean.

    >>> log_rates(np.array([[0.0], [2.0]])).round(3).tolist()
    [[-2.996], [0.693]]
    """
    averages = filled(averages)
    floor = np.maximum(SMALLEST * averages.mean(0), 1e-4)
    return np.log(np.maximum(averages, floor))


def filled(averages: np.ndarray) -> np.ndarray:
    """What was not observed at the mean of its channel; 0 of one that was never observed.

    Args:
        averages: `[row, channel]`.

    >>> filled(np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])).tolist()
    [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    """
    missing = np.isnan(averages)
    count = np.maximum((~missing).sum(0), 1)
    means = np.where(missing, 0.0, averages).sum(0) / count
    return np.where(missing, means, averages)


def _observed_mean(trials: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what was observed; NaN where nothing was."""
    seen = ~np.isnan(trials)
    count = seen.sum(0)
    total = np.where(seen, trials, 0.0).sum(0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _smoothed(averages: np.ndarray, width: float) -> np.ndarray:
    """Along time, by a Gaussian of weight one wherever it is, over what was observed."""
    if not checks.in_interval("smoothing", width, 0.0):
        return averages
    bins = np.arange(averages.shape[-2])
    weights = np.exp(-0.5 * ((bins[:, None] - bins) / width) ** 2)
    seen = ~np.isnan(averages)
    total = np.einsum("ij,...jc->...ic", weights, np.where(seen, averages, 0.0))
    weight = np.einsum("ij,...jc->...ic", weights, seen.astype(float))
    return np.where(seen, total / np.maximum(weight, 1e-12), np.nan)
