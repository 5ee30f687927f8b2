"""From settings to a whole model: the builders in a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import layers
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders.divergence import Objective
from tfp_bvae.models.builders.doors import as_arguments, as_params
from tfp_bvae.models.builders.dynamic import (
    after_segment,
    create_z_encoder,
    create_z_prior,
    make_z_variational,
)
from tfp_bvae.models.builders.generator import create_generator, create_generator_lfads
from tfp_bvae.models.builders.inputs import prepare_inputs
from tfp_bvae.models.builders.output import create_output_distribution, start_read_out
from tfp_bvae.models.builders.static import create_f_encoder, create_f_prior, make_f_variational
from tfp_bvae.models.contradictions import refuse_with_importance_weights
from tfp_bvae.models.hyperparameters import Arguments, Params

__all__ = ["create_model"]

OF_SESSIONS = ("input_factors", "log_rate")  # layers whose weights are of one session


def create_model(
    params: Params | Mapping[str, Any] | None,
    arguments: Arguments | Mapping[str, Any] | None = None,
    mean_rates: np.ndarray | None = None,
    name: str = "beta_vae",
) -> BetaVAE:
    r"""A beta-VAE with a static latent f, a dynamic latent z, and every switch of `Params`.

    .. math:: L = -\log p(x \mid f, z) + \beta_f \mathrm{KL}(q(f) \| p(f))
             + \beta_z \sum_t \mathrm{KL}(q(z_t) \| p(z_t \mid z_{<t}))

    Args:
        params: `Params`, or a plain dict, which may hold the arguments as well.
        arguments: `Arguments`, or a plain dict.
        mean_rates: mean of each predicted channel, spikes per bin, `[outputs]`, or `[session,
            outputs]` with `num_sessions`: the read-out's bias starts at its logarithm (at the mean
            itself under a Gaussian likelihood).
        name: of the model.

    Returns:
        A `BetaVAE`. Inputs, by name: `spikes` `[batch, time, channels]`, and where asked for
        `ext_input` `[batch, time + forward_bins, ext_inputs]`, `length` `[batch]` (bins of each
        trial; with `masked`), `trial` `[batch]` (with `sample_validation`) and `session` `[batch]`
        (with `num_sessions`). Output: the likelihood, event
        `[time - segment + forward_bins, outputs]`.

    Raises:
        KeyError: for an unknown setting.
        ValueError: for a value out of its range, or settings that contradict each other.

    Python's, numpy's and TensorFlow's global generators are seeded with `seed`.

    >>> model = create_model({"channels": 36, "generator_cell": "gru", "z_prior": "gru"})
    >>> model.output_shape
    (None, None, 36)
    """
    has_channels = arguments is not None or (isinstance(params, Mapping) and "channels" in params)
    arguments, params = as_arguments(arguments, params), as_params(params)
    params = with_read_in(arguments, params)
    if not has_channels:
        raise ValueError("channels must be given, in the arguments or among the settings")
    _refuse_groups(params)
    if arguments.importance_weighted:
        refuse_with_importance_weights(params)
    tf_keras.utils.set_random_seed(arguments.seed)
    inputs = _inputs(arguments, params)
    entries = dict(inputs)
    if arguments.num_samples > 1:
        entries = {
            key: layers.RepeatSamples(arguments.num_samples, name=f"{key}_repeated")(x)
            for key, x in inputs.items()
        }
    session, length = entries.get("session"), entries.get("length")
    seen = prepare_inputs(
        params, entries["spikes"], entries.get("trial"), arguments, session, length
    )
    ext_input = entries.get("ext_input")
    if ext_input is not None and arguments.masked:
        ext_input = layers.MissingToZero(name="ext_observed")(ext_input)
    if ext_input is not None and params.segment:
        _, ext_input = layers.SplitTime(params.segment, name="ext_segment")(ext_input)

    objective = Objective(arguments, params, _steps(arguments, params, length))
    f_params = create_f_encoder(params, seen.f, seen.f_length)
    f = objective.static(make_f_variational(params, f_params), create_f_prior(params, f_params))
    factors = _generate(seen, f, ext_input, arguments, params, objective)
    likelihood = create_output_distribution(
        params, factors, arguments, seen.taught, objective.on_the_way_out, session
    )
    model = BetaVAE(inputs=inputs, outputs=objective.bound(likelihood), name=name)
    return with_settings(model, arguments, params, mean_rates)


def _refuse_groups(params: Params) -> None:
    off = {"discrimination": 0.0, "segment_length": None, "segment_stride": None}
    for name, value in (off | {"groups_at_once": None}).items():
        if getattr(params, name) != value:
            raise ValueError(
                f"{name} must be {value} in a model without groups, got {getattr(params, name)}"
            )


def with_settings(
    model: BetaVAE, arguments: Arguments, params: Params, mean_rates: np.ndarray | None
) -> BetaVAE:
    """The model, that knows what it was built from, and whose read-out starts at `mean_rates`."""
    model.hyperparameters = {
        "model": model.name,
        "arguments": arguments.to_dict(),
        "params": params.to_dict(),
    }
    if mean_rates is not None:
        start_read_out(model, mean_rates, arguments)
    if arguments.fixed_sessions:
        for layer in model.layers:
            layer.trainable = layer.name in OF_SESSIONS
    return model


def with_read_in(arguments: Arguments, params: Params) -> Params:
    """Settings in which sessions have input factors: as many as factors, unless they say."""
    if arguments.num_sessions is None or params.input_factors:
        return params
    return params.replace({"input_factors": params.factors})


def session_input() -> tf.Tensor:
    """The input that names the session of each trial."""
    return tf_keras.Input([], dtype="int32", name="session")


def _inputs(arguments: Arguments, params: Params) -> dict[str, tf.Tensor]:
    inputs = {"spikes": tf_keras.Input([None, arguments.channels], name="spikes")}
    if arguments.ext_inputs:
        inputs["ext_input"] = tf_keras.Input([None, arguments.ext_inputs], name="ext_input")
    if arguments.num_sessions is not None:
        inputs["session"] = session_input()
    if arguments.masked:
        inputs["length"] = tf_keras.Input([], dtype="int32", name="length")
    if params.sample_validation:
        inputs["trial"] = tf_keras.Input([], dtype="int32", name="trial")
    return inputs


def _steps(arguments: Arguments, params: Params, length: tf.Tensor | None) -> tf.Tensor | None:
    """Bins that are generated of each trial, `[batch]`, from those that are encoded."""
    later = arguments.forward_bins - params.segment
    return length if length is None or not later else length + later


def _generate(seen, f, ext_input, arguments: Arguments, params: Params, objective: Objective):
    """Factors, by the way of z where there is one."""
    if not params.z_size:
        like = after_segment(params, seen.z)
        like = layers.PadTime(arguments.forward_bins, name="steps")(like)
        return create_generator(params, f, like=like, ext_input=ext_input)["factors"]
    encoding = create_z_encoder(params, seen.z, f, arguments, seen.z_length)
    if params.generator_cell == "complex":
        out = create_generator_lfads(params, f, encoding, ext_input)
        path = [out["inferred_loc"], out["inferred_scale"], out["inferred"]]
        objective.dynamic_later(layers.PathPosterior(name="q_z")(path))
        return out["factors"]
    q_z, p_z = make_z_variational(params, encoding), create_z_prior(params, encoding)
    z = objective.dynamic(q_z, p_z)
    return create_generator(params, f, z, ext_input=ext_input)["factors"]
