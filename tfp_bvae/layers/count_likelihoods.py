"""Likelihood layers for counts: from log-rates to a distribution over spikes."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions import Poisson, ZeroInflatedPoisson
from tfp_bvae.layers.base import LikelihoodLayer

__all__ = ["NegativeBinomialLikelihood", "PoissonLikelihood", "ZeroInflatedPoissonLikelihood"]


class _CountLikelihood(LikelihoodLayer):
    """A log-rate that cannot overflow, and one weight per channel where a subclass wants it."""

    def __init__(
        self, max_log_rate: float = 6.0, value: str = "mean", seed: int | None = None, **kwargs
    ):
        super().__init__(value=value, seed=seed, **kwargs)
        self.max_log_rate = checks.positive("max_log_rate", max_log_rate)

    def _log_rate(self, inputs) -> tf.Tensor:
        log_rate = tf.cast(inputs, self.variable_dtype)
        excess = tf.nn.relu(log_rate - self.max_log_rate)
        return log_rate - excess + tf.math.log1p(excess)

    def _per_channel(self, name: str, input_shape, initial: float) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=(checks.last_dim("inputs", input_shape),),
            initializer=tf_keras.initializers.Constant(initial),
            experimental_autocast=False,  # a density wants full precision
        )

    def get_config(self):
        return super().get_config() | {"max_log_rate": self.max_log_rate}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class PoissonLikelihood(_CountLikelihood):
    r"""Independent Poisson counts, time and channels together one event.

    .. math:: \log p(x) = \sum_{t,n} x_{tn} \eta_{tn} - e^{\eta_{tn}} - \log x_{tn}!

    so that `log_prob` is in nats per trial. Above `max_log_rate` the log-rate grows
    logarithmically, so that no step of a fit can overflow.

    Args:
        max_log_rate: where the log-rate starts to saturate; 6 is 403 spikes per bin.
        value: what it is as a tensor: `"mean"` (rates), `"sample"` (counts) or `"auto"`.
        seed: of the draws.
        missing: whether counts may be NaN, where they were not observed, and are left out.

    Call arguments:
        inputs: log-rates `eta` (log expected spikes per bin), `[batch, time, channel]`; with
            samples of the latents `[S, batch, time, channel]`.

    Returns:
        `tfd.Independent(tfd.Poisson, 2)`, batch shape `[batch]` or `[S, batch]`, event
        `[time, channel]`; its `distribution.log_prob` is that of each entry.

    >>> PoissonLikelihood()(tf.zeros([1, 2, 1])).log_prob([[[0.0], [0.0]]]).numpy().tolist()
    [-2.0]
    """

    def distribution(self, inputs):
        return self.of_entries(Poisson(log_rate=self._log_rate(inputs)))


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class NegativeBinomialLikelihood(_CountLikelihood):
    r"""Counts that vary more than Poisson counts do, by a learned dispersion of each channel.

    .. math::

        \log p(x) = \sum_{t,n} \log \frac{\Gamma(x_{tn} + r_n)}{\Gamma(r_n) \, x_{tn}!}
        + r_n \log \frac{r_n}{r_n + \mu_{tn}} + x_{tn} \log \frac{\mu_{tn}}{r_n + \mu_{tn}},
        \qquad \mu = e^{\eta}, \quad r_n = 1 / \alpha_n

    with mean `mu` and variance `mu + alpha mu^2`; without dispersion it is the Poisson law.
    Gamma functions are exact.

    Args:
        init_dispersion: initial `alpha` of each channel; it trains as its logarithm.
        min_dispersion: a floor on it.
        max_log_rate: where the log-rate starts to saturate, as in `PoissonLikelihood`.
        value: what it is as a tensor: `"mean"` (rates), `"sample"` (counts) or `"auto"`.
        seed: of the draws.
        missing: whether counts may be NaN, where they were not observed, and are left out.

    Call arguments:
        inputs: log-rates `eta` (log expected spikes per bin), `[batch, time, channel]`; with
            samples of the latents `[S, batch, time, channel]`.

    Returns:
        `tfd.Independent(tfd.NegativeBinomial, 2)`, batch shape `[batch]` or `[S, batch]`, event
        `[time, channel]`; its `distribution.log_prob` is that of each entry.

    >>> counts = NegativeBinomialLikelihood(init_dispersion=0.5)(tf.zeros([1, 1, 1]))
    >>> counts.mean().numpy().round(4).item(), counts.variance().numpy().round(4).item()
    (1.0, 1.5)
    """

    def __init__(
        self,
        init_dispersion: float = 0.1,
        min_dispersion: float = 1e-4,
        max_log_rate: float = 6.0,
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(max_log_rate=max_log_rate, value=value, seed=seed, **kwargs)
        self.init_dispersion = checks.positive("init_dispersion", init_dispersion)
        self.min_dispersion = checks.positive("min_dispersion", min_dispersion)

    def build(self, input_shape):
        initial = math.log(self.init_dispersion)
        self.log_dispersion = self._per_channel("log_dispersion", input_shape, initial)
        super().build(input_shape)

    def distribution(self, inputs):
        log_dispersion = tf.maximum(self.log_dispersion, math.log(self.min_dispersion))
        counts = tfd.NegativeBinomial(
            total_count=tf.exp(-log_dispersion),
            logits=self._log_rate(inputs) + log_dispersion,
            require_integer_total_count=False,
        )
        return self.of_entries(counts)

    def get_config(self):
        return super().get_config() | {
            "init_dispersion": self.init_dispersion,
            "min_dispersion": self.min_dispersion,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class ZeroInflatedPoissonLikelihood(_CountLikelihood):
    r"""Poisson counts of channels that are silent in a learned share of bins.

    .. math::

        p(x_{tn}) = \pi_n [x_{tn} = 0] + (1 - \pi_n) \, \mathrm{Poisson}(x_{tn}; e^{\eta_{tn}})

    Its mean, `(1 - pi) exp(eta)`, is what is expected of a bin.

    Args:
        init_silence: initial `pi` of each channel, in (0, 1); it trains as its log-odds.
        max_log_rate: where the log-rate starts to saturate, as in `PoissonLikelihood`.
        value: what it is as a tensor: `"mean"`, `"sample"` (counts) or `"auto"`.
        seed: of the draws.
        missing: whether counts may be NaN, where they were not observed, and are left out.

    Call arguments:
        inputs: log-rates `eta` of bins that are not silent, `[batch, time, channel]`; with
            samples of the latents `[S, batch, time, channel]`.

    Returns:
        `tfd.Independent(ZeroInflatedPoisson, 2)`, batch shape `[batch]` or `[S, batch]`, event
        `[time, channel]`; its `distribution.log_prob` is that of each entry.

    Source: Lambert, Technometrics 1992.

    >>> ZeroInflatedPoissonLikelihood(init_silence=0.25)(tf.zeros([1, 2, 1])).mean().numpy().ravel()
    array([0.75, 0.75], dtype=float32)
    """

    def __init__(
        self,
        init_silence: float = 0.1,
        max_log_rate: float = 6.0,
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(max_log_rate=max_log_rate, value=value, seed=seed, **kwargs)
        self.init_silence = checks.in_interval(
            "init_silence", init_silence, 0.0, 1.0, include_low=False, include_high=False
        )

    def build(self, input_shape):
        initial = math.log(self.init_silence) - math.log1p(-self.init_silence)
        self.logits = self._per_channel("silence_logits", input_shape, initial)
        super().build(input_shape)

    def distribution(self, inputs):
        return self.of_entries(ZeroInflatedPoisson(self._log_rate(inputs), self.logits))

    def get_config(self):
        return super().get_config() | {"init_silence": self.init_silence}
