"""Read-outs from features to counts, each penalty chosen inside the training trials."""

from __future__ import annotations

import warnings

import numpy as np

from .. import checks
from .decoding import ALPHAS, fit_ridge

__all__ = ["GLM_ALPHAS", "poisson_read_out", "ridge_read_out"]

GLM_ALPHAS = tuple(float(alpha) for alpha in np.logspace(-4, 1, 11))
CHOSEN_ON = 4  # channels by which one penalty for all is chosen
FOLDS = 5
RATES = (1e-9, 1e9)  # spikes per bin, between which rates are judged


def ridge_read_out(x: np.ndarray, y: np.ndarray, new: np.ndarray, seed: int = 0) -> np.ndarray:
    r"""Predict channels from features by ridge, each with the penalty that left-out trials choose.

    $$\min_w \sum_{n,t : y_{nt} \text{ known}} (y_{nt} - b - \tilde x_{nt} \cdot w)^2 +
      \alpha \lVert w \rVert^2$$

    It is `fit_ridge` where every entry is known.

    Args:
        x: features of training trials, `[trial, time, feature]`.
        y: what they are to predict, `[trial, time, channel]`, any unit; NaN is left out.
        new: features of other trials, `[trial, time, feature]`.
        seed: of the groups of trials that are left out in turn.

    Returns:
        `[trial, time, channel]` of the other trials; a channel without a known entry is NaN.

    Raises:
        ValueError: shapes do not match, a feature is not finite, or there is one trial only.

    >>> x = np.random.default_rng(0).normal(size=(20, 10, 2))
    >>> y = x @ [[1.0], [-2.0]] + 3.0
    >>> y[::2, ::3] = np.nan
    >>> ridge_read_out(x, y, np.array([[[1.0, 1.0]]])).round(2).tolist()
    [[[2.0]]]
    """
    x, y, new = _checked(x, y, new)
    folds = min(FOLDS, len(x))
    if np.isfinite(y).all():
        return fit_ridge(x, y, folds=folds, seed=seed).predict(new)
    centre, scale = x.mean(axis=(0, 1)), x.std(axis=(0, 1))
    scale = np.where(scale > 1e-12, scale, 1.0)
    x, new = ((np.concatenate([(a - centre) / scale, np.ones((*a.shape[:2], 1))], -1))
              for a in (x, new))  # fmt: skip
    groups = np.array_split(np.random.default_rng(seed).permutation(len(x)), folds)
    predicted = np.full((*new.shape[:2], y.shape[-1]), np.nan)
    for channel in range(y.shape[-1]):
        sums = [_sums(x[trials], y[trials, :, channel]) for trials in groups]
        if sum(known for *_, known in sums) > 1:
            predicted[..., channel] = new @ _weights(sums)
    return predicted


def poisson_read_out(
    x: np.ndarray,
    y: np.ndarray,
    new: np.ndarray,
    alphas: tuple[float, ...] = GLM_ALPHAS,
    own_penalties: bool = True,
    folds: int = FOLDS,
) -> np.ndarray:
    r"""Predict counts from features by a generalised linear model of each channel.

    $$\log \lambda_{nt} = b + \tilde x_{nt} \cdot w, \qquad k_{nt} \sim \mathrm{Poisson}$$

    with a penalty $\alpha \lVert w \rVert^2 / 2$ beside the mean negative log-likelihood. Needs
    scikit-learn, whose `PoissonRegressor` it fits.

    Args:
        x: features of training trials, `[trial, time, feature]`.
        y: counts, `[trial, time, channel]`; NaN is left out.
        new: features of other trials, `[trial, time, feature]`.
        alphas: penalties to choose from, by the deviance on training trials left out.
        own_penalties: each channel chooses its own; else all have the one that four of them,
            evenly spread over their rates, choose: much quicker.
        folds: groups of trials that are left out in turn.

    Returns:
        Expected counts, `[trial, time, channel]`; a channel without counts to learn from is NaN.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: shapes do not match, or a feature is not finite.

    >>> x = np.random.default_rng(0).normal(size=(20, 50, 1))
    >>> y = np.random.default_rng(1).poisson(np.exp(0.5 * x))
    >>> bool(abs(poisson_read_out(x, y, np.array([[[1.0]]]))[0, 0, 0] - np.exp(0.5)) < 0.15)
    True
    """
    x, y, new = _checked(x, y, new)
    with _one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps that overflow: what comes of it is judged
        return _poisson_read_out(x, y, new, alphas, own_penalties, folds)


def _poisson_read_out(
    x: np.ndarray,
    y: np.ndarray,
    new: np.ndarray,
    alphas: tuple[float, ...],
    own_penalties: bool,
    folds: int,
) -> np.ndarray:
    channels = np.flatnonzero(np.nansum(y, axis=(0, 1)) > 0)
    shared = None
    if not own_penalties and len(channels) and len(alphas) > 1:
        by_rate = channels[np.argsort(np.nanmean(y[..., channels], axis=(0, 1)), kind="stable")]
        places = np.linspace(0, len(by_rate) - 1, min(CHOSEN_ON, len(by_rate))).astype(int)
        chosen = [_search(x, y[..., c], alphas, folds).best_params_ for c in by_rate[places]]
        shared = (float(np.exp(np.median([np.log(p) for c in chosen for p in c.values()]))),)
    predicted = np.full((*new.shape[:2], y.shape[-1]), np.nan)
    flat = new.reshape(-1, new.shape[-1])
    for channel in channels:
        model = _search(x, y[..., channel], shared or alphas, folds)
        predicted[..., channel] = model.predict(flat).reshape(new.shape[:2])
    return predicted


def _one_thread():
    """These problems are so small that threads wait for each other most of the time."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ImportError('a GLM needs scikit-learn: pip install "tfp_bvae[metrics]"') from error
    return threadpool_limits(1)


def _search(x: np.ndarray, y: np.ndarray, alphas: tuple[float, ...], folds: int):
    """A fitted model of one channel, its penalty chosen where there is a choice."""
    try:
        from sklearn.linear_model import PoissonRegressor
        from sklearn.model_selection import GridSearchCV, GroupKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise ImportError('a GLM needs scikit-learn: pip install "tfp_bvae[metrics]"') from error
    known = np.isfinite(y)
    trials = np.broadcast_to(np.arange(len(y))[:, np.newaxis], y.shape)[known]
    folds = min(folds, len(np.unique(trials)))
    if len(alphas) == 1 or folds < 2:
        middle = alphas[len(alphas) // 2]
        model = make_pipeline(
            StandardScaler(), PoissonRegressor(alpha=middle, solver="newton-cholesky")
        )
        return model.fit(x[known], y[known])
    search = GridSearchCV(
        make_pipeline(StandardScaler(), PoissonRegressor(solver="newton-cholesky")),
        {"poissonregressor__alpha": alphas},
        scoring=_minus_deviance,
        cv=GroupKFold(folds, shuffle=True, random_state=0),
    )
    return search.fit(x[known], y[known], groups=trials)


def _minus_deviance(model, x: np.ndarray, y: np.ndarray) -> float:
    """How well a model predicts counts; where its rates vanish or overflow it is bad, no error."""
    from sklearn.metrics import mean_poisson_deviance

    return -mean_poisson_deviance(y, np.clip(model.predict(x), *RATES))


def _sums(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, int]:
    """All that least squares need to know of some trials: their sums of products."""
    known = np.isfinite(y)
    x, y = x[known], y[known]
    return x.T @ x, x.T @ y, float(y @ y), len(y)


def _weights(sums: list[tuple[np.ndarray, np.ndarray, float, int]]) -> np.ndarray:
    """Weights of one channel; its intercept is the last, and costs nothing."""
    gram, product = sum(part[0] for part in sums), sum(part[1] for part in sums)
    penalty = np.array(ALPHAS)[:, np.newaxis, np.newaxis] * np.diag([*[1.0] * (len(gram) - 1), 0.0])
    tiny = 1e-9 * np.eye(len(gram))
    error = np.zeros(len(ALPHAS))
    for own_gram, own_product, square, _ in sums if len(sums) > 1 else []:
        right = np.broadcast_to((product - own_product)[:, np.newaxis], (len(ALPHAS), len(gram), 1))
        weights = np.linalg.solve(gram - own_gram + penalty + tiny, right)[..., 0]
        quadratic = np.einsum("ai,ij,aj->a", weights, own_gram, weights)
        error += square - 2 * weights @ own_product + quadratic
    return np.linalg.solve(gram + penalty[error.argmin()] + tiny, product)


def _checked(x, y, new) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y, new = (np.asarray(a, np.float64) for a in (x, y, new))
    for name, array in (("x", x), ("y", y), ("new", new)):
        checks.rank(name, array.shape, 3)
    for name, array in (("x", x), ("new", new)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
    if x.shape[:2] != y.shape[:2]:
        raise ValueError(f"y must have the trials and bins of x, {x.shape[:2]}, got {y.shape[:2]}")
    checks.last_dim("new", new.shape, x.shape[-1])
    if len(x) < 2:
        raise ValueError("x must hold at least two trials, got 1")
    return x, y, new
