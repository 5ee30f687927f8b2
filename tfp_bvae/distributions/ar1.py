"""The stationary first-order autoregressive process: the prior of LFADS on its inputs."""

from __future__ import annotations

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions.autoregressive import Autoregressive

__all__ = ["AR1Process", "AR1ProcessTriL"]


class AR1Process(Autoregressive):
    """An autoregressive process of order one per dimension, stationary from the first step on.

    `phi = exp(-1 / tau)`, `z_1 ~ N(loc, s^2 / (1 - phi^2))`,
    `z_t = loc + phi (z_{t-1} - loc) + e_t`, `e_t ~ N(0, s^2)`, s the innovation scale. So
    `Cov(z_i, z_j) = phi^|i-j| s^2 / (1 - phi^2)`. Event shape `[time, dim]`; batch shape the
    broadcast of the `[...]` below.

    Args:
        tau: time constants in bins, above zero, `[..., dim]` or `[]`.
        innovation_scale: standard deviation of the innovations, `[..., dim]` or `[]`.
        num_timesteps: number of steps, a whole number or an integer tensor `[]`.
        loc: mean of the process, `[..., dim]` or `[]`.
        validate_args: whether to check values that are known only when the graph runs.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Raises:
        ValueError, TypeError: if a known value is out of range, shapes do not broadcast, parameters
            are not of one floating dtype, or `num_timesteps` is no integer.

    Source: Sussillo, Jozefowicz, Abbott and Pandarinath, LFADS (2016).

    >>> prior = AR1Process(tau=[10.0, 5.0], innovation_scale=0.1, num_timesteps=50)
    >>> prior.sample(8, seed=1).shape
    TensorShape([8, 50, 2])
    >>> print(prior.stationary_scale.numpy().round(3))
    [0.235 0.174]
    """

    VECTORS = ("tau", "innovation_scale", "loc")
    POSITIVE = ("tau", "innovation_scale")

    def __init__(
        self,
        tau: tf.Tensor,
        innovation_scale: tf.Tensor,
        num_timesteps: int | tf.Tensor,
        loc: tf.Tensor = 0.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "AR1Process",
    ):
        super().__init__(dict(locals()))

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return cls._properties()

    @property
    def innovation_scale(self) -> tf.Tensor:
        """Standard deviation of the innovations, as it was given."""
        return self._innovation_scale

    @property
    def stationary_scale(self) -> tf.Tensor:
        """Standard deviation of every step, `s / sqrt(1 - phi^2)`, `[..., dim]`."""
        innovation_scale = self._per_dim(self._innovation_scale)
        return innovation_scale / tf.sqrt(-tf.math.expm1(-2.0 * self._rate()))

    def lag_covariance(self, lags: tf.Tensor) -> tf.Tensor:
        """Give `Cov(z_t, z_{t+lag}) = phi^|lag| s^2 / (1 - phi^2)`.

        Args:
            lags: whole numbers `[lag]`, in bins.

        Returns:
            `[..., lag, dim]`.

        >>> prior = AR1Process(tau=[10.0], innovation_scale=0.1, num_timesteps=50)
        >>> print(prior.lag_covariance([0, 10]).numpy().round(4).ravel())
        [0.0552 0.0203]
        """
        lags = tf.abs(tf.cast(lags, self.dtype))[:, tf.newaxis]
        decay = tf.exp(-lags * self._rate()[..., tf.newaxis, :])
        return tf.square(self.stationary_scale)[..., tf.newaxis, :] * decay

    def innovation(self):
        """A diagonal."""
        return tf.linalg.LinearOperatorDiag(self._per_dim(self._innovation_scale))

    def stationary(self):
        """A diagonal."""
        return tf.linalg.LinearOperatorDiag(self.stationary_scale)

    def _steps(self, loc):
        later = self._per_dim(self._innovation_scale)
        scale = self._first_and_later(self.stationary_scale, later, event_ndims=1)
        return tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale)

    def _stddev(self):
        return self._at_every_step(self.stationary_scale)


class AR1ProcessTriL(Autoregressive):
    """An autoregressive process of order one whose dimensions move together.

    Each dimension decays at its own pace, and their innovations are correlated:
    `z_t = loc + phi (z_{t-1} - loc) + e_t`, `e_t ~ N(0, S)`, `S = L L^T`, `phi = exp(-1 / tau)`.
    Stationary from the first step on: `z_1 ~ N(loc, P)`, `P_ij = S_ij / (1 - phi_i phi_j)`, which
    is positive definite where S is; `Cov(z_{t+lag}, z_t) = diag(phi)^lag P`. Event shape
    `[time, dim]`; batch shape the broadcast of the `[...]` below.

    Args:
        tau: time constants in bins, above zero, `[..., dim]` or `[]`.
        innovation_scale_tril: L, a lower triangle with a diagonal above zero, `[..., dim, dim]`.
        num_timesteps: number of steps, a whole number or an integer tensor `[]`.
        loc: mean of the process, `[..., dim]` or `[]`.
        validate_args: whether to check values that are known only when the graph runs.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Raises:
        ValueError, TypeError: as for `AR1Process`.

    Source: Lütkepohl, New Introduction to Multiple Time Series Analysis (2005), section 2.1: the
    stationary covariance solves `P = Phi P Phi + S`.

    >>> scale = [[1.0, 0.0], [0.6, 0.8]]
    >>> prior = AR1ProcessTriL(tau=[10.0, 5.0], innovation_scale_tril=scale, num_timesteps=50)
    >>> prior.sample(8, seed=1).shape
    TensorShape([8, 50, 2])
    >>> print(prior.stationary_covariance().numpy().round(2).ravel())
    [5.52 2.31 2.31 3.03]
    """

    VECTORS = ("tau", "loc")
    POSITIVE = ("tau",)
    TRIANGLES = ("innovation_scale_tril",)

    def __init__(
        self,
        tau: tf.Tensor,
        innovation_scale_tril: tf.Tensor,
        num_timesteps: int | tf.Tensor,
        loc: tf.Tensor = 0.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "AR1ProcessTriL",
    ):
        super().__init__(dict(locals()))

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return cls._properties()

    @property
    def innovation_scale_tril(self) -> tf.Tensor:
        """Cholesky factor of the covariance of the innovations, as it was given."""
        return self._innovation_scale_tril

    def stationary_covariance(self) -> tf.Tensor:
        """Give the covariance of every step, `P_ij = S_ij / (1 - phi_i phi_j)`."""
        covariance = self.innovation().matmul(self.innovation().to_dense(), adjoint_arg=True)
        rate = self._rate()
        return covariance / -tf.math.expm1(-(rate[..., tf.newaxis] + rate[..., tf.newaxis, :]))

    def innovation(self):
        """A lower triangle."""
        return tf.linalg.LinearOperatorLowerTriangular(
            tf.convert_to_tensor(self._innovation_scale_tril)
        )

    def stationary(self):
        """A lower triangle."""
        factor = tf.linalg.cholesky(self.stationary_covariance())
        return tf.linalg.LinearOperatorLowerTriangular(factor)

    def _steps(self, loc):
        first, later = self.stationary().to_dense(), self.innovation().to_dense()
        scale = self._first_and_later(first, later, event_ndims=2)
        return tfd.MultivariateNormalTriL(loc=loc, scale_tril=scale)

    def _stddev(self):
        return self._at_every_step(tf.sqrt(tf.linalg.diag_part(self.stationary_covariance())))
