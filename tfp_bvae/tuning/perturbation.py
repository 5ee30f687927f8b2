"""Drawing and changing hyperparameters inside their bounds, without drift."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from tfp_bvae import checks
from tfp_bvae.settings import SearchRange

__all__ = ["draw", "perturb"]

LINEAR_SHARE = 0.2  # of a linear range, for each 1 of the strength of a perturbation


def draw(space: Mapping[str, SearchRange], rng: random.Random) -> dict[str, float]:
    """A value of each hyperparameter, evenly from its range on its own scale.

    Args:
        space: ranges by name.
        rng: where the random numbers come from.

    >>> draw({"beta_f": SearchRange(0.1, 0.1, "log")}, random.Random(0))
    {'beta_f': 0.1}
    """
    return {name: _back(rng.uniform(*_ends(place)), place) for name, place in space.items()}


def perturb(
    values: Mapping[str, float],
    space: Mapping[str, SearchRange],
    strength: float,
    rng: random.Random,
) -> dict[str, float]:
    r"""Values that are a small random step away, as likely up as down.

    .. math:: \log x' = \mathrm{reflect}\big(\log x + \epsilon\big), \qquad
        \epsilon \sim U(-\log(1 + w), \log(1 + w))

    for ranges on a log scale, with `w` the strength. For linear ones (rates of dropout) x takes the
    place of log x, and the step is evenly of `+- 0.2 w` times the length of the range. What would
    be outside its bounds is reflected at them. So a step from x to y is as likely as one from y to
    x, and values that are only perturbed, and not selected, stay evenly spread over the range:
    there is no drift. The geometric mean of the factors is 1 but where a bound is near.

    Args:
        values: by name; names without a range stay as they are.
        space: ranges by name.
        strength: `w`, above 0.
        rng: where the random numbers come from.

    Raises:
        ValueError: for a value out of its range.

    Source: Jaderberg et al., 2017, arXiv:1711.09846; symmetric in the log as in AutoLFADS
    (Keshtkaran et al., Nature Methods 2022), which draws again where we reflect.

    >>> space = {"beta_f": SearchRange(0.01, 2.0, "log")}
    >>> found = perturb({"beta_f": 0.1, "seed": 3}, space, 0.5, random.Random(1))
    >>> round(found["beta_f"], 3), found["seed"]
    (0.074, 3)
    """
    checks.positive("strength", strength)
    found = dict(values)
    for name, place in space.items():
        low, high = _ends(place)
        checks.in_interval(name, values[name], place.low, place.high)
        at = min(max(_forth(values[name], place), low), high)  # rounding may put it outside
        reach = (
            math.log1p(strength) if place.scale == "log" else LINEAR_SHARE * strength * (high - low)
        )
        found[name] = _back(_reflected(at + rng.uniform(-reach, reach), low, high), place)
    return found


def _reflected(x: float, low: float, high: float) -> float:
    """x, or its mirror image at the bounds, as often as it takes."""
    if high <= low:
        return low
    folded = math.fmod(x - low, 2 * (high - low))
    folded = folded + 2 * (high - low) if folded < 0 else folded
    return low + min(folded, 2 * (high - low) - folded)


def _ends(place: SearchRange) -> tuple[float, float]:
    return _forth(place.low, place), _forth(place.high, place)


def _forth(x: float, place: SearchRange) -> float:
    """On the scale of the range."""
    return math.log(x) if place.scale == "log" else x


def _back(x: float, place: SearchRange) -> float:
    value = math.exp(x) if place.scale == "log" else x
    return min(max(value, place.low), place.high)
