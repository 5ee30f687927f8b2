"""The LFADS decoder as one time-major scan with a gradient written by hand."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tfp_bvae.rnn.cells import gru_kernel_gradient
from tfp_bvae.rnn.lfads_step import (
    DecoderPath,
    DecoderSequences,
    DecoderStart,
    DecoderWeights,
    lfads_step,
)
from tfp_bvae.rnn.scan import over_time, shifted, time_loop
from tfp_bvae.rnn.steps import (
    GRUGates,
    clipped_gru_step_gradient,
)

__all__ = ["lfads_decoder"]


class _Gates(NamedTuple):
    controller: GRUGates
    generator: GRUGates


def lfads_decoder(
    weights: DecoderWeights,
    sequences: DecoderSequences,
    start: DecoderStart,
    scale_shift: float,
    min_scale: float,
    clip: float = 5.0,
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

    Source: Pandarinath et al., Nature Methods 2018; the GRU and its order of gates as in Keras.
    """

    @tf.custom_gradient
    def decode(*flat):
        weights, sequences, start = _unflatten(flat)
        path, gates = _forward(weights, sequences, start, scale_shift, min_scale, clip)

        def gradient(*d_path):
            d_path = DecoderPath(*d_path)
            saved = (path, gates)
            return _backward(weights, sequences, start, saved, d_path, min_scale, clip)

        return tuple(path), gradient

    return DecoderPath(*decode(*weights, *sequences, *start))


def _unflatten(flat):
    w, s = len(DecoderWeights._fields), len(DecoderSequences._fields)
    return (
        DecoderWeights(*flat[:w]),
        DecoderSequences(*flat[w : w + s]),
        DecoderStart(*flat[w + s :]),
    )


def _forward(weights, sequences, start, scale_shift, min_scale, clip):
    def step(inputs, carry):
        path, gates = lfads_step(
            weights, DecoderSequences(*inputs), DecoderStart(*carry), scale_shift, min_scale, clip
        )
        carry = DecoderStart(path.controller, path.generator, path.factors)
        return carry, (*path, *gates[0], *gates[1])

    one_step = sequences.noise[0]
    outputs = (start.controller, one_step, one_step, one_step, start.generator, start.factors)
    outputs += (start.controller,) * 3 + (start.generator,) * 3
    stacked = time_loop(step, sequences, start, outputs)
    gates = _Gates(GRUGates(*stacked[6:9]), GRUGates(*stacked[9:]))
    return DecoderPath(*stacked[:6]), gates


def _backward(weights, sequences, start, saved, d_path, min_scale, clip):
    path, gates = saved
    before = DecoderStart(
        shifted(path.controller, start.controller),
        shifted(path.generator, start.generator),
        shifted(path.factors, start.factors),
    )
    # d softplus(x) = sigmoid(x) = 1 - exp(-softplus(x)), times the noise for the sample's part
    d_raw_scale = -tf.math.expm1(min_scale - path.inferred_scale)

    def step(inputs, carry):
        d_out, here, now, kept, noise, slope, fac_mask, gen_mask = inputs
        d_factors = d_out.factors + carry.factors
        d_generator = (
            d_out.generator
            + carry.generator
            + tf.matmul(d_factors, weights.factor_kernel, transpose_b=True) * gen_mask
        )
        d_gen_inputs, (d_generator,) = clipped_gru_step_gradient(
            (d_generator,), (now.generator,), (here.generator,), kept.generator,
            weights.generator_recurrent, clip,
        )  # fmt: skip
        d_sample = d_out.inferred + tf.matmul(
            d_gen_inputs, weights.generator_inferred, transpose_b=True
        )
        d_loc = d_out.inferred_loc + d_sample
        d_raw = (d_out.inferred_scale + d_sample * noise) * slope
        d_params = tf.concat([d_loc, d_raw], axis=-1)
        d_controller = (
            d_out.controller
            + carry.controller
            + tf.matmul(d_params, weights.posterior_kernel, transpose_b=True)
        )
        d_con_inputs, (d_controller,) = clipped_gru_step_gradient(
            (d_controller,), (now.controller,), (here.controller,), kept.controller,
            weights.controller_recurrent, clip,
        )  # fmt: skip
        d_fed_back = tf.matmul(d_con_inputs, weights.controller_factors, transpose_b=True)
        carry = DecoderStart(d_controller, d_generator, d_fed_back * fac_mask)
        return carry, (d_con_inputs, d_gen_inputs, d_params, d_factors, *carry)

    scanned = (
        d_path, before, path, gates, sequences.noise, d_raw_scale,
        sequences.factor_mask, sequences.generator_mask,
    )  # fmt: skip
    one_step = (
        sequences.controller[0], sequences.generator[0],
        tf.concat([sequences.noise[0]] * 2, axis=-1), start.factors, *start,
    )  # fmt: skip
    d_con, d_gen, d_params, d_factors, *d_before = time_loop(
        lambda flat, carry: step(tf.nest.pack_sequence_as(scanned, flat), DecoderStart(*carry)),
        tf.nest.flatten(scanned),
        DecoderStart(*(tf.zeros_like(s) for s in start)),
        one_step,
        reverse=True,
    )
    d_weights = DecoderWeights(
        controller_factors=over_time(before.factors * sequences.factor_mask, d_con),
        controller_recurrent=gru_kernel_gradient(d_con, (before.controller,), gates.controller),
        posterior_kernel=over_time(path.controller, d_params),
        posterior_bias=tf.reduce_sum(d_params, axis=[0, 1]),
        generator_inferred=over_time(path.inferred, d_gen),
        generator_recurrent=gru_kernel_gradient(d_gen, (before.generator,), gates.generator),
        factor_kernel=over_time(path.generator * sequences.generator_mask, d_factors),
    )
    d_sequences = DecoderSequences(
        d_con, d_gen, *(tf.zeros_like(s) for s in sequences[2:])
    )  # noise and masks are constants of the step
    d_start = DecoderStart(*(d[0] for d in d_before))
    return (*d_weights, *d_sequences, *d_start)
