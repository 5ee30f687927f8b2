"""Codes, factors and labels at the door; groups of trials to leave out; chance by permutation."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import checks

Discrete = bool | Sequence[bool] | None


class Factor(NamedTuple):
    """One factor: values `[trial]` if it is continuous, indices of its classes if discrete."""

    values: np.ndarray
    discrete: bool


@dataclass(frozen=True, eq=False)
class ShuffleBaseline:
    """What a score is where codes and factors have nothing to do with each other.

    Args:
        mean: mean over permutations, in the shape of the score.
        sd: standard deviation over permutations (of one permutation, not of the mean).
        values: `[permutation, ...]`.
    """

    mean: np.ndarray
    sd: np.ndarray
    values: np.ndarray


def shuffle_baseline(
    score: Callable[[np.ndarray, np.ndarray], float],
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    permutations: int = 20,
    seed: int = 0,
) -> ShuffleBaseline:
    r"""The same score after the trials of the codes were permuted: what chance alone gives.

    $$s_p = \mathrm{score}(\mathrm{codes}_{\pi_p(n)}, \mathrm{factors}_n)$$

    Whole trials move, so what codes share among themselves, and factors among themselves, stays.
    Several scores here are far from zero at chance (explicitness is 0.5, modularity has no fixed
    value), and all are biased with few trials: quote the baseline beside the score.

    Args:
        score: function of codes and factors, which returns a number, or several (`dci`).
        codes: `[trial, ...]`.
        factors: `[trial, ...]`.
        permutations: how many, at least 2.
        seed: seed of the permutations.

    Raises:
        TypeError: `score` is no function.
        ValueError: the numbers of trials differ, or `permutations` is below 2.

    Ojala and Garriga (2010), "Permutation tests for studying classifier performance", JMLR.

    >>> codes = np.arange(100.0)[:, None] % 7
    >>> chance = shuffle_baseline(lambda x, y: np.corrcoef(x[:, 0], y[:, 0])[0, 1], codes, codes)
    >>> bool(abs(chance.mean) < 0.1 and chance.sd < 0.2), chance.values.shape
    (True, (20,))
    """
    if not callable(score):
        raise TypeError(f"score must be a function of codes and factors, got {score!r}")
    codes, factors = np.asarray(codes), np.asarray(factors)
    checks.same_length(["codes", "factors"], [len(codes), len(factors)], "trials")
    checks.whole_number("permutations", permutations, minimum=2)
    rng = np.random.default_rng(seed)
    values = np.array(
        [score(codes[rng.permutation(len(codes))], factors) for _ in range(permutations)],
        dtype=np.float64,
    )
    return ShuffleBaseline(values.mean(axis=0), values.std(axis=0, ddof=1), values)


def checked_pair(
    codes: np.ndarray, factors: np.ndarray, discrete: Discrete
) -> tuple[np.ndarray, list[Factor]]:
    """Codes `[trial, code]` in float64, and the columns of the factors `[trial, factor]`."""
    codes = finite("codes", codes, 2)
    factors = np.asarray(factors)
    checks.rank("factors", factors.shape, 2)
    checks.same_length(["codes", "factors"], [len(codes), len(factors)], "trials")
    num_factors = factors.shape[1]
    if num_factors == 0:
        raise ValueError(f"factors must have at least one column, got shape {factors.shape}")
    if discrete is None or isinstance(discrete, bool):
        are_floats = np.issubdtype(factors.dtype, np.floating)
        kinds = [not are_floats if discrete is None else discrete] * num_factors
    else:
        kinds = [checks.boolean("discrete", kind) for kind in np.atleast_1d(discrete).tolist()]
        checks.same_length(["discrete", "factors"], [len(kinds), num_factors], "factors")
    columns = zip(factors.T, kinds, strict=True)
    return codes, [_factor(f"factor {i}", column, kind) for i, (column, kind) in enumerate(columns)]


def finite(name: str, array: np.ndarray, rank: int, or_nan: bool = False) -> np.ndarray:
    """An array of numbers in float64, of so many axes, none of them empty."""
    try:
        array = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold numbers, rows of one length: {error}") from None
    checks.rank(name, array.shape, rank)
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if not (np.isfinite(array) | (or_nan & np.isnan(array))).all():
        raise ValueError(f"{name} must be finite, got {'' if or_nan else 'NaN or '}infinity")
    return array


def class_labels(name: str, labels: np.ndarray, trials: int | None = None) -> np.ndarray:
    """Labels `[trial]`: whole numbers, truth values or strings, at least two of them distinct."""
    labels = np.asarray(labels)
    checks.rank(name, labels.shape, 1)
    if trials is not None:
        checks.same_length([name, "trials"], [len(labels), trials], "trials")
    if np.issubdtype(labels.dtype, np.inexact) and not np.array_equal(labels, np.round(labels)):
        raise ValueError(f"{name} must hold class labels (whole numbers or strings), got fractions")
    distinct = np.unique(labels)
    if len(distinct) < 2:
        raise ValueError(f"{name} must take at least two values, got {distinct.tolist()} only")
    return labels


def trial_folds(trials: int, folds: int, seed: int, labels: np.ndarray | None = None) -> list:
    """Shuffled groups of trials, each to be left out once; with labels, every class in each."""
    checks.whole_number("folds", folds, minimum=2)
    if labels is None:
        labels = np.zeros(trials, dtype=int)
    values, counts = np.unique(labels, return_counts=True)
    if counts.min() < folds:
        of = f" of class {values[counts.argmin()]}" if len(values) > 1 else ""
        raise ValueError(
            f"folds must be at most the number of trials{of}, {counts.min()}, got {folds}"
        )
    rng = np.random.default_rng(seed)
    # Dealt like cards, class after class, so that groups differ by one trial of a class at most.
    order = np.concatenate([rng.permutation(np.flatnonzero(labels == value)) for value in values])
    return [np.sort(order[start::folds]) for start in range(folds)]


def sklearn_module(name: str) -> ModuleType:
    """A module of scikit-learn, or an error that says how to get it."""
    try:
        return importlib.import_module(f"sklearn.{name}")
    except ImportError as error:
        raise ImportError(
            'this score needs scikit-learn: pip install "tfp_bvae[metrics]"'
        ) from error


def logistic_regression():
    """Multinomial logistic regression on standardised features, not fitted yet."""
    linear = sklearn_module("linear_model").LogisticRegression(max_iter=2000)
    scaler = sklearn_module("preprocessing").StandardScaler()
    return sklearn_module("pipeline").make_pipeline(scaler, linear)


def _factor(name: str, column: np.ndarray, discrete: bool) -> Factor:
    if not discrete:
        column = np.asarray(column, dtype=np.float64)
    if np.issubdtype(column.dtype, np.inexact) and not np.isfinite(column).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    distinct, index = np.unique(column, return_inverse=True)
    if len(distinct) < 2:
        raise ValueError(f"{name} must take at least two values, got {distinct.tolist()} only")
    return Factor(index if discrete else column, discrete)
