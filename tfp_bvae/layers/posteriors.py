"""Posterior layers: from parameters to a Gaussian over a latent."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import (
    mvn_diag,
    mvn_diag_params_size,
    mvn_tril,
    mvn_tril_params_size,
)
from tfp_bvae.distributions.scale_rules import scale_shift
from tfp_bvae.layers.base import DistributionLayer

__all__ = ["MVNDiagPosterior", "MVNTriLPosterior", "PathPosterior"]


class _MVNPosterior(DistributionLayer):
    """What both Gaussians share."""

    scale_rule = "softplus"

    def __init__(
        self,
        event_size: int,
        init_scale: float = 1.0,
        min_scale: float = 1e-3,
        value: str = "auto",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(value=value, seed=seed, **kwargs)
        self.event_size = checks.whole_number("event_size", event_size, 1)
        scale_shift(init_scale, min_scale, self.scale_rule)  # raises if there is none
        self.init_scale = init_scale
        self.min_scale = min_scale

    def build(self, input_shape):
        checks.last_dim("inputs", input_shape, self.params_size(self.event_size))
        super().build(input_shape)

    def distribution(self, inputs):
        params = tf.cast(inputs, self.variable_dtype)
        return self._make(params, self.event_size, self.init_scale, self.min_scale)

    def get_config(self):
        return super().get_config() | {
            "event_size": self.event_size,
            "init_scale": self.init_scale,
            "min_scale": self.min_scale,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class MVNDiagPosterior(_MVNPosterior):
    r"""From parameters to a Gaussian with diagonal covariance.

    .. math:: q = N(m, \mathrm{diag}\, s^2), \qquad s = s_{min} + \mathrm{softplus}(l + \delta)

    with `delta` such that `l = 0` gives `s = init_scale`; under the rule `"log_variance"`
    `s^2 = s_min^2 + exp(l + delta)`.

    Args:
        event_size: size of the latent.
        init_scale: the standard deviation that zero parameters mean.
        min_scale: a floor on the standard deviation; above zero with `"softplus"`.
        value: `"auto"` (sample in training, mean at inference), `"sample"` or `"mean"`.
        seed: of the draws.
        scale_rule: `"softplus"`, whose gradient is bounded, or `"log_variance"`, as other packages
            of LFADS have it.

    Call arguments:
        inputs: `[..., 2 event_size]`, locations first.

    Returns:
        A `tfd.MultivariateNormalDiag`, batch shape `[...]`, that other layers read as a tensor.

    >>> q = MVNDiagPosterior(3, init_scale=0.5)(tf.zeros([2, 6]))
    >>> q.stddev()[0].numpy().tolist()
    [0.5, 0.5, 0.5]
    """

    def __init__(
        self,
        event_size: int,
        init_scale: float = 1.0,
        min_scale: float = 1e-3,
        value: str = "auto",
        seed: int | None = None,
        scale_rule: str = "softplus",
        **kwargs,
    ):
        self.scale_rule = scale_rule
        super().__init__(event_size, init_scale, min_scale, value, seed, **kwargs)

    def _make(self, *settings) -> tfd.MultivariateNormalDiag:
        return mvn_diag(*settings, self.scale_rule)

    def get_config(self):
        return super().get_config() | {"scale_rule": self.scale_rule}

    @staticmethod
    def params_size(event_size: int) -> int:
        """Number of parameters that `event_size` needs."""
        return mvn_diag_params_size(event_size)


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class MVNTriLPosterior(_MVNPosterior):
    r"""From parameters to a Gaussian with full covariance.

    .. math:: q = N(m, L L^T), \qquad L_{ii} = s_{min} + \mathrm{softplus}(l_{ii} + \delta)

    Entries of `L` below the diagonal are free and zero for zero parameters.

    Args:
        event_size: size of the latent.
        init_scale: the diagonal of `L` that zero parameters mean.
        min_scale: a floor on the diagonal of `L`.
        value: `"auto"` (sample in training, mean at inference), `"sample"` or `"mean"`.
        seed: of the draws.

    Call arguments:
        inputs: `[..., event_size + event_size (event_size + 1) / 2]`, locations first.

    Returns:
        A `tfd.MultivariateNormalTriL`, batch shape `[...]`, that other layers read as a tensor.

    >>> q = MVNTriLPosterior(2)(tf.zeros([1, MVNTriLPosterior.params_size(2)]))
    >>> q.covariance()[0].numpy().round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    _make = staticmethod(mvn_tril)

    @staticmethod
    def params_size(event_size: int) -> int:
        """Number of parameters that `event_size` needs."""
        return mvn_tril_params_size(event_size)


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class PathPosterior(DistributionLayer):
    """A diagonal Gaussian at each time step, together with a path already drawn from it.

    For decoders that draw their own latents step by step, such as `LFADSDecoder`: as a tensor
    the distribution is that very path, so that `KLDivergence` scores what was used.

    Call arguments:
        inputs: `[loc, scale, path]`, each `[batch, time, dim]`.

    Returns:
        A `tfd.MultivariateNormalDiag`, batch shape `[batch, time]`.

    Raises:
        ValueError: if these are not three, or of several shapes.

    >>> q = PathPosterior()([tf.zeros([1, 2, 1]), tf.ones([1, 2, 1]), 3.0 * tf.ones([1, 2, 1])])
    >>> tf.convert_to_tensor(q).numpy().ravel().tolist()
    [3.0, 3.0]
    """

    def __init__(self, **kwargs):
        super().__init__(value="mean", **kwargs)
        self._path = None

    def build(self, input_shape):
        shapes = [tf.TensorShape(shape) for shape in input_shape]
        if len(shapes) != 3 or not all(shapes[0].is_compatible_with(s) for s in shapes):
            raise ValueError(
                f"inputs must be loc, scale and path of one shape, got shapes {shapes}"
            )
        super().build(input_shape)

    def distribution(self, inputs):
        loc, scale, self._path = (tf.cast(x, self.variable_dtype) for x in inputs)
        return tfd.MultivariateNormalDiag(loc, scale)

    def _as_tensor(self, distribution):
        path, self._path = self._path, None
        return tf.cast(path, self.compute_dtype)

    def get_config(self):
        return tf_keras.layers.Layer.get_config(self)
