"""The recurrences as their equations stand, in Python loops that TensorFlow differentiates itself.

The slow truth that the scans of `tfp_bvae.rnn` are held against, alone and inside whole models.
"""

import tensorflow as tf

from tfp_bvae.rnn import CELLS, DecoderPath


def plain_step(name, a, states, kernel, clip):
    """The next states of a cell, block by block: `a` is `x W + b`, `[batch, blocks * units]`."""
    h = states[0]
    a, u = (tf.split(x, CELLS[name].blocks, axis=-1) for x in (a, kernel))
    if name == "simple_rnn":
        return (tf.tanh(a[0] + h @ u[0]),)
    if name == "lstm":
        into, keep, out = (tf.sigmoid(a[i] + h @ u[i]) for i in (0, 1, 3))
        memory = keep * states[1] + into * tf.tanh(a[2] + h @ u[2])
        return out * tf.tanh(memory), memory
    update, reset = (tf.sigmoid(a[i] + h @ u[i]) for i in (0, 1))
    h = update * h + (1 - update) * tf.tanh(a[2] + (reset * h) @ u[2])
    return (tf.clip_by_value(h, -clip, clip),) if name == "clipped_gru" else (h,)


def plain_scan(name, inputs, states, kernel, clip=5.0):
    """As `rnn.recurrent_scan`."""
    sequence = []
    for a in tf.unstack(_whole(inputs)):
        states = plain_step(name, a, states, kernel, clip)
        sequence.append(states)
    return tuple(tf.stack(states) for states in zip(*sequence, strict=True))


def plain_scans(*runs):
    """As `rnn.recurrent_scans`: one run after the other."""
    found = []
    for run in runs:
        inputs = _whole(run.inputs)[:: -1 if run.reverse else 1]
        states = plain_scan(run.cell, inputs, run.initial_states, run.recurrent_kernel, run.clip)
        found.append(tuple(s[::-1] for s in states) if run.reverse else states)
    return found


def plain_decoder(
    weights, sequences, start, scale_shift, min_scale, clip=5.0, scale_rule="softplus"
):
    """As `rnn.lfads_decoder`."""
    w, (c, g, f) = weights, start
    batch = tf.shape(c)[0]
    path = []
    constants = (tf.stop_gradient(x) for x in sequences[2:])
    whole = (_whole(sequences.controller), _whole(sequences.generator), *constants)
    for e, a, noise, f_mask, g_mask in zip(*map(tf.unstack, whole), strict=True):
        a = tf.broadcast_to(a, [batch, a.shape[-1]])
        pre = e + (f * f_mask) @ w.controller_factors
        (c,) = plain_step("clipped_gru", pre, (c,), w.controller_recurrent, clip)
        loc, raw = tf.split(c @ w.posterior_kernel + w.posterior_bias, 2, axis=-1)
        raw += scale_shift
        if scale_rule == "softplus":
            scale = min_scale + tf.nn.softplus(raw)
        else:
            scale = tf.sqrt(min_scale**2 + tf.exp(raw))
        u = loc + scale * noise
        pre = a + u @ w.generator_inferred
        (g,) = plain_step("clipped_gru", pre, (g,), w.generator_recurrent, clip)
        f = (g * g_mask) @ w.factor_kernel
        path.append((c, loc, scale, u, g, f))
    return DecoderPath(*(tf.stack(x) for x in zip(*path, strict=True)))


def _whole(inputs):
    """What the package has cut into parts, in one piece."""
    return tf.concat(inputs, axis=-1) if isinstance(inputs, tuple | list) else inputs
