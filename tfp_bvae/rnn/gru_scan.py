"""The clipped reset-before GRU as a time-major scan with a gradient written by hand."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tfp_bvae.rnn.scan import time_loop

__all__ = ["GRUGates", "clipped_gru", "gru_step", "gru_step_gradient"]


class GRUGates(NamedTuple):
    """What one GRU step leaves for its gradient: update, reset and candidate, `[batch, units]`."""

    update: tf.Tensor
    reset: tf.Tensor
    candidate: tf.Tensor


def split_kernel(recurrent_kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Parts a `[units, 3 units]` kernel into its gate `[units, 2 units]` and candidate columns."""
    units = recurrent_kernel.shape[0]
    return recurrent_kernel[:, : 2 * units], recurrent_kernel[:, 2 * units :]


def gru_step(
    inputs: tf.Tensor, state: tf.Tensor, recurrent_kernel: tf.Tensor, clip: float
) -> tuple[tf.Tensor, GRUGates]:
    r"""One step of the clipped reset-before GRU.

    .. math::

        z &= \sigma(a_z + h U_z), \quad r = \sigma(a_r + h U_r), \\
        c &= \tanh(a_c + (r \odot h) U_c), \\
        h' &= \mathrm{clip}(z \odot h + (1 - z) \odot c, -k, k)

    Args:
        inputs: `a = x W + b`, gates stacked as (z, r, c), `[batch, 3 units]`.
        state: `h`, `[batch, units]`.
        recurrent_kernel: `U`, gates stacked as (z, r, c), `[units, 3 units]`.
        clip: `k`, the largest absolute value of a state.

    Returns:
        The next state `[batch, units]`, and the gates.
    """
    gate_kernel, candidate_kernel = split_kernel(recurrent_kernel)
    units = state.shape[-1]
    gates = tf.sigmoid(inputs[:, : 2 * units] + state @ gate_kernel)  # [batch, 2 units]
    update, reset = gates[:, :units], gates[:, units:]
    candidate = tf.tanh(inputs[:, 2 * units :] + (reset * state) @ candidate_kernel)
    next_state = tf.clip_by_value(candidate + update * (state - candidate), -clip, clip)
    return next_state, GRUGates(update, reset, candidate)


def gru_step_gradient(
    gradient: tf.Tensor,
    next_state: tf.Tensor,
    state: tf.Tensor,
    gates: GRUGates,
    recurrent_kernel: tf.Tensor,
    clip: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The gradient of `gru_step` with respect to its `inputs` and its `state`.

    Args:
        gradient: of the loss with respect to `next_state`, `[batch, units]`.
        next_state: what the step returned; a clipped entry passes no gradient.
        state: what the step was given, `[batch, units]`.
        gates: the gates that the step returned.
        recurrent_kernel: `[units, 3 units]`.
        clip: the bound the step was given.

    Returns:
        Gradients of the inputs, `[batch, 3 units]`, and of the state, `[batch, units]`.
    """
    gate_kernel, candidate_kernel = split_kernel(recurrent_kernel)
    update, reset, candidate = gates
    gradient = tf.where(tf.abs(next_state) < clip, gradient, tf.zeros_like(gradient))
    d_candidate = gradient * (1.0 - update) * (1.0 - candidate * candidate)
    d_reset_state = tf.matmul(d_candidate, candidate_kernel, transpose_b=True)
    d_update = gradient * (state - candidate) * update * (1.0 - update)
    d_reset = d_reset_state * state * reset * (1.0 - reset)
    d_gates = tf.concat([d_update, d_reset], axis=-1)
    d_state = (
        gradient * update
        + d_reset_state * reset
        + tf.matmul(d_gates, gate_kernel, transpose_b=True)
    )
    return tf.concat([d_gates, d_candidate], axis=-1), d_state


def recurrent_kernel_gradient(
    d_inputs: tf.Tensor, previous: tf.Tensor, reset: tf.Tensor
) -> tf.Tensor:
    """Gradient of a whole scan's recurrent kernel as two matrix products over time and batch.

    Args:
        d_inputs: gradients of the pre-activations, `[time, batch, 3 units]`.
        previous: states before each step, `[time, batch, units]`.
        reset: reset gates, `[time, batch, units]`.
    """
    units = previous.shape[-1]
    return tf.concat(
        [
            over_time(previous, d_inputs[..., : 2 * units]),
            over_time(reset * previous, d_inputs[..., 2 * units :]),
        ],
        axis=-1,
    )


def over_time(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """`sum over time and batch of left^T right`, `[time, batch, .] -> [left, right]`."""
    left = tf.reshape(left, [-1, left.shape[-1]])
    right = tf.reshape(right, [-1, right.shape[-1]])
    return tf.matmul(left, right, transpose_a=True)


def shifted(states: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """The state before each step: `initial`, then all of `states` but the last."""
    return tf.concat([initial[tf.newaxis], states[:-1]], axis=0)


def clipped_gru(
    inputs: tf.Tensor, initial_state: tf.Tensor, recurrent_kernel: tf.Tensor, clip: float = 5.0
) -> tf.Tensor:
    """Runs the clipped reset-before GRU over a sequence of ready pre-activations.

    The input projection `x W + b` of all steps is one matrix product that the caller makes
    beforehand; the gradient of the recurrent kernel is one (per gate kind) made after the scan.

    Args:
        inputs: `x W + b`, gates stacked as (z, r, c), `[time, batch, 3 units]`.
        initial_state: `[batch, units]`.
        recurrent_kernel: `[units, 3 units]`.
        clip: the largest absolute value of a state.

    Returns:
        The states after each step, `[time, batch, units]`.

    >>> states = clipped_gru(tf.zeros([4, 2, 9]), tf.ones([2, 3]), tf.zeros([3, 9]))
    >>> states[:, 0, 0].numpy().tolist()
    [0.5, 0.25, 0.125, 0.0625]
    """

    @tf.custom_gradient
    def scan(inputs, initial_state, recurrent_kernel):
        def forward(step, state):
            next_state, gates = gru_step(step[0], state[0], recurrent_kernel, clip)
            return (next_state,), (next_state, *gates)

        states, *gates = time_loop(
            forward, (inputs,), (initial_state,), outputs=(initial_state,) * 4
        )

        def gradient(d_states):
            previous = shifted(states, initial_state)

            def backward(step, carry):
                d_state, next_state, state, *step_gates = step
                d_inputs, d_state = gru_step_gradient(
                    d_state + carry[0], next_state, state, GRUGates(*step_gates),
                    recurrent_kernel, clip,
                )  # fmt: skip
                return (d_state,), (d_inputs, d_state)

            d_inputs, d_previous = time_loop(
                backward,
                (d_states, states, previous, *gates),
                (tf.zeros_like(initial_state),),
                outputs=(inputs[0], initial_state),
                reverse=True,
            )
            d_kernel = recurrent_kernel_gradient(d_inputs, previous, gates[1])
            return d_inputs, d_previous[0], d_kernel

        return states, gradient

    return scan(inputs, initial_state, recurrent_kernel)
