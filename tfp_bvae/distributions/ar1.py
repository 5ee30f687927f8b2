"""The stationary first-order autoregressive process: the prior of LFADS on its inputs."""

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
from tfp_bvae.distributions.recurrence import linear_recurrence

__all__ = ["AR1Process"]

_SHORTEST_TAU = 1e-3  # exp(-1/tau) is 0 in double precision already, and so is its gradient


class AR1Process(PathDistribution):
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
        parameters = dict(locals())
        with tf.name_scope(name) as scope:
            values = float_parameters(tau=tau, innovation_scale=innovation_scale, loc=loc)
            self._tau, self._innovation_scale, self._loc = values.values()
            check_positive("tau", self._tau)
            check_positive("innovation_scale", self._innovation_scale)
            super().__init__(
                num_timesteps=num_timesteps,
                dtype=values["tau"].dtype,
                parameters=parameters,
                validate_args=validate_args,
                allow_nan_stats=allow_nan_stats,
                name=scope,
            )

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        positive = tfp.util.ParameterProperties(
            event_ndims=1, default_constraining_bijector_fn=tfb.Softplus
        )
        return {
            "tau": positive,
            "innovation_scale": positive,
            "num_timesteps": parameter_properties.ShapeParameterProperties(),
            "loc": tfp.util.ParameterProperties(event_ndims=1),
        }

    @property
    def tau(self) -> tf.Tensor:
        """Time constants in bins, as they were given."""
        return self._tau

    @property
    def innovation_scale(self) -> tf.Tensor:
        """Standard deviation of the innovations, as it was given."""
        return self._innovation_scale

    @property
    def loc(self) -> tf.Tensor:
        """Mean of the process, as it was given."""
        return self._loc

    @property
    def phi(self) -> tf.Tensor:
        """Correlation from one step to the next, `exp(-1 / tau)`, `[..., dim]`."""
        return tf.exp(-self._rate())

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

    def _path_parameters(self):
        return {"tau": self._tau, "innovation_scale": self._innovation_scale, "loc": self._loc}

    def _rate(self):
        """1 / tau [..., dim], bounded so that no gradient overflows."""
        return 1.0 / tf.maximum(self._per_dim(self._tau), _SHORTEST_TAU)

    def _step_scale(self):
        """Standard deviation of each step given the one before it, [..., time, dim]."""
        is_first = tf.range(self._num_timesteps)[:, tf.newaxis] < 1
        innovation_scale = self._per_dim(self._innovation_scale)[..., tf.newaxis, :]
        return tf.where(is_first, self.stationary_scale[..., tf.newaxis, :], innovation_scale)

    def _conditionals(self, path):
        loc = self._per_dim(self._loc)[..., tf.newaxis, :]
        carried = self.phi[..., tf.newaxis, :] * _one_later(path - loc)
        return tfd.MultivariateNormalDiag(loc=loc + carried, scale_diag=self._step_scale())

    def _sample_n(self, n, seed=None):
        shape = ps.concat([[n], self._path_shape()], axis=0)
        noise = tfd.Normal(tf.zeros([], self.dtype), tf.ones([], self.dtype)).sample(shape, seed)
        path = linear_recurrence(noise * self._step_scale(), self.phi)
        return path + self._per_dim(self._loc)[..., tf.newaxis, :]

    def _mean(self):
        return tf.broadcast_to(self._per_dim(self._loc)[..., tf.newaxis, :], self._path_shape())

    def _stddev(self):
        return tf.broadcast_to(self.stationary_scale[..., tf.newaxis, :], self._path_shape())

    def _entropy(self):
        return tf.reduce_sum(self.conditionals(self._mean()).entropy(), axis=-1)

    def _parameter_control_dependencies(self, is_init):
        values = {"tau": self._tau, "innovation_scale": self._innovation_scale}
        return runtime_positive(is_init, **values) if self.validate_args else []


@tfd.RegisterKL(tfd.Independent, AR1Process)
def _kl_independent_ar1(q, prior, name=None):
    """Closed form: E_q log p needs of q(z_t) no more than its mean and its variance.

    `KL = sum_t [log(2 pi P_t) + (v_t + phi^2 v_{t-1} + (m_t - phi m_{t-1})^2) / P_t] / 2 - H(q_t)`,
    `P_1 = s^2 / (1 - phi^2)`, `P_{t>1} = s^2`, `m_0 = v_0 = 0`, m taken from the process mean.
    """
    with tf.name_scope(name or "kl_independent_ar1"):
        marginals = time_marginals(q)
        check_event_shape("q", q.event_shape, prior.event_shape)
        steps = prior.conditionals(marginals.mean())
        variance = marginals.variance()
        passed_on = tf.square(prior.phi)[..., tf.newaxis, :] * _one_later(variance)
        spread = (variance + passed_on) / tf.square(steps.stddev())
        cross_entropy = 0.5 * tf.reduce_sum(spread, axis=-1) - steps.log_prob(marginals.mean())
        return tf.reduce_sum(cross_entropy - marginals.entropy(), axis=-1)


@tfd.RegisterKL(AR1Process, AR1Process)
def _kl_ar1_ar1(a, b, name=None):
    """Closed form: under a, the step residual of b has a mean and a variance that stand still.

    `KL = K(v, P_1) + (T - 1) K(w, P)`, with `K(x, y) = 0.5 [log(y / y_a) + x / y - 1]`,
    `v = var_a + d^2`, `w = var_a ((1 - phi_b)^2 + 2 phi_b (1 - phi_a)) + d^2 (1 - phi_b)^2`,
    d the difference of the means, `y_a` the variance of a in the place of y.
    """
    with tf.name_scope(name or "kl_ar1_ar1"):
        check_event_shape("a", a.event_shape, b.event_shape)
        variance = tf.square(a.stationary_scale)
        offset = tf.square(a._per_dim(a.loc) - b._per_dim(b.loc))
        gap_a, gap_b = -tf.math.expm1(-a._rate()), -tf.math.expm1(-b._rate())
        residual = variance * (tf.square(gap_b) + 2.0 * b.phi * gap_a) + offset * tf.square(gap_b)
        innovations = a._per_dim(a.innovation_scale), b._per_dim(b.innovation_scale)
        first = _gaussian_gap(variance + offset, a.stationary_scale, b.stationary_scale)
        later = _gaussian_gap(residual, *innovations)
        return tf.reduce_sum(first + tf.cast(b.num_timesteps - 1, b.dtype) * later, axis=-1)


def _one_later(path):
    """Each step becomes the next; zeros come first, as for z_0 - loc and its variance."""
    return tf.concat([tf.zeros_like(path[..., :1, :]), path[..., :-1, :]], axis=-2)


def _gaussian_gap(second_moment, scale_a, scale_b):
    """`log(scale_b / scale_a) + 0.5 (second_moment / scale_b^2 - 1)`."""
    return tf.math.log(scale_b / scale_a) + 0.5 * (second_moment / tf.square(scale_b) - 1.0)
