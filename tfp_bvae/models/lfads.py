"""LFADS as a functional Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tf_keras

from tfp_bvae import checks, layers, rnn
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.hyperparameters import Arguments, LFADSParams

__all__ = ["lfads"]

Dense = tf_keras.layers.Dense


def lfads(
    arguments: Arguments | Mapping[str, Any],
    params: LFADSParams | Mapping[str, Any] | None = None,
    mean_rates: np.ndarray | None = None,
) -> BetaVAE:
    r"""Latent factor analysis via dynamical systems.

    .. math::

        f &\sim q(f \mid x_{1:T}), \qquad g_0 = f W_0 + b_0, \\
        z_t &\sim q(z_t \mid x_{1:T}, z_{<t}, f), \qquad g_t = \mathrm{GRU}([z_t; a_t], g_{t-1}), \\
        x_t &\sim \mathrm{Poisson}(\exp(g_t W_{fac} W_{rate} + b_{rate})), \\
        L &= -\log p(x \mid f, z) + \beta_f \mathrm{KL}(q(f) \| p(f))
             + \beta_z \sum_t \mathrm{KL}(q(z_t) \| p(z_t \mid z_{t-1})) + L2

    with p(f) Gaussian of fixed scale and p(z) an AR(1) process.

    Args:
        arguments: what follows from the data; an `Arguments` or a plain dict.
        params: tunable settings; an `LFADSParams` or a plain dict; None for the defaults.
        mean_rates: mean of each predicted channel, spikes per bin, `[outputs]`: the read-out's
            bias starts at its logarithm (at the mean itself for a Gaussian likelihood).

    Returns:
        A `BetaVAE`. Inputs, by name: `spikes` `[batch, time, channels]`, and where asked for
        `ext_input` `[batch, time + forward_bins, ext_inputs]` and `trial` `[batch]` (with
        `sample_validation`). Output: the likelihood, event `[time - segment + forward_bins,
        outputs]`.

    Raises:
        KeyError: for an unknown setting.
        ValueError: for a value out of its range.

    Source: Pandarinath et al., Nature Methods 2018; Keshtkaran et al., Nature Methods 2022.

    >>> model = lfads({"channels": 30}, {"generator_units": 20, "factors": 5})
    >>> model.output_shape
    (None, None, 30)
    """
    arguments, params = Arguments.of(arguments), LFADSParams.of(params)
    tf_keras.utils.set_random_seed(arguments.seed)
    inputs = _inputs(arguments, params)
    seen, f_seen, taught = _prepare(inputs, params)
    ext_input = inputs.get("ext_input")
    if ext_input is not None and params.segment:
        _, ext_input = layers.SplitTime(params.segment, name="ext_segment")(ext_input)

    f = _static_latent(f_seen, params)
    initial_state = Dense(
        params.generator_units, kernel_initializer=_fan_in(params.f_size), name="initial_state"
    )(f)
    factors, z = _generate(initial_state, seen, ext_input, arguments, params)
    log_rate = Dense(
        arguments.outputs, kernel_initializer=_fan_in(params.factors), name="log_rate"
    )(factors)
    if z is not None:
        log_rate = _dynamic_divergence(z, log_rate, params)
    for weights in taught:
        log_rate = layers.GradientBlock()([log_rate, weights])
    likelihood = _likelihood(arguments)(log_rate)

    model = BetaVAE(inputs=inputs, outputs=likelihood, name="lfads")
    model.hyperparameters = {
        "model": "lfads",
        "arguments": arguments.to_dict(),
        "params": params.to_dict(),
    }
    if mean_rates is not None:
        _start_at(model.get_layer("log_rate").bias, mean_rates, arguments)
    return model


def _inputs(arguments: Arguments, params: LFADSParams) -> dict:
    inputs = {"spikes": tf_keras.Input([None, arguments.channels], name="spikes")}
    if arguments.ext_inputs:
        inputs["ext_input"] = tf_keras.Input([None, arguments.ext_inputs], name="ext_input")
    if params.sample_validation:
        inputs["trial"] = tf_keras.Input([], dtype="int32", name="trial")
    return inputs


def _prepare(inputs: dict, params: LFADSParams):
    """What the z encoder sees, what the f encoder sees, and the weights of what teaches."""
    seen = layers.SeededDropout(params.dropout, name="input_dropout")(inputs["spikes"])
    head, taught = None, []
    if params.segment:
        head, seen = layers.SplitTime(params.segment, name="segment")(seen)
    if params.sample_validation:
        hold_out = layers.SampleValidation(params.sample_validation, name="sample_validation")
        seen, weights = hold_out([seen, inputs["trial"]])
        taught.append(weights)
    if params.coordinated_dropout:
        hide = layers.CoordinatedDropout(
            params.coordinated_dropout, params.coordinated_pass, name="coordinated_dropout"
        )
        seen, weights = hide(seen)
        taught.append(weights)
    if head is None:
        return seen, seen, taught
    if params.causal:  # the z encoder may run through the segment, and starts warm
        seen = tf_keras.layers.Concatenate(axis=1, name="segment_and_rest")([head, seen])
    return seen, head, taught


def _static_latent(seen, params: LFADSParams):
    encoding = rnn.Bidirectional(params.f_encoder_units, clip=params.clip, name="f_encoder")(seen)
    encoding = layers.SeededDropout(params.dropout, name="f_dropout")(encoding)
    posterior = layers.MVNDiagPosterior
    parameters = Dense(
        posterior.params_size(params.f_size),
        kernel_initializer=_fan_in(2 * params.f_encoder_units),
        name="f_params",
    )(encoding)
    q = posterior(params.f_size, init_scale=params.f_scale, min_scale=1e-2, name="q_f")(parameters)
    p = layers.LearnableMVNPrior(
        params.f_size, scale=params.f_scale, trainable_scale=False, name="p_f"
    )(parameters)
    return layers.KLDivergence(params.beta_f, name="kl_f")([q, p])


def _generate(initial_state, seen, ext_input, arguments: Arguments, params: LFADSParams):
    """Factors, and the decoder's path of z (None without a controller)."""
    steps = {"initial_state": initial_state}
    if ext_input is not None:
        steps["ext_input"] = ext_input
    shared = {
        "generator_units": params.generator_units,
        "factors": params.factors,
        "dropout": params.dropout,
        "clip": params.clip,
        "name": "generator",
    }
    if not params.z_size:
        steps["like"] = layers.PadTime(arguments.forward_bins, name="steps")(_after(seen, params))
        out = rnn.Generator(generator_l2=params.l2_generator, **shared)(steps)
        return out["factors"], None
    steps["controller_input"] = _encode_dynamics(seen, arguments, params)
    out = rnn.LFADSDecoder(
        controller_units=params.controller_units,
        inferred_inputs=params.z_size,
        init_scale=params.z_scale,
        l2=(params.l2_generator, params.l2_controller),
        **shared,
    )(steps)
    return out["factors"], [out["inferred_loc"], out["inferred_scale"], out["inferred"]]


def _encode_dynamics(seen, arguments: Arguments, params: LFADSParams):
    cell = rnn.ClippedGRU if params.causal else rnn.Bidirectional
    encoding = cell(
        params.z_encoder_units, return_sequences=True, clip=params.clip, name="z_encoder"
    )(seen)
    encoding = layers.TimeLag(params.lag, bidirectional=not params.causal, name="lag")(encoding)
    encoding = _after(encoding, params)
    return layers.PadTime(arguments.forward_bins, name="z_encoding")(encoding)


def _after(sequence, params: LFADSParams):
    """The bins after the segment, of a sequence that still begins with it."""
    if not (params.segment and params.causal):
        return sequence
    return layers.SplitTime(params.segment)(sequence)[1]


def _dynamic_divergence(z, log_rate, params: LFADSParams):
    q = layers.PathPosterior(name="q_z")(z)
    p = layers.AR1Prior(params.z_size, tau=params.tau, innovation_scale=params.z_scale, name="p_z")(
        log_rate
    )
    return layers.KLDivergence(params.beta_z, name="kl_z")([q, p, log_rate])


def _likelihood(arguments: Arguments):
    if arguments.likelihood == "poisson":
        return layers.PoissonLikelihood(name="likelihood")
    return layers.GaussianLikelihood(name="likelihood")


def _fan_in(size: int) -> tf_keras.initializers.Initializer:
    return tf_keras.initializers.RandomNormal(stddev=size**-0.5)


def _start_at(bias, mean_rates: np.ndarray, arguments: Arguments) -> None:
    mean_rates = np.asarray(mean_rates, np.float32)
    if mean_rates.shape != (arguments.outputs,):
        raise ValueError(
            f"mean_rates must have shape ({arguments.outputs},), got {mean_rates.shape}"
        )
    if arguments.likelihood == "poisson":
        checks.in_interval("the smallest of mean_rates", float(mean_rates.min()), 0.0)
        mean_rates = np.log(np.maximum(mean_rates, 1e-4))
    bias.assign(mean_rates)
