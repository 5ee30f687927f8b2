"""From latents to factors: a recurrent generator, LFADS' with its controller, or a plain MLP."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks, layers, rnn
from tfp_bvae.models.builders.doors import Settings, as_params, fan_in
from tfp_bvae.models.hyperparameters import Params

__all__ = ["create_generator", "create_generator_lfads"]

Dense = tf_keras.layers.Dense


def create_generator(
    params: Settings,
    f: tf.Tensor,
    z: tf.Tensor | None = None,
    like: tf.Tensor | None = None,
    ext_input: tf.Tensor | None = None,
) -> dict[str, tf.Tensor]:
    r"""A generator that reads f once or at each bin, and z and known inputs at each bin.

    .. math:: g_t = \mathrm{RNN}([z_t; f; a_t], g_{t-1}), \quad g_0 = f W_0 + b_0, \quad
        \mathrm{factors}_t = g_t W_{fac}

    with `f` in the initial state, in the inputs or in both, as `f_enters` says. The `dense` cell
    has no memory: an MLP of `[z_t; f; a_t]`.

    Args:
        params: `Params`, or a plain dict.
        f: a sample of the static latent, `[batch, f_size]`.
        z: a sample of the dynamic latent, `[batch, time, z_size]`; None without one.
        like: any Keras tensor `[batch, time, ...]` with the bins to generate; needed without z.
        ext_input: known inputs, `[batch, time, channel]`.

    Returns:
        A dict of `factors` `[batch, time, factors]` and `generator`, the states.

    Raises:
        ValueError: if there is neither z nor `like`.

    >>> f, z = tf_keras.Input([10]), tf_keras.Input([246, 4])
    >>> out = create_generator({"generator_cell": "gru", "factors": 8}, f, z)
    >>> out["factors"].shape
    TensorShape([None, 246, 8])
    """
    params = as_params(params)
    checks.not_keras3("f, z and inputs", [f, z, like, ext_input])
    if z is None and like is None:
        raise ValueError("like must be given where there is no z, got None")
    drive = z
    if params.f_enters != "initial_state":
        join = layers.JoinOverTime(keep=z is not None, name="generator_inputs")
        drive = join([like if z is None else z, f])
    if params.generator_cell == "dense":
        return _dense(params, drive, ext_input)
    steps = {} if drive is None else {"inputs": drive}
    if drive is None:
        steps["like"] = like
    if ext_input is not None:
        steps["ext_input"] = ext_input
    if params.f_enters != "inputs":
        steps["initial_state"] = initial_state(params, f)
    cell = "clipped_gru" if params.generator_cell == "complex" else params.generator_cell
    return rnn.Generator(
        params.generator_units,
        params.factors,
        cell=cell,
        dropout=params.dropout,
        clip=params.clip,
        generator_l2=params.l2_generator,
        name="generator",
    )(steps)


def create_generator_lfads(
    params: Settings,
    f: tf.Tensor,
    encoding: tf.Tensor,
    ext_input: tf.Tensor | None = None,
) -> dict[str, tf.Tensor]:
    """The complex generator of LFADS: controller, inferred inputs, generator and factors.

    Args:
        params: `Params`, or a plain dict.
        f: a sample of the static latent, `[batch, f_size]`.
        encoding: from `create_z_encoder`, `[batch, time, units]`.
        ext_input: known inputs, `[batch, time, channel]`.

    Returns:
        A dict as of `rnn.LFADSDecoder`: `factors`, `inferred`, `inferred_loc`, `inferred_scale`,
        `generator`, `controller`.

    >>> f, encoding = tf_keras.Input([10]), tf_keras.Input([246, 32])
    >>> create_generator_lfads({"z_size": 2}, f, encoding)["inferred"].shape
    TensorShape([None, 246, 2])
    """
    params = as_params(params)
    checks.not_keras3("f, encoding and inputs", [f, encoding, ext_input])
    steps = {"initial_state": initial_state(params, f), "controller_input": encoding}
    if ext_input is not None:
        steps["ext_input"] = ext_input
    return rnn.LFADSDecoder(
        generator_units=params.generator_units,
        controller_units=params.controller_units,
        factors=params.factors,
        inferred_inputs=params.z_size,
        init_scale=params.q_z_scale,
        dropout=params.dropout,
        clip=params.clip,
        l2=(params.l2_generator, params.l2_controller),
        inject_ext_input_to_gen=params.inject_ext_input_to_gen,
        scale_rule=params.scale_rule,
        name="generator",
    )(steps)


def initial_state(params: Params, f: tf.Tensor) -> tf.Tensor:
    """The generator's state before the first bin, an affine function of f."""
    return Dense(
        params.generator_units, kernel_initializer=fan_in(params.f_size), name="initial_state"
    )(f)


def _dense(params: Params, drive: tf.Tensor, ext_input: tf.Tensor | None) -> dict[str, tf.Tensor]:
    if ext_input is not None:
        drive = tf_keras.layers.Concatenate(name="drive_and_ext_input")([drive, ext_input])
    hidden = Dense(params.generator_units, activation="leaky_relu", name="generator")(drive)
    masked = layers.SeededDropout(params.dropout, name="generator_dropout")(hidden)
    factors = Dense(
        params.factors, use_bias=False, kernel_initializer=fan_in(params.generator_units),
        name="factors",
    )(masked)  # fmt: skip
    return {"factors": factors, "generator": hidden}
