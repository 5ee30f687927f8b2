"""Perturbations have no drift, and stay inside their bounds."""

import math
import random

import numpy as np
import pytest

from tfp_bvae.settings import SearchRange
from tfp_bvae.tuning.perturbation import draw, perturb

LOG = SearchRange(1e-4, 1e2, "log")
RATE = SearchRange(0.0, 0.6, "linear")


def perturbed(value, place, count, strength=0.5, seed=0):
    rng = random.Random(seed)
    return np.array([perturb({"x": value}, {"x": place}, strength, rng)["x"] for _ in range(count)])


def test_factors_have_a_geometric_mean_of_one():
    logs = np.log(perturbed(0.3, LOG, 20_000) / 0.3)
    assert abs(logs.mean()) < 4 * logs.std() / math.sqrt(len(logs))
    assert np.abs(logs).max() <= math.log(1.5) + 1e-12
    # what LFADS' PyTorch version does: 1 + U(-w, w), which falls by a factor of 0.96 at w = 0.5
    peer = np.log1p(np.random.default_rng(0).uniform(-0.5, 0.5, 20_000))
    assert peer.mean() < -10 * logs.std() / math.sqrt(len(logs))


def test_steps_of_a_rate_have_a_mean_of_zero():
    steps = perturbed(0.3, RATE, 20_000) - 0.3
    assert abs(steps.mean()) < 4 * steps.std() / math.sqrt(len(steps))


@pytest.mark.parametrize("place", [LOG, RATE, SearchRange(0.01, 0.02, "log")])
@pytest.mark.parametrize("strength", [0.1, 0.5, 9.0])
def test_values_stay_inside_their_bounds(place, strength):
    for value in (place.low, place.high):
        found = perturbed(value, place, 500, strength)
        assert place.low <= found.min() and found.max() <= place.high
        assert len(np.unique(found)) > 100  # nothing sticks to a bound


@pytest.mark.parametrize("place", [LOG, RATE])
def test_values_that_are_not_selected_stay_evenly_spread(place):
    """A chain of 200 perturbations per value: its end is as its start, uniform on its scale."""
    rng, ends = random.Random(1), []
    for _ in range(500):
        values = draw({"x": place}, rng)
        for _ in range(200):
            values = perturb(values, {"x": place}, 2.0, rng)
        ends.append(values["x"])
    at = np.log(ends) if place.scale == "log" else np.array(ends)
    low, high = (math.log(x) if place.scale == "log" else x for x in place[:2])
    counts, _ = np.histogram((at - low) / (high - low), bins=10, range=(0, 1))
    chi_squared = ((counts - 50) ** 2 / 50).sum()
    assert chi_squared < 27.9  # 0.999 of 9 degrees of freedom


def test_a_step_from_x_to_y_is_as_likely_as_one_from_y_to_x_beside_a_bound():
    """Reflection keeps that; drawing again, or clipping, would not."""
    x, y, width = 0.02, 0.10, 0.01
    there = np.mean(np.abs(perturbed(x, RATE, 40_000, 2.0, 1) - y) < width)
    back = np.mean(np.abs(perturbed(y, RATE, 40_000, 2.0, 2) - x) < width)
    error = math.sqrt((there + back) / 40_000)
    assert abs(there - back) < 4 * error


def test_only_what_has_a_range_changes_and_the_seed_decides_how():
    given = {"x": 0.3, "size": 40}
    first, again = (perturb(given, {"x": LOG}, 0.5, random.Random(3)) for _ in range(2))
    assert first == again and first["size"] == 40 and first["x"] != 0.3
    assert given == {"x": 0.3, "size": 40}


def test_a_range_of_one_value_keeps_it():
    assert perturbed(0.5, SearchRange(0.5, 0.5, "log"), 3).tolist() == [0.5] * 3


@pytest.mark.parametrize("value", [1e-5, 1e3, float("nan")])
def test_a_value_out_of_its_range_is_refused(value):
    with pytest.raises(ValueError, match="x must be"):
        perturb({"x": value}, {"x": LOG}, 0.5, random.Random(0))
