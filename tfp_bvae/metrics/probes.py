"""Cross-probes: what the static and the dynamic latent know, each of its own side and the other."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .. import checks
from .decoding import fit_ridge
from .factors import class_labels, finite, logistic_regression, shuffle_baseline, trial_folds
from .spikes import r2_per_channel


@dataclass(frozen=True)
class Probe:
    """One score, and the same score after permuting trials.

    Args:
        score: accuracy or R2, on trials left out.
        chance: mean over permutations.
        chance_sd: standard deviation over permutations.
    """

    score: float
    chance: float
    chance_sd: float


@dataclass(frozen=True)
class CrossProbes:
    """What `cross_probes` returns; `print` it to read it.

    Args:
        f_static: accuracy of the class from f; to be high.
        z_static: accuracy of the class from the mean of z over time; to be at chance.
        z_dynamic: R2 of the dynamics from z; to be high.
        f_dynamic: R2 of the dynamics from f; to be at chance.
    """

    f_static: Probe
    z_static: Probe
    z_dynamic: Probe
    f_dynamic: Probe

    def __str__(self) -> str:
        lines = [f"{'probe':<28} {'score':>7} {'chance':>16}"]
        names = {
            "f_static": "f -> static (accuracy)",
            "z_static": "mean z -> static (accuracy)",
            "z_dynamic": "z -> dynamic (R2)",
            "f_dynamic": "f -> dynamic (R2)",
        }
        for field in fields(self):
            probe = getattr(self, field.name)
            chance = f"{probe.chance:.3f} ± {probe.chance_sd:.3f}"
            lines.append(f"{names[field.name]:<28} {probe.score:>7.3f} {chance:>16}")
        return "\n".join(lines)


def cross_probes(
    f: np.ndarray,
    z: np.ndarray,
    static: np.ndarray,
    dynamic: np.ndarray,
    *,
    folds: int = 5,
    permutations: int = 20,
    seed: int = 0,
) -> CrossProbes:
    r"""Probe both latents for both sides, on trials left out, with permuted trials beside.

    $$f \to s, \quad \bar z = \tfrac{1}{T} \textstyle\sum_t z_t \to s: \; \text{accuracy}; \qquad
      z_t \to d_t, \quad f \to (d_1 \dots d_T): \; R^2$$

    Classes by logistic regression, dynamics by ridge regression with penalties chosen inside the
    trials that are fitted. Since f has no time, it has weights of its own for each bin, and so
    finds whatever of a path f tells linearly, an initial state too. The R2 is about the mean over
    trials and bins, and a mean over dimensions: a time course that all trials share gives both
    probes, and their chance, more than zero.

    Args:
        f: posterior means of the static latent, `[trial, code]`.
        z: posterior means of the dynamic latent, `[trial, time, code]`; NaN in the bins after the
            end of a trial, which are left out.
        static: class of each trial, `[trial]`.
        dynamic: path of each trial, any unit, `[trial, time, dim]`; NaN where it is not known.
        folds: groups of trials, each left out once, 2 to the number of trials of a class.
        permutations: how many for chance, at least 2.
        seed: seed of the groups and the permutations.

    Raises:
        ValueError: shapes do not match, a value is infinite, there is one class only, a class has
            fewer trials than `folds`, or a trial of z is all NaN.
        ImportError: scikit-learn is not installed.

    After Li and Mandt (2018), "Disentangled sequential autoencoder".

    >>> rng = np.random.default_rng(0)
    >>> static, path = np.arange(60) % 3, rng.normal(size=(60, 5, 1))
    >>> probes = cross_probes(np.eye(3)[static], path, static, path, permutations=3)
    >>> probes.f_static.score, round(probes.z_dynamic.score, 3), probes.f_dynamic.score < 0.1
    (1.0, 1.0, True)
    """
    f, z = finite("f", f, 2), finite("z", z, 3, or_nan=True)
    dynamic = finite("dynamic", dynamic, 3, or_nan=True)
    checks.same_length(["f", "z", "dynamic"], [len(f), len(z), len(dynamic)], "trials")
    checks.same_length(["z", "dynamic"], [z.shape[1], dynamic.shape[1]], "time bins")
    if np.isnan(z).all(axis=1).any():
        raise ValueError("z must hold values in every trial, got a trial of NaN alone")
    static = class_labels("static", static, len(f))
    by_class = trial_folds(len(f), folds, seed, static)
    groups = trial_folds(len(f), folds, seed)

    def accuracy(x: np.ndarray, labels: np.ndarray) -> float:
        return _accuracy(x, labels, by_class)

    def r2(x: np.ndarray, path: np.ndarray) -> float:
        return _r2(x, path, groups)

    pairs = ((accuracy, f, static), (accuracy, np.nanmean(z, axis=1), static), (r2, z, dynamic))
    return CrossProbes(
        *[_probe(*pair, permutations, seed) for pair in (*pairs, (r2, f[:, None], dynamic))]
    )


def _probe(score, x: np.ndarray, y: np.ndarray, permutations: int, seed: int) -> Probe:
    chance = shuffle_baseline(score, x, y, permutations=permutations, seed=seed)
    return Probe(score(x, y), float(chance.mean), float(chance.sd))


def _accuracy(x: np.ndarray, labels: np.ndarray, groups: list) -> float:
    right = np.zeros(len(x))
    for left_out in groups:
        fitted = np.setdiff1d(np.arange(len(x)), left_out)
        model = logistic_regression().fit(x[fitted], labels[fitted])
        right[left_out] = model.predict(x[left_out]) == labels[left_out]
    return float(right.mean())


def _r2(x: np.ndarray, path: np.ndarray, groups: list) -> float:
    """R2 of `path` from x `[trial, time, code]`, or from `[trial, 1, code]` by weights per bin."""
    target = path if x.shape[1] == path.shape[1] else path.reshape(len(path), 1, -1)
    predicted = np.zeros(path.shape)
    for left_out in groups:
        fitted = np.setdiff1d(np.arange(len(x)), left_out)
        decoder = fit_ridge(x[fitted], target[fitted], folds=min(5, len(fitted)))
        predicted[left_out] = decoder.predict(x[left_out]).reshape(path[left_out].shape)
    known = np.where(np.isnan(predicted), np.nan, path)
    return float(np.nanmean(r2_per_channel(predicted, known)))
