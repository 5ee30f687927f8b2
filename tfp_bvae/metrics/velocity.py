"""Hand velocity from inferred rates, decoded as the Neural Latents Benchmark decodes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import checks
from .spikes import r2_per_channel

__all__ = ["lag_behavior", "velocity_lag_scores", "velocity_r2"]

ALPHAS = np.logspace(-4, 0, 9)  # penalties of the benchmark
FOLDS = 5


def lag_behavior(behavior: np.ndarray, lag: int) -> np.ndarray:
    """Behaviour `lag` bins later, at the bin of the rates that it goes with.

    The benchmark decodes velocity from rates some time before it: 100 ms in mc_maze, 120 ms in
    the smaller mazes, 140 ms in mc_rtt and -20 ms in area2_bump (rates after the movement).
    Where there is a recording around the trials, cut the behaviour `lag` later from it instead:
    nothing is lost at the ends then.

    Args:
        behavior: `[..., time, output]`.
        lag: bins; below zero, behaviour before the rates.

    Returns:
        The same shape: at bin t what was at `t + lag`, NaN beyond the ends.

    Raises:
        TypeError: `lag` is no whole number.
        ValueError: there are no two axes.

    >>> lag_behavior([[1.0], [2.0], [3.0]], 1).ravel()
    array([ 2.,  3., nan])
    """
    behavior = np.asarray(behavior, np.float64)
    if behavior.ndim < 2:
        raise ValueError(f"behavior must be [..., time, output], got shape {behavior.shape}")
    lag = checks.whole_number("lag", lag)
    source = np.arange(behavior.shape[-2]) + lag
    inside = (source >= 0) & (source < behavior.shape[-2])
    found = np.full(behavior.shape, np.nan)
    found[..., inside, :] = behavior[..., source[inside], :]
    return found


def velocity_r2(
    train_rates: np.ndarray,
    train_velocity: np.ndarray,
    eval_rates: np.ndarray,
    eval_velocity: np.ndarray,
    train_mask: np.ndarray | None = None,
    eval_mask: np.ndarray | None = None,
) -> float:
    r"""R2 of velocity decoded by ridge regression from rates; `vel R2` of the benchmark.

    $$\min_W \sum_{n,t} \lVert y_{nt} - b - r_{nt} W \rVert^2 + \alpha \lVert W \rVert^2$$

    Rates are taken as they are (no logarithm, no history, not standardised). The penalty is the
    one of nine from 1e-4 to 1 with the best mean R2 over five folds of neighbouring bins of the
    training trials, one for all outputs. The score is the R2 of the evaluated trials, averaged over
    outputs, and over decoders where there are masks. Bins where the first output is NaN are left
    out. These are the numbers of scikit-learn's `GridSearchCV(Ridge(), ...)`; `ridge_r2` is the
    better decoder (folds of whole trials, larger penalties, each output its own).

    Args:
        train_rates: rates of the training trials, `[trial, time, channel]`, spikes per bin.
        train_velocity: behaviour that goes with these bins (`lag_behavior`), `[trial, time,
            output]`.
        eval_rates: rates of the trials that are scored.
        eval_velocity: their behaviour.
        train_mask: which trials each decoder is fitted to, `[trial, decoder]`, bool; None for one
            decoder of all trials.
        eval_mask: which trials each decoder is scored on.

    Raises:
        TypeError: a mask is not boolean.
        ValueError: shapes do not match, rates or behaviour are not finite in bins that count, or
            there are fewer than ten such bins to fit.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> rates = np.random.default_rng(0).normal(size=(8, 10, 3))
    >>> round(velocity_r2(rates[:6], 2 * rates[:6], rates[6:], 2 * rates[6:]), 3)
    1.0
    """
    train = _checked("train", train_rates, train_velocity)
    scored = _checked("eval", eval_rates, eval_velocity)
    checks.last_dim("eval_rates", scored[0].shape, train[0].shape[-1])
    checks.last_dim("eval_velocity", scored[1].shape, train[1].shape[-1])
    fitted_by = _mask("train_mask", train_mask, len(train[0]))
    scored_by = _mask("eval_mask", eval_mask, len(scored[0]))
    checks.same_length(
        ["train_mask", "eval_mask"], [fitted_by.shape[1], scored_by.shape[1]], "decoders"
    )
    found = []
    for fit_trials, score_trials in zip(fitted_by.T, scored_by.T, strict=True):
        x, y = _rows("train", train[0][fit_trials], train[1][fit_trials])
        best = _fold_scores(x, y).mean(axis=0).argmax()
        coef, intercept = _ridge(x, y, ALPHAS[[best]])
        x, y = _rows("eval", scored[0][score_trials], scored[1][score_trials])
        found.append(r2_per_channel(intercept[0] + x @ coef[0], y).mean())
    return float(np.mean(found))


def velocity_lag_scores(
    train_rates: np.ndarray, train_velocity: np.ndarray, lags: Sequence[int]
) -> np.ndarray:
    """How well each lag does inside the training trials, to choose one before anything is scored.

    The best mean R2 over the folds of `velocity_r2`, for behaviour moved by `lag_behavior`. All
    lags are judged in the same bins: those that have behaviour at every lag.

    Args:
        train_rates: rates of the training trials, `[trial, time, channel]`, spikes per bin.
        train_velocity: behaviour of the same bins, not yet moved, `[trial, time, output]`.
        lags: bins, behaviour after rates.

    Returns:
        `[lag]`; the lag to take is `lags[scores.argmax()]`.

    Raises:
        ValueError: as `velocity_r2`; or there is no lag.

    >>> rates = np.random.default_rng(0).normal(size=(8, 10, 3))
    >>> velocity_lag_scores(rates, lag_behavior(rates, -2), range(4)).argmax()
    np.int64(2)
    """
    if not len(lags):
        raise ValueError("lags must hold at least one lag, got none")
    rates, velocity = _checked("train", train_rates, train_velocity)
    moved = np.stack([lag_behavior(velocity, int(lag)) for lag in lags])  # [lag, trial, ...]
    moved[:, np.isnan(moved[..., 0]).any(axis=0)] = np.nan
    rows = (_rows("train", rates, behavior) for behavior in moved)
    return np.array([_fold_scores(x, y).mean(axis=0).max() for x, y in rows])


def _fold_scores(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """R2 in each fold at each penalty, `[fold, alpha]`."""
    if len(x) < 2 * FOLDS:
        raise ValueError(f"train_velocity must be known in {2 * FOLDS} bins, got {len(x)}")
    scores = []
    for left_out in np.array_split(np.arange(len(x)), FOLDS):
        kept = np.ones(len(x), bool)
        kept[left_out] = False
        coef, intercept = _ridge(x[kept], y[kept], ALPHAS)
        guesses = intercept[:, np.newaxis] + x[left_out] @ coef  # [alpha, bin, output]
        scores.append([r2_per_channel(guess, y[left_out]).mean() for guess in guesses])
    return np.array(scores)


def _ridge(x: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients `[alpha, channel, output]` and intercepts `[alpha, output]`."""
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    centered = x - x_mean
    values, vectors = np.linalg.eigh(centered.T @ centered)
    turned = vectors.T @ (centered.T @ (y - y_mean))  # [component, output]
    shrunk = turned / (np.maximum(values, 0.0)[:, np.newaxis] + alphas[:, np.newaxis, np.newaxis])
    coef = vectors @ shrunk
    return coef, y_mean - x_mean @ coef


def _checked(side: str, rates: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    names = [f"{side}_rates", f"{side}_velocity"]
    arrays = [np.asarray(x, np.float64) for x in (rates, velocity)]
    for name, array in zip(names, arrays, strict=True):
        checks.rank(name, array.shape, 3)
    checks.same_length(names, [len(x) for x in arrays], "trials")
    checks.same_length(names, [x.shape[1] for x in arrays], "time bins")
    return arrays[0], arrays[1]


def _mask(name: str, mask: np.ndarray | None, trials: int) -> np.ndarray:
    mask = np.full((trials, 1), True) if mask is None else np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"{name} must be boolean, got {mask.dtype}")
    checks.rank(name, mask.shape, 2)
    checks.same_length(["rates", name], [trials, len(mask)], "trials")
    return mask


def _rows(side: str, rates: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bins in which the first output is known, one after the other."""
    known = ~np.isnan(velocity[..., 0])
    rates, velocity = rates[known], velocity[known]
    for name, array in ((f"{side}_rates", rates), (f"{side}_velocity", velocity)):
        if not len(array) or not np.isfinite(array).all():
            raise ValueError(
                f"{name} must be finite where {side}_velocity of the first output is known, in at "
                f"least one bin; got {np.count_nonzero(~np.isfinite(array))} that are not "
                f"of {array.size} values"
            )
    return rates, velocity
