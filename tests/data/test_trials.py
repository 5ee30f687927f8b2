import numpy as np
import pytest

from tfp_bvae.data import stratified_split, trials_from_events


def test_trials_against_a_loop():
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 9, size=(500, 4))
    events = np.sort(rng.uniform(2, 20, size=15))
    trials, kept = trials_from_events(samples, events, (-0.2, 1.4), 0.05, start=0.5)
    assert trials.shape == (15, 32, 4) and trials.dtype == samples.dtype
    np.testing.assert_array_equal(kept, np.arange(15))
    edges = 0.5 + 0.05 * np.arange(500)
    for trial, event in zip(trials, events, strict=True):
        first = np.flatnonzero(edges <= event - 0.2)[-1]
        np.testing.assert_array_equal(trial, samples[first : first + 32])


@pytest.mark.parametrize("bin_width", [0.1, 0.05, 0.02, 0.001, 1 / 3])
def test_an_event_on_an_edge_is_not_moved_by_rounding(bin_width):
    samples = np.arange(2000)[:, None]
    wanted = np.arange(3, 1900)
    trials, _ = trials_from_events(
        samples, wanted * bin_width, (-2 * bin_width, bin_width), bin_width
    )
    np.testing.assert_array_equal(trials[:, 0, 0], wanted - 2)


def test_windows_at_the_very_ends_fit():
    samples = np.arange(10)[:, None]
    trials, _ = trials_from_events(samples, [0.2, 0.8], (-0.2, 0.2), 0.1)
    np.testing.assert_array_equal(trials[..., 0], [[0, 1, 2, 3], [6, 7, 8, 9]])


@pytest.mark.parametrize("event", [0.1, 0.9, -5.0, 50.0, np.nan, np.inf])
def test_a_window_outside_raises_or_is_dropped(event):
    samples = np.arange(10)[:, None]
    with pytest.raises(ValueError, match="1 have not, the first is event 1"):
        trials_from_events(samples, [0.5, event], (-0.2, 0.2), 0.1)
    trials, kept = trials_from_events(samples, [0.5, event], (-0.2, 0.2), 0.1, outside="drop")
    assert trials.shape == (1, 4, 1) and kept.tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": np.zeros(10)}, "samples must have 2 axes"),
        ({"events": 0.5}, "events must have 1 axis"),
        ({"window": (-0.2, 0.25)}, "window must end a whole number of bins"),
        ({"window": (0.2, 0.2)}, "window must end a whole number of bins"),
        ({"bin_width": 0.0}, "bin_width must be above 0"),
        ({"outside": "ignore"}, "outside must be one of 'raise', 'drop'"),
    ],
)
def test_wrong_arguments_are_named(changes, message):
    arguments = {"samples": np.zeros((10, 1)), "events": [0.5], "window": (-0.2, 0.2)}
    with pytest.raises(ValueError, match=message):
        trials_from_events(**{**arguments, "bin_width": 0.1, **changes})


def test_split_draws_the_fraction_of_each_class():
    labels = np.repeat(["a", "b", "c", "d"], [50, 13, 12, 1])
    train, valid = stratified_split(labels, 0.2, seed=1)
    assert sorted([*train, *valid]) == list(range(76))
    assert [np.sum(labels[valid] == label) for label in "abcd"] == [10, 3, 2, 0]
    again = stratified_split(labels, 0.2, seed=1)
    np.testing.assert_array_equal(valid, again[1])
    assert not np.array_equal(valid, stratified_split(labels, 0.2, seed=2)[1])


def test_no_class_loses_all_its_training_trials():
    train, valid = stratified_split([0, 0, 1, 1], 0.9)
    assert len(train) == 2 and len(valid) == 2


@pytest.mark.parametrize(
    ("labels", "fraction", "message"),
    [
        ([1, 2, 3], 0.5, "at least one validation trial"),
        ([1, 1], 0.0, r"valid_fraction must be in \(0"),
        ([1, 1], 1.0, r"valid_fraction must be in \(0"),
        ([[1, 1]], 0.5, "labels must have 1 axis"),
    ],
)
def test_a_split_that_cannot_be(labels, fraction, message):
    with pytest.raises(ValueError, match=message):
        stratified_split(labels, fraction)
