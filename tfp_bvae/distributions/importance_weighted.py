"""The likelihood of data under several samples of the latents, weighed by how likely these are."""

from __future__ import annotations

import math

import tensorflow as tf
from tensorflow_probability import distributions as tfd

__all__ = ["ImportanceWeighted"]


class ImportanceWeighted(tfd.Distribution):
    r"""An estimate of `p(x)` from samples of the latents: its logarithm is a bound on `log p(x)`.

    `log_prob(x) = log (1 / S) sum_s exp(log p(x | z_s) + log w_s)`,
    `w_s = p(z_s) / q(z_s | x)`, `z_s` drawn from `q(z | x)`.

    In expectation it is not above `log p(x)`, not below the bound of fewer samples, and with one
    sample it is the evidence lower bound. Mean and variance are those of the mixture of the S
    likelihoods, unweighted. All entries of x are in the weights: masks of the gradient of the
    likelihood do not keep an entry from teaching here.

    Args:
        likelihood: `p(x | z_s)`, batch shape `[S, batch]`; or `[batch]`, for one sample.
        log_weights: `log w_s`, of the same shape.
        name: for the operations it makes.

    Batch shape `[batch]`, event shape that of the likelihood.

    Raises:
        ValueError: if the shapes differ, or have another number of axes.

    Source: Burda, Grosse and Salakhutdinov, ICLR 2016.

    >>> poisson = tfd.Independent(tfd.Poisson(log_rate=tf.zeros([5, 2, 3, 4])), 2)
    >>> weighted = ImportanceWeighted(poisson, log_weights=tf.zeros([5, 2]))
    >>> weighted.log_prob(tf.zeros([2, 3, 4])).numpy().round(3).tolist()
    [-12.0, -12.0]
    """

    def __init__(
        self,
        likelihood: tfd.Distribution,
        log_weights: tf.Tensor,
        name: str = "ImportanceWeighted",
    ):
        parameters = dict(locals())
        rank = likelihood.batch_shape.rank
        if rank not in (1, 2) or not likelihood.batch_shape.is_compatible_with(log_weights.shape):
            raise ValueError(
                "likelihood and log_weights must have one batch shape, [S, batch] or [batch], "
                f"got {likelihood.batch_shape} and {log_weights.shape}"
            )
        self._likelihood = likelihood
        self._log_weights = log_weights
        self._has_samples = rank == 2
        super().__init__(
            dtype=likelihood.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            parameters=parameters,
            name=name,
        )

    @property
    def likelihood(self) -> tfd.Distribution:
        """The likelihood given each sample, as it was given."""
        return self._likelihood

    @property
    def distribution(self) -> tfd.Distribution:
        """The likelihood of each entry of the data, given each sample."""
        return self._likelihood.distribution

    @property
    def log_weights(self) -> tf.Tensor:
        """`log p(z_s) - log q(z_s | x)`, as it was given."""
        return self._log_weights

    @property
    def num_samples(self) -> int | tf.Tensor | None:
        """S, an int where it is known, else a tensor; None if there is no axis of samples."""
        if not self._has_samples:
            return None
        known = self._likelihood.batch_shape[0]
        return self._likelihood.batch_shape_tensor()[0] if known is None else known

    def _log_prob(self, value):
        joint = self._likelihood.log_prob(value) + self._log_weights
        if not self._has_samples:
            return joint
        return tf.reduce_logsumexp(joint, axis=0) - _log(self.num_samples, self.dtype)

    def _mean(self):
        mean = self._likelihood.mean()
        return tf.reduce_mean(mean, axis=0) if self._has_samples else mean

    def _variance(self):
        if not self._has_samples:
            return self._likelihood.variance()
        mean, variance = self._likelihood.mean(), self._likelihood.variance()
        return tf.reduce_mean(variance, axis=0) + tf.math.reduce_variance(mean, axis=0)

    def _stddev(self):
        return tf.sqrt(self._variance())

    def _batch_shape(self):
        return self._likelihood.batch_shape[-1:]

    def _batch_shape_tensor(self):
        return self._likelihood.batch_shape_tensor()[-1:]

    def _event_shape(self):
        return self._likelihood.event_shape

    def _event_shape_tensor(self):
        return self._likelihood.event_shape_tensor()

    def _default_event_space_bijector(self):
        return None


def _log(count: int | tf.Tensor, dtype: tf.DType) -> float | tf.Tensor:
    return math.log(count) if isinstance(count, int) else tf.math.log(tf.cast(count, dtype))
