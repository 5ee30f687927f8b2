"""A path whose every step is a diagonal Gaussian that a recurrent network reads off its past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import parameter_properties
from tensorflow_probability.python.internal import prefer_static as ps

from tfp_bvae import checks
from tfp_bvae.distributions.path_distribution import PathDistribution
from tfp_bvae.distributions.recurrence import one_later

__all__ = ["RecurrentMVNDiag"]

Gaussian = tuple[tf.Tensor, tf.Tensor]  # loc and scale


class RecurrentMVNDiag(PathDistribution):
    """Steps that are diagonal Gaussians given all the steps before them.

    `p(z_t | z_{<t}) = N(m_t, diag(s_t^2))`, `(m_t, s_t) = g(z_0, ..., z_{t-1})`, `z_0 = 0`.
    The function g comes in two forms that must agree: over a whole path at once, for densities,
    and step by step, for samples. Batch shape `[]`; event shape `[time, event_size]`.

    There is no closed form of the mean, the entropy or the divergence of whole paths:
    `path_kl` and `sampled_kl` estimate the last.

    Args:
        teacher_forced: from the path one step late, `z_0 .. z_{T-1}` `[..., time, dim]`, to the
            locations and scales of all steps, each `[..., time, dim]`.
        step: from one step `[batch, dim]` and a state to the location and the scale of the next
            step, each `[batch, dim]`, and the next state.
        zero_state: from the number of paths to the state before the first step, any structure of
            tensors.
        event_size: dim.
        num_timesteps: number of steps, a whole number or an integer tensor `[]`.
        dtype: of the path.
        validate_args: whether to check values that are known only when the graph runs.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Raises:
        TypeError: if one of the three is no function, or `num_timesteps` no integer.
        ValueError: if a size is below one.

    Source: the dynamic prior of Li and Mandt, Disentangled Sequential Autoencoder (2018).

    >>> walk = RecurrentMVNDiag(
    ...     lambda before: (before, tf.ones_like(before)),
    ...     lambda z, state: (z, tf.ones_like(z), state),
    ...     lambda batch: (), event_size=1, num_timesteps=3)
    >>> walk.from_noise([[1.0], [1.0], [1.0]]).numpy().ravel().tolist()
    [1.0, 2.0, 3.0]
    >>> walk.conditionals([[5.0], [6.0], [7.0]]).mean().numpy().ravel().tolist()
    [0.0, 5.0, 6.0]
    """

    def __init__(
        self,
        teacher_forced: Callable[[tf.Tensor], Gaussian],
        step: Callable[[tf.Tensor, Any], tuple[tf.Tensor, tf.Tensor, Any]],
        zero_state: Callable[[int | tf.Tensor], Any],
        event_size: int,
        num_timesteps: int | tf.Tensor,
        dtype: tf.DType = tf.float32,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "RecurrentMVNDiag",
    ):
        parameters = dict(locals())
        for argument in ("teacher_forced", "step", "zero_state"):
            if not callable(parameters[argument]):
                raise TypeError(f"{argument} must be a function, got {parameters[argument]!r}")
        self._teacher_forced, self._step, self._zero_state = teacher_forced, step, zero_state
        self._event_size = checks.whole_number("event_size", event_size, minimum=1)
        super().__init__(parameters, tf.as_dtype(dtype))

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {"num_timesteps": parameter_properties.ShapeParameterProperties()}

    def _batch_shape(self):
        return tf.TensorShape([])

    def _batch_shape_tensor(self, **parameters):
        return tf.zeros([0], tf.int32)

    def _event_shape(self):
        steps = self._num_timesteps if isinstance(self._num_timesteps, int) else None
        return tf.TensorShape([steps, self._event_size])

    def _event_shape_tensor(self):
        return ps.stack([self._num_timesteps, self._event_size])

    def _conditionals(self, path):
        loc, scale = self._teacher_forced(one_later(path))
        return tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale)

    def _from_noise(self, noise):
        flat = tf.reshape(noise, [-1, self._num_timesteps, self._event_size])
        path = self._rolled(tf.transpose(flat, [1, 0, 2]))
        path = tf.reshape(tf.transpose(path, [1, 0, 2]), ps.shape(noise))
        path.set_shape(noise.shape)
        return path

    def _rolled(self, noise):
        """Paths from noise, both `[time, batch, dim]`; gradients pass, also under XLA."""
        steps = self._num_timesteps
        first = tf.zeros_like(noise[0])
        paths = tf.TensorArray(self.dtype, size=steps, element_shape=first.shape)

        def body(time, sample, state, paths):
            loc, scale, state = self._step(sample, state)
            sample = loc + scale * tf.gather(noise, time)
            sample.set_shape(first.shape)  # one dimension might be spread over several
            return time + 1, sample, state, paths.write(time, sample)

        *_, paths = tf.while_loop(
            lambda time, *_: time < steps,
            body,
            (tf.constant(0), first, self._zero_state(ps.shape(noise)[1]), paths),
            maximum_iterations=steps,
        )
        return paths.stack()


@tfd.RegisterKL(tfd.Independent, RecurrentMVNDiag)
def _kl_independent_recurrent(q, prior, name=None):
    """There is none; say what there is."""
    raise NotImplementedError(
        "the divergence from a RecurrentMVNDiag has no closed form: take path_kl or sampled_kl "
        "(in a KLDivergence layer, method='path' or 'sampled')"
    )
