"""Densities of data of which some were not observed: NaN is left out."""

from __future__ import annotations

import math

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions.shared_tril import SharedMVNTriL

__all__ = ["Observed", "ObservedMVNTriL"]


class Observed(tfd.Distribution):
    """Independent entries, of which those that are NaN were not observed.

    `log_prob(NaN) = 0`, without a gradient: neither the value of the loss nor what is learned
    knows of the entry. Moments and draws are those of the entries.

    Args:
        distribution: of one entry, event shape `[]`; finite at zero.
        name: for the operations it makes.

    >>> Observed(tfd.Poisson([1.0, 1.0])).log_prob([0.0, float("nan")]).numpy().tolist()
    [-1.0, 0.0]
    """

    def __init__(self, distribution: tfd.Distribution, name: str = "Observed"):
        parameters = dict(locals())
        self._distribution = distribution
        super().__init__(
            dtype=distribution.dtype,
            reparameterization_type=distribution.reparameterization_type,
            validate_args=False,
            allow_nan_stats=True,
            parameters=parameters,
            name=name,
        )

    @property
    def distribution(self) -> tfd.Distribution:
        """The distribution of the entries, observed or not."""
        return self._distribution

    def _log_prob(self, value):
        seen = ~tf.math.is_nan(value)
        # the density is asked for numbers alone: NaN would come back in the gradient
        log_prob = self._distribution.log_prob(tf.where(seen, value, tf.zeros_like(value)))
        return tf.where(seen, log_prob, tf.zeros_like(log_prob))

    def _mean(self):
        return self._distribution.mean()

    def _variance(self):
        return self._distribution.variance()

    def _stddev(self):
        return self._distribution.stddev()

    def _sample_n(self, n, seed=None):
        return self._distribution.sample(n, seed)

    def _batch_shape(self):
        return self._distribution.batch_shape

    def _batch_shape_tensor(self):
        return self._distribution.batch_shape_tensor()

    def _event_shape(self):
        return tf.TensorShape([])

    def _event_shape_tensor(self):
        return tf.constant([], tf.int32)

    def _default_event_space_bijector(self):
        return None


class ObservedMVNTriL(SharedMVNTriL):
    """A `SharedMVNTriL` of vectors that may hold NaN: the marginal of the entries that do not.

    `log p(x_o) = log N(x_o; m_o, S_oo)`, `S = L L^T`, with o the entries that were observed, which
    may be others in each vector; 0 where none was. Where each vector of a batch has all its entries
    or none, it costs what `SharedMVNTriL` does; else one Cholesky factor of each vector.

    Args:
        loc: `m`, `[..., dim]`.
        scale_tril: `L`, lower triangular with a diagonal above zero, `[dim, dim]`.

    >>> gaussian = ObservedMVNTriL(tf.zeros([2]), [[1.0, 0.0], [0.5, 2.0]])
    >>> round(float(gaussian.log_prob([0.0, float("nan")])), 4)  # -log(2 pi) / 2
    -0.9189
    """

    def _log_prob(self, value):
        seen = ~tf.math.is_nan(value)
        residual = tf.where(seen, value, tf.zeros_like(value)) - self.loc
        residual = tf.where(seen, residual, tf.zeros_like(residual))
        seen = tf.broadcast_to(seen, tf.shape(residual))
        all_seen = tf.reduce_all(seen, axis=-1)

        def whole():
            found = SharedMVNTriL._log_prob(self, self.loc + residual)
            return tf.where(all_seen, found, tf.zeros_like(found))

        def in_part():
            return self._marginal(residual, tf.cast(seen, residual.dtype))

        none_in_part = tf.reduce_all(all_seen | ~tf.reduce_any(seen, axis=-1))
        return tf.cond(none_in_part, whole, in_part)

    def _marginal(self, residual: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
        """Entries that were not observed become independent, at their mean, and cost nothing."""
        factor = self.scale.to_dense()
        covariance = tf.matmul(factor, factor, transpose_b=True)
        covariance *= seen[..., tf.newaxis] * seen[..., tf.newaxis, :]
        own = tf.linalg.cholesky(covariance + tf.linalg.diag(1.0 - seen))
        white = tf.linalg.triangular_solve(own, residual[..., tf.newaxis])[..., 0]
        log_scale = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(own)), axis=-1)
        constant = 0.5 * math.log(2.0 * math.pi) * tf.reduce_sum(seen, axis=-1)
        return -0.5 * tf.reduce_sum(tf.square(white), axis=-1) - log_scale - constant
