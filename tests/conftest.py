"""What every test gets: the same random numbers on every run."""

import gc
import random
import sys

import numpy as np
import pytest

# Graphs and compiled functions are millions of objects, which live as long as their test file;
# to look through all of them as often as Python does by default takes a tenth of the time.
gc.set_threshold(100_000, 20, 20)


LONG = ("training", "cli", "models")  # folders whose files take minutes


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that no worker sits over it while the other is done."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)


@pytest.fixture(autouse=True)
def seeds():
    """Seed Python, numpy and, if the test module has imported it, TensorFlow."""
    random.seed(0)
    np.random.seed(0)
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        tensorflow.random.set_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator for a test to draw its data from."""
    return np.random.default_rng(0)


TINY_LFADS = {
    "f_size": 4,
    "f_encoder_units": 6,
    "z_size": 1,
    "z_encoder_units": 5,
    "controller_units": 5,
    "generator_units": 8,
    "factors": 3,
}


@pytest.fixture(scope="session")
def dataset():
    """Lorenz, small: 32 training and 8 validation trials of 10 bins and 6 channels."""
    from tfp_bvae import data

    return data.synthetic.lorenz(
        seed=0, num_conditions=4, num_channels=6, num_trials=10, num_valid=2, duration_ms=200
    )


@pytest.fixture
def make_model():
    """A function that builds a tiny LFADS, the same each time; keywords are further settings."""
    from tfp_bvae import models

    def make(arguments=None, **params):
        return models.lfads({"channels": 6, "seed": 3} | (arguments or {}), TINY_LFADS | params)

    return make
