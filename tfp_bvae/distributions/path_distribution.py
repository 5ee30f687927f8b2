"""What every prior over a latent path has in common."""

from __future__ import annotations

import abc
import functools
from typing import Any

import tensorflow as tf
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import prefer_static as ps

from tfp_bvae.distributions.parameters import check_event_shape, known_length

__all__ = ["PathDistribution"]


class PathDistribution(tfd.Distribution):
    """A distribution over paths z `[time, dim]` that knows each step given the steps before it.

    `log p(z_{1:T}) = sum_t log p(z_t | z_{<t})`.

    A subclass sets its parameters, calls this constructor, and writes `_conditionals(path)`,
    `_path_parameters()` and what it can of `_sample_n`, `_mean`, `_stddev`, `_entropy`.

    Args:
        num_timesteps: number of steps, a whole number or an integer tensor `[]`.
        dtype: of the path.
        parameters: the arguments of the subclass, for `copy` and slicing.
        validate_args: whether to check values that are known only when the graph runs.
        allow_nan_stats: whether an undefined statistic is NaN rather than an error.
        name: for the operations it makes.

    Raises:
        ValueError: if `num_timesteps` is below one, or the parameters do not broadcast.
        TypeError: if it is no integer.

    >>> from tfp_bvae.distributions import AR1Process
    >>> prior = AR1Process(tau=[10.0, 5.0], innovation_scale=0.1, num_timesteps=50)
    >>> isinstance(prior, PathDistribution), prior.num_timesteps, prior.event_shape
    (True, 50, TensorShape([50, 2]))
    """

    def __init__(
        self,
        num_timesteps: int | tf.Tensor,
        dtype: tf.DType,
        parameters: dict[str, Any],
        validate_args: bool,
        allow_nan_stats: bool,
        name: str,
    ):
        self._num_timesteps = known_length(num_timesteps)
        super().__init__(
            dtype=dtype,
            reparameterization_type=tfd.FULLY_REPARAMETERIZED,
            validate_args=validate_args,
            allow_nan_stats=allow_nan_stats,
            parameters=parameters,
            name=name,
        )
        self._check_parameter_shapes()

    @property
    def num_timesteps(self) -> int | tf.Tensor:
        """Number of steps: an int where it is known, else an integer tensor."""
        return self._num_timesteps

    def conditionals(self, path: tf.Tensor) -> tfd.MultivariateNormalDiag:
        """Give the distribution of every step of a path, given the steps before it.

        `p(z_t | z_{<t})`, with `z_{<t}` taken from `path`; gradients reach the path through it.

        Args:
            path: `[..., time, dim]`.

        Returns:
            A distribution with batch shape `[..., time]` and event shape `[dim]`, where `[...]` is
            the broadcast of the batch shapes of the path and of this distribution.

        Raises:
            ValueError: if the shape of the path does not match `[time, dim]`.
            TypeError: if its dtype is another.

        >>> from tfp_bvae.distributions import AR1Process
        >>> prior = AR1Process(tau=[10.0], innovation_scale=0.1, num_timesteps=3)
        >>> print(prior.conditionals(tf.ones([3, 1])).mean().numpy().round(3).ravel())
        [0.    0.905 0.905]
        """
        path = self._checked_path(path)
        with self._name_and_control_scope("conditionals", path):
            return self._conditionals(path)

    @abc.abstractmethod
    def _conditionals(self, path: tf.Tensor) -> tfd.MultivariateNormalDiag:
        """`conditionals`, of a path that was checked."""

    @abc.abstractmethod
    def _path_parameters(self) -> dict[str, tf.Tensor]:
        """The parameters that broadcast to `[..., dim]`, by name."""

    def _log_prob(self, path):
        return tf.reduce_sum(self.conditionals(path).log_prob(path), axis=-1)

    def _mode(self):
        return self._mean()

    def _variance(self):
        return tf.square(self._stddev())

    def _default_event_space_bijector(self):
        return tfb.Identity(validate_args=self.validate_args)

    def _event_shape(self):
        steps = self._num_timesteps if isinstance(self._num_timesteps, int) else None
        sizes = [value.shape[-1:] for value in self._path_parameters().values()]
        dim = functools.reduce(tf.broadcast_static_shape, sizes)
        return tf.TensorShape([steps]).concatenate(dim if dim.rank else [None])

    def _event_shape_tensor(self):
        sizes = [ps.shape(value)[-1:] for value in self._path_parameters().values()]
        return ps.concat([[self._num_timesteps], functools.reduce(ps.broadcast_shape, sizes)], 0)

    def _path_shape(self) -> tf.Tensor:
        """`[..., time, dim]`, the batch shape and the event shape."""
        return ps.concat([self.batch_shape_tensor(), self.event_shape_tensor()], axis=0)

    def _per_dim(self, parameter: tf.Tensor) -> tf.Tensor:
        """Read a parameter, with its last axis broadcast to [..., dim]."""
        value = tf.convert_to_tensor(parameter)
        dim = self.event_shape[-1:]
        if value.shape.rank and dim.is_fully_defined() and value.shape[-1:] == dim:
            return value
        shape = ps.broadcast_shape(ps.shape(value), self.event_shape_tensor()[-1:])
        return tf.broadcast_to(value, shape)

    def _checked_path(self, path: tf.Tensor) -> tf.Tensor:
        """A tensor of the right dtype, and of the right shape as far as that is known."""
        path = tf.convert_to_tensor(path, dtype_hint=self.dtype, name="path")
        if path.dtype != self.dtype:
            raise TypeError(f"path must be {self.dtype.name}, got {path.dtype.name}")
        check_event_shape("path", path.shape, self.event_shape)
        return path

    def _check_parameter_shapes(self) -> None:
        """Parameters must broadcast, and one of them must have the axis dim."""
        shapes = {name: value.shape for name, value in self._path_parameters().items()}
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        try:
            joint = functools.reduce(tf.broadcast_static_shape, shapes.values())
        except ValueError:
            raise ValueError(f"parameters must broadcast to [..., dim], got {listed}") from None
        if joint.rank == 0:
            raise ValueError(f"one parameter must have shape [..., dim], got {listed}")
