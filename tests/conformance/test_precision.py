"""The same weights give the same results in every precision, as far as it goes."""

import contextlib
import functools

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo import FEW_MODELS, LAYERS, OTHER_MODELS
from zoo_graphs import example, graph, lesson, shared, tensors

# Of the largest value; a float of 16 bits keeps 8 or 11 bits of a number
TOLERANCE = {"float64": 1e-5, "mixed_bfloat16": 0.1, "mixed_float16": 0.02}


@contextlib.contextmanager
def policy(name):
    tf_keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")


@functools.cache
def in_precision(name, precision):
    with policy(precision):
        model = graph(name)
    for weight, value in zip(model.weights, shared(name).weights, strict=True):
        weight.assign(tf.cast(value, weight.dtype))
    inputs = tf.nest.map_structure(
        lambda x: x.astype("float64") if precision == "float64" and x.dtype.kind == "f" else x,
        example(name),
    )
    return model, inputs


CASES = [(name, precision) for name in LAYERS for precision in ("float64", "mixed_bfloat16")]
CASES += [
    (name, "mixed_float16")
    for name in ("ClippedGRU", "GaussianLikelihood", "KLDivergence, path", "LFADSDecoder")
]
CASES += [
    (name, precision)
    for name in [*FEW_MODELS, *OTHER_MODELS]
    for precision in ("float64", "mixed_bfloat16")
]


# a draw in another precision is another draw
@pytest.mark.parametrize(
    "name, precision", [case for case in CASES if case[0] != "AR1Prior, sampled"]
)
def test_results_agree_with_single_precision(name, precision):
    model, inputs = in_precision(name, precision)
    found, expected = tensors(model(inputs)), tensors(shared(name)(example(name)))
    for a, b in zip(found, expected, strict=True):
        assert np.abs(a - b).max() <= TOLERANCE[precision] * max(1.0, np.abs(b).max())
    for a, b in zip(model.losses, shared(name).losses, strict=True):
        np.testing.assert_allclose(float(a), float(b), rtol=TOLERANCE[precision])


@pytest.mark.parametrize("name, precision", CASES)
def test_training_is_finite_and_of_the_dtypes_promised(name, precision):
    model, inputs = in_precision(name, precision)
    wanted = tf_keras.mixed_precision.Policy(precision)
    with tf.GradientTape() as tape:
        loss = lesson(model, inputs)
    assert np.isfinite(loss)
    for weight, gradient in zip(
        model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True
    ):
        assert gradient.dtype == weight.dtype == wanted.variable_dtype
        assert np.isfinite(gradient).all(), weight.name
    for output in tf.nest.flatten(model(inputs, training=True)):
        assert tf.convert_to_tensor(output).dtype == wanted.compute_dtype
        if hasattr(output, "log_prob"):
            assert output.dtype == wanted.variable_dtype  # densities are in full precision
