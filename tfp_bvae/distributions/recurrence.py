"""A first-order linear recurrence along time, by parallel doubling."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["linear_recurrence", "one_later"]


def linear_recurrence(inputs: tf.Tensor, decay: tf.Tensor) -> tf.Tensor:
    """Run `y_t = decay * y_{t-1} + x_t`, `y_0 = 0`, over the whole path at once.

    After pass k each y_t holds the terms `decay^j x_{t-j}` of the last `2^k` steps, so that
    `ceil(log2(time))` passes give every term. The gradient is the same recurrence, run backwards:
    `dx_t = dy_t + decay * dx_{t+1}`, `ddecay = sum_t dx_t y_{t-1}`. It costs the memory of one
    path, whatever the number of passes, and can itself be differentiated.

    Args:
        inputs: x `[..., time, dim]`; the number of steps may be unknown in a graph.
        decay: `[..., dim]`, broadcast against the axes of `inputs` but time.

    Returns:
        y, of the broadcast shape `[..., time, dim]`.

    Source: Hillis and Steele, Data parallel algorithms (1986).

    >>> linear_recurrence(tf.ones([4, 1]), tf.constant([0.5])).numpy().ravel().tolist()
    [1.0, 1.5, 1.75, 1.875]
    """
    inputs = tf.convert_to_tensor(inputs, name="inputs")
    decay = tf.convert_to_tensor(decay, dtype=inputs.dtype, name="decay")[..., tf.newaxis, :]
    inputs = inputs + tf.zeros_like(decay)
    return _recurrence(inputs, decay + tf.zeros_like(inputs[..., :1, :]))


@tf.custom_gradient
def _recurrence(inputs: tf.Tensor, decay: tf.Tensor):
    """The recurrence, and its gradient; `decay` [..., 1, dim] has all axes of `inputs`."""
    outputs = _doubling_scan(inputs, decay)

    def gradient(d_outputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        d_inputs = tf.reverse(_recurrence(tf.reverse(d_outputs, [-2]), decay), [-2])
        d_decay = tf.reduce_sum(d_inputs * _delayed(outputs, 1), axis=-2, keepdims=True)
        return d_inputs, d_decay

    return outputs, gradient


def _doubling_scan(inputs: tf.Tensor, decay: tf.Tensor) -> tf.Tensor:
    """Add to each step the step `lag` before it, with lag 1, 2, 4, ... and decay^lag."""
    num_timesteps = tf.shape(inputs)[-2]

    def one_pass(lag, power, sums):
        return 2 * lag, tf.square(power), sums + power * _delayed(sums, lag)

    lag = tf.constant(1)
    state = tf.while_loop(lambda lag, *_: lag < num_timesteps, one_pass, (lag, decay, inputs))
    return tf.ensure_shape(state[-1], inputs.shape)


def one_later(path: tf.Tensor, axis: int = -2) -> tf.Tensor:
    """Move every step to the place of the next; zeros come first, as the step before the first.

    >>> one_later(tf.constant([[1.0], [2.0], [3.0]])).numpy().ravel().tolist()
    [0.0, 1.0, 2.0]
    """
    rest = (slice(None),) * (-1 - axis)
    first, before = path[(..., slice(1), *rest)], path[(..., slice(-1), *rest)]
    return tf.concat([tf.zeros_like(first), before], axis=axis)


def _delayed(path: tf.Tensor, lag: tf.Tensor) -> tf.Tensor:
    """Shift a path later by `lag` steps, with zeros in front; shapes stay static for XLA."""
    has_past = tf.range(tf.shape(path)[-2])[:, tf.newaxis] >= lag
    return tf.where(has_past, tf.roll(path, lag, axis=-2), tf.zeros_like(path))
