"""One step of the LFADS decoder (controller, inferred input, generator, factors)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tfp_bvae.distributions.scale_rules import scale_from_raw
from tfp_bvae.rnn.cells import CELLS
from tfp_bvae.rnn.steps import GRUSaved, Parts

__all__ = [
    "DecoderPath",
    "DecoderSequences",
    "DecoderStart",
    "DecoderWeights",
    "LFADSState",
    "lfads_step",
]


GRU = CELLS["clipped_gru"]


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
    """What is ready before the loop starts: projections `x W + b` by part
    (`Cell.split`), noise and dropout masks, time first.

    The batch may be 1 where all trials share something: the generator's inputs, or masks of ones.
    """

    controller: Parts  # from the z encoder, [time, batch, 2 controller] and [.., controller]
    generator: Parts  # from bias and external input, [time, batch, 2 generator] and [.., gen.]
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
    scale_rule: str = "softplus",
) -> tuple[DecoderPath, tuple[GRUSaved, GRUSaved]]:
    r"""One step of the LFADS decoder; its equations stand at `lfads_decoder`.

    Args:
        weights: of the loop; shapes stand at the fields of `DecoderWeights`.
        inputs: those of this step, `[batch, .]`.
        state: what the step before left, `[batch, units]`.
        scale_shift: sets the scale that zero parameters mean.
        min_scale: a floor on the posterior's scale.
        clip: bound on the states of both GRUs.
        scale_rule: one of `distributions.scale_rules`.

    Returns:
        What the decoder leaves of this step, `[batch, .]`, and what the GRUs of controller and
        generator save for their gradients.
    """
    inferred = inputs.noise.shape[-1]
    fed_back = (state.factors * inputs.factor_mask) @ weights.controller_factors
    (controller,), con_saved = GRU.step(
        _sums(inputs.controller, GRU.split(fed_back)),
        (state.controller,),
        GRU.split(weights.controller_recurrent),
        clip,
    )
    params = controller @ weights.posterior_kernel + weights.posterior_bias
    loc = params[:, :inferred]
    scale = scale_from_raw(params[:, inferred:] + scale_shift, min_scale, scale_rule)
    sample = loc + scale * inputs.noise
    (generator,), gen_saved = GRU.step(
        _sums(inputs.generator, GRU.split(sample @ weights.generator_inferred)),
        (state.generator,),
        GRU.split(weights.generator_recurrent),
        clip,
    )
    factors = (generator * inputs.generator_mask) @ weights.factor_kernel
    path = DecoderPath(controller, loc, scale, sample, generator, factors)
    return path, (con_saved, gen_saved)


def _sums(left: Parts, right: Parts) -> Parts:
    return tuple(a + b for a, b in zip(left, right, strict=True))
