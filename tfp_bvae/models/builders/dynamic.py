"""The dynamic latent z: its encoder, its posterior, its prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from tfp_bvae import checks, layers
from tfp_bvae.models.builders.doors import Settings, as_arguments, as_params, fan_in
from tfp_bvae.models.builders.recurrent import make_rnn, of_length
from tfp_bvae.models.builders.static import posterior_layer, posterior_of
from tfp_bvae.models.hyperparameters import Arguments, Params

__all__ = ["create_z_encoder", "create_z_prior", "make_z_variational", "sample_z_prior"]

Dense = tf_keras.layers.Dense
MIN_SCALE = 1e-3  # floor on the scale of q(z_t)


def create_z_encoder(
    params: Settings,
    inputs: tf.Tensor,
    f: tf.Tensor | None = None,
    arguments: Arguments | Mapping[str, Any] | None = None,
    length: tf.Tensor | None = None,
) -> tf.Tensor:
    r"""One feature vector for each bin that is generated, from the data around it.

    .. math:: e_t = \mathrm{RNN}_2(\mathrm{lag}(\mathrm{RNN}_1([x; f])), f)_t

    The first layer is recurrent, both ways unless `causal`, or `dense`: an MLP of each bin alone.
    `lag` keeps bins nearer than it out of sight. Bins to be predicted are padded with zeros. With
    the complex generator of LFADS the second RNN is the controller, inside the generator.

    Args:
        params: `Params`, or a plain dict.
        inputs: what the z encoder may see, `[batch, time, channel]`, a Keras tensor.
        f: a sample of the static latent `[batch, f_size]`, where `f_joins` asks for it.
        arguments: `Arguments`, or a plain dict; for `forward_bins`.
        length: bins of each trial that the encoder sees, `[batch]`, where they differ.

    Returns:
        `[batch, time (- segment) + forward_bins, units]`.

    Raises:
        ValueError: if `f_joins` is on and there is no `f`.

    >>> kit = {"z_encoder_cell": "gru", "z_encoder_units": 16}
    >>> x = tf_keras.Input([246, 36])
    >>> model = tf_keras.Model(x, create_z_encoder(kit, x))
    >>> model.count_params(), model.output_shape
    (5088, (None, 246, 32))
    """
    forward_bins = as_arguments(arguments, params).forward_bins
    params = as_params(params)
    if params.f_joins != "none":
        if f is None:
            raise ValueError(f"f must be given with f_joins={params.f_joins!r}, got None")
        inputs = tf_keras.layers.Identity(name="z_seen")(inputs)
    if params.f_joins == "first":
        inputs = layers.JoinOverTime(name="z_inputs_and_f")([inputs, f])
    both_ways = not (params.causal or params.z_encoder_cell == "dense")
    encoding = _first_layer(params)(inputs, **of_length(length if both_ways else None))
    encoding = layers.TimeLag(params.lag, bidirectional=both_ways, name="lag")(encoding)
    encoding = after_segment(params, encoding)
    encoding = layers.PadTime(forward_bins, name="z_encoding")(encoding)
    if params.f_joins == "second":
        encoding = layers.JoinOverTime(name="z_encoding_and_f")([encoding, f])
    if params.z_encoder_units2:
        encoding = make_rnn(
            params.z_encoder_cell2,
            params.z_encoder_units2,
            bidirectional=False,
            return_sequences=True,
            clip=params.clip,
            name="z_encoder_2",
        )(encoding)
    return encoding


def _first_layer(params: Params) -> tf_keras.layers.Layer:
    if params.z_encoder_cell == "dense":
        return Dense(params.z_encoder_units, activation="leaky_relu", name="z_encoder")
    return make_rnn(
        params.z_encoder_cell,
        params.z_encoder_units,
        bidirectional=not params.causal,
        return_sequences=True,
        clip=params.clip,
        name="z_encoder",
    )


def after_segment(params: Params, sequence: tf.Tensor) -> tf.Tensor:
    """The bins after the segment, of a sequence that still begins with it."""
    if not (params.segment and params.causal):
        return sequence
    return layers.SplitTime(params.segment)(sequence)[1]


def make_z_variational(params: Settings, encoding: tf.Tensor) -> tf.Tensor | None:
    """The posterior q(z_t) of each bin; None with the complex generator, which makes its own.

    Args:
        params: `Params`, or a plain dict.
        encoding: from `create_z_encoder`, `[batch, time, units]`.

    Returns:
        A distribution, batch `[batch, time]`, event `[z_size]`; as a tensor a sample in training,
        the mean at inference.
    """
    params = as_params(params)
    checks.not_keras3("encoding", encoding)
    if params.generator_cell == "complex" or not params.z_size:
        return None
    size = posterior_of(params.z_covariance).params_size(params.z_size)
    width = encoding.shape[-1]
    loc = Dense(params.z_size, kernel_initializer=fan_in(width), name="z_loc")(encoding)
    scale = Dense(size - params.z_size, kernel_initializer=fan_in(width), name="z_scale")(encoding)
    parameters = tf_keras.layers.Concatenate(name="z_params")([loc, scale])
    return posterior_layer(
        params, params.z_covariance, params.z_size,
        init_scale=params.q_z_scale, min_scale=MIN_SCALE, name="q_z",
    )(parameters)  # fmt: skip


def create_z_prior(params: Settings, like: tf.Tensor) -> tf.Tensor:
    """The prior p(z): a process over the whole path, that can condition on a path it is given.

    Args:
        params: `Params`, or a plain dict.
        like: a Keras tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        A distribution, event `[time, z_size]`.
    """
    return z_prior_layer(as_params(params))(like)


def z_prior_layer(params: Params) -> tf_keras.layers.Layer:
    """The layer behind `create_z_prior`."""
    size, scale, name = params.z_size, params.p_z_scale, "p_z"
    if params.z_prior == "standard_normal":
        return layers.StandardNormalPrior(size, name=name)
    if params.z_prior == "ar1":
        return layers.AR1Prior(
            size,
            tau=params.tau,
            innovation_scale=scale,
            trainable_tau=params.p_z_trainable_tau,
            trainable_scale=params.p_z_trainable_scale,
            covariance=params.z_covariance,
            name=name,
        )
    if params.z_prior == "tiled":
        return layers.TiledMVNPrior(
            size,
            scale=scale,
            trainable_loc=params.p_z_trainable_loc,
            trainable_scale=params.p_z_trainable_scale,
            covariance=params.z_covariance,
            name=name,
        )
    return layers.RecurrentMVNPrior(
        size,
        units=params.z_prior_units,
        cell=params.z_prior,
        init_scale=scale,
        clip=params.clip,
        name=name,
    )


def sample_z_prior(
    prior: Settings | layers.DistributionLayer,
    num_timesteps: int,
    samples: int = 1,
    batches: int = 1,
    fixed: bool = False,
    seed: Sequence[int] | None = None,
):
    """Draw paths of z from its prior: generation without data.

    Args:
        prior: the prior layer of a model (`model.get_layer("p_z")`); or `Params` or a plain dict,
            for a new prior with its initial weights.
        num_timesteps: number of bins.
        samples: number of paths of each trial.
        batches: number of trials.
        fixed: whether one path is shared by all trials.
        seed: two integers that fix the draws.

    Returns:
        As `layers.sample_z_prior`: the paths `[samples, batches, time, z_size]`, and the
        distribution of each step given those before it.

    >>> paths, steps = sample_z_prior({"z_size": 2, "z_prior": "gru"}, 50, samples=4, batches=3)
    >>> paths.shape, steps.mean().shape
    (TensorShape([4, 3, 50, 2]), TensorShape([4, 3, 50, 2]))
    """
    checks.not_keras3("prior", prior)
    if not isinstance(prior, layers.DistributionLayer):
        prior = z_prior_layer(as_params(prior))
    return layers.sample_z_prior(prior, num_timesteps, samples, batches, fixed, seed)
