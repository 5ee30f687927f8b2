"""Disentanglement by simple predictors: SAP and explicitness."""

from __future__ import annotations

import numpy as np

from .factors import (
    Discrete,
    Factor,
    checked_pair,
    logistic_regression,
    sklearn_module,
    trial_folds,
)


def sap(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    folds: int = 5,
    discrete: Discrete = None,
    seed: int = 0,
) -> float:
    r"""Separated attribute predictability: how far the best code leads the second.

    $$\mathrm{SAP} = \frac{1}{K} \sum_k S_{(1)k} - S_{(2)k}$$

    S is how well one code alone predicts the factor. A continuous factor: the squared correlation.
    A discrete one: balanced accuracy, on trials left out, of thresholds on the code (as in the
    paper; a tree of as many leaves as classes. The linear support-vector machine that is often put
    in their place cannot find a class between two others). Chance, 1 / classes, stays in S, so
    that a discrete factor gives a gap of 1 - 1 / classes at most.

    Args:
        codes: means of the latent, `[trial, code]`, two codes or more.
        factors: `[trial, factor]`.
        folds: groups of trials, each left out once, 2 to the number of trials of a class.
        discrete: see `mutual_information`.
        seed: seed of the draw of the groups.

    Returns:
        0 (about; noise can bring it above) to 1.

    Raises:
        ValueError: shapes do not match, a value is not finite, a factor is constant, there is one
            code only, or a class has fewer trials than `folds`.
        ImportError: a factor is discrete, and scikit-learn is not installed.

    Kumar, Sattigeri and Balakrishnan (2018), "Variational inference of disentangled latent
    concepts from unlabeled observations".

    >>> factors = np.random.default_rng(0).normal(size=(500, 2))
    >>> round(sap(factors, factors), 1), sap(np.hstack([factors, factors]), factors)
    (1.0, 0.0)
    """
    codes, columns = checked_pair(codes, factors, discrete)
    if codes.shape[1] < 2:
        raise ValueError("codes must have at least two columns for a gap, got 1")
    gaps = []
    for factor in columns:
        read = _balanced_accuracy if factor.discrete else _squared_correlation
        best = sorted((read(code, factor, folds, seed) for code in codes.T), reverse=True)
        gaps.append(best[0] - best[1])
    return float(np.mean(gaps))


def explicitness(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    folds: int = 5,
    discrete: Discrete = None,
    seed: int = 0,
) -> float:
    r"""Whether a linear classifier finds each class of each factor in all codes together.

    $$E = \frac{1}{K} \sum_k \frac{1}{C_k} \sum_c \mathrm{AUC}(v_k = c)$$

    Area under the ROC curve, one class against the rest, of multinomial logistic regression on
    standardised codes, on the trials of each fold that is left out (not pooled over folds,
    which is biased), then averaged.

    Args:
        codes: means of the latent, `[trial, code]`.
        factors: discrete, `[trial, factor]`; cut continuous ones with `quantile_bins` before.
        folds: groups of trials, each left out once, 2 to the number of trials of a class.
        discrete: see `mutual_information`.
        seed: seed of the draw of the groups.

    Returns:
        0.5 (chance) to 1.

    Raises:
        ValueError: shapes do not match, a value is not finite, a factor is constant or continuous,
            or a class has fewer trials than `folds`.
        ImportError: scikit-learn is not installed.

    Ridgeway and Mozer (2018), "Learning deep disentangled embeddings with the F-statistic loss".

    >>> factors = np.random.default_rng(0).integers(2, size=(100, 2))
    >>> explicitness(factors, factors), explicitness(np.zeros((100, 2)), factors)
    (1.0, 0.5)
    """
    codes, columns = checked_pair(codes, factors, discrete)
    for index, factor in enumerate(columns):
        if not factor.discrete:
            raise ValueError(
                f"explicitness needs classes, got floats as factor {index}: cut it with "
                "quantile_bins, or say discrete=True if its values are classes"
            )
    return float(np.mean([_area(codes, factor.values, folds, seed) for factor in columns]))


def _squared_correlation(code: np.ndarray, factor: Factor, folds: int, seed: int) -> float:
    if code.min() == code.max():
        return 0.0
    return float(np.corrcoef(code, factor.values)[0, 1] ** 2)


def _balanced_accuracy(code: np.ndarray, factor: Factor, folds: int, seed: int) -> float:
    """Mean over classes of the share of its trials that thresholds on one code find."""
    labels = factor.values
    right = np.zeros(len(labels))
    for left_out in trial_folds(len(labels), folds, seed, labels):
        fitted = np.setdiff1d(np.arange(len(labels)), left_out)
        tree = sklearn_module("tree").DecisionTreeClassifier(
            max_leaf_nodes=labels.max() + 1, class_weight="balanced", random_state=seed
        )
        tree.fit(code[fitted, None], labels[fitted])
        right[left_out] = tree.predict(code[left_out, None]) == labels[left_out]
    return float(np.mean([right[labels == value].mean() for value in range(labels.max() + 1)]))


def _area(codes: np.ndarray, labels: np.ndarray, folds: int, seed: int) -> float:
    """Area under the ROC curve, mean over classes and folds."""
    area = sklearn_module("metrics").roc_auc_score
    areas = []
    for left_out in trial_folds(len(labels), folds, seed, labels):
        fitted = np.setdiff1d(np.arange(len(labels)), left_out)
        model = logistic_regression().fit(codes[fitted], labels[fitted])
        chances = model.predict_proba(codes[left_out])
        areas += [area(labels[left_out] == c, chances[:, c]) for c in range(labels.max() + 1)]
    return float(np.mean(areas))
