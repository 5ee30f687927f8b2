"""From factors to a distribution over the data."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks, layers
from tfp_bvae.models.arguments import Arguments, is_of_counts
from tfp_bvae.models.builders.doors import Settings, as_arguments, as_params, fan_in

__all__ = ["create_output_distribution", "start_read_out"]

SMALLEST_RATE = 1e-4  # spikes per bin, so that a silent channel has a finite logarithm


def create_output_distribution(
    params: Settings,
    factors: tf.Tensor,
    arguments: Arguments | Mapping[str, Any] | None = None,
    taught: Sequence[tf.Tensor] = (),
    through: Sequence = (),
    session: tf.Tensor | None = None,
) -> tf.Tensor:
    r"""The likelihood of the data: an affine read-out of the factors, and a distribution.

    .. math:: \eta_t = \mathrm{factors}_t W + b, \qquad x_t \sim p(\cdot \mid \eta_t)

    Args:
        params: `Params`, or a plain dict.
        factors: `[batch, time, factors]`.
        arguments: `Arguments` (`outputs`, `likelihood`), or a plain dict.
        taught: weights of the gradient, from `prepare_inputs`.
        through: functions that the log-rates pass through before the likelihood.
        session: whole numbers that name the session of each trial, `[batch]`, where there are
            sessions: each has a read-out of its own.

    Returns:
        A distribution, batch `[batch]`, event `[time, outputs]`; as a tensor its mean.

    >>> factors = tf_keras.Input([246, 8])
    >>> create_output_distribution({}, factors, {"channels": 36}).shape
    TensorShape([None, 246, 36])
    """
    arguments, params = as_arguments(arguments, params), as_params(params)
    checks.not_keras3("factors", factors)
    if session is None:
        eta = tf_keras.layers.Dense(
            arguments.outputs, kernel_initializer=fan_in(factors.shape[-1]), name="log_rate"
        )(factors)
    else:
        eta = layers.SessionReadOut(
            arguments.num_sessions,
            arguments.outputs,
            fixed=arguments.fixed_sessions,
            name="log_rate",
        )([factors, session])
    for function in through:
        eta = function(eta)
    for index, weights in enumerate(taught):
        eta = layers.GradientBlock(name=f"gradient_block_{index}")([eta, weights])
    if arguments.num_samples > 1:
        eta = layers.SplitSamples(arguments.num_samples, name="log_rate_split")(eta)
    return likelihood_layer(arguments)(eta)


def likelihood_layer(arguments: Arguments) -> layers.DistributionLayer:
    """The likelihood that a setting names."""
    makers = {
        "poisson": layers.PoissonLikelihood,
        "gaussian": layers.GaussianLikelihood,
        "gaussian_full": functools.partial(layers.GaussianLikelihood, covariance="full"),
        "negative_binomial": layers.NegativeBinomialLikelihood,
        "zero_inflated_poisson": layers.ZeroInflatedPoissonLikelihood,
    }
    return makers[arguments.likelihood](missing=arguments.masked, name="likelihood")


def start_read_out(model: tf_keras.Model, mean_rates: np.ndarray, arguments: Arguments) -> None:
    """Start the read-out's bias at the (logarithm of the) mean of each predicted channel.

    Args:
        model: with a layer `log_rate`.
        mean_rates: spikes per bin, `[outputs]`, or `[session, outputs]`, NaN where a session has
            no channel; under a Gaussian likelihood the means themselves. Sessions that are fixed
            keep their biases.
        arguments: of the model.
    """
    mean_rates = _checked(mean_rates, arguments)
    if arguments.likelihood == "zero_inflated_poisson":  # some zeros are not the rate's
        mean_rates = mean_rates / (1.0 - model.get_layer("likelihood").init_silence)
    if is_of_counts(arguments.likelihood):
        checks.in_interval("the smallest of mean_rates", float(mean_rates.min()), 0.0)
        mean_rates = np.log(np.maximum(mean_rates, SMALLEST_RATE))
    bias = model.get_layer("log_rate").bias
    if mean_rates.ndim == 2:
        mean_rates = mean_rates[arguments.fixed_sessions :]
    bias.assign(np.broadcast_to(mean_rates, bias.shape))


def _checked(mean_rates: np.ndarray, arguments: Arguments) -> np.ndarray:
    """Means of the right shape, and finite: 0 where a session has no channel."""
    mean_rates = np.asarray(mean_rates, np.float32)
    shapes = [(arguments.outputs,)]
    if arguments.num_sessions is not None:
        shapes.append((arguments.num_sessions, arguments.outputs))
    if mean_rates.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"mean_rates must have shape {wanted}, got {mean_rates.shape}")
    if mean_rates.ndim == 2:
        mean_rates = np.nan_to_num(mean_rates, nan=0.0, posinf=np.inf, neginf=-np.inf)
    if not np.isfinite(mean_rates).all():
        raise ValueError("mean_rates must be finite, got NaN or infinity")
    return mean_rates
