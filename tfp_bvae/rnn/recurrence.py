"""The scan that runs any recurrent cell, or several side by side, with its own gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tfp_bvae import checks
from tfp_bvae.rnn.cells import CELLS, Cell
from tfp_bvae.rnn.scan import Chain, shifted, time_loop, wider
from tfp_bvae.rnn.steps import Parts

__all__ = ["Recurrence", "recurrent_scan", "recurrent_scans"]


class Recurrence(NamedTuple):
    """A cell and what it runs over, for `recurrent_scans`.

    Args:
        cell: a key of `CELLS`, or a `Cell`.
        inputs: `x W + b`, `[time, batch, blocks * units]`, or already its parts (`Cell.split`).
            Blocks stand in the order of Keras: (z, r, c) for both GRUs, (i, f, c, o) for the LSTM.
        initial_states: as many `[batch, units]` as the cell has states.
        recurrent_kernel: `[units, blocks * units]`.
        clip: the largest absolute value of a state of the clipped GRU; others ignore it.
        reverse: run from the last step to the first. Sequences stay in order of time.
    """

    cell: str | Cell
    inputs: tf.Tensor | Parts
    initial_states: Sequence[tf.Tensor]
    recurrent_kernel: tf.Tensor | Parts
    clip: float | None = 5.0
    reverse: bool = False

    def ready(self) -> Recurrence:
        """Itself, checked, with its cell in the place of a name and all by part.

        Raises:
            KeyError: if there is no such cell.
            ValueError: if a width or the number of initial states is not that of the cell.
        """
        cell, inputs = self.cell, self.inputs
        if isinstance(cell, str):
            cell = CELLS[checks.known_key("cell", cell, CELLS)]
        units = self.recurrent_kernel.shape[0]
        if not isinstance(inputs, tuple):
            checks.rank("inputs", inputs.shape, 3)
            checks.last_dim("inputs", inputs.shape, cell.blocks * units)
            inputs = cell.split(inputs)
        if len(self.initial_states) != cell.num_states:
            raise ValueError(
                f"initial_states must hold {cell.num_states} tensors, "
                f"got {len(self.initial_states)}"
            )
        kernels, states = cell.split(self.recurrent_kernel), tuple(self.initial_states)
        return Recurrence(cell, inputs, states, kernels, self.clip, self.reverse)


def recurrent_scan(
    cell: str | Cell,
    inputs: tf.Tensor | Parts,
    initial_states: Sequence[tf.Tensor],
    recurrent_kernel: tf.Tensor,
    clip: float = 5.0,
) -> Parts:
    """Runs a cell over a sequence of ready inputs; its gradient is written by hand.

    The input projection `x W + b` of all steps is one matrix product that the caller makes
    beforehand; the gradient of the recurrent kernel is one (two for a GRU) after the scan.

    Args:
        cell: as in `Recurrence`, and so are the others.
        inputs: `x W + b`, `[time, batch, blocks * units]`.
        initial_states: as many `[batch, units]` as the cell has states.
        recurrent_kernel: `[units, blocks * units]`.
        clip: the largest absolute value of a state of the clipped GRU.

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
    return recurrent_scans(Recurrence(cell, inputs, initial_states, recurrent_kernel, clip))[0]


def recurrent_scans(*runs: Recurrence) -> list[Parts]:
    """Runs several cells that do not need each other side by side, as `recurrent_scan` runs one.

    Args:
        runs: of the same number of steps.

    Returns:
        For each run the sequences of its states, `[time, batch, units]` each.

    >>> run = Recurrence("gru", tf.zeros([4, 2, 9]), [tf.ones([2, 3])], tf.zeros([3, 9]))
    >>> (forward,), (backward,) = recurrent_scans(run, run._replace(reverse=True))
    >>> forward[:, 0, 0].numpy().tolist(), backward[:, 0, 0].numpy().tolist()
    ([0.5, 0.25, 0.125, 0.0625], [0.0625, 0.125, 0.25, 0.5])
    """
    runs = [run.ready() for run in runs]
    given = [(run.inputs, run.recurrent_kernel, run.initial_states) for run in runs]

    @tf.custom_gradient
    def scan(*flat):
        parts = tf.nest.pack_sequence_as(given, flat)
        now = [
            run._replace(inputs=inputs, recurrent_kernel=kernels, initial_states=initial)
            for run, (inputs, kernels, initial) in zip(runs, parts, strict=True)
        ]
        done = [tuple(stacked) for stacked, _ in time_loop(*map(_forward, now))]
        states = [d[: run.cell.num_states] for run, d in zip(now, done, strict=True)]

        def gradient(*flat):
            d_states = tf.nest.pack_sequence_as(states, flat)
            back = time_loop(*map(_backward, now, done, d_states))
            gradients = [
                (d_inputs, _kernel_gradients(run, of_run, d_inputs), d_initial)
                for run, of_run, (d_inputs, d_initial) in zip(now, done, back, strict=True)
            ]
            return tf.nest.flatten(gradients)

        return tuple(tf.nest.flatten(states)), gradient

    flat = scan(*tf.nest.flatten(given))
    return tf.nest.pack_sequence_as([(0,) * run.cell.num_states for run in runs], flat)


def _forward(run: Recurrence) -> Chain:
    """The chain that emits states and what else the gradient needs."""

    def step(now, states):
        states, saved = run.cell.step(tuple(now), tuple(states), run.recurrent_kernel, run.clip)
        return states, (*states, *saved)

    initial = run.initial_states
    outputs = (*initial, *(wider(initial[0], width) for width in run.cell.saved))
    return Chain(step, run.inputs, initial, outputs, run.reverse)


def _backward(run: Recurrence, done: Parts, d_states: Parts) -> Chain:
    """The chain that goes back over what `_forward` emitted."""
    n, initial = run.cell.num_states, run.initial_states

    def step(now, carry):
        d_now, next_now, here = now[:n], now[n : 2 * n], now[2 * n : 3 * n]
        d_next = tuple(d + c for d, c in zip(d_now, carry, strict=True))
        d_inputs, d_here = run.cell.step_gradient(
            d_next, next_now, here, now[3 * n :], run.recurrent_kernel, run.clip
        )
        return d_here, d_inputs

    sequences = (*d_states, *done[:n], *_before(run, done), *done[n:])
    zeros = tuple(tf.zeros_like(i) for i in initial)
    outputs = [wider(initial[0], part) for part in run.cell.parts]
    return Chain(step, sequences, zeros, outputs, not run.reverse)


def _before(run: Recurrence, done: Parts) -> Parts:
    """The states before each step."""
    return tuple(
        shifted(state, initial, run.reverse)
        for state, initial in zip(done, run.initial_states, strict=False)
    )


def _kernel_gradients(run: Recurrence, done: Parts, d_inputs: Parts) -> Parts:
    saved = done[run.cell.num_states :]
    return run.cell.kernel_gradient(tuple(d_inputs), _before(run, done), saved)
