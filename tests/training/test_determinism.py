"""The seed fixes initial weights, masks, samples and the order of trials, each by itself."""

import numpy as np
import pytest

from tfp_bvae.training import FitSettings
from tfp_bvae.training.fit import make_batches

TRAINED = {"coordinated_dropout": 0.3, "dropout": 0.2}


def initial_weights(model, dataset):
    return np.concatenate([weight.numpy().ravel() for weight in model.trainable_weights])


def masks(model, dataset):
    hidden = model.get_layer("coordinated_dropout")(dataset.train.encod[:4], training=True)
    return np.concatenate([np.ravel(part) for part in hidden])


def samples(model, dataset):
    for weight in model.trainable_weights:  # the same for all seeds
        weight.assign(np.full(weight.shape, 0.1))
    return np.ravel(model({"spikes": dataset.train.encod[:4]}, training=True).mean())


def order(model, dataset):
    batches, _ = make_batches(model, dataset.train, FitSettings.of({"batch_size": 8}))
    return np.concatenate([targets.ravel() for _, targets in (batches[i] for i in range(4))])


@pytest.mark.parametrize("of", [initial_weights, masks, samples, order])
def test_a_seed_gives_the_same_again_and_another_does_not(of, dataset, make_model):
    one, again, other = (of(make_model({"seed": seed}, **TRAINED), dataset) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert (one != other).mean() > 0.05
