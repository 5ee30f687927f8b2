"""The four recurrent cells by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from tfp_bvae.rnn import steps
from tfp_bvae.rnn.scan import over_time
from tfp_bvae.rnn.steps import Parts

__all__ = ["CELLS", "Cell", "gru_kernel_gradient", "kernel_gradient"]


def kernel_gradient(d_inputs: Parts, previous: Parts, saved: Parts) -> Parts:
    """Gradients of a whole scan's recurrent kernels as one matrix product over time and batch.

    Args:
        d_inputs: gradients of the inputs of all steps, by part, `[time, batch, .]`.
        previous: states before each step, a tuple of `[time, batch, units]`.
        saved: what the steps saved, `[time, batch, .]`.
    """
    return (over_time(previous[0], d_inputs[0]),)


def gru_kernel_gradient(d_inputs: Parts, previous: Parts, saved: Parts) -> Parts:
    """The same for a GRU: two products, since its candidate sees a state that was reset."""
    (state,), (gates, _) = previous, saved
    reset = gates[..., state.shape[-1] :]
    return over_time(state, d_inputs[0]), over_time(reset * state, d_inputs[1])


@dataclasses.dataclass(frozen=True)
class Cell:
    """A kind of recurrent cell: pure functions of one step, without weights.

    Args:
        parts: how many blocks of `units` columns each part of the inputs and of the recurrent
            kernel has; `rnn.steps` says what a part is.
        num_states: how many tensors `[batch, units]` go from step to step.
        saved: widths of what a step saves for its gradient, in `units`.
        step: `(inputs, states, kernels, clip) -> (states, saved)`. The inputs are ready,
            `x W + b`, by part; the output is `states[0]`.
        step_gradient: `(d_next, next_states, states, saved, kernels, clip) ->
            (d_inputs, d_states)`.
        kernel_gradient: `(d_inputs, states before each step, saved)`, each `[time, batch, .]`,
            to the gradients of the kernels.

    >>> cell = CELLS["lstm"]
    >>> inputs, kernels = cell.split(tf.zeros([2, 12])), cell.split(tf.zeros([3, 12]))
    >>> (output, memory), _ = cell.step(inputs, (tf.ones([2, 3]),) * 2, kernels, None)
    >>> memory[0].numpy().tolist()
    [0.5, 0.5, 0.5]
    """

    parts: tuple[int, ...]
    num_states: int
    saved: tuple[int, ...]
    step: Callable
    step_gradient: Callable
    kernel_gradient: Callable = kernel_gradient

    @property
    def blocks(self) -> int:
        """A kernel is `blocks * units` wide."""
        return sum(self.parts)

    def split(self, x: tf.Tensor | Parts) -> Parts:
        """Cuts `[..., blocks * units]` into its parts, unless it is in parts already."""
        if isinstance(x, tuple):
            return x
        if len(self.parts) == 1:
            return (x,)
        units = x.shape[-1] // self.blocks
        return tuple(tf.split(x, [part * units for part in self.parts], axis=-1))


CELLS: dict[str, Cell] = {
    "gru": Cell(
        (2, 1), 1, (2, 1), steps.gru_step, steps.gru_step_gradient, gru_kernel_gradient
    ),
    "clipped_gru": Cell(
        (2, 1), 1, (2, 1), steps.clipped_gru_step, steps.clipped_gru_step_gradient,
        gru_kernel_gradient,
    ),
    "lstm": Cell((4,), 2, (1,) * 4, steps.lstm_step, steps.lstm_step_gradient),
    "simple_rnn": Cell((1,), 1, (), steps.simple_rnn_step, steps.simple_rnn_step_gradient),
}  # fmt: skip
