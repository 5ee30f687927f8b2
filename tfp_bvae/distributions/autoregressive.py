"""What the two AR(1) processes share, and the divergences from them in closed form."""

from __future__ import annotations

import abc

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions.mean_field import time_marginals
from tfp_bvae.distributions.parameters import check_event_shape
from tfp_bvae.distributions.path_distribution import PathDistribution
from tfp_bvae.distributions.recurrence import linear_recurrence, one_later

__all__ = ["Autoregressive"]

_SHORTEST_TAU = 1e-3  # exp(-1/tau) is 0 in double precision already, and so is its gradient


class Autoregressive(PathDistribution):
    """`z_t = loc + phi (z_{t-1} - loc) + L e_t`, stationary from the first step on.

    A subclass has `tau` and `loc` among its vectors, and says what `L` is.
    """

    @property
    def tau(self) -> tf.Tensor:
        """Time constants in bins, as they were given."""
        return self._tau

    @property
    def loc(self) -> tf.Tensor:
        """Mean of the process, as it was given."""
        return self._loc

    @property
    def phi(self) -> tf.Tensor:
        """Correlation from one step to the next, `exp(-1 / tau)`, `[..., dim]`."""
        return tf.exp(-self._rate())

    @abc.abstractmethod
    def innovation(self) -> tf.linalg.LinearOperator:
        """The Cholesky factor of the covariance of the innovations, `[..., dim, dim]`."""

    @abc.abstractmethod
    def stationary(self) -> tf.linalg.LinearOperator:
        """The Cholesky factor of the covariance of any one step, `[..., dim, dim]`."""

    @abc.abstractmethod
    def _steps(self, loc) -> tfd.MultivariateNormalLinearOperator:
        """Each step given the one before, of these means `[..., time, dim]`."""

    def _rate(self):
        """1 / tau [..., dim], bounded so that no gradient overflows."""
        return 1.0 / tf.maximum(self._per_dim(self._tau), _SHORTEST_TAU)

    def _first_and_later(self, first, later, event_ndims):
        """`first` at the first step, `later` after it, with an axis of time before the event."""
        shape = tf.concat([[self._num_timesteps], tf.ones([event_ndims], tf.int32)], axis=0)
        is_first = tf.reshape(tf.range(self._num_timesteps) < 1, shape)
        axis = -1 - event_ndims
        return tf.where(is_first, tf.expand_dims(first, axis), tf.expand_dims(later, axis))

    def _conditionals(self, path):
        loc = self._per_dim(self._loc)[..., tf.newaxis, :]
        return self._steps(loc + self.phi[..., tf.newaxis, :] * one_later(path - loc))

    def _from_noise(self, noise):
        innovations = self._steps(tf.zeros_like(noise)).scale.matvec(noise)
        path = linear_recurrence(innovations, self.phi)
        return path + self._per_dim(self._loc)[..., tf.newaxis, :]

    def _mean(self):
        return self._at_every_step(self._per_dim(self._loc))

    def _entropy(self):
        return tf.reduce_sum(self.conditionals(self._mean()).entropy(), axis=-1)


@tfd.RegisterKL(tfd.Independent, Autoregressive)
def _kl_independent_autoregressive(q, prior, name=None):
    """Closed form: E_q log p needs of q(z_t) no more than its mean and its covariance.

    `KL = sum_t [log|2 pi P_t| + tr(P_t^-1 (V_t + Phi V_{t-1} Phi + r_t r_t^T))] / 2 - H(q_t)`,
    `r_t = m_t - Phi m_{t-1}`, `P_t` the covariance of the step given the one before it,
    `m_0 = V_0 = 0`, m taken from the mean of the process.
    """
    with tf.name_scope(name or "kl_independent_autoregressive"):
        marginals = time_marginals(q)
        check_event_shape("q", q.event_shape, prior.event_shape)
        steps = prior.conditionals(marginals.mean())
        spread = _spread(marginals, steps, prior.phi[..., tf.newaxis, :])
        cross_entropy = 0.5 * spread - steps.log_prob(marginals.mean())
        return tf.reduce_sum(cross_entropy - marginals.entropy(), axis=-1)


def _spread(marginals, steps, phi):
    """`tr(P_t^-1 (V_t + Phi V_{t-1} Phi))`, `[..., time]`."""
    if isinstance(steps, tfd.MultivariateNormalDiag):  # then variances alone count
        variance = marginals.variance()
        passed_on = tf.square(phi) * one_later(variance)
        return tf.reduce_sum((variance + passed_on) / tf.square(steps.stddev()), axis=-1)
    factor = marginals.scale.to_dense()
    shape = tf.concat([tf.shape(marginals.mean()), tf.shape(factor)[-1:]], axis=0)
    factor = tf.broadcast_to(factor, shape)
    passed_on = phi[..., tf.newaxis] * one_later(factor, axis=-3)
    return _squares(steps.scale, factor) + _squares(steps.scale, passed_on)


@tfd.RegisterKL(Autoregressive, Autoregressive)
def _kl_autoregressive(a, b, name=None):
    """Closed form: under a, the step residual of b has a mean and a covariance that stand still.

    `KL = K(P_a + d d^T; P_a, P_b) + (T - 1) K(W; S_a, S_b)`, P the stationary covariance, S that
    of the innovations, d the difference of the means, with
    `W = S_a + (Phi_a - Phi_b) P_a (Phi_a - Phi_b) + (1 - Phi_b) d d^T (1 - Phi_b)` and
    `K(M; A, B) = 0.5 [log|B| - log|A| + tr(B^-1 M) - dim]`.
    """
    with tf.name_scope(name or "kl_autoregressive"):
        check_event_shape("a", a.event_shape, b.event_shape)
        offset = (a._per_dim(a.loc) - b._per_dim(b.loc))[..., tf.newaxis]
        stationary = a.stationary().to_dense()
        drift = (a.phi - b.phi)[..., tf.newaxis] * stationary
        drawn_back = -tf.math.expm1(-b._rate())[..., tf.newaxis] * offset
        first = _gap(a.stationary(), b.stationary(), [stationary, offset])
        innovation = a.innovation().to_dense()
        later = _gap(a.innovation(), b.innovation(), [innovation, drift, drawn_back])
        return first + tf.cast(b.num_timesteps - 1, b.dtype) * later


def _gap(scale_a, scale_b, factors):
    """`K(sum F F^T; A A^T, B B^T)` for factors F `[..., dim, any]`."""
    squares = sum(_squares(scale_b, factor) for factor in factors)
    log_ratio = scale_b.log_abs_determinant() - scale_a.log_abs_determinant()
    dim = tf.cast(scale_b.domain_dimension_tensor(), squares.dtype)
    return log_ratio + 0.5 * (squares - dim)


def _squares(scale, factor):
    """`tr(B^-1 F F^T B^-T)`, `[...]`."""
    return tf.reduce_sum(tf.square(scale.solve(factor)), axis=[-2, -1])
