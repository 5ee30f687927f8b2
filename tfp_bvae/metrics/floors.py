"""What simple methods predict of entries that are hidden: the floors that a model has to clear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .hidden import Hidden, mean_response, smooth_observed
from .latent_floor import gpfa_latents, has_elephant
from .readouts import poisson_read_out, ridge_read_out
from .spikes import bits_per_spike

__all__ = ["Floor", "floor_scores"]

SMALLEST_RATE = 1e-3  # spikes per bin; a linear prediction may be negative, a rate may not
SIGMAS = (1.0, 2.0, 4.0)  # of the smoothing, bins
ALPHAS = (1e-3, 1e-2, 1e-1, 1.0)  # penalties of the GLM
MOST_ROWS = 20_000  # training bins that a read-out learns from
PSEUDO_TRIALS = (1.0, 4.0, 16.0)  # at the mean of all, beside those of a condition
LATENTS = 8  # of GPFA

Predict = Callable[[Hidden], np.ndarray]  # of all entries of such trials, or of those that it can


class Floor(NamedTuple):
    """What one simple method reaches."""

    name: str
    score: float | None  # bits per spike, of Gaussian data nats per entry; None where it failed
    note: str = ""


def floor_scores(
    train: Hidden,
    valid: Hidden,
    bin_width: float,
    counts: bool = True,
    glm: bool = True,
    told: str = "condition",
) -> list[Floor]:
    """Scores of simple methods on hidden entries of validation trials.

    Mean response (of all trials; of the trial's condition, where that is known); ridge from
    smoothed counts of all that is seen; a Poisson GLM on the same; ridge or GLM from the latents
    of GPFA, where elephant is installed. All that is chosen (penalties, width of the smoothing)
    is chosen inside the training trials. No method sees an entry that it is scored on: smoothing
    leaves hidden entries out, and read-outs learn from training trials that hide as many.

    Args:
        train: training trials.
        valid: the trials that are scored.
        bin_width: s.
        counts: whether the data are counts; else they are scored by the density of a Gaussian
            with the variance that each channel's training residuals have, and there is no GLM.
        glm: whether to fit the GLM, which takes longest.
        told: what `condition` is, in words.

    Raises:
        ImportError: scipy is not installed. A method that lacks another package has a note of it.
        ValueError: the two sides do not have the same bins and channels.

    >>> from tfp_bvae.data import lorenz
    >>> data = lorenz(num_conditions=4, num_channels=8)
    >>> sides = [Hidden(x.encod[..., :6], x.recon, np.arange(8) >= np.full(x.recon.shape, 6))
    ...          for x in (data.train, data.valid)]
    >>> [floor.name for floor in floor_scores(*sides, bin_width=0.02, glm=False)][:2]
    ['mean response', 'ridge on smoothed counts, sigma ...']
    """
    if train.targets.shape[1:] != valid.targets.shape[1:]:
        raise ValueError(
            f"valid must have the bins and channels of train, {train.targets.shape[1:]}, "
            f"got {valid.targets.shape[1:]}"
        )
    rows = max(2, MOST_ROWS // train.seen.shape[1])
    few = train
    if len(train.seen) > rows:
        few = train.select(np.linspace(0, len(train.seen) - 1, rows).astype(int))
    mean = mean_response(train.targets)
    methods: dict[str, Predict] = {"mean response": lambda side: mean}
    if train.condition is not None and valid.condition is not None:
        methods[f"mean response per {told} (told the {told})"] = _told(train, counts, mean)
    sigma = _best_sigma(few, counts, mean)
    smoothed = f"smoothed counts, sigma {sigma:g} bin{'s' if sigma > 1 else ''}"
    methods[f"ridge on {smoothed}"] = _from_smoothed(few, sigma, ridge_read_out)
    if counts and glm:
        methods[f"Poisson GLM on {smoothed}"] = _from_smoothed(few, sigma, _glm)
    found = [_judged(name, predict, few, valid, counts, mean) for name, predict in methods.items()]
    if not has_elephant():
        return [*found, Floor("GPFA", None, "elephant is not installed: pip install elephant")]
    dims = min(LATENTS, max(1, train.seen.shape[2] - 2))
    predict = _from_latents(few, bin_width, dims, _glm if counts and glm else ridge_read_out)
    return [*found, _judged(f"GPFA, {dims} latents", predict, few, valid, counts, mean)]


def _judged(
    name: str, predict: Predict, train: Hidden, valid: Hidden, counts: bool, mean: np.ndarray
) -> Floor:
    """The score of one method; of one that fails, why."""

    def whole(side: Hidden) -> np.ndarray:  # the mean response where the method says nothing
        predicted = np.broadcast_to(predict(side), side.targets.shape)
        return np.where(np.isfinite(predicted), predicted, mean)

    try:
        predicted, wanted = whole(valid), valid.wanted
        if counts:
            return Floor(name, bits_per_spike(np.maximum(predicted, SMALLEST_RATE), wanted))
        residual = np.where(train.scored, train.targets - whole(train), np.nan)
    except (ImportError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return Floor(name, None, f"it failed: {error}")
    observed = np.isfinite(residual).any(axis=(0, 1))
    scale = np.ones(residual.shape[-1])
    scale[observed] = np.sqrt(np.nanmean(np.square(residual[..., observed]), axis=(0, 1)))
    scale = np.maximum(scale, 1e-6)
    density = -0.5 * np.square((wanted - predicted) / scale) - np.log(scale)
    return Floor(name, float(np.nanmean(density) - 0.5 * np.log(2 * np.pi)))


def _best_sigma(train: Hidden, counts: bool, mean: np.ndarray) -> float:
    """The width of the smoothing by which ridge does best."""
    return _best(
        {s: lambda x, s=s: _from_smoothed(x, s, ridge_read_out) for s in SIGMAS},
        train, counts, mean,
    )  # fmt: skip


def _told(train: Hidden, counts: bool, mean: np.ndarray) -> Predict:
    """The mean response of the condition, drawn to that of all and smoothed as suits it best."""

    def method(train: Hidden, pseudo_trials: float, sigma: float) -> Predict:
        def predict(side: Hidden) -> np.ndarray:
            kinds, row = np.unique(side.condition, return_inverse=True)
            means = mean_response(train.targets, train.condition, kinds, pseudo_trials)
            return (smooth_observed(means, sigma) if sigma else means)[row]

        return predict

    choices = [(pseudo, sigma) for pseudo in PSEUDO_TRIALS for sigma in (0.0, *SIGMAS)]
    best = _best({c: lambda x, c=c: method(x, *c) for c in choices}, train, counts, mean)
    return method(train, *best)


def _best(
    makers: dict[Any, Callable[[Hidden], Predict]], train: Hidden, counts: bool, mean: np.ndarray
) -> Any:
    """The choice whose method, made of four fifths of the training trials, does best on the rest.

    The fifths are drawn at random; with fewer than ten trials the first choice is taken.
    """
    if len(train.seen) < 10:
        return next(iter(makers))
    rest = np.random.default_rng(0).permutation(len(train.seen)) % 5 == 4
    ours, others = train.select(~rest), train.select(rest)
    scores = {
        choice: _judged("", make(ours), ours, others, counts, mean).score
        for choice, make in makers.items()
    }
    return max(scores, key=lambda choice: -np.inf if scores[choice] is None else scores[choice])


def _from_smoothed(train: Hidden, sigma: float, read_out: Callable) -> Predict:
    features = smooth_observed(train.seen, sigma)
    return lambda side: _read(read_out, features, train, smooth_observed(side.seen, sigma))


def _from_latents(train: Hidden, bin_width: float, dims: int, read_out: Callable) -> Predict:
    """GPFA knows no hidden entries: they are filled in from their neighbours in time."""

    def predict(side: Hidden) -> np.ndarray:
        filled = (
            np.where(np.isfinite(x.seen), x.seen, smooth_observed(x.seen, 2.0))
            for x in (train, side)
        )
        known, new = gpfa_latents(*filled, bin_width=bin_width, dims=dims)
        return _read(read_out, known, train, new)

    return predict


def _read(read_out: Callable, features: np.ndarray, train: Hidden, new: np.ndarray) -> np.ndarray:
    """Read-outs bin by bin; of later bins than are seen, from the last that is."""
    bins, wanted = features.shape[1], train.wanted
    predicted = np.full((len(new), *wanted.shape[1:]), np.nan)
    columns = np.isfinite(wanted[:, :bins]).any(axis=(0, 1))
    if columns.any():
        predicted[:, :bins, columns] = read_out(features, wanted[:, :bins, columns], new)
    later = wanted[:, bins:]
    if later.shape[1]:
        flat = ridge_read_out(features[:, -1:], later.reshape(len(later), 1, -1), new[:, -1:])
        predicted[:, bins:] = flat.reshape(len(new), *later.shape[1:])
    return predicted


def _glm(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    return poisson_read_out(x, y, new, ALPHAS, own_penalties=False, folds=3)
