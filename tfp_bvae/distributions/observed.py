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
    or none, it costs what `SharedMVNTriL` does; else one inverse of a matrix for each vector.

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
        factor = self.scale.to_dense()
        return _marginal_log_prob(residual, tf.matmul(factor, factor, transpose_b=True), seen)


@tf.custom_gradient
def _marginal_log_prob(residual: tf.Tensor, covariance: tf.Tensor, seen: tf.Tensor):
    """Entries that were not observed become independent, at their mean, and cost nothing.

    With `K` the inverse of the covariance of the others: `d log p / dr = -K r` and
    `d log p / dS = (K r r' K - K) / 2`.
    """
    both = seen[..., tf.newaxis] * seen[..., tf.newaxis, :]
    inverse, log_det = _inverse(covariance * both + tf.linalg.diag(1.0 - seen))
    white = tf.linalg.matvec(inverse, residual)
    constant = math.log(2.0 * math.pi) * tf.reduce_sum(seen, axis=-1)
    log_prob = -0.5 * (tf.reduce_sum(residual * white, axis=-1) + log_det + constant)

    def gradient(upstream):
        slope = white[..., tf.newaxis] * white[..., tf.newaxis, :] - inverse
        slope *= 0.5 * upstream[..., tf.newaxis, tf.newaxis] * both
        leading = range(slope.shape.rank - 2)
        return -upstream[..., tf.newaxis] * white, tf.reduce_sum(slope, axis=leading), None

    return log_prob, gradient


def _inverse(matrix: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Inverse and log-determinant of symmetric matrices above zero, `[..., dim, dim]`.

    By sweeping one pivot after the other, each a product of two vectors: XLA on the CPU takes many
    times as long for its Cholesky factors of small matrices. No gradient flows through it.

    Source: Goodnight, The American Statistician 1979.
    """
    dim = matrix.shape[-1]

    def sweep(k, swept, log_det):
        column = tf.gather(swept, k, axis=-1)  # [..., dim]
        pivot = tf.gather(column, k, axis=-1)[..., tf.newaxis]
        is_k = tf.range(dim) == k
        scaled = tf.where(is_k, -1.0 / pivot, column / pivot)
        rest = swept - column[..., tf.newaxis] * (column / pivot)[..., tf.newaxis, :]
        rest = tf.where(is_k[:, tf.newaxis], scaled[..., tf.newaxis, :], rest)
        rest = tf.where(is_k, scaled[..., tf.newaxis], rest)
        return k + 1, rest, log_det + tf.math.log(pivot[..., 0])

    start = (0, matrix, tf.zeros_like(matrix[..., 0, 0]))
    _, swept, log_det = tf.while_loop(lambda k, *_: k < dim, sweep, start, maximum_iterations=dim)
    return -swept, log_det
