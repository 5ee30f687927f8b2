"""DCI: disentanglement, completeness and informativeness, by the importance of codes to trees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import checks
from .factors import Discrete, Factor, checked_pair, sklearn_module, trial_folds
from .information import nonnegative_matrix
from .spikes import r2_per_channel

MODELS = ("boosting", "forest")


class DCIScores(NamedTuple):
    """What `dci` returns; all three are better the higher they are, and at most 1.

    Args:
        disentanglement: whether each code serves one factor only.
        completeness: whether each factor is served by one code only.
        informativeness: how well the factors of trials left out are predicted.
    """

    disentanglement: float
    completeness: float
    informativeness: float


def dci(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    model: str = "boosting",
    folds: int = 4,
    discrete: Discrete = None,
    seed: int = 0,
) -> DCIScores:
    """Disentanglement, completeness and informativeness of codes.

    `disentanglement` and `completeness` of the `importance_matrix`, and the mean over factors of
    the scores that come with it. Importances of one factor always sum to one, even if nothing
    predicts it: read the first two together with the third, and with `shuffle_baseline(dci, ...)`.

    Args:
        codes: means of the latent, `[trial, code]`, two codes or more.
        factors: `[trial, factor]`, two factors or more.
        model: see `importance_matrix`.
        folds: see `importance_matrix`.
        discrete: see `mutual_information`.
        seed: seed of the split and of the trees.

    Raises:
        ValueError: as `importance_matrix`; or there is one code or one factor only.
        ImportError: scikit-learn is not installed.

    Eastwood and Williams (2018), "A framework for the quantitative evaluation of disentangled
    representations".

    >>> factors = np.random.default_rng(0).integers(3, size=(200, 2))
    >>> scores = dci(factors, factors)
    >>> [round(score, 1) for score in scores]
    [1.0, 1.0, 1.0]
    """
    shape = np.shape(codes), np.shape(factors)
    for name, axes in zip(("codes", "factors"), shape, strict=True):
        checks.rank(name, axes, 2)
        if axes[1] < 2:
            raise ValueError(f"{name} must have at least two columns for DCI, got {axes[1]}")
    importance, scores = importance_matrix(
        codes, factors, model=model, folds=folds, discrete=discrete, seed=seed
    )
    return DCIScores(disentanglement(importance), completeness(importance), float(scores.mean()))


def importance_matrix(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    model: str = "boosting",
    folds: int = 4,
    discrete: Discrete = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """How much each code matters to trees that predict each factor, and how well they do.

    Importance is the impurity (of the trees' own loss) that splits on the code take away, as a
    share of all that is taken away. One of `folds` groups of trials is left out for the score;
    trials are shuffled, and each class is in both parts.

    Args:
        codes: means of the latent, `[trial, code]`.
        factors: `[trial, factor]`.
        model: "boosting", gradient-boosted trees, as in the comparison of Locatello et al. (2019);
            "forest", a random forest, as in Eastwood and Williams: about fifteen times faster with
            eight classes, but it gives codes of noise more importance. Scores of the two are
            not comparable.
        folds: one over this share of trials is left out, at least 2.
        discrete: see `mutual_information`. Discrete factors are classified, others regressed.
        seed: seed of the split and of the trees.

    Returns:
        Importance `[code, factor]`, each column of which sums to one (zeros if no code varies),
        and the score of each factor on the trials left out, `[factor]`: accuracy of a discrete
        one, R2 of a continuous one (which is negative where a constant predicts better).

    Raises:
        ValueError: shapes do not match, a value is not finite, a factor is constant, a class has
            fewer trials than `folds`, or `model` is unknown.
        ImportError: scikit-learn is not installed.

    >>> codes = np.random.default_rng(0).normal(size=(200, 2))
    >>> importance, r2 = importance_matrix(codes, 3 * codes[:, :1])
    >>> importance.round(2).ravel().tolist(), bool(r2[0] > 0.9)
    ([1.0, 0.0], True)
    """
    checks.one_of("model", model, MODELS)
    codes, columns = checked_pair(codes, factors, discrete)
    importance, scores = zip(
        *[_importance(codes, factor, model, folds, seed) for factor in columns], strict=True
    )
    return np.stack(importance, axis=-1), np.array(scores)


def disentanglement(importance: np.ndarray) -> float:
    r"""Whether each code serves one factor only.

    $$D = \sum_i \rho_i \left(1 - H_K(R_{i \cdot} / \textstyle\sum_k R_{ik})\right), \qquad
      \rho_i = \textstyle\sum_k R_{ik} / \sum_{ik} R_{ik}$$

    The entropy has the logarithm to base K, the number of factors.

    Args:
        importance: `[code, factor]`, at least 0, two factors or more.

    Returns:
        0 (every code serves all factors alike, or nothing serves any) to 1.

    Raises:
        ValueError: it is not such a matrix.

    Eastwood and Williams (2018).

    >>> diagonal = np.eye(5)
    >>> disentanglement(diagonal), round(disentanglement(np.hstack([diagonal, diagonal])), 6)
    (1.0, 0.69897)
    """
    matrix = nonnegative_matrix("importance", importance)
    if matrix.shape[1] < 2:
        raise ValueError("disentanglement needs at least two factors, got 1")
    total = matrix.sum(axis=1)
    share = matrix / np.where(total > 0, total, 1.0)[:, None]
    logs = np.log(np.where(share > 0, share, 1.0)) / np.log(matrix.shape[1])
    concentration = 1.0 + (share * logs).sum(axis=1)
    return float(total @ concentration / total.sum()) if total.any() else 0.0


def completeness(importance: np.ndarray) -> float:
    r"""Whether each factor is served by one code only: `disentanglement` of the transpose.

    $$C = \sum_k w_k \left(1 - H_M(R_{\cdot k} / \textstyle\sum_i R_{ik})\right), \qquad
      w_k = \textstyle\sum_i R_{ik} / \sum_{ik} R_{ik}$$

    The entropy has the logarithm to base M, the number of codes.

    Args:
        importance: `[code, factor]`, at least 0, two codes or more.

    Returns:
        0 to 1.

    Raises:
        ValueError: it is not such a matrix.

    Eastwood and Williams (2018).

    >>> diagonal = np.eye(5)
    >>> completeness(diagonal), round(completeness(np.vstack([diagonal, diagonal])), 6)
    (1.0, 0.69897)
    """
    matrix = nonnegative_matrix("importance", importance)
    if matrix.shape[0] < 2:
        raise ValueError("completeness needs at least two codes, got 1")
    return disentanglement(matrix.T)


def _importance(
    codes: np.ndarray, factor: Factor, model: str, folds: int, seed: int
) -> tuple[np.ndarray, float]:
    labels = factor.values if factor.discrete else None
    left_out = trial_folds(len(codes), folds, seed, labels)[0]
    fitted = np.setdiff1d(np.arange(len(codes)), left_out)
    kind = "Classifier" if factor.discrete else "Regressor"
    name = {"boosting": "GradientBoosting", "forest": "RandomForest"}[model]
    trees = getattr(sklearn_module("ensemble"), name + kind)(random_state=seed)
    trees.fit(codes[fitted], factor.values[fitted])
    # Gradient boosting's shares are sums that can fall below zero by rounding.
    importance = np.maximum(trees.feature_importances_, 0.0)
    predicted, true = trees.predict(codes[left_out]), factor.values[left_out]
    if factor.discrete:
        return importance, float(np.mean(predicted == true))
    return importance, float(r2_per_channel(predicted[:, None], true[:, None])[0])
