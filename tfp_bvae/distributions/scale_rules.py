"""How a standard deviation comes of a raw parameter: two rules, each with its slope.

* `"softplus"`: `s = s_min + softplus(raw + shift)`, whose slope is between 0 and 1 everywhere;
* `"log_variance"`: `s^2 = s_min^2 + exp(raw + shift)`, which other packages of LFADS use.

In both a raw value of zero means `init_scale`. A floor of zero is legal under the second alone.
"""

from __future__ import annotations

import math

import tensorflow as tf

from tfp_bvae import checks

__all__ = ["SCALE_RULES", "scale_from_raw", "scale_shift", "scale_slope", "softplus_shift"]

SCALE_RULES = ("softplus", "log_variance")


def softplus_shift(init_scale: float, min_scale: float) -> float:
    """Say what to add to a raw value of zero so that it becomes `init_scale`.

    Solves `min_scale + softplus(shift) = init_scale`, in double precision.

    Args:
        init_scale: the standard deviation that a raw value of zero shall give.
        min_scale: the least standard deviation there can be, above zero.

    Returns:
        `log(exp(init_scale - min_scale) - 1)`.

    Raises:
        ValueError: if `min_scale` is not above zero, or `init_scale` not above `min_scale`.

    >>> round(softplus_shift(1.0, 0.001), 4)
    0.5397
    """
    min_scale = checks.positive("min_scale", min_scale)
    above_floor = _above(init_scale, min_scale) - min_scale
    return above_floor + math.log(-math.expm1(-above_floor))


def scale_shift(init_scale: float, min_scale: float, rule: str = "softplus") -> float:
    """The shift of a rule: that of `softplus_shift`, or `log(init_scale^2 - min_scale^2)`.

    Args:
        init_scale: the standard deviation that a raw value of zero shall give.
        min_scale: the least standard deviation there can be.
        rule: one of `SCALE_RULES`.

    Raises:
        ValueError: for a rule that is not known, or scales out of their range.

    >>> scale_shift(1.0, 0.0, "log_variance")
    0.0
    """
    if checks.one_of("scale_rule", rule, SCALE_RULES) == "softplus":
        return softplus_shift(init_scale, min_scale)
    min_scale = checks.in_interval("min_scale", min_scale, 0.0)
    return math.log(_above(init_scale, min_scale) ** 2 - min_scale**2)


def scale_from_raw(raw: tf.Tensor, min_scale: float, rule: str = "softplus") -> tf.Tensor:
    """The standard deviation of a raw parameter, to which the shift has been added.

    >>> scale_from_raw(tf.math.log([0.25]), 0.0, "log_variance").numpy().tolist()
    [0.5]
    """
    if rule == "softplus":
        return min_scale + tf.nn.softplus(raw)
    if not min_scale:
        return tf.exp(0.5 * raw)
    return tf.sqrt(min_scale**2 + tf.exp(raw))


def scale_slope(scale: tf.Tensor, min_scale: float, rule: str = "softplus") -> tf.Tensor:
    """Derivative of the scale by its raw parameter, from the scale itself.

    >>> scale_slope(tf.constant([0.5]), 0.0, "log_variance").numpy().tolist()
    [0.25]
    """
    if rule == "softplus":  # d softplus(x) = sigmoid(x) = 1 - exp(-softplus(x))
        return -tf.math.expm1(min_scale - scale)
    return 0.5 * (scale - min_scale**2 / scale) if min_scale else 0.5 * scale


def _above(init_scale: float, min_scale: float) -> float:
    init_scale = checks.positive("init_scale", init_scale)
    if init_scale <= min_scale:
        raise ValueError(f"init_scale must be above min_scale {min_scale}, got {init_scale}")
    return init_scale
