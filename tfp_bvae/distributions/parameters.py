"""Checks of the parameters of distributions, on the values and shapes that are known."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_probability.python.internal import dtype_util, tensor_util

from tfp_bvae import checks


def float_parameters(**values: Any) -> dict[str, tf.Tensor]:
    """Parameters as tensors of one floating dtype; variables stay, so that they can train."""
    names = " and ".join(values)
    try:
        dtype = tf.as_dtype(dtype_util.common_dtype(list(values.values()), dtype_hint=tf.float32))
    except TypeError as error:
        raise TypeError(f"{names} must be of one dtype: {error}") from None
    if not dtype.is_floating:
        raise TypeError(f"{names} must be floating point, got {dtype.name}")
    return {
        name: tensor_util.convert_nonref_to_tensor(value, dtype=dtype, name=name)
        for name, value in values.items()
    }


def check_event_shape(name: str, shape: tf.TensorShape, event_shape: tf.TensorShape) -> None:
    """The last axes must be [time, dim], as far as they are known."""
    if shape.rank is None:
        return
    if shape.rank < 2 or not shape[-2:].is_compatible_with(event_shape):
        wanted = ", ".join(str(size) for size in event_shape.as_list())
        raise ValueError(f"{name} must have shape [..., {wanted}], got {shape.as_list()}")


def check_shapes(values: dict[str, tf.Tensor], triangles: Collection[str]) -> None:
    """Parameters must broadcast, and one of them must have the axis dim.

    Of a Cholesky factor one column counts; it sets dim, and vectors broadcast against it.
    """
    listed = ", ".join(f"{name} {value.shape}" for name, value in values.items())
    for name in triangles:
        shape = values[name].shape
        if shape.rank is not None and (
            shape.rank < 2 or not shape[-1:].is_compatible_with(shape[-2:-1])
        ):
            raise ValueError(f"{name} must have shape [..., dim, dim], got {listed}")
    columns = {n: v.shape[:-1] if n in triangles else v.shape for n, v in values.items()}
    try:
        joint = functools.reduce(tf.broadcast_static_shape, columns.values())
    except ValueError:
        raise ValueError(f"parameters must broadcast to [..., dim], got {listed}") from None
    if joint.rank == 0:
        raise ValueError(f"one parameter must have shape [..., dim], got {listed}")
    for name in triangles:
        if joint.rank and not columns[name][-1:].is_compatible_with(joint[-1:]):
            raise ValueError(f"{name} must be as wide as the other parameters, got {listed}")


def check_triangle(name: str, value: tf.Tensor) -> None:
    """A Cholesky factor that is known must be zero above the diagonal, and positive on it."""
    known = None if tensor_util.is_ref(value) else tf.get_static_value(value)
    if known is None or known.ndim < 2 or known.shape[-1] != known.shape[-2]:
        return
    if np.any(np.triu(known, 1)) or not np.all(np.isfinite(known)):
        raise ValueError(f"{name} must be finite, and 0 above its diagonal, got {known.tolist()}")
    check_positive(f"the diagonal of {name}", tf.linalg.diag_part(value))


def check_positive(name: str, value: tf.Tensor) -> None:
    """Values that are known must be finite and above zero; variables may change, so are let be."""
    known = None if tensor_util.is_ref(value) else tf.get_static_value(value)
    if known is not None and not np.all(np.isfinite(known) & (known > 0)):
        wrong = known[~(np.isfinite(known) & (known > 0))].flat[0]
        raise ValueError(f"{name} must be finite and above 0, got {wrong}")


def runtime_positive(is_init: bool, **values: tf.Tensor) -> list[tf.Operation]:
    """Assertions that values are above zero: tensors now, variables whenever they are read."""
    return [
        tf.debugging.assert_positive(value, message=f"{name} must be above 0")
        for name, value in values.items()
        if is_init != tensor_util.is_ref(value)
    ]


def known_length(num_timesteps: int | tf.Tensor) -> int | tf.Tensor:
    """A number of steps as an int where it is known, else as the tensor it came as."""
    if num_timesteps is None or isinstance(num_timesteps, str | numbers.Real):
        return checks.whole_number("num_timesteps", num_timesteps, minimum=1)
    steps = tf.convert_to_tensor(num_timesteps, name="num_timesteps")
    if not steps.dtype.is_integer or steps.shape.rank not in (0, None):
        came = f"{steps.dtype.name} of shape {steps.shape}"
        raise TypeError(f"num_timesteps must be a whole number or an integer tensor [], got {came}")
    known = tf.get_static_value(steps)
    if known is not None:
        return checks.whole_number("num_timesteps", int(known), minimum=1)
    return tf.cast(steps, tf.int32)
