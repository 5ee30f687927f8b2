"""Disentanglement by mutual information: MIG and modularity."""

from __future__ import annotations

import numpy as np

from .. import checks
from .factors import Discrete, checked_pair, finite

CORRECTIONS = ("miller_madow", "none")


def quantile_bins(values: np.ndarray, bins: int = 10) -> np.ndarray:
    """Cut one variable into bins that hold about the same number of trials.

    Equal values are never parted: a variable of no more than `bins` distinct values keeps each as
    a bin of its own, and a value that many trials share makes its bin fuller. Bins that are left
    empty are dropped.

    Args:
        values: `[trial]`, any unit.
        bins: how many at most, at least 2.

    Returns:
        Index of each trial's bin, `[trial]`, from 0, in the order of the values.

    Raises:
        ValueError: `values` is not `[trial]`, is empty or not finite, or `bins` is below 2.

    >>> quantile_bins([0.1, 5.0, 0.2, 7.0], bins=2).tolist()
    [0, 1, 0, 1]
    """
    values = finite("values", values, 1)
    checks.whole_number("bins", bins, minimum=2)
    distinct, index = np.unique(values, return_inverse=True)
    if len(distinct) <= bins:
        return index
    edges = np.quantile(values, np.linspace(0.0, 1.0, bins + 1)[1:-1])
    return np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]


def mutual_information(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    bins: int = 10,
    correction: str = "miller_madow",
    discrete: Discrete = None,
) -> np.ndarray:
    r"""Mutual information of every code with every factor, in nats.

    $$I(c; v) = H(c) + H(v) - H(c, v), \qquad
      H = -\sum_b \hat p_b \log \hat p_b + \frac{B - 1}{2 N}$$

    The last term is Miller and Madow's correction, of the B bins that hold a trial: without it,
    codes that know nothing score about (bins - 1)(values - 1) / 2N nats. What
    falls below zero by the correction is set to zero.

    Args:
        codes: means of the latent, `[trial, code]`, any unit; cut into quantile bins.
        factors: known causes, `[trial, factor]`.
        bins: bins of a code, and of a factor that is continuous.
        correction: "miller_madow" or "none" (relative frequencies as they are).
        discrete: which factors are classes, one truth value or one for each factor. None: all are,
            unless `factors` holds floats, where none is.

    Returns:
        `[code, factor]`.

    Raises:
        ValueError: shapes do not match, a value is not finite, a factor is constant, `bins` is
            below 2, or `correction` is unknown.

    Miller (1955), "Note on the bias of information estimates".

    >>> codes = np.array([[0.1, 3.0], [0.2, 3.0], [0.8, 3.0], [0.9, 3.0]])
    >>> information = mutual_information(codes, [[0], [0], [1], [1]], bins=2, correction="none")
    >>> information.round(3).tolist()  # log 2, and nothing
    [[0.693], [0.0]]
    """
    return _information(codes, factors, bins, correction, discrete)[0]


def mig(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    bins: int = 10,
    correction: str = "miller_madow",
    discrete: Discrete = None,
) -> float:
    r"""Mutual information gap: how much more of a factor the best code knows than the second.

    $$\mathrm{MIG} = \frac{1}{K} \sum_k \frac{I_{(1)k} - I_{(2)k}}{H(v_k)}$$

    Args:
        codes: means of the latent, `[trial, code]`, two codes or more.
        factors: `[trial, factor]`.
        bins: see `mutual_information`.
        correction: see `mutual_information`; the entropy of the factor has it as well.
        discrete: see `mutual_information`.

    Returns:
        0 (no code stands out: none knows the factor, or two share it) to 1.

    Raises:
        ValueError: as `mutual_information`; or there is one code only.

    Chen, Li, Grosse and Duvenaud (2018), "Isolating sources of disentanglement in VAEs".

    >>> factors = np.stack(np.divmod(np.arange(16), 4), axis=-1)
    >>> round(mig(factors, factors), 6), round(mig(np.hstack([factors, factors]), factors), 6)
    (1.0, 0.0)
    """
    information, entropy, _ = _information(codes, factors, bins, correction, discrete)
    if len(information) < 2:
        raise ValueError("codes must have at least two columns for a gap, got 1")
    best = np.sort(information, axis=0)[::-1]
    return float(np.mean((best[0] - best[1]) / entropy))


def modularity(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    bins: int = 10,
    correction: str = "miller_madow",
    floor: float = 3.0,
    discrete: Discrete = None,
) -> float:
    r"""Whether each code depends on one factor only: `matrix_modularity` of the information.

    The score looks at ratios, so that a code of noise, with its traces of information by chance,
    would count as well as any other. Therefore what lies within `floor` standard deviations of
    chance counts as none. By the chi-squared law of a code that knows nothing, that is

    $$I_{ik} < \mathrm{floor} \cdot \sqrt{(B_i - 1)(B_k - 1) / 2} \, / N$$

    Args:
        codes: means of the latent, `[trial, code]`.
        factors: `[trial, factor]`, two factors or more.
        bins: see `mutual_information`.
        correction: see `mutual_information`.
        floor: in standard deviations; 0 is the score as published.
        discrete: see `mutual_information`.

    Returns:
        0 to 1; codes that know nothing count as 0.

    Raises:
        ValueError: as `mutual_information`; there is one factor only, or `floor` is negative.

    Ridgeway and Mozer (2018), "Learning deep disentangled embeddings with the F-statistic loss".

    >>> factors = np.stack(np.divmod(np.arange(400) % 16, 4), axis=-1)
    >>> modularity(factors, factors)
    1.0
    """
    checks.in_interval("floor", floor, low=0.0)
    information, _, chance = _information(codes, factors, bins, correction, discrete)
    return matrix_modularity(np.where(information < floor * chance, 0.0, information))


def matrix_modularity(information: np.ndarray) -> float:
    r"""Modularity of a matrix of mutual information.

    $$\frac{1}{M} \sum_i 1 - \frac{\sum_k I_{ik}^2 - \max_k I_{ik}^2}{(K - 1) \max_k I_{ik}^2}$$

    Args:
        information: `[code, factor]`, at least 0, two factors or more.

    Returns:
        0 to 1; a code that knows of no factor counts as 0.

    Raises:
        ValueError: it is not such a matrix.

    Ridgeway and Mozer (2018).

    >>> round(matrix_modularity([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), 4)
    0.6667
    """
    squared = np.square(nonnegative_matrix("information", information))
    if squared.shape[1] < 2:
        raise ValueError("modularity needs at least two factors, got 1")
    largest = squared.max(axis=1)
    rest = (squared.sum(axis=1) - largest) / np.where(largest > 0, largest, 1.0)
    return float(np.where(largest > 0, 1.0 - rest / (squared.shape[1] - 1), 0.0).mean())


def nonnegative_matrix(name: str, matrix: np.ndarray) -> np.ndarray:
    """A matrix `[code, factor]` of finite numbers, none below zero."""
    matrix = finite(name, matrix, 2)
    if (matrix < 0).any():
        raise ValueError(f"{name} must be at least 0, got {matrix.min():g}")
    return matrix


def _information(
    codes: np.ndarray, factors: np.ndarray, bins: int, correction: str, discrete: Discrete
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Information `[code, factor]`, entropy `[factor]`, SD of information by chance."""
    checks.one_of("correction", correction, CORRECTIONS)
    codes, columns = checked_pair(codes, factors, discrete)
    bias = 0.5 / len(codes) if correction == "miller_madow" else 0.0
    cut = [quantile_bins(code, bins) for code in codes.T]
    known = [f.values if f.discrete else quantile_bins(f.values, bins) for f in columns]
    code_entropy = np.array([_entropy(code, bias) for code in cut])
    entropy = np.array([_entropy(factor, bias) for factor in known])
    joint = np.array([[_entropy(i * (1 + k.max()) + k, bias) for k in known] for i in cut])
    freedom = np.outer([code.max() for code in cut], [factor.max() for factor in known])
    chance = np.sqrt(freedom / 2) / len(codes)
    return np.maximum(code_entropy[:, None] + entropy - joint, 0.0), entropy, chance


def _entropy(index: np.ndarray, bias: float) -> float:
    counts = np.unique(index, return_counts=True)[1]
    share = counts / counts.sum()
    return float(-(share @ np.log(share)) + bias * (len(counts) - 1))
