"""Rates of dropout that can be changed between two runs of one compiled step."""

from __future__ import annotations

import tensorflow as tf

from tfp_bvae import checks

__all__ = ["AdjustableRate", "current"]


class AdjustableRate:
    """A rate that a traced step reads whenever it runs, in the place of a constant.

    The variable is no weight of any layer: what a model saves does not change. Masks are those
    that a constant of the same value gives, number for number.

    Args:
        rate: share of entries that are dropped, in [0, 1).

    >>> rate = AdjustableRate(0.5)
    >>> rate.assign(0.25)
    >>> float(rate), float(current(rate))
    (0.25, 0.25)
    """

    def __init__(self, rate: float):
        self._rate = checks.in_interval("rate", rate, 0.0, 1.0, include_high=False)
        # Single precision would draw other masks than the constant.
        self._variable = tf.Variable(self._rate, trainable=False, dtype=tf.float64, name="rate")

    def assign(self, rate: float) -> None:
        """Change the rate; the next step has it."""
        self._rate = checks.in_interval("rate", rate, 0.0, 1.0, include_high=False)
        self._variable.assign(self._rate)

    def read(self) -> tf.Tensor:
        """The rate as a tensor in double precision."""
        return self._variable.read_value()

    def __float__(self) -> float:
        return self._rate

    def __repr__(self) -> str:
        return f"AdjustableRate({self._rate!r})"


def current(rate: float | AdjustableRate) -> float | tf.Tensor:
    """A rate for arithmetic: a number, or a tensor in double precision if it can be adjusted."""
    return rate.read() if isinstance(rate, AdjustableRate) else rate
