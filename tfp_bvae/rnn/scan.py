"""Loops over time that XLA compiles, and what its gradients do with whole sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

__all__ = ["Chain", "over_time", "project", "shifted", "time_first", "time_loop", "wider"]

Tensors = Sequence[tf.Tensor]


class Chain(NamedTuple):
    """One recurrence: what a loop over time does at each step, and on what.

    Args:
        step: `(slices at time t, carry) -> (carry, emitted)`.
        sequences: tensors `[time, ...]`, sliced along time. At least one.
        carry: what goes from step to step.
        outputs: a tensor, or a `tf.TensorSpec`, of the shape and dtype of each that is emitted.
        reverse: start at the last step; what is emitted keeps the order of time.
    """

    step: Callable[[Tensors, Tensors], tuple[Tensors, Tensors]]
    sequences: Tensors
    carry: Tensors
    outputs: Sequence[tf.Tensor | tf.TensorSpec]
    reverse: bool = False


def time_loop(*chains: Chain) -> list[tuple[list[tf.Tensor], Tensors]]:
    """Runs chains that do not need each other side by side, in one loop over time.

    Side by side, the small operations of one chain fill the gaps of the other on the cores of a
    CPU, and a GPU has half as many launches to wait for.

    Args:
        chains: of the same number of steps.

    Returns:
        For each chain what it emitted, stacked `[time, ...]`, and its last carry. Gradients do not
        flow through this loop: it is called inside `tf.custom_gradient`.
    """
    num_steps = chains[0].sequences[0].shape[0]
    if num_steps is None:
        num_steps = tf.shape(chains[0].sequences[0])[0]
    stacks = [
        [
            tf.TensorArray(o.dtype, size=num_steps, element_shape=o.shape, clear_after_read=False)
            for o in chain.outputs
        ]
        for chain in chains
    ]

    def body(index, carries, stacks):
        carries, stacks = list(carries), list(stacks)
        for n, chain in enumerate(chains):
            time = num_steps - 1 - index if chain.reverse else index
            now = [tf.gather(s, time) for s in chain.sequences]
            carry, emitted = chain.step(now, carries[n])
            carries[n] = tuple(carry)
            stacks[n] = [a.write(time, e) for a, e in zip(stacks[n], emitted, strict=True)]
        return index + 1, carries, stacks

    _, carries, stacks = tf.while_loop(
        lambda index, *_: index < num_steps,
        body,
        (tf.constant(0), [tuple(chain.carry) for chain in chains], stacks),
        maximum_iterations=num_steps,
    )
    return [
        (_stacked(chain, stack), carry)
        for chain, stack, carry in zip(chains, stacks, carries, strict=True)
    ]


def _stacked(chain: Chain, stacks: Sequence[tf.TensorArray]) -> list[tf.Tensor]:
    time = chain.sequences[0].shape[:1]
    stacked = [stack.stack() for stack in stacks]
    for tensor, output in zip(stacked, chain.outputs, strict=True):
        tensor.set_shape(time.concatenate(output.shape))
    return stacked


def time_first(x: tf.Tensor) -> tf.Tensor:
    """`[batch, time, .]` to `[time, batch, .]` and back: it is its own inverse."""
    return tf.transpose(x, [1, 0, 2])


def project(sequence: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`[..., channel] @ [channel, units]` as one matrix product, and so its gradients."""
    return tf.tensordot(sequence, kernel, axes=1)


def shifted(sequence: tf.Tensor, initial: tf.Tensor, reverse: bool = False) -> tf.Tensor:
    """What was there before each step: `initial`, then all of `sequence` but its last.

    `reverse`: of a run from the last step to the first, all but the first, then `initial`.
    """
    if reverse:
        return tf.concat([sequence[1:], initial[tf.newaxis]], axis=0)
    return tf.concat([initial[tf.newaxis], sequence[:-1]], axis=0)


def over_time(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """`sum over time and batch of left^T right`, `[time, batch, .] -> [left, right]`."""
    left = tf.reshape(left, [-1, left.shape[-1]])
    right = tf.reshape(right, [-1, right.shape[-1]])
    return tf.matmul(left, right, transpose_a=True)


def wider(x: tf.Tensor, blocks: int) -> tf.TensorSpec:
    """What has the shape of `blocks` tensors like `x` side by side."""
    return tf.TensorSpec(x.shape[:-1].concatenate([blocks * x.shape[-1]]), x.dtype)
