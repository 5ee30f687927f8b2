"""One step of the LFADS decoder (controller, inferred input, generator, factors)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tfp_bvae.rnn.steps import GRUGates, clipped_gru_step

__all__ = [
    "DecoderPath",
    "DecoderSequences",
    "DecoderStart",
    "DecoderWeights",
    "LFADSState",
    "lfads_step",
]


class DecoderWeights(NamedTuple):
    """Weights of the recurrent loop; gates are stacked as (z, r, c) along the last axis."""

    controller_factors: tf.Tensor  # [factors, 3 controller]
    controller_recurrent: tf.Tensor  # [controller, 3 controller]
    posterior_kernel: tf.Tensor  # [controller, 2 inferred]
    posterior_bias: tf.Tensor  # [2 inferred]
    generator_inferred: tf.Tensor  # [inferred, 3 generator]
    generator_recurrent: tf.Tensor  # [generator, 3 generator]
    factor_kernel: tf.Tensor  # [generator, factors], columns of unit norm


class DecoderSequences(NamedTuple):
    """What is ready before the loop starts: projections, noise and dropout masks, time first."""

    controller: tf.Tensor  # pre-activations from the z encoder, [time, batch, 3 controller]
    generator: tf.Tensor  # pre-activations from bias and external input, [time, batch, 3 gen.]
    noise: tf.Tensor  # standard normal, zeros for the mean path, [time, batch, inferred]
    factor_mask: tf.Tensor  # on the factors fed back, scaled by 1/keep, [time, batch, factors]
    generator_mask: tf.Tensor  # on the states read into factors, [time, batch, generator]


class DecoderStart(NamedTuple):
    """States before the first step, `[batch, units]` each."""

    controller: tf.Tensor
    generator: tf.Tensor
    factors: tf.Tensor


class LFADSState(NamedTuple):
    """What goes from one step of an `LFADSCell` to the next."""

    controller: tf.Tensor  # c, [batch, controller_units]
    generator: tf.Tensor  # g, [batch, generator_units]
    factors: tf.Tensor  # f, [batch, factors]
    step: tf.Tensor  # number of steps taken, int32, [batch, 1]; sets the draws of steps apart


class DecoderPath(NamedTuple):
    """What the decoder leaves, `[time, batch, .]` each."""

    controller: tf.Tensor  # states
    inferred_loc: tf.Tensor  # mean of q(u_t)
    inferred_scale: tf.Tensor  # standard deviation of q(u_t)
    inferred: tf.Tensor  # the sample u_t that the generator was fed
    generator: tf.Tensor  # states
    factors: tf.Tensor


def lfads_step(
    weights: DecoderWeights,
    inputs: DecoderSequences,
    state: DecoderStart,
    scale_shift: float,
    min_scale: float,
    clip: float,
) -> tuple[DecoderPath, tuple[GRUGates, GRUGates]]:
    r"""One step of the LFADS decoder; its equations stand at `lfads_decoder`.

    Args:
        weights: of the loop; shapes stand at the fields of `DecoderWeights`.
        inputs: those of this step, `[batch, .]`.
        state: what the step before left, `[batch, units]`.
        scale_shift: sets the scale that zero parameters mean.
        min_scale: a floor on the posterior's scale.
        clip: bound on the states of both GRUs.

    Returns:
        What the decoder leaves of this step, `[batch, .]`, and the gates of controller and
        generator.
    """
    inferred = inputs.noise.shape[-1]
    fed_back = (state.factors * inputs.factor_mask) @ weights.controller_factors
    (controller,), con_gates = clipped_gru_step(
        inputs.controller + fed_back, (state.controller,), weights.controller_recurrent, clip
    )
    params = controller @ weights.posterior_kernel + weights.posterior_bias
    loc = params[:, :inferred]
    scale = min_scale + tf.nn.softplus(params[:, inferred:] + scale_shift)
    sample = loc + scale * inputs.noise
    (generator,), gen_gates = clipped_gru_step(
        inputs.generator + sample @ weights.generator_inferred,
        (state.generator,),
        weights.generator_recurrent,
        clip,
    )
    factors = (generator * inputs.generator_mask) @ weights.factor_kernel
    path = DecoderPath(controller, loc, scale, sample, generator, factors)
    return path, (con_gates, gen_gates)
