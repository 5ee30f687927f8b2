"""The four recurrent cells by name, and the scan that runs any of them with its own gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfp_bvae import checks
from tfp_bvae.rnn import steps
from tfp_bvae.rnn.scan import over_time, shifted, time_loop

__all__ = ["CELLS", "Cell", "gru_kernel_gradient", "kernel_gradient", "recurrent_scan"]


def kernel_gradient(
    d_inputs: tf.Tensor, previous: Sequence[tf.Tensor], saved: Sequence[tf.Tensor]
) -> tf.Tensor:
    """Gradient of a whole scan's recurrent kernel as one matrix product over time and batch.

    Args:
        d_inputs: gradients of the inputs of all steps, `[time, batch, blocks * units]`.
        previous: states before each step, a tuple of `[time, batch, units]`.
        saved: what the steps saved, a tuple of `[time, batch, units]`.
    """
    return over_time(previous[0], d_inputs)


def gru_kernel_gradient(
    d_inputs: tf.Tensor, previous: Sequence[tf.Tensor], saved: Sequence[tf.Tensor]
) -> tf.Tensor:
    """The same for a GRU: two products, since its candidate sees a state that was reset."""
    (state,), gates = previous, steps.GRUGates(*saved)
    units = state.shape[-1]
    d_gates = over_time(state, d_inputs[..., : 2 * units])
    d_candidate = over_time(gates.reset * state, d_inputs[..., 2 * units :])
    return tf.concat([d_gates, d_candidate], axis=-1)


@dataclasses.dataclass(frozen=True)
class Cell:
    """A kind of recurrent cell: pure functions of one step, without weights.

    Args:
        blocks: a kernel is `blocks * units` wide.
        num_states: how many tensors `[batch, units]` go from step to step.
        num_saved: how many a step saves for its gradient.
        step: `(inputs [batch, blocks * units], states, recurrent_kernel [units, blocks * units],
            clip) -> (states, saved)`. The inputs are ready, `x W + b`; the output is `states[0]`.
        step_gradient: `(d_next, next_states, states, saved, recurrent_kernel, clip) ->
            (d_inputs, d_states)`.
        kernel_gradient: `(d_inputs, states before each step, saved)`, each `[time, batch, .]`,
            to the gradient of the recurrent kernel.

    >>> cell = CELLS["lstm"]
    >>> (output, memory), _ = cell.step(tf.zeros([2, 12]), (tf.ones([2, 3]),) * 2,
    ...                                 tf.zeros([3, 12]), None)
    >>> memory[0].numpy().tolist()
    [0.5, 0.5, 0.5]
    """

    blocks: int
    num_states: int
    num_saved: int
    step: Callable
    step_gradient: Callable
    kernel_gradient: Callable = kernel_gradient


CELLS: dict[str, Cell] = {
    "gru": Cell(
        3, 1, 3, steps.gru_step, steps.gru_step_gradient, gru_kernel_gradient
    ),
    "clipped_gru": Cell(
        3, 1, 3, steps.clipped_gru_step, steps.clipped_gru_step_gradient,
        gru_kernel_gradient,
    ),
    "lstm": Cell(4, 2, 4, steps.lstm_step, steps.lstm_step_gradient),
    "simple_rnn": Cell(1, 1, 0, steps.simple_rnn_step, steps.simple_rnn_step_gradient),
}  # fmt: skip


def recurrent_scan(
    cell: str | Cell,
    inputs: tf.Tensor,
    initial_states: Sequence[tf.Tensor],
    recurrent_kernel: tf.Tensor,
    clip: float = 5.0,
) -> tuple[tf.Tensor, ...]:
    """Runs a cell over a sequence of ready inputs; its gradient is written by hand.

    The input projection `x W + b` of all steps is one matrix product that the caller makes
    beforehand; the gradient of the recurrent kernel is one (two for a GRU) after the scan.

    Args:
        cell: a key of `CELLS`, or a `Cell`.
        inputs: `x W + b`, `[time, batch, blocks * units]`. Blocks stand in the order of Keras:
            (z, r, c) for both GRUs, (i, f, c, o) for the LSTM.
        initial_states: as many `[batch, units]` as the cell has states.
        recurrent_kernel: `[units, blocks * units]`.
        clip: the largest absolute value of a state of the clipped GRU; others ignore it.

    Returns:
        The sequence of every state, after each step, `[time, batch, units]` each. The first is
        the output.

    Raises:
        KeyError: if there is no such cell.
        ValueError: if a width or the number of initial states is not that of the cell.

    >>> (states,) = recurrent_scan(
    ...     "clipped_gru", tf.zeros([4, 2, 9]), [tf.ones([2, 3])], tf.zeros([3, 9]))
    >>> states[:, 0, 0].numpy().tolist()
    [0.5, 0.25, 0.125, 0.0625]
    """
    if isinstance(cell, str):
        cell = CELLS[checks.known_key("cell", cell, CELLS)]
    checks.rank("inputs", inputs.shape, 3)
    checks.last_dim("inputs", inputs.shape, cell.blocks * recurrent_kernel.shape[0])
    if len(initial_states) != cell.num_states:
        raise ValueError(
            f"initial_states must hold {cell.num_states} tensors, got {len(initial_states)}"
        )
    n = cell.num_states

    @tf.custom_gradient
    def scan(inputs, recurrent_kernel, *initial):
        def forward(now, states):
            states, saved = cell.step(now[0], tuple(states), recurrent_kernel, clip)
            return states, (*states, *saved)

        outputs = (*initial, *[initial[0]] * cell.num_saved)
        stacked = tuple(time_loop(forward, (inputs,), initial, outputs))
        states, saved = stacked[:n], stacked[n:]

        def gradient(*d_states):
            previous = tuple(shifted(s, i) for s, i in zip(states, initial, strict=True))

            def backward(now, carry):
                d_now, next_now, here = now[:n], now[n : 2 * n], now[2 * n : 3 * n]
                d_next = tuple(d + c for d, c in zip(d_now, carry, strict=True))
                d_inputs, d_here = cell.step_gradient(
                    d_next, next_now, here, now[3 * n :], recurrent_kernel, clip
                )
                return d_here, (d_inputs, *d_here)

            d_inputs, *d_previous = time_loop(
                backward,
                (*d_states, *states, *previous, *saved),
                tuple(tf.zeros_like(i) for i in initial),
                outputs=(inputs[0], *initial),
                reverse=True,
            )
            d_kernel = cell.kernel_gradient(d_inputs, previous, saved)
            return d_inputs, d_kernel, *(d[0] for d in d_previous)

        return states, gradient

    return scan(inputs, recurrent_kernel, *initial_states)
