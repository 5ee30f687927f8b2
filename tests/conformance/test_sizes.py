"""Batch and time may be unknown when a layer is built, and differ from call to call."""

import pytest
import tensorflow as tf
from zoo import MOST, ZOO
from zoo_graphs import shared


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("size", [(3, 6), (2, 9)], ids=str)
def test_shapes_of_what_comes_out(name, size):
    outputs = tf.nest.flatten(shared(name)(ZOO[name].inputs(*size)))
    assert [tuple(tf.convert_to_tensor(x).shape) for x in outputs] == ZOO[name].shapes(*size)


@pytest.mark.parametrize("name", ZOO)
def test_unknown_sizes_are_unknown_and_known_ones_known(name):
    two_sizes = ZOO[name].shapes(3, 6), ZOO[name].shapes(2, 9)
    static = tf.nest.flatten(shared(name).outputs)
    for symbol, *sizes in zip(static, *two_sizes, strict=True):
        expected = [a if a == b else None for a, b in zip(*sizes, strict=True)]
        assert symbol.shape.as_list() == expected


@pytest.mark.parametrize("name", MOST)
def test_one_trace_serves_every_size(name):
    model, traces = shared(name), []
    signature = tf.nest.map_structure(
        lambda symbol: tf.TensorSpec(symbol.shape, symbol.dtype), model.input
    )

    @tf.function(input_signature=[signature])
    def call(inputs):
        traces.append(1)
        return [tf.convert_to_tensor(x) for x in tf.nest.flatten(model(inputs, training=True))]

    for size in [(3, 6), (2, 9)]:
        assert [tuple(x.shape) for x in call(ZOO[name].inputs(*size))] == ZOO[name].shapes(*size)
    assert len(traces) == 1
