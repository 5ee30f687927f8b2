"""One and the same Gaussian at every time step."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import parameter_properties
from tensorflow_probability.python.internal import prefer_static as ps

from tfp_bvae.distributions.mean_field import time_marginals
from tfp_bvae.distributions.parameters import (
    check_event_shape,
    check_positive,
    float_parameters,
    runtime_positive,
)
from tfp_bvae.distributions.path_distribution import PathDistribution

__all__ = ["TiledMVNDiag"]


class TiledMVNDiag(PathDistribution):
    """Steps that are independent, each with the same diagonal Gaussian.

    `p(z_{1:T}) = prod_t N(z_t; loc, diag(scale_diag^2))`.

    Args:
        loc: mean, `[..., dim]` or `[]`.
        scale_diag: standard deviations, above zero, `[..., dim]` or `[]`.
        num_timesteps: number of steps, a whole number or an integer tensor `[]`.
        validate_args: whether to check values that are known only when the graph runs.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Batch shape: the broadcast of the `[...]`; event shape `[time, dim]`.

    Raises:
        ValueError: if a known value is out of range, or shapes do not broadcast.
        TypeError: if parameters are not of one floating dtype, or `num_timesteps` no integer.

    >>> prior = TiledMVNDiag(loc=[0.0, 1.0], scale_diag=[1.0, 0.5], num_timesteps=3)
    >>> prior.mean().numpy().tolist()
    [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]
    >>> prior.log_prob(tf.zeros([8, 3, 2])).shape
    TensorShape([8])
    """

    def __init__(
        self,
        loc: tf.Tensor,
        scale_diag: tf.Tensor,
        num_timesteps: int | tf.Tensor,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "TiledMVNDiag",
    ):
        parameters = dict(locals())
        with tf.name_scope(name) as scope:
            values = float_parameters(loc=loc, scale_diag=scale_diag)
            self._loc, self._scale_diag = values.values()
            check_positive("scale_diag", self._scale_diag)
            super().__init__(
                num_timesteps=num_timesteps,
                dtype=values["loc"].dtype,
                parameters=parameters,
                validate_args=validate_args,
                allow_nan_stats=allow_nan_stats,
                name=scope,
            )

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {
            "loc": tfp.util.ParameterProperties(event_ndims=1),
            "scale_diag": tfp.util.ParameterProperties(
                event_ndims=1, default_constraining_bijector_fn=tfb.Softplus
            ),
            "num_timesteps": parameter_properties.ShapeParameterProperties(),
        }

    @property
    def loc(self) -> tf.Tensor:
        """Mean of each step, as it was given."""
        return self._loc

    @property
    def scale_diag(self) -> tf.Tensor:
        """Standard deviations of each step, as they were given."""
        return self._scale_diag

    def _path_parameters(self):
        return {"loc": self._loc, "scale_diag": self._scale_diag}

    def _step(self):
        """The distribution of any step, batch shape [..., 1] to broadcast over time."""
        return tfd.MultivariateNormalDiag(
            loc=self._per_dim(self._loc)[..., tf.newaxis, :],
            scale_diag=self._per_dim(self._scale_diag)[..., tf.newaxis, :],
        )

    def _conditionals(self, path):
        shape = ps.broadcast_shape(ps.shape(path), self._path_shape())
        return tfd.MultivariateNormalDiag(
            loc=tf.broadcast_to(self._per_dim(self._loc)[..., tf.newaxis, :], shape),
            scale_diag=self._per_dim(self._scale_diag)[..., tf.newaxis, :],
        )

    def _sample_n(self, n, seed=None):
        shape = ps.concat([[n], self._path_shape()], axis=0)
        noise = tfd.Normal(tf.zeros([], self.dtype), tf.ones([], self.dtype)).sample(shape, seed)
        step = self._step()
        return step.mean() + step.stddev() * noise

    def _mean(self):
        return tf.broadcast_to(self._step().mean(), self._path_shape())

    def _stddev(self):
        return tf.broadcast_to(self._step().stddev(), self._path_shape())

    def _entropy(self):
        return tf.reduce_sum(self.conditionals(self._mean()).entropy(), axis=-1)

    def _parameter_control_dependencies(self, is_init):
        return runtime_positive(is_init, scale_diag=self._scale_diag) if self.validate_args else []


@tfd.RegisterKL(tfd.Independent, TiledMVNDiag)
def _kl_independent_tiled(q, prior, name=None):
    """The sum over time of `KL(q(z_t) || p)`."""
    with tf.name_scope(name or "kl_independent_tiled"):
        marginals = time_marginals(q)
        check_event_shape("q", q.event_shape, prior.event_shape)
        prior = prior.conditionals(marginals.mean())
        return tf.reduce_sum(tfd.kl_divergence(marginals, prior), axis=-1)


@tfd.RegisterKL(TiledMVNDiag, TiledMVNDiag)
def _kl_tiled_tiled(a, b, name=None):
    """The number of steps times the divergence of one."""
    with tf.name_scope(name or "kl_tiled_tiled"):
        check_event_shape("a", a.event_shape, b.event_shape)
        one_step = tfd.kl_divergence(a._step(), b._step())[..., 0]
        return tf.cast(b.num_timesteps, b.dtype) * one_step
