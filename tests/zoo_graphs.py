"""Specimens of the zoo as functional models, and what laws ask of them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from zoo import BATCH, STEPS, ZOO, Model


def symbols(arrays: Any) -> Any:
    """Keras inputs of the shape of these arrays, batch and time unknown."""

    def symbol(array):
        channels = list(array.shape[-1:]) if array.ndim > 1 else []
        dtype = array.dtype.name if array.dtype.kind == "i" else None
        return tf_keras.Input([None] * (array.ndim - 2) + channels, dtype=dtype)

    return tf.nest.map_structure(symbol, arrays)


def graph(name: str) -> tf_keras.Model:
    """A functional model of the layer in its surroundings; a model as it is."""
    specimen = ZOO[name]
    if isinstance(specimen, Model):
        return specimen.make()
    inputs = symbols(example(name))
    return tf_keras.Model(inputs, specimen.wire(specimen.make(), inputs))


@functools.cache
def shared(name: str) -> tf_keras.Model:
    """One graph for all tests that leave its weights (but for noise streams) as they are."""
    model = graph(name)
    disturb(model)
    return model


def example(name: str) -> Any:
    """Inputs of the standard size."""
    return ZOO[name].inputs(BATCH, STEPS)


def disturb(model: tf_keras.Model, seed: int = 0) -> None:
    """Moves every weight that is a real number off its initial value, the same for each dtype."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.is_floating:
            weight.assign(weight + tf.cast(0.2 * rng.uniform(size=weight.shape), weight.dtype))


def tensors(outputs: Any) -> list[np.ndarray]:
    """All outputs as arrays in double precision; distributions as the tensors they stand for."""
    flat = tf.nest.flatten(outputs)
    return [tf.cast(tf.convert_to_tensor(x), tf.float64).numpy() for x in flat]


def lesson(model: tf_keras.Model, inputs: Any, training: bool = True) -> tf.Tensor:
    """A scalar that depends on all that the outputs hold, and on the losses within the model."""
    terms = [tf.cast(0.0, tf.float64)]
    for output in tf.nest.flatten(model(inputs, training=training)):
        value = tf.cast(tf.convert_to_tensor(output), tf.float64)
        if hasattr(output, "log_prob"):
            other = tf.stop_gradient(tf.cast(1.3 * value + 0.1, output.dtype))
            value = tf.cast(output.log_prob(other), tf.float64)
        weights = tf.cos(tf.range(tf.size(value), delta=1.0))
        terms.append(tf.reduce_sum(tf.reshape(value, [-1]) * tf.cast(weights, tf.float64)))
    return tf.add_n(terms + [tf.cast(loss, tf.float64) for loss in model.losses])
