"""What every prior over a latent path has in common."""

from __future__ import annotations

import abc
import functools
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability import bijectors as tfb
from tensorflow_probability import distributions as tfd
from tensorflow_probability.python.internal import parameter_properties
from tensorflow_probability.python.internal import prefer_static as ps

from tfp_bvae.distributions.parameters import (
    check_event_shape,
    check_positive,
    check_shapes,
    check_triangle,
    float_parameters,
    known_length,
    runtime_positive,
)

__all__ = ["PathDistribution"]


class PathDistribution(tfd.Distribution):
    """A distribution over paths z `[time, dim]` that knows each step given the steps before it.

    `log p(z_{1:T}) = sum_t log p(z_t | z_{<t})`.

    A subclass names its parameters in `VECTORS` (`[..., dim]` or `[]`), those of them that are
    above zero in `POSITIVE`, and in `TRIANGLES` (Cholesky factors `[..., dim, dim]`). It hands
    them to this constructor, finds them as `self._name`, and writes `_conditionals(path)`,
    `_from_noise(noise)` and what it can of `_mean`, `_stddev`, `_entropy`.

    Args:
        parameters: the arguments of the subclass by name: those above, and `num_timesteps`,
            `validate_args`, `allow_nan_stats`, `name`.
        dtype: of the path; that of the parameters, if there are any.

    Raises:
        ValueError: if `num_timesteps` is below one, a known value is out of range, or the
            parameters do not broadcast.
        TypeError: if it is no integer, or the parameters are not of one floating dtype.

    >>> from tfp_bvae.distributions import AR1Process
    >>> prior = AR1Process(tau=[10.0, 5.0], innovation_scale=0.1, num_timesteps=50)
    >>> isinstance(prior, PathDistribution), prior.num_timesteps, prior.event_shape
    (True, 50, TensorShape([50, 2]))
    """

    VECTORS: tuple[str, ...] = ()
    POSITIVE: tuple[str, ...] = ()
    TRIANGLES: tuple[str, ...] = ()

    def __init__(self, parameters: dict[str, Any], dtype: tf.DType | None = None):
        with tf.name_scope(parameters["name"]) as scope:
            names = (*self.VECTORS, *self.TRIANGLES)
            values = float_parameters(**{name: parameters[name] for name in names})
            for name, value in values.items():
                setattr(self, f"_{name}", value)
                dtype = value.dtype
            for name in self.POSITIVE:
                check_positive(name, values[name])
            for name in self.TRIANGLES:
                check_triangle(name, values[name])
            self._num_timesteps = known_length(parameters["num_timesteps"])
            super().__init__(
                dtype=dtype,
                reparameterization_type=tfd.FULLY_REPARAMETERIZED,
                validate_args=parameters["validate_args"],
                allow_nan_stats=parameters["allow_nan_stats"],
                parameters=parameters,
                name=scope,
            )
        if names:
            check_shapes(values, self.TRIANGLES)

    @property
    def num_timesteps(self) -> int | tf.Tensor:
        """Number of steps, an int where it is known, else an integer tensor."""
        return self._num_timesteps

    def conditionals(self, path: tf.Tensor) -> tfd.MultivariateNormalLinearOperator:
        """Give the distribution of every step of a path, given the steps before it.

        `p(z_t | z_{<t})`, with `z_{<t}` taken from `path`; gradients reach the path through it.

        Args:
            path: `[..., time, dim]`.

        Returns:
            A `MultivariateNormalDiag` or, where steps are correlated across dimensions, a
            `MultivariateNormalTriL`, with batch shape `[..., time]` and event shape `[dim]`, where
            `[...]` is the broadcast of the batch shapes of the path and of this distribution.

        Raises:
            ValueError: if the shape of the path does not match `[time, dim]`.
            TypeError: if its dtype is another.

        >>> from tfp_bvae.distributions import AR1Process
        >>> prior = AR1Process(tau=[10.0], innovation_scale=0.1, num_timesteps=3)
        >>> print(prior.conditionals(tf.ones([3, 1])).mean().numpy().round(3).ravel())
        [0.    0.905 0.905]
        """
        path = self._checked_path("path", path)
        with self._name_and_control_scope("conditionals", path):
            return self._conditionals(path)

    def from_noise(self, noise: tf.Tensor) -> tf.Tensor:
        """Give the path that standard normal noise means, differentiable in all there is.

        `z_t = m_t(z_{<t}) + L_t(z_{<t}) e_t`, with `m_t` the mean and `L_t` the Cholesky factor
        of `conditionals`; zeros give the path without noise. `sample` is this, of noise it draws.

        Args:
            noise: e, `[..., time, dim]`.

        Returns:
            z, `[..., time, dim]`, where `[...]` is the broadcast with the batch shape.

        Raises:
            ValueError, TypeError: as for `conditionals`.

        >>> from tfp_bvae.distributions import AR1Process
        >>> prior = AR1Process(tau=[1.4427], innovation_scale=1.0, num_timesteps=3)
        >>> print(prior.from_noise([[0.0], [1.0], [0.0]]).numpy().round(3).ravel())
        [0.  1.  0.5]
        """
        noise = self._checked_path("noise", noise)
        with self._name_and_control_scope("from_noise", noise):
            return self._from_noise(noise)

    @abc.abstractmethod
    def _conditionals(self, path: tf.Tensor) -> tfd.MultivariateNormalLinearOperator:
        """`conditionals`, of a path that was checked."""

    @abc.abstractmethod
    def _from_noise(self, noise: tf.Tensor) -> tf.Tensor:
        """`from_noise`, of noise that was checked."""

    @classmethod
    def _properties(cls) -> dict[str, Any]:
        """What a subclass hands on as `_parameter_properties`; TFP wants that in each class."""
        vector = functools.partial(tfp.util.ParameterProperties, event_ndims=1)
        triangle = tfp.util.ParameterProperties(
            event_ndims=2, default_constraining_bijector_fn=tfb.FillScaleTriL
        )
        above_zero = {"default_constraining_bijector_fn": tfb.Softplus}
        return {
            **{n: vector(**(above_zero if n in cls.POSITIVE else {})) for n in cls.VECTORS},
            **{name: triangle for name in cls.TRIANGLES},
            "num_timesteps": parameter_properties.ShapeParameterProperties(),
        }

    def _parameter_control_dependencies(self, is_init):
        values = {name: getattr(self, f"_{name}") for name in self.POSITIVE}
        return runtime_positive(is_init, **values) if self.validate_args else []

    def _sample_n(self, n, seed=None):
        shape = ps.concat([[n], self._path_shape()], axis=0)
        standard = tfd.Normal(tf.zeros([], self.dtype), tf.ones([], self.dtype))
        return self._from_noise(standard.sample(shape, seed))

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

    def _path_parameters(self) -> dict[str, tf.Tensor]:
        """Vectors and triangles by name."""
        return {name: getattr(self, f"_{name}") for name in (*self.VECTORS, *self.TRIANGLES)}

    def _per_dim(self, parameter: tf.Tensor) -> tf.Tensor:
        """Read a vector, with its last axis broadcast to [..., dim]."""
        value = tf.convert_to_tensor(parameter)
        dim = self.event_shape[-1:]
        if value.shape.rank and dim.is_fully_defined() and value.shape[-1:] == dim:
            return value
        shape = ps.broadcast_shape(ps.shape(value), self.event_shape_tensor()[-1:])
        return tf.broadcast_to(value, shape)

    def _at_every_step(self, vector: tf.Tensor) -> tf.Tensor:
        """A vector [..., dim] repeated over time, with all of the shape that can be told."""
        path = tf.broadcast_to(vector[..., tf.newaxis, :], self._path_shape())
        path.set_shape(self.batch_shape.concatenate(self.event_shape))
        return path

    def _checked_path(self, name: str, path: tf.Tensor) -> tf.Tensor:
        """A tensor of the right dtype, and of the right shape as far as that is known."""
        path = tf.convert_to_tensor(path, dtype_hint=self.dtype, name=name)
        if path.dtype != self.dtype:
            raise TypeError(f"{name} must be {self.dtype.name}, got {path.dtype.name}")
        check_event_shape(name, path.shape, self.event_shape)
        return path
