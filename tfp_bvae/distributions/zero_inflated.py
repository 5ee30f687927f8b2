"""Counts that are zero more often than a Poisson distribution has it."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import prefer_static as ps

from tfp_bvae.distributions.parameters import float_parameters
from tfp_bvae.distributions.poisson import Poisson

__all__ = ["ZeroInflatedPoisson"]


class ZeroInflatedPoisson(tfd.Distribution):
    r"""Zero with probability `pi`, else a Poisson count.

    `p(0) = pi + (1 - pi) exp(-rate)`, `p(x) = (1 - pi) Poisson(x; rate)` for x above 0, with
    `pi = sigmoid(logits)`. The mean is `(1 - pi) rate`.

    Args:
        log_rate: logarithm of the rate of the Poisson part, `[...]`.
        logits: log-odds of a zero that is not of the Poisson part, `[...]`.
        validate_args: has no effect: every value is allowed.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Batch shape: the broadcast of the two; event shape `[]`.

    Raises:
        TypeError: if the parameters are not of one floating dtype.

    Source: Lambert, Technometrics 1992.

    >>> counts = ZeroInflatedPoisson(log_rate=[0.0], logits=[0.0])
    >>> float(counts.mean()[0]), round(float(counts.prob([0.0])[0]), 4)
    (0.5, 0.6839)
    """

    def __init__(
        self,
        log_rate: tf.Tensor,
        logits: tf.Tensor,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "ZeroInflatedPoisson",
    ):
        parameters = dict(locals())
        with tf.name_scope(name) as scope:
            values = float_parameters(log_rate=log_rate, logits=logits)
            self._log_rate, self._logits = values.values()
            super().__init__(
                dtype=self._log_rate.dtype,
                reparameterization_type=tfd.NOT_REPARAMETERIZED,
                validate_args=validate_args,
                allow_nan_stats=allow_nan_stats,
                parameters=parameters,
                name=scope,
            )

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {
            "log_rate": tfp.util.ParameterProperties(),
            "logits": tfp.util.ParameterProperties(),
        }

    @property
    def log_rate(self) -> tf.Tensor:
        """Logarithm of the rate of the Poisson part, as it was given."""
        return self._log_rate

    @property
    def logits(self) -> tf.Tensor:
        """Log-odds of a zero that is not of the Poisson part, as they were given."""
        return self._logits

    def _log_prob(self, value):
        counted = tf.math.log_sigmoid(-self._logits)
        counted += Poisson(log_rate=self._log_rate).log_prob(value)
        silent = tf.math.log_sigmoid(self._logits)
        return tf.where(tf.equal(value, 0.0), tfp.math.log_add_exp(silent, counted), counted)

    def _mean(self):
        return tf.sigmoid(-self._logits) * tf.exp(self._log_rate)

    def _variance(self):
        mean = self._mean()
        return mean * (1.0 + tf.exp(self._log_rate) - mean)

    def _sample_n(self, n, seed=None):
        seeds = tfp.random.split_seed(seed, n=2, salt="ZeroInflatedPoisson")
        shape = ps.concat([[n], self.batch_shape_tensor()], axis=0)
        counts = tfd.Poisson(log_rate=tf.broadcast_to(self._log_rate, shape)).sample(seed=seeds[0])
        silent = tfd.Bernoulli(tf.broadcast_to(self._logits, shape), dtype=tf.bool)
        return tf.where(silent.sample(seed=seeds[1]), tf.zeros_like(counts), counts)

    def _event_shape(self):
        return tf.TensorShape([])

    def _event_shape_tensor(self):
        return tf.constant([], tf.int32)

    def _default_event_space_bijector(self):
        return None
