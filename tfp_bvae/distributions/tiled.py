"""One and the same Gaussian at every time step."""

from __future__ import annotations

import abc

import tensorflow as tf
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import prefer_static as ps

from tfp_bvae.distributions.mean_field import time_marginals
from tfp_bvae.distributions.parameters import check_event_shape
from tfp_bvae.distributions.path_distribution import PathDistribution

__all__ = ["TiledMVNDiag", "TiledMVNTriL"]


class _Tiled(PathDistribution):
    """Steps that are independent, and all alike; a subclass says what one is."""

    @property
    def loc(self) -> tf.Tensor:
        """Mean of each step, as it was given."""
        return self._loc

    @abc.abstractmethod
    def _gaussian(self, loc) -> tfd.MultivariateNormalLinearOperator:
        """The distribution of steps of these means, `[..., time, dim]`."""

    def _step(self):
        """The distribution of any step, batch shape [..., 1] to broadcast over time."""
        return self._gaussian(self._per_dim(self._loc)[..., tf.newaxis, :])

    def _conditionals(self, path):
        shape = ps.broadcast_shape(ps.shape(path), self._path_shape())
        loc = self._per_dim(self._loc)[..., tf.newaxis, :]
        return self._gaussian(tf.broadcast_to(loc, shape))

    def _from_noise(self, noise):
        step = self._step()
        return step.loc + step.scale.matvec(noise)

    def _mean(self):
        return self._at_every_step(self._per_dim(self._loc))

    def _stddev(self):
        return self._at_every_step(self._step().stddev()[..., 0, :])

    def _entropy(self):
        return tf.reduce_sum(self.conditionals(self._mean()).entropy(), axis=-1)


class TiledMVNDiag(_Tiled):
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

    VECTORS = ("loc", "scale_diag")
    POSITIVE = ("scale_diag",)

    def __init__(
        self,
        loc: tf.Tensor,
        scale_diag: tf.Tensor,
        num_timesteps: int | tf.Tensor,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "TiledMVNDiag",
    ):
        super().__init__(dict(locals()))

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return cls._properties()

    @property
    def scale_diag(self) -> tf.Tensor:
        """Standard deviations of each step, as they were given."""
        return self._scale_diag

    def _gaussian(self, loc):
        scale = self._per_dim(self._scale_diag)[..., tf.newaxis, :]
        return tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale)


class TiledMVNTriL(_Tiled):
    """Steps that are independent, each with the same Gaussian of full covariance.

    `p(z_{1:T}) = prod_t N(z_t; loc, L L^T)`.

    Args:
        loc: mean, `[..., dim]` or `[]`.
        scale_tril: L, a lower triangle with a diagonal above zero, `[..., dim, dim]`.
        num_timesteps: number of steps, a whole number or an integer tensor `[]`.
        validate_args: whether to check values that are known only when the graph runs.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Batch shape: the broadcast of the `[...]`; event shape `[time, dim]`.

    Raises:
        ValueError, TypeError: as for `TiledMVNDiag`.

    >>> prior = TiledMVNTriL(0.0, scale_tril=[[1.0, 0.0], [0.6, 0.8]], num_timesteps=3)
    >>> print(prior.conditionals(tf.zeros([3, 2])).covariance()[0].numpy().round(2).ravel())
    [1.  0.6 0.6 1. ]
    """

    VECTORS = ("loc",)
    TRIANGLES = ("scale_tril",)

    def __init__(
        self,
        loc: tf.Tensor,
        scale_tril: tf.Tensor,
        num_timesteps: int | tf.Tensor,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "TiledMVNTriL",
    ):
        super().__init__(dict(locals()))

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return cls._properties()

    @property
    def scale_tril(self) -> tf.Tensor:
        """Cholesky factor of the covariance of each step, as it was given."""
        return self._scale_tril

    def _gaussian(self, loc):
        scale = tf.convert_to_tensor(self._scale_tril)[..., tf.newaxis, :, :]
        return tfd.MultivariateNormalTriL(loc=loc, scale_tril=scale)


@tfd.RegisterKL(tfd.Independent, _Tiled)
def _kl_independent_tiled(q, prior, name=None):
    """The sum over time of `KL(q(z_t) || p)`."""
    with tf.name_scope(name or "kl_independent_tiled"):
        marginals = time_marginals(q)
        check_event_shape("q", q.event_shape, prior.event_shape)
        prior = prior.conditionals(marginals.mean())
        return tf.reduce_sum(tfd.kl_divergence(marginals, prior), axis=-1)


@tfd.RegisterKL(_Tiled, _Tiled)
def _kl_tiled_tiled(a, b, name=None):
    """The number of steps times the divergence of one."""
    with tf.name_scope(name or "kl_tiled_tiled"):
        check_event_shape("a", a.event_shape, b.event_shape)
        one_step = tfd.kl_divergence(a._step(), b._step())[..., 0]
        return tf.cast(b.num_timesteps, b.dtype) * one_step
