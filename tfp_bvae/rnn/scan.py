"""A loop over time that XLA compiles, and what its gradients do with whole sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

__all__ = ["over_time", "shifted", "time_loop"]

Tensors = Sequence[tf.Tensor]


def time_loop(
    step: Callable[[Tensors, Tensors], tuple[Tensors, Tensors]],
    sequences: Tensors,
    carry: Tensors,
    outputs: Tensors,
    reverse: bool = False,
) -> list[tf.Tensor]:
    """Applies `step` along the first axis of `sequences` and stacks what it emits.

    Args:
        step: `(slices at time t, carry) -> (carry, emitted)`.
        sequences: tensors `[time, ...]`, sliced along time. At least one.
        carry: what goes from step to step.
        outputs: one tensor for each that is emitted, of the shape and dtype of one step's.
        reverse: start at the last step; what is emitted keeps the order of time.

    Returns:
        The emitted tensors, stacked `[time, ...]`. Gradients do not flow through this loop: it
        is called inside `tf.custom_gradient`.
    """
    num_steps = sequences[0].shape[0]
    if num_steps is None:
        num_steps = tf.shape(sequences[0])[0]
    stacks = [
        tf.TensorArray(o.dtype, size=num_steps, element_shape=o.shape, clear_after_read=False)
        for o in outputs
    ]

    def body(index, carry, stacks):
        time = num_steps - 1 - index if reverse else index
        carry, emitted = step([tf.gather(s, time) for s in sequences], carry)
        stacks = [a.write(time, e) for a, e in zip(stacks, emitted, strict=True)]
        return index + 1, tuple(carry), stacks

    *_, stacks = tf.while_loop(
        lambda index, *_: index < num_steps,
        body,
        (tf.constant(0), tuple(carry), stacks),
        maximum_iterations=num_steps,
    )
    stacked = [a.stack() for a in stacks]
    for tensor, output in zip(stacked, outputs, strict=True):
        tensor.set_shape(sequences[0].shape[:1].concatenate(output.shape))
    return stacked


def shifted(sequence: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    """What was there before each step: `initial`, then all of `sequence` but its last."""
    return tf.concat([initial[tf.newaxis], sequence[:-1]], axis=0)


def over_time(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """`sum over time and batch of left^T right`, `[time, batch, .] -> [left, right]`."""
    left = tf.reshape(left, [-1, left.shape[-1]])
    right = tf.reshape(right, [-1, right.shape[-1]])
    return tf.matmul(left, right, transpose_a=True)
