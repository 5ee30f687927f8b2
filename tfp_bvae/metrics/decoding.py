"""How much of an animal's behaviour a linear read-out finds in a model's output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .. import checks
from .spikes import r2_per_channel

ALPHAS = tuple(float(alpha) for alpha in np.logspace(-2, 6, 17))


@dataclass(frozen=True, eq=False)
class RidgeDecoder:
    """A linear read-out, `y = intercept + x . coef`, with the penalty of each output.

    Args:
        coef: `[feature, output]`, in the units of the features (not standardised).
        intercept: `[output]`.
        alphas: penalty that was chosen, `[output]`.
    """

    coef: np.ndarray
    intercept: np.ndarray
    alphas: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Read out behaviour.

        Args:
            x: features, `[..., feature]`.

        Returns:
            `[..., output]`.
        """
        return self.intercept + np.asarray(x, dtype=np.float64) @ self.coef


def fit_ridge(
    x: np.ndarray,
    y: np.ndarray,
    *,
    alphas: tuple[float, ...] = ALPHAS,
    folds: int = 5,
    seed: int = 0,
) -> RidgeDecoder:
    r"""Ridge regression from features to behaviour, penalties cross-validated over trials.

    $$\min_W \sum_{n,t} \lVert y_{nt} - b - \tilde x_{nt} W \rVert^2 + \alpha \lVert W \rVert^2$$

    Features are standardised over the trials that are fitted. Bins of one trial never
    stand on both sides of a fold. Each output has its own penalty: the one with the smallest
    squared error over all trials left out. One singular value decomposition serves all penalties.

    Args:
        x: features (log rates), `[trial, time, feature]`; bins with NaN are left out.
        y: behaviour of the same bins, `[trial, time, output]`; NaN marks what is not known, and is
            left out, of each output for itself.
        alphas: penalties to choose from, above 0.
        folds: number of groups of trials, 2 to the number of trials.
        seed: seed of the draw of the groups.

    Raises:
        ValueError: shapes do not match, a value is infinite, an output is known in too few trials
            to leave some out, or a penalty is not above 0.

    >>> x = np.random.default_rng(0).normal(size=(20, 10, 2))
    >>> decoder = fit_ridge(x, x @ [[1.0], [-2.0]] + 3.0)
    >>> decoder.coef.round(2).tolist(), decoder.intercept.round(2).tolist()
    ([[1.0], [-2.0]], [3.0])
    """
    x, y = _checked("x", x, "y", y)
    alphas = np.array([checks.positive("alphas", alpha) for alpha in alphas])
    checks.whole_number("folds", folds, minimum=2)
    if folds > len(x):
        raise ValueError(f"folds must be at most the number of trials, {len(x)}, got {folds}")

    groups = np.array_split(np.random.default_rng(seed).permutation(len(x)), folds)
    coef, intercept = np.empty((x.shape[-1], y.shape[-1])), np.empty(y.shape[-1])
    best = np.empty(y.shape[-1], int)
    for outputs, known in _known_bins(x, y):
        parts = _fit_known(x, y[..., outputs], known, alphas, groups)
        coef[:, outputs], intercept[outputs], best[outputs] = parts
    return RidgeDecoder(coef, intercept, alphas[best])


def ridge_r2(
    train_x: np.ndarray,
    train_y: np.ndarray,
    valid_x: np.ndarray,
    valid_y: np.ndarray,
    *,
    alphas: tuple[float, ...] = ALPHAS,
    folds: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """R2 of behaviour decoded on validation trials, for each output; its mean is the score.

    Args:
        train_x: features (log rates) of the training trials, `[trial, time, feature]`.
        train_y: behaviour of the same bins, `[trial, time, output]`. NaN, in features or
            behaviour, of either side, marks bins to be left out, as after the end of a trial.
        valid_x: features of the validation trials.
        valid_y: behaviour of the validation trials.
        alphas: penalties to choose from, inside the training trials: see `fit_ridge`.
        folds: number of groups of training trials.
        seed: seed of the draw of the groups.

    Returns:
        `[output]`, over all validation trials and bins together.

    Raises:
        ValueError: as `fit_ridge`, or nothing of the validation trials is known.

    >>> x = np.random.default_rng(0).normal(size=(20, 10, 2))
    >>> ridge_r2(x[:15], x[:15] + 1, x[15:], x[15:] + 1).round(3)
    array([1., 1.])
    """
    valid_x, valid_y = _checked("valid_x", valid_x, "valid_y", valid_y)
    train_x, train_y = _checked("train_x", train_x, "train_y", train_y)
    checks.last_dim("valid_x", valid_x.shape, train_x.shape[-1])
    checks.last_dim("valid_y", valid_y.shape, train_y.shape[-1])
    decoder = fit_ridge(train_x, train_y, alphas=alphas, folds=folds, seed=seed)
    predicted = decoder.predict(valid_x)
    return r2_per_channel(predicted, np.where(np.isnan(predicted), np.nan, valid_y))


def _known_bins(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Outputs that are known in the same bins, and which these are, `[trial, time]`."""
    known = ~np.isnan(y) & ~np.isnan(x).any(axis=-1, keepdims=True)
    masks, which = np.unique(known.reshape(-1, y.shape[-1]), axis=1, return_inverse=True)
    for number, mask in enumerate(masks.T):
        yield np.flatnonzero(which.ravel() == number), mask.reshape(y.shape[:2])


def _fit_known(
    x: np.ndarray, y: np.ndarray, known: np.ndarray, alphas: np.ndarray, groups: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients, intercept and number of the penalty of some outputs, on the known bins."""

    def rows(trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x[trials][known[trials]], y[trials][known[trials]]

    every = np.arange(len(x))
    error = np.zeros((len(alphas), y.shape[-1]))
    for left_out in groups:
        fitted_x, fitted_y = rows(np.setdiff1d(every, left_out))
        if not len(fitted_x):
            raise ValueError(
                "y must be known in trials enough to leave some out, got an output that is known "
                f"in {known.any(axis=1).sum()} of {len(x)} trials"
            )
        coef, intercept = _ridge_path(fitted_x, fitted_y, alphas)
        other_x, other_y = rows(left_out)
        for index in range(len(alphas)):
            residual = other_y - intercept[index] - other_x @ coef[index]
            error[index] += np.square(residual).sum(axis=0)
    best = error.argmin(axis=0)  # [output]
    coef, intercept = _ridge_path(*rows(every), alphas)
    output = np.arange(y.shape[-1])
    return coef[best, :, output].T, intercept[best, output], best


def _ridge_path(x: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of rows, coefficients `[alpha, feature, output]` and intercepts `[alpha, output]`."""
    x_mean, y_mean, x_scale = x.mean(axis=0), y.mean(axis=0), x.std(axis=0)
    x_scale = np.where(x_scale > 1e-12 * np.abs(x_mean), x_scale, 1.0)  # constant features
    left, singular, right = np.linalg.svd((x - x_mean) / x_scale, full_matrices=False)
    shrunk = singular / (np.square(singular) + alphas[:, None])  # [alpha, component]
    coef = (right.T * shrunk[:, None, :]) @ (left.T @ (y - y_mean)) / x_scale[:, None]
    return coef, y_mean - x_mean @ coef


def _checked(
    x_name: str, x: np.ndarray, y_name: str, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    for name, array in ((x_name, x), (y_name, y)):
        checks.rank(name, array.shape, 3)
        if np.isinf(array).any():
            raise ValueError(f"{name} must be finite (or NaN, for not known), got infinity")
    checks.same_length([x_name, y_name], [len(x), len(y)], "trials")
    checks.same_length([x_name, y_name], [x.shape[1], y.shape[1]], "time bins")
    return x, y
