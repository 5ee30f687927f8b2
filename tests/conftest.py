"""What every test gets: the same random numbers on every run."""

import random
import sys

import numpy as np
import pytest


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
