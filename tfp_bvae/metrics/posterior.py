"""What a Gaussian posterior uses of its latent: active units, KL of each dimension, collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import checks
from .factors import finite


def active_units(means: np.ndarray, threshold: float = 0.01, *, over: str = "trials") -> np.ndarray:
    r"""Which dimensions of a latent follow the data.

    $$\mathrm{Var}_x\left(\mathrm{E}_{q(z|x)}[z_d]\right) > \mathrm{threshold}$$

    Of a latent that changes within the trial there are two such variances. That over trials, in
    each bin, then averaged over bins, says whether the latent tells trials apart; that over
    the bins of each trial, then averaged over trials, whether it moves at all.

    Args:
        means: means of the posterior, `[trial, dim]` or `[trial, time, dim]`.
        threshold: in the squared unit of the latent; 0.01 is for a prior of variance 1.
        over: "trials" or "time".

    Returns:
        Truth values, `[dim]`.

    Raises:
        ValueError: means have other axes or are not finite, there are fewer than two trials (or, of
            "time", bins), or `threshold` is not above 0.

    Burda, Grosse and Salakhutdinov (2016), "Importance weighted autoencoders".

    >>> active_units([[1.0, 0.0], [-1.0, 0.05]])
    array([ True, False])
    """
    checks.positive("threshold", threshold)
    return _variance(_latent("means", means), over) > threshold


def kl_per_dimension(
    loc: np.ndarray,
    scale: np.ndarray,
    prior_loc: np.ndarray | float = 0.0,
    prior_scale: np.ndarray | float = 1.0,
) -> np.ndarray:
    r"""KL divergence of a diagonal Gaussian from its prior, dimension by dimension.

    $$\mathrm{KL}_d = \Big\langle \sum_t \log \frac{s_p}{s_q}
      + \frac{s_q^2 + (m_q - m_p)^2}{2 s_p^2} - \frac{1}{2} \Big\rangle_\mathrm{trials}$$

    Where the prior of a bin depends on the bins before it, hand its means and scales given the
    path of the posterior: of one sampled path, or the mean over several calls.

    Args:
        loc: means of the posterior, `[trial, dim]` or `[trial, time, dim]`.
        scale: its standard deviations, same shape.
        prior_loc: means of the prior, broadcast to that shape.
        prior_scale: standard deviations of the prior, broadcast to that shape.

    Returns:
        Nats per trial, `[dim]`: mean over trials, sum over time.

    Raises:
        ValueError: shapes do not match, a value is not finite, or a scale is not above 0.

    Kingma and Welling (2014), "Auto-encoding variational Bayes", appendix B.

    >>> kl_per_dimension([[1.0, 0.0], [-1.0, 0.0]], np.ones((2, 2)))
    array([0.5, 0. ])
    """
    loc = _latent("loc", loc)
    scale, prior_loc, prior_scale = (
        _like(name, array, loc.shape)
        for name, array in (
            ("scale", scale),
            ("prior_loc", prior_loc),
            ("prior_scale", prior_scale),
        )
    )
    for name, array in (("scale", scale), ("prior_scale", prior_scale)):
        if not (array > 0).all():
            raise ValueError(f"{name} must be above 0, got {array.min():g}")
    ratio = scale / prior_scale
    distance = (loc - prior_loc) / prior_scale
    kl = 0.5 * (np.square(ratio) - 1.0 + np.square(distance)) - np.log(ratio)
    return kl.reshape(len(kl), -1, kl.shape[-1]).sum(axis=1).mean(axis=0)


@dataclass(frozen=True, eq=False)
class CollapseReport:
    """What each dimension of a latent is used for; `print` it to read it.

    Args:
        kl: nats per trial, `[dim]`.
        variance: of the posterior's means over trials, in the latent's squared unit, `[dim]`.
        variance_over_time: of the means over the bins of a trial, `[dim]`; None of a static latent.
        active: costs nats, and its mean follows the trial; truth values, `[dim]`.
        passive: costs nats, but its mean is about the same in every trial.
        collapsed: costs less than the threshold of KL: the posterior is the prior.
    """

    kl: np.ndarray
    variance: np.ndarray
    variance_over_time: np.ndarray | None
    active: np.ndarray
    passive: np.ndarray
    collapsed: np.ndarray

    def __str__(self) -> str:
        kinds = ("active", "passive", "collapsed")
        counts = ", ".join(f"{getattr(self, kind).sum()} {kind}" for kind in kinds)
        moving = self.variance_over_time
        header = f"{'dim':>5} {'KL (nats)':>11} {'var, trials':>12}"
        lines = [
            f"{len(self.kl)} dimensions: {counts}; {self.kl.sum():.2f} nats per trial",
            header + (f" {'var, time':>10}" if moving is not None else "") + "  kind",
        ]
        for d in np.argsort(-self.kl, kind="stable"):
            kind = next(kind for kind in kinds if getattr(self, kind)[d])
            time = f" {moving[d]:>10.3g}" if moving is not None else ""
            lines.append(f"{d:>5} {self.kl[d]:>11.3f} {self.variance[d]:>12.3g}{time}  {kind}")
        return "\n".join(lines)


def collapse_report(
    loc: np.ndarray,
    scale: np.ndarray,
    prior_loc: np.ndarray | float = 0.0,
    prior_scale: np.ndarray | float = 1.0,
    *,
    variance_threshold: float = 0.01,
    kl_threshold: float = 0.01,
) -> CollapseReport:
    r"""Sort the dimensions of a latent into active, passive and collapsed.

    $$\text{collapsed:} \; \mathrm{KL}_d < \kappa; \quad
      \text{passive:} \; \mathrm{KL}_d \ge \kappa, \, \mathrm{Var}_x(m_d) \le \nu; \quad
      \text{active:} \; \mathrm{KL}_d \ge \kappa, \, \mathrm{Var}_x(m_d) > \nu$$

    The variance is the one over trials: a latent that goes the same way in every trial is passive.

    Args:
        loc: see `kl_per_dimension`.
        scale: see `kl_per_dimension`.
        prior_loc: see `kl_per_dimension`.
        prior_scale: see `kl_per_dimension`.
        variance_threshold: $\nu$, in the latent's squared unit, as of `active_units`.
        kl_threshold: $\kappa$, in nats per trial.

    Raises:
        ValueError: as `kl_per_dimension`; a threshold is not above 0, or there is one trial only.

    Burda et al. (2016); the threshold of KL is that of Sønderby et al. (2016), "Ladder variational
    autoencoders".

    >>> loc = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    >>> print(collapse_report(loc, np.array([0.1, 1.0, 0.5]) * np.ones((2, 3))))
    3 dimensions: 1 active, 1 passive, 1 collapsed; 2.63 nats per trial
      dim   KL (nats)  var, trials  kind
        0       2.308            1  active
        2       0.318            0  passive
        1       0.000            0  collapsed
    """
    checks.positive("variance_threshold", variance_threshold)
    checks.positive("kl_threshold", kl_threshold)
    kl = kl_per_dimension(loc, scale, prior_loc, prior_scale)
    loc = _latent("loc", loc)
    variance = _variance(loc, "trials")
    collapsed = kl < kl_threshold
    active = ~collapsed & (variance > variance_threshold)
    over_time = _variance(loc, "time") if loc.ndim == 3 and loc.shape[1] > 1 else None
    return CollapseReport(kl, variance, over_time, active, ~collapsed & ~active, collapsed)


def _latent(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, dtype=np.float64)
    if array.ndim not in (2, 3):
        raise ValueError(
            f"{name} must be [trial, dim] or [trial, time, dim], got shape {array.shape}"
        )
    return finite(name, array, array.ndim)


def _like(name: str, array: np.ndarray | float, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(array, dtype=np.float64)
    try:
        array = np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{name} must have the shape of loc, {shape}, got {array.shape}") from None
    return finite(name, array, len(shape))


def _variance(means: np.ndarray, over: str) -> np.ndarray:
    checks.one_of("over", over, ("trials", "time"))
    if over == "time" and means.ndim == 2:
        raise ValueError(f"a variance over time needs [trial, time, dim], got shape {means.shape}")
    axis = 0 if over == "trials" else 1
    if means.shape[axis] < 2:
        name = "trials" if over == "trials" else "time bins"
        raise ValueError(f"a variance over {over} needs at least two {name}, got 1")
    variance = means.var(axis=axis)
    return variance if means.ndim == 2 else variance.mean(axis=0)
