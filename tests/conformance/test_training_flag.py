"""Samples and masks in training, means and whole inputs at inference, and what overrides that."""

import numpy as np
import pytest
from zoo import LAYERS, MOST, ZOO
from zoo_graphs import example, shared, tensors

from tfp_bvae import layers, rnn

FREE = [name for name in MOST if ZOO[name].random == "in training"]
DISTRIBUTIONS = {
    "AR1Prior": lambda **how: layers.AR1Prior(2, **how),
    "GaussianLikelihood": lambda **how: layers.GaussianLikelihood(**how),
    "LearnableMVNPrior": lambda **how: layers.LearnableMVNPrior(2, **how),
    "MVNDiagPosterior": lambda **how: layers.MVNDiagPosterior(2, **how),
    "MVNTriLPosterior": lambda **how: layers.MVNTriLPosterior(2, **how),
    "NegativeBinomialLikelihood": lambda **how: layers.NegativeBinomialLikelihood(**how),
    "PoissonLikelihood": lambda **how: layers.PoissonLikelihood(**how),
    "TiledMVNPrior": lambda **how: layers.TiledMVNPrior(2, **how),
    "ZeroInflatedPoissonLikelihood": lambda **how: layers.ZeroInflatedPoissonLikelihood(**how),
}


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def twice(name, training):
    model, inputs = shared(name), example(name)
    return [tensors(model(inputs, training=training)) for _ in range(2)]


@pytest.mark.parametrize("name", MOST)
def test_two_calls_at_inference_agree(name):
    assert same(*twice(name, training=False)) == (ZOO[name].random != "always")


@pytest.mark.parametrize("name", MOST)
def test_two_calls_in_training_agree_only_where_nothing_is_drawn(name):
    assert same(*twice(name, training=True)) == (ZOO[name].random == "never")


@pytest.mark.parametrize("name", FREE)
def test_samples_at_inference_on_request(name):
    only_masks = "Dropout" in name or name.startswith("Generator")
    model, inputs = shared(name), example(name)
    with rnn.posterior_values("sample"):
        drawn = [tensors(model(inputs, training=False)) for _ in range(2)]
    assert same(*drawn) == only_masks


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_value_mean_and_value_sample_go_before_flag_and_context(name):
    inputs = shared_inputs(name)
    mean = DISTRIBUTIONS[name](value="mean")
    sample = DISTRIBUTIONS[name](value="sample")
    for training in (True, False):
        for context in ("auto", "mean", "sample"):
            with rnn.posterior_values(context):
                distribution = mean(inputs, training=training)
                assert same(tensors(distribution), tensors(distribution.mean()))
                draws = [tensors(sample(inputs, training=training)) for _ in range(2)]
                assert not same(*draws)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_value_auto_follows_the_flag_unless_the_context_says_otherwise(name):
    inputs, auto = shared_inputs(name), DISTRIBUTIONS[name](value="auto")

    def is_mean(training):
        distribution = auto(inputs, training=training)
        return same(tensors(distribution), tensors(distribution.mean()))

    assert is_mean(False) and not is_mean(True)
    with rnn.posterior_values("mean"):
        assert is_mean(False) and is_mean(True)
    with rnn.posterior_values("sample"):
        assert not is_mean(False) and not is_mean(True)
        with rnn.posterior_values("auto"):
            assert is_mean(False) and not is_mean(True)
    assert is_mean(False) and not is_mean(True)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_all_who_read_a_distribution_see_one_draw(name):
    distribution = DISTRIBUTIONS[name](value="sample")(shared_inputs(name))
    assert same(tensors(distribution), tensors(distribution))


def shared_inputs(name):
    return LAYERS[name].inputs(3, 6)
