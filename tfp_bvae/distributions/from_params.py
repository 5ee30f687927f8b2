"""Gaussians from the raw output of a layer: location first, then what becomes the scale.

The scale is `min_scale + softplus(raw + shift)`. `shift` is chosen so that a raw value of zero,
what a fresh dense layer puts out on average, gives `init_scale`; `min_scale` keeps the density
bounded. Softplus has a gradient between 0 and 1 everywhere, so no raw value can make a NaN. The
other rule of a diagonal Gaussian stands in `scale_rules`.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions.scale_rules import scale_from_raw, scale_shift, softplus_shift

__all__ = [
    "mvn_diag",
    "mvn_diag_params_size",
    "mvn_tril",
    "mvn_tril_params_size",
]


def mvn_diag_params_size(event_size: int) -> int:
    """Count the parameters of a diagonal Gaussian: a location and a scale per dimension.

    Raises:
        ValueError: if `event_size` is below one; TypeError if it is no integer.

    >>> mvn_diag_params_size(3)
    6
    """
    return 2 * checks.whole_number("event_size", event_size, minimum=1)


def mvn_diag(
    params: tf.Tensor,
    event_size: int,
    init_scale: float = 1.0,
    min_scale: float = 1e-3,
    scale_rule: str = "softplus",
) -> tfd.MultivariateNormalDiag:
    """Make a diagonal Gaussian from raw parameters.

    `loc, raw = split(params)`, `scale = min_scale + softplus(raw + shift)`, or, under the rule
    `"log_variance"`, `scale = sqrt(min_scale^2 + exp(raw + shift))`.

    Args:
        params: raw parameters `[..., 2 * event_size]`, location first.
        event_size: number of dimensions.
        init_scale: standard deviation where `raw` is zero.
        min_scale: least standard deviation; above zero with `"softplus"`.
        scale_rule: `"softplus"` or `"log_variance"`.

    Returns:
        A distribution with batch shape `[...]` and event shape `[event_size]`.

    Raises:
        TypeError: if `params` is not floating point.
        ValueError: if its last axis has another size, a scale is out of range, or the rule is not
            known.

    >>> q = mvn_diag(tf.zeros([5, 6]), event_size=3, init_scale=0.1)
    >>> q.batch_shape, q.event_shape
    (TensorShape([5]), TensorShape([3]))
    >>> float(q.stddev()[0, 0])
    0.10000000149011612
    """
    params = _checked(params, mvn_diag_params_size(event_size))
    shift = scale_shift(init_scale, min_scale, scale_rule)
    scale = scale_from_raw(params[..., event_size:] + shift, min_scale, scale_rule)
    return tfd.MultivariateNormalDiag(loc=params[..., :event_size], scale_diag=scale)


def mvn_tril_params_size(event_size: int) -> int:
    """Count the parameters of a Gaussian with a full covariance: `d + d (d + 1) / 2`.

    Raises:
        ValueError: if `event_size` is below one; TypeError if it is no integer.

    >>> mvn_tril_params_size(3)
    9
    """
    size = checks.whole_number("event_size", event_size, minimum=1)
    return size + size * (size + 1) // 2


def mvn_tril(
    params: tf.Tensor, event_size: int, init_scale: float = 1.0, min_scale: float = 1e-3
) -> tfd.MultivariateNormalTriL:
    """Make a Gaussian with a full covariance from raw parameters.

    `L = fill_triangular(raw)`, with the diagonal of `L` put through
    `min_scale + softplus(. + shift)` and what is below it left as it is; covariance `L L^T`.
    Zero parameters give a spherical Gaussian of standard deviation `init_scale`.

    Args:
        params: raw parameters `[..., event_size + event_size * (event_size + 1) / 2]`,
            location first, then the triangle in the order of `tfp.math.fill_triangular`.
        event_size: number of dimensions.
        init_scale: diagonal of `L` where its raw value is zero.
        min_scale: least value on the diagonal of `L`.

    Returns:
        A distribution with batch shape `[...]` and event shape `[event_size]`.

    Raises:
        TypeError: if `params` is not floating point.
        ValueError: if its last axis has another size, or a scale is out of range.

    >>> q = mvn_tril(tf.zeros([2, 5]), event_size=2, init_scale=0.5)
    >>> q.covariance()[0].numpy().round(4).tolist()
    [[0.25, 0.0], [0.0, 0.25]]
    """
    params = _checked(params, mvn_tril_params_size(event_size))
    shift = softplus_shift(init_scale, min_scale)
    raw = tfp.math.fill_triangular(params[..., event_size:])
    # not by set_diag: XLA has no gradient of that for a batch of unknown size
    on_diagonal = tf.eye(event_size, dtype=tf.bool)
    scale = tf.where(on_diagonal, min_scale + tf.nn.softplus(raw + shift), raw)
    return tfd.MultivariateNormalTriL(loc=params[..., :event_size], scale_tril=scale)


def _checked(params: tf.Tensor, size: int) -> tf.Tensor:
    """A floating tensor whose last axis, where it is known, has the right size."""
    params = tf.convert_to_tensor(params, name="params")
    if not params.dtype.is_floating:
        raise TypeError(f"params must be floating point, got {params.dtype.name}")
    if params.shape.rank is not None and (params.shape.rank == 0 or params.shape[-1] is not None):
        checks.last_dim("params", params.shape, expected=size)
    return params
