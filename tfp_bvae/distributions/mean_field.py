"""The one form in which a posterior over a path is accepted here."""

from __future__ import annotations

import tensorflow as tf
from tensorflow_probability import distributions as tfd

__all__ = ["time_marginals"]


def time_marginals(q: tfd.Distribution) -> tfd.MultivariateNormalLinearOperator:
    """Hand back `q(z_t)` for every t, from a Gaussian posterior that is independent over time.

    `q(z_{1:T}) = prod_t N(z_t; m_t, S_t)`.

    Args:
        q: either `tfd.Independent(mvn, 1)`, event shape `[time, dim]`, or `mvn` itself, batch
            shape `[..., time]` and event shape `[dim]`; `mvn` is a `MultivariateNormalDiag`,
            `MultivariateNormalTriL` or any other `MultivariateNormalLinearOperator`. The output
            of a `tfp.layers.DistributionLambda` that wraps one of them is taken as well.

    Returns:
        A multivariate normal with batch shape `[..., time]` and event shape `[dim]`.

    Raises:
        TypeError: if it is any other distribution, or none.
        ValueError: if it has no time axis, or more axes than that one were made event axes.

    >>> mvn = tfd.MultivariateNormalDiag(tf.zeros([8, 50, 2]), tf.ones([2]))
    >>> time_marginals(tfd.Independent(mvn, 1)).batch_shape
    TensorShape([8, 50])
    """
    q = unwrapped(q)
    mvn = q.distribution if isinstance(q, tfd.Independent) else q
    if not isinstance(mvn, tfd.MultivariateNormalLinearOperator):
        raise TypeError(
            "q must be a MultivariateNormalDiag or MultivariateNormalTriL with batch shape "
            f"[..., time], or tfd.Independent(that, 1), got {_described(q)}"
        )
    if mvn is not q:
        ndims = tf.get_static_value(q.reinterpreted_batch_ndims)
        if ndims != 1:
            raise ValueError(f"q must have reinterpreted_batch_ndims=1 (time), got {ndims}")
    if mvn.batch_shape.rank == 0:
        raise ValueError(f"q must have a time axis, got batch shape [] in {_described(q)}")
    return mvn


def unwrapped(distribution: tfd.Distribution) -> tfd.Distribution:
    """Look inside the output of a `DistributionLambda`, which is no instance of what it holds."""
    return getattr(distribution, "tensor_distribution", distribution)


def _described(q: object) -> str:
    """The name of a distribution's class, and of the class inside it."""
    inner = f"({type(q.distribution).__name__})" if isinstance(q, tfd.Independent) else ""
    return type(q).__name__ + inner
