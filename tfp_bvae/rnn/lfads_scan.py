"""The LFADS decoder as one time-major scan with a gradient written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tfp_bvae.distributions.scale_rules import scale_slope
from tfp_bvae.rnn.lfads_step import (
    GRU,
    DecoderPath,
    DecoderSequences,
    DecoderStart,
    DecoderWeights,
    lfads_step,
)
from tfp_bvae.rnn.scan import Chain, over_time, shifted, time_loop, wider
from tfp_bvae.rnn.steps import GRUSaved

__all__ = ["lfads_decoder"]


class _Saved(NamedTuple):
    controller: GRUSaved
    generator: GRUSaved


def lfads_decoder(
    weights: DecoderWeights,
    sequences: DecoderSequences,
    start: DecoderStart,
    scale_shift: float,
    min_scale: float,
    clip: float = 5.0,
    scale_rule: str = "softplus",
) -> DecoderPath:
    r"""Runs the LFADS decoder.

    .. math::

        c_t &= \mathrm{GRU}_{con}([e_t; f_{t-1}], c_{t-1}), \qquad
        (m_t, l_t) = c_t W_u + b_u, \\
        s_t &= s_{min} + \mathrm{softplus}(l_t + \delta), \qquad
        u_t = m_t + s_t \epsilon_t, \\
        g_t &= \mathrm{GRU}_{gen}([u_t; a_t], g_{t-1}), \qquad
        f_t = (g_t \odot d_t) W_{fac}

    Its gradient is written by hand: one loop backward over the states that the forward loop
    kept, then one matrix product over all steps for each kernel.

    Args:
        weights: of the loop; shapes stand at the fields of `DecoderWeights`.
        sequences: what is ready beforehand; shapes stand at the fields of `DecoderSequences`.
        start: states before the first step.
        scale_shift: `delta`, sets the scale that zero parameters mean.
        min_scale: `s_min`, a floor on the posterior's scale.
        clip: bound on the states of both GRUs.
        scale_rule: how `s_t` comes of `l_t`: `"softplus"`, as above, or `"log_variance"`,
            `s_t^2 = s_min^2 + exp(l_t + delta)`.

    Source: Pandarinath et al., Nature Methods 2018; the GRU and its order of gates as in Keras.
    """
    given = (weights, sequences, start)

    @tf.custom_gradient
    def decode(*flat):
        weights, sequences, start = tf.nest.pack_sequence_as(given, flat)
        weights = weights._replace(  # cut once, not in each step
            controller_recurrent=GRU.split(weights.controller_recurrent),
            generator_recurrent=GRU.split(weights.generator_recurrent),
        )
        scales = (scale_shift, min_scale, clip, scale_rule)
        path, saved = _forward(weights, sequences, start, *scales)

        def gradient(*d_path):
            slope = scale_slope(path.inferred_scale, min_scale, scale_rule)
            back = _backward(
                weights, sequences, start, path, saved, DecoderPath(*d_path), slope, clip
            )
            return tf.nest.flatten(back)

        return tuple(path), gradient

    return DecoderPath(*decode(*tf.nest.flatten(given)))


def _forward(weights, sequences, start, scale_shift, min_scale, clip, scale_rule):
    def step(inputs, carry):
        path, saved = lfads_step(
            weights,
            tf.nest.pack_sequence_as(sequences, inputs),
            DecoderStart(*carry),
            scale_shift,
            min_scale,
            clip,
            scale_rule,
        )
        carry = DecoderStart(path.controller, path.generator, path.factors)
        return carry, (*path, *saved[0], *saved[1])

    c, g, u = start.controller, start.generator, sequences.noise[0]
    outputs = (c, u, u, u, g, start.factors, wider(c, 2), c, wider(g, 2), g)
    chain = Chain(step, tf.nest.flatten(sequences), start, outputs)
    ((stacked, _),) = time_loop(chain)
    saved = _Saved(GRUSaved(*stacked[6:8]), GRUSaved(*stacked[8:]))
    return DecoderPath(*stacked[:6]), saved


def _backward(weights, sequences, start, path, saved, d_path, d_raw_scale, clip):
    before = DecoderStart(
        shifted(path.controller, start.controller),
        shifted(path.generator, start.generator),
        shifted(path.factors, start.factors),
    )

    def step(inputs, carry):
        inputs = tf.nest.pack_sequence_as(scanned, inputs)
        d_out, here, now, kept, noise, slope, fac_mask, gen_mask = inputs
        carry = DecoderStart(*carry)
        d_factors = d_out.factors + carry.factors
        d_generator = (
            d_out.generator
            + carry.generator
            + tf.matmul(d_factors, weights.factor_kernel, transpose_b=True) * gen_mask
        )
        d_gen, (d_generator,) = GRU.step_gradient(
            (d_generator,), (now.generator,), (here.generator,), kept.generator,
            weights.generator_recurrent, clip,
        )  # fmt: skip
        d_sample = d_out.inferred + tf.matmul(
            tf.concat(d_gen, axis=-1), weights.generator_inferred, transpose_b=True
        )
        d_loc = d_out.inferred_loc + d_sample
        d_raw = (d_out.inferred_scale + d_sample * noise) * slope
        d_params = tf.concat([d_loc, d_raw], axis=-1)
        d_controller = (
            d_out.controller
            + carry.controller
            + tf.matmul(d_params, weights.posterior_kernel, transpose_b=True)
        )
        d_con, (d_controller,) = GRU.step_gradient(
            (d_controller,), (now.controller,), (here.controller,), kept.controller,
            weights.controller_recurrent, clip,
        )  # fmt: skip
        d_fed_back = tf.matmul(
            tf.concat(d_con, axis=-1), weights.controller_factors, transpose_b=True
        )
        carry = DecoderStart(d_controller, d_generator, d_fed_back * fac_mask)
        return carry, (*d_con, *d_gen, d_params, d_factors)

    scanned = (
        d_path, before, path, saved, sequences.noise, d_raw_scale,
        sequences.factor_mask, sequences.generator_mask,
    )  # fmt: skip
    c, g, f = start
    chain = Chain(
        step,
        tf.nest.flatten(scanned),
        DecoderStart(*(tf.zeros_like(s) for s in start)),
        (wider(c, 2), c, wider(g, 2), g, wider(sequences.noise[0], 2), f),
        reverse=True,
    )
    ((stacked, d_start),) = time_loop(chain)
    d_con, d_gen, (d_params, d_factors) = stacked[:2], stacked[2:4], stacked[4:]
    seen_factors = before.factors * sequences.factor_mask
    d_weights = DecoderWeights(
        controller_factors=_by_part(seen_factors, d_con),
        controller_recurrent=_of_gru(d_con, before.controller, saved.controller),
        posterior_kernel=over_time(path.controller, d_params),
        posterior_bias=tf.reduce_sum(d_params, axis=[0, 1]),
        generator_inferred=_by_part(path.inferred, d_gen),
        generator_recurrent=_of_gru(d_gen, before.generator, saved.generator),
        factor_kernel=over_time(path.generator * sequences.generator_mask, d_factors),
    )
    d_generator = d_gen
    if sequences.generator[0].shape[1] == 1:  # shared by all trials
        d_generator = [tf.reduce_sum(d, axis=1, keepdims=True) for d in d_gen]
    d_sequences = DecoderSequences(
        d_con, d_generator, *(tf.zeros_like(s) for s in sequences[2:])
    )  # noise and masks are constants of the step
    return d_weights, d_sequences, d_start


def _by_part(left: tf.Tensor, d_parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Gradient of a kernel whose products are cut into parts."""
    return tf.concat([over_time(left, d) for d in d_parts], axis=-1)


def _of_gru(d_parts: Sequence[tf.Tensor], before: tf.Tensor, saved: GRUSaved) -> tf.Tensor:
    return tf.concat(GRU.kernel_gradient(d_parts, (before,), saved), axis=-1)
