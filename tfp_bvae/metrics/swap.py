"""Does a swapped trial keep the static class of the one and the dynamics of the other?"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import checks
from .factors import class_labels, finite
from .spikes import r2_per_channel


@dataclass(frozen=True)
class JudgedScores:
    """What judges found in one set of trials, each compared with the trials it was made of.

    Args:
        static: share of trials judged to be of the class of f's trial.
        dynamic: of the dynamics of z's trial: R2 of a path (mean over its dimensions), or the
            share of trials judged right if the dynamics are a class.
        both: share of trials judged right on both sides: the class is that of f's trial, and the
            path is nearer to that of z's trial than to that of the partner.
        static_of_partner: share judged to be of the class of the other trial, whose f was not used.
        dynamic_of_partner: as `dynamic`, of the other trial, whose z was not used.
    """

    static: float
    dynamic: float
    both: float
    static_of_partner: float
    dynamic_of_partner: float


@dataclass(frozen=True)
class SwapScores:
    """What `swap_scores` returns; `print` it to read it.

    Args:
        swapped: f of one trial with z of another.
        unswapped: both of one trial; the partner is the one it is swapped with.
        chance: the swapped ones, dealt out to the wrong pairs; mean over permutations.
        chance_sd: standard deviation over permutations.
        dynamic_kind: "R2" or "accuracy".
    """

    swapped: JudgedScores
    unswapped: JudgedScores
    chance: JudgedScores
    chance_sd: JudgedScores
    dynamic_kind: str

    def __str__(self) -> str:
        dynamic = f"dynamic ({self.dynamic_kind})"
        lines = [
            f"{'':<10} {'of the trial it should be':^35} | {'of its partner':^26}",
            f"{'':<10} {'static':>8} {dynamic:>18} {'both':>7} | {'static':>8} {'dynamic':>17}",
        ]
        for name in ("swapped", "unswapped", "chance", "chance_sd"):
            static, path, both, other, other_path = astuple(getattr(self, name))
            lines.append(
                f"{name:<10} {static:>8.3f} {path:>18.3f} {both:>7.3f} "
                f"| {other:>8.3f} {other_path:>17.3f}"
            )
        return "\n".join(lines)


class _Truth(NamedTuple):
    """Classes and dynamics that each trial should have, and those of its partner."""

    static: np.ndarray
    dynamic: np.ndarray
    other_static: np.ndarray
    other_dynamic: np.ndarray


def swap_scores(
    judge_static: Any,
    judge_dynamic: Any,
    swapped: np.ndarray,
    unswapped: np.ndarray,
    static: np.ndarray,
    dynamic: np.ndarray,
    z_from: np.ndarray,
    *,
    permutations: int = 20,
    seed: int = 0,
) -> SwapScores:
    r"""Judge reconstructions that have f of one trial and z of another.

    $$\text{static} = \frac{1}{N} \sum_i [c_s(\hat x_i) = s_i], \qquad
      \text{dynamic} = R^2\big(c_d(\hat x_i), \, d_{j(i)}\big), \qquad
      \hat x_i = \mathrm{decode}(f_i, z_{j(i)})$$

    A path counts as right, for `both`, if it is nearer to that of z's trial than to that of f's
    (squared distance, each dimension in units of its standard deviation): chance is a half.
    If f carries the dynamics, or z the class, that shows in the two scores of the partner.
    Hand in real trials in place of `unswapped` to see what the judges themselves can do.

    Args:
        judge_static: from `fit_class_judge`, or any object with `predict(trials) -> [trial]`.
        judge_dynamic: from `fit_path_judge`, or `fit_class_judge` if the dynamics are a class, or
            any object with such a `predict`. Judges are trained on other, real trials.
        swapped: rates or counts per bin, `[trial, time, channel]`; number i has the f of trial i
            and the z of trial `z_from[i]`.
        unswapped: the same trials with their own f and z.
        static: class of each trial, `[trial]`.
        dynamic: path of each trial, `[trial, time, dim]`, or its class, `[trial]`.
        z_from: which trial each z is from, `[trial]`; never the trial itself.
        permutations: how many draws of wrong pairs for chance, at least 2.
        seed: seed of the draws.

    Raises:
        ValueError: shapes do not match, a value is not finite, there is one class only, or a trial
            is its own partner.
        TypeError: a judge does not predict, or indices are not whole numbers.

    After Li and Mandt (2018), "Disentangled sequential autoencoder", and Bai, Wang and Gomes
    (2021), "Contrastively disentangled sequential variational autoencoder".

    >>> from tfp_bvae.metrics import fit_class_judge, fit_path_judge
    >>> rng = np.random.default_rng(0)
    >>> static, path = np.arange(30) % 2, rng.normal(size=(30, 8, 1))
    >>> z_from = np.roll(np.arange(30), 1)
    >>> decode = lambda f, z: np.concatenate([0 * z + f[:, None, None], z], axis=-1)
    >>> x, swapped = decode(static, path), decode(static, path[z_from])
    >>> judges = fit_class_judge(x, static), fit_path_judge(x, path, smooth=0)
    >>> scores = swap_scores(*judges, swapped, x, static, path, z_from)
    >>> scores.swapped.static, round(scores.swapped.dynamic, 4), scores.swapped.both
    (1.0, 1.0, 1.0)
    """
    for name, judge in (("judge_static", judge_static), ("judge_dynamic", judge_dynamic)):
        if not callable(getattr(judge, "predict", None)):
            raise TypeError(f"{name} must have a method predict, got {judge!r}")
    swapped, unswapped = finite("swapped", swapped, 3), finite("unswapped", unswapped, 3)
    if swapped.shape != unswapped.shape:
        raise ValueError(
            f"swapped must have the shape of unswapped, {unswapped.shape}, got {swapped.shape}"
        )
    static = class_labels("static", static, len(swapped))
    dynamic = _dynamics(dynamic, swapped.shape)
    z_from = _partners(z_from, len(swapped))
    checks.whole_number("permutations", permutations, minimum=2)

    other = static[z_from], dynamic[z_from]
    truth = _Truth(static, other[1], other[0], dynamic)
    said = _judgement(judge_static, judge_dynamic, swapped, static, dynamic)
    unsaid = _judgement(judge_static, judge_dynamic, unswapped, static, dynamic)
    rng = np.random.default_rng(seed)
    dealt = [rng.permutation(len(swapped)) for _ in range(permutations)]
    chance = np.array([astuple(_score(said[0][p], said[1][p], truth)) for p in dealt])
    return SwapScores(
        swapped=_score(*said, truth),
        unswapped=_score(*unsaid, _Truth(static, dynamic, *other)),
        chance=JudgedScores(*chance.mean(axis=0).tolist()),
        chance_sd=JudgedScores(*chance.std(axis=0, ddof=1).tolist()),
        dynamic_kind="R2" if dynamic.ndim == 3 else "accuracy",
    )


def _judgement(
    judge_static: Any, judge_dynamic: Any, trials: np.ndarray, static: np.ndarray, path: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    said = []
    judges = (("judge_static", judge_static, static), ("judge_dynamic", judge_dynamic, path))
    for name, judge, true in judges:
        predicted = np.asarray(judge.predict(trials))
        if predicted.shape != true.shape:
            raise ValueError(f"{name} must predict shape {true.shape}, got {predicted.shape}")
        said.append(predicted)
    return said[0], said[1]


def _score(static: np.ndarray, dynamic: np.ndarray, truth: _Truth) -> JudgedScores:
    right = static == truth.static
    if dynamic.ndim == 1:
        follows = dynamic == truth.dynamic
        agreement = [np.mean(dynamic == true) for true in (truth.dynamic, truth.other_dynamic)]
    else:
        spread = truth.dynamic.std(axis=(0, 1))
        scaled = [
            np.square((dynamic - true) / np.where(spread > 0, spread, 1.0)).sum(axis=(1, 2))
            for true in (truth.dynamic, truth.other_dynamic)
        ]
        follows = scaled[0] < scaled[1]
        pairs = ((dynamic, truth.dynamic), (dynamic, truth.other_dynamic))
        agreement = [r2_per_channel(*pair).mean() for pair in pairs]
    return JudgedScores(
        float(right.mean()),
        float(agreement[0]),
        float((right & follows).mean()),
        static_of_partner=float(np.mean(static == truth.other_static)),
        dynamic_of_partner=float(agreement[1]),
    )


def _dynamics(dynamic: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    dynamic = np.asarray(dynamic)
    if dynamic.ndim == 1:
        return class_labels("dynamic", dynamic, shape[0])
    dynamic = finite("dynamic", dynamic, 3)
    checks.same_length(["swapped", "dynamic"], [shape[0], len(dynamic)], "trials")
    checks.same_length(["swapped", "dynamic"], [shape[1], dynamic.shape[1]], "time bins")
    return dynamic


def _partners(z_from: np.ndarray, trials: int) -> np.ndarray:
    z_from = np.asarray(z_from)
    checks.rank("z_from", z_from.shape, 1)
    checks.same_length(["z_from", "swapped"], [len(z_from), trials], "trials")
    if not np.issubdtype(z_from.dtype, np.integer):
        raise TypeError(f"z_from must hold indices of trials, got {z_from.dtype}")
    if z_from.min() < 0 or z_from.max() >= trials:
        span = f"{z_from.min()} to {z_from.max()}"
        raise ValueError(f"z_from must hold indices from 0 to {trials - 1}, got {span}")
    own = np.flatnonzero(z_from == np.arange(trials))
    if len(own):
        raise ValueError(f"z_from must be of another trial, got that of trial {own[0]} itself")
    return z_from
