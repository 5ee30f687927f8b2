"""The same seed gives the same numbers, another one others."""

import numpy as np
import pytest
import tf_keras
from zoo import LAYERS, MOST, ZOO
from zoo_graphs import example, graph, shared, symbols, tensors

from tfp_bvae.rnn import posterior_values

SEEDED = [name for name in LAYERS if "seed" in LAYERS[name].make().get_config()]
STOCHASTIC = [name for name in MOST if ZOO[name].random != "never"]


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def streams(model):
    return [w.numpy() for w in model.weights if "seed_and_draws" in w.name]


@pytest.mark.parametrize("name", MOST)
def test_the_global_seed_fixes_weights_and_draws(name):
    results = []
    for seed in (3, 3):
        tf_keras.backend.clear_session()  # names, which set streams apart, count from one again
        tf_keras.utils.set_random_seed(seed)
        model = graph(name)
        results.append(tensors(model(example(name), training=True)))
    assert equal(*results)


@pytest.mark.parametrize("name", [name for name in SEEDED if LAYERS[name].random != "never"])
def test_a_layer_s_own_seed_fixes_its_draws(name):
    def draws(seed):
        layer = LAYERS[name].make()
        layer = type(layer).from_config(layer.get_config() | {"seed": seed, "name": "same"})
        inputs = symbols(example(name))
        tf_keras.utils.set_random_seed(0)  # initial weights
        model = tf_keras.Model(inputs, LAYERS[name].wire(layer, inputs))
        return tensors(model(example(name), training=True))

    assert equal(draws(5), draws(5))
    assert not equal(draws(5), draws(6))


@pytest.mark.parametrize("name", STOCHASTIC)
def test_a_seed_given_from_outside_fixes_all_draws_and_moves_no_stream(name):
    model, inputs = shared(name), example(name)

    def draws(seed):
        with posterior_values("sample", seed=seed):
            return tensors(model(inputs, training=True))

    before = streams(model)
    first = draws([1, 2])
    model(inputs, training=False)
    assert equal(first, draws([1, 2]))
    assert not equal(first, draws([1, 3]))
    if ZOO[name].random != "always":
        assert equal(before, streams(model))


@pytest.mark.parametrize("name", STOCHASTIC)
def test_streams_move_on_in_training_and_rest_at_inference(name):
    model, inputs = shared(name), example(name)
    before = streams(model)
    model(inputs, training=False)
    if ZOO[name].random != "always":
        assert equal(before, streams(model))
    model(inputs, training=True)
    assert before
    for old, new in zip(before, streams(model), strict=True):
        assert new[0] == old[0]  # the seed
        assert new[1] > old[1]


@pytest.mark.parametrize("name", [name for name in MOST if ZOO[name].random == "never"])
def test_what_draws_nothing_keeps_no_stream(name):
    if name == "Generator, autonomous":  # keeps one, though its dropout rate is zero
        return
    assert not streams(shared(name))
