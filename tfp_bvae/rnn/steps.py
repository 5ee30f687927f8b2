"""One step of each recurrent cell, and the gradient of that step written by hand.

All steps have one signature, `step(inputs, states, kernels, clip) -> (states, saved)`,
and so have all gradients,
`gradient(d_next, next_states, states, saved, kernels, clip) -> (d_inputs, d_states)`:

* `inputs`: the ready projection `a = x W + b`, cut into the parts that a cell multiplies with one
  state: of a GRU those of both gates, `[batch, 2 units]`, and that of the candidate, which sees
  a state that was reset; of the others one part.
* `states`: a tuple of `[batch, units]`; the first is what a cell puts out.
* `kernels`: `U`, cut into the same parts, `[units, .]` each.
* `clip`: bound on the states of the clipped GRU; the other cells do not look at it.
* `saved`: what a gradient needs beside the states.
* `d_next`, `d_inputs`, `d_states`: gradients of the loss with respect to the states after the
  step, the inputs, and the states before it.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

States = tuple[tf.Tensor, ...]
Parts = tuple[tf.Tensor, ...]

__all__ = [
    "GRUSaved",
    "LSTMGates",
    "clipped_gru_step",
    "clipped_gru_step_gradient",
    "gru_step",
    "gru_step_gradient",
    "lstm_step",
    "lstm_step_gradient",
    "simple_rnn_step",
    "simple_rnn_step_gradient",
]


class GRUSaved(NamedTuple):
    """Gates and candidate of one GRU step."""

    gates: tf.Tensor  # update and reset side by side, [batch, 2 units]
    candidate: tf.Tensor  # [batch, units]


class LSTMGates(NamedTuple):
    """Input gate, forget gate, candidate and output gate of one LSTM step."""

    input: tf.Tensor
    forget: tf.Tensor
    candidate: tf.Tensor
    output: tf.Tensor


def gru_step(
    inputs: Parts, states: States, kernels: Parts, clip: float | None = None
) -> tuple[States, GRUSaved]:
    r"""One step of the reset-before GRU, blocks in the order (z, r, c).

    .. math::

        z &= \sigma(a_z + h U_z), \quad r = \sigma(a_r + h U_r), \\
        c &= \tanh(a_c + (r \odot h) U_c), \quad h' = z \odot h + (1 - z) \odot c

    Source: Cho et al., EMNLP 2014.
    """
    (state,), (to_gates, to_candidate), (of_gates, of_candidate) = states, inputs, kernels
    gates = tf.sigmoid(to_gates + state @ of_gates)
    update, reset = tf.split(gates, 2, axis=-1)
    candidate = tf.tanh(to_candidate + (reset * state) @ of_candidate)
    return (candidate + update * (state - candidate),), GRUSaved(gates, candidate)


def gru_step_gradient(
    d_next: States,
    next_states: States,
    states: States,
    saved: GRUSaved,
    kernels: Parts,
    clip: float | None = None,
) -> tuple[Parts, States]:
    """The gradient of `gru_step`."""
    (gradient,), (state,), (of_gates, of_candidate) = d_next, states, kernels
    gates, candidate = saved
    update, reset = tf.split(gates, 2, axis=-1)
    d_candidate = gradient * (1.0 - update) * (1.0 - candidate * candidate)
    d_reset_state = tf.matmul(d_candidate, of_candidate, transpose_b=True)
    d_update = gradient * (state - candidate) * update * (1.0 - update)
    d_reset = d_reset_state * state * reset * (1.0 - reset)
    d_gates = tf.concat([d_update, d_reset], axis=-1)
    d_state = (
        gradient * update + d_reset_state * reset + tf.matmul(d_gates, of_gates, transpose_b=True)
    )
    return (d_gates, d_candidate), (d_state,)


def clipped_gru_step(
    inputs: Parts, states: States, kernels: Parts, clip: float
) -> tuple[States, GRUSaved]:
    """One step of `gru_step` whose state is then clipped to between `-clip` and `clip`.

    Source: Pandarinath et al., Nature Methods 2018.
    """
    (state,), gates = gru_step(inputs, states, kernels)
    return (tf.clip_by_value(state, -clip, clip),), gates


def clipped_gru_step_gradient(
    d_next: States,
    next_states: States,
    states: States,
    saved: GRUSaved,
    kernels: Parts,
    clip: float,
) -> tuple[Parts, States]:
    """The gradient of `clipped_gru_step`: a clipped entry passes none."""
    (gradient,), (next_state,) = d_next, next_states
    gradient = tf.where(tf.abs(next_state) < clip, gradient, tf.zeros_like(gradient))
    return gru_step_gradient((gradient,), next_states, states, saved, kernels)


def lstm_step(
    inputs: Parts, states: States, kernels: Parts, clip: float | None = None
) -> tuple[States, LSTMGates]:
    r"""One step of the LSTM, blocks in the order (i, f, c, o) of Keras, states `(h, m)`.

    .. math::

        (i, f, o) &= \sigma(a_{i,f,o} + h U_{i,f,o}), \quad c = \tanh(a_c + h U_c), \\
        m' &= f \odot m + i \odot c, \quad h' = o \odot \tanh(m')

    Source: Hochreiter and Schmidhuber, Neural Computation 1997; the forget gate is of Gers et
    al., Neural Computation 2000.
    """
    state, memory = states
    raw = tf.split(inputs[0] + state @ kernels[0], 4, axis=-1)
    gates = LSTMGates(tf.sigmoid(raw[0]), tf.sigmoid(raw[1]), tf.tanh(raw[2]), tf.sigmoid(raw[3]))
    memory = gates.forget * memory + gates.input * gates.candidate
    return (gates.output * tf.tanh(memory), memory), gates


def lstm_step_gradient(
    d_next: States,
    next_states: States,
    states: States,
    saved: States,
    kernels: Parts,
    clip: float | None = None,
) -> tuple[Parts, States]:
    """The gradient of `lstm_step`."""
    d_state, d_memory = d_next
    gates, squashed = LSTMGates(*saved), tf.tanh(next_states[1])
    d_memory += d_state * gates.output * (1.0 - squashed * squashed)
    d_inputs = tf.concat(
        [
            d_memory * gates.candidate * gates.input * (1.0 - gates.input),
            d_memory * states[1] * gates.forget * (1.0 - gates.forget),
            d_memory * gates.input * (1.0 - gates.candidate * gates.candidate),
            d_state * squashed * gates.output * (1.0 - gates.output),
        ],
        axis=-1,
    )
    d_state = tf.matmul(d_inputs, kernels[0], transpose_b=True)
    return (d_inputs,), (d_state, d_memory * gates.forget)


def simple_rnn_step(
    inputs: Parts, states: States, kernels: Parts, clip: float | None = None
) -> tuple[States, States]:
    r"""One step of the simple network, `h' = tanh(a + h U)`.

    Source: Elman, Cognitive Science 1990.
    """
    return (tf.tanh(inputs[0] + states[0] @ kernels[0]),), ()


def simple_rnn_step_gradient(
    d_next: States,
    next_states: States,
    states: States,
    saved: States,
    kernels: Parts,
    clip: float | None = None,
) -> tuple[Parts, States]:
    """The gradient of `simple_rnn_step`."""
    (gradient,), (next_state,) = d_next, next_states
    d_inputs = gradient * (1.0 - next_state * next_state)
    return (d_inputs,), (tf.matmul(d_inputs, kernels[0], transpose_b=True),)
