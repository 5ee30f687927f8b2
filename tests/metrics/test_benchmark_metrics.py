"""Scores of the Neural Latents Benchmark: worked by hand, and against scikit-learn and scipy.

That they are the numbers of nlb_tools itself is shown by `benchmarks/nlb_parity.py`.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import signal, stats
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

from tfp_bvae.metrics import (
    bits_per_spike,
    co_smoothing,
    forward_prediction,
    lag_behavior,
    psth,
    psth_r2,
    smooth_spikes,
    speed_correlation,
    velocity_lag_scores,
    velocity_r2,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_bits_of_unseen_channels_and_of_later_bins(rng):
    rates = rng.gamma(2.0, 0.5, size=(6, 10, 4))
    spikes = rng.poisson(rates).astype(float)
    spikes[1, 8] = np.nan
    held_out, forward = np.arange(4) >= 3, np.arange(10) >= 7
    alone = bits_per_spike(rates[:, :7, 3:], spikes[:, :7, 3:])
    assert co_smoothing(rates, spikes, held_out, forward) == alone
    assert co_smoothing(rates, spikes, held_out) == bits_per_spike(rates[..., 3:], spikes[..., 3:])
    assert forward_prediction(rates, spikes, forward) == bits_per_spike(rates[:, 7:], spikes[:, 7:])


def test_bits_by_hand():
    """Held-out counts 1 and 3 at rates 1 and 3, null rate 2; the third bin is not counted."""
    rates, spikes = np.array([[[7.0, 1], [7, 3], [7, 9]]]), np.array([[[0, 1], [0, 3], [0, 0]]])
    expected = (3 * math.log(3) - 4 * math.log(2)) / (4 * math.log(2))
    score = co_smoothing(rates, spikes, [False, True], [False, False, True])
    assert score == pytest.approx(expected)


@pytest.mark.parametrize(
    ("masks", "error", "message"),
    [
        ({"held_out": [0, 1]}, TypeError, "held_out must be boolean"),
        ({"held_out": [False, False]}, ValueError, "held_out must choose at least one"),
        ({"held_out": [True]}, ValueError, "same number of channels, got 2 and 1"),
        ({"held_out": [True, True], "forward": [True]}, ValueError, "same number of time bins"),
    ],
)
def test_masks_that_do_not_fit_are_named(masks, error, message):
    with pytest.raises(error, match=message):
        co_smoothing(np.ones((2, 3, 2)), np.ones((2, 3, 2)), **masks)


@pytest.mark.parametrize("scale", [0.1, 1.0, 2.5, 14.0])
def test_smoothing_is_the_convolution_of_scipy(rng, scale):
    spikes = rng.poisson(1.0, size=(2, 30, 3)).astype(float)
    size = max(1, int(6 * scale))
    window = signal.windows.gaussian(size, scale, sym=True)
    expected = np.apply_along_axis(signal.convolve, 1, spikes, window / window.sum(), "same")
    np.testing.assert_allclose(smooth_spikes(spikes, scale), expected, atol=1e-13)


def test_smoothing_does_not_cross_what_was_not_observed(rng):
    spikes = rng.poisson(2.0, size=(30, 2)).astype(float)
    spikes[10:13, 0] = np.nan
    smooth = smooth_spikes(spikes, 2.0)
    np.testing.assert_allclose(smooth[:10, :1], smooth_spikes(spikes[:10, :1], 2.0), atol=1e-14)
    np.testing.assert_allclose(smooth[13:, :1], smooth_spikes(spikes[13:, :1], 2.0), atol=1e-14)
    np.testing.assert_allclose(smooth[:, 1:], smooth_spikes(spikes[:, 1:], 2.0), atol=1e-14)
    assert np.isnan(smooth[10:13, 0]).all()
    with pytest.raises(ValueError, match="scale must be above 0"):
        smooth_spikes(spikes, 0.0)


def test_a_psth_is_the_mean_of_what_was_observed():
    spikes = np.array([[[1.0], [2.0]], [[3.0], [np.nan]], [[9.0], [9.0]], [[4.0], [np.nan]]])
    found = psth(spikes, np.array([0, 0, -1, 2]))
    np.testing.assert_array_equal(found[..., 0], [[2, 2], [np.nan] * 2, [4, np.nan]])


def test_psth_r2_by_hand():
    """Two conditions of two bins, the last bin of the second unknown.

    Means 2, 3 and 5 against 2, 4 and 6: residual 2, spread 8; the other channel is exact.
    """
    rates = np.array([[[1.0, 0], [2, 1]], [[3, 0], [4, 1]], [[5, 2], [100, 2]], [[50, 3], [9, 9]]])
    true = np.array([[[2.0, 0], [4, 1]], [[6, 2], [np.nan, 2]]])
    assert psth_r2(true, rates, [0, 0, 1, -1]) == pytest.approx((1 - 2 / 8 + 1) / 2)
    ragged = [np.array([0, 1]), np.array([2])]
    assert psth_r2(true, rates, ragged) == psth_r2(true, rates, [0, 0, 1, -1])
    as_stored = np.array([np.array([0, 1]), np.array([2])], dtype=object)
    assert psth_r2(true, rates, as_stored) == psth_r2(true, rates, ragged)


def test_psth_r2_moves_trials_back(rng):
    true = rng.normal(size=(2, 9, 3))
    true[:, :2] = true[:, -2:] = np.nan
    full = rng.normal(size=(5, 9, 3))
    jitter, condition = np.array([2, -1, 0, -2, 1]), np.array([0, 0, 1, 1, 1])
    moved = np.full_like(full, np.nan)
    for n, shift in enumerate(jitter):
        for t in range(9):
            if 0 <= t - shift < 9:
                moved[n, t] = full[n, t - shift]
    means = [moved[condition == row][:, 2:-2].mean(axis=0) for row in (0, 1)]
    expected = r2_score(true[:, 2:-2].reshape(-1, 3), np.concatenate(means))
    assert psth_r2(true, full, condition, jitter) == pytest.approx(expected, rel=1e-12)
    true[0, 0] = 0.0
    with pytest.raises(ValueError, match="predicted must be finite"):
        psth_r2(true, full, condition, jitter)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"condition": [0, 1]}, "condition must hold a whole number"),
        ({"condition": [0.0, 1.0, 1.0]}, "condition must hold a whole number"),
        ({"condition": [0, 1, 2]}, "condition must be of the 2 rows of true, got 3"),
        ({"condition": [-1, -1, -1]}, "at least one trial"),
        ({"condition": [[0], [3]]}, "condition must hold numbers of the 3 trials"),
        ({"rates": np.ones((3, 5, 2))}, "same number of time bins, got 4 and 5"),
        ({"rates": np.ones((3, 4, 1))}, "rates must have a last axis of size 2"),
        ({"jitter": [0.5, 0, 0]}, "jitter must hold a whole number for each of 3 trials"),
    ],
)
def test_psth_r2_names_what_is_wrong(change, message):
    given = {"true": np.ones((2, 4, 2)), "rates": np.ones((3, 4, 2)), "condition": [0, 1, 1]}
    with pytest.raises(ValueError, match=message):
        psth_r2(**given | change)


@pytest.fixture
def movement(rng):
    """Rates of a few factors in small units, and velocity of some of them, with gaps."""
    x = np.exp(0.3 * rng.normal(size=(30, 12, 4)) @ rng.normal(size=(4, 20))) * 0.05
    y = x[..., :2] / 0.05 + rng.normal(size=(30, 12, 2))
    y[3, :4] = y[25, 6:] = np.nan
    return x[:20], y[:20], x[20:], y[20:]


def sklearn_velocity(train_x, train_y, x, y):
    """As nlb_tools has it."""
    rows = [~np.isnan(v[..., 0]) for v in (train_y, y)]
    decoder = GridSearchCV(Ridge(), {"alpha": np.logspace(-4, 0, 9)})
    decoder.fit(train_x[rows[0]], train_y[rows[0]])
    return decoder.score(x[rows[1]], y[rows[1]]), decoder


def test_velocity_is_decoded_as_scikit_learn_does(movement):
    expected, decoder = sklearn_velocity(*movement)
    assert velocity_r2(*movement) == pytest.approx(expected, rel=1e-10)
    assert 1e-4 < decoder.best_params_["alpha"] < 1  # at an end this would test little


def test_each_mask_has_a_decoder(movement):
    train_x, train_y, x, y = movement
    fitted, scored = np.arange(20) % 3 == 0, np.arange(10) < 4
    parts = [
        sklearn_velocity(train_x[a], train_y[a], x[b], y[b])[0]
        for a, b in ((fitted, scored), (~fitted, ~scored))
    ]
    masks = [np.stack([mask, ~mask], axis=1) for mask in (fitted, scored)]
    assert velocity_r2(*movement, *masks) == pytest.approx(np.mean(parts), rel=1e-10)


def test_a_lag_is_chosen_inside_the_training_trials(rng):
    rates = rng.normal(size=(20, 15, 3))
    later = np.concatenate([rng.normal(size=(20, 3, 3)), rates[:, :-3]], axis=1)  # of 3 bins before
    scores = velocity_lag_scores(rates, later, range(-1, 6))
    assert scores.argmax() == 4
    lagged = lag_behavior(later, 3)
    np.testing.assert_array_equal(lagged[:, :-3], rates[:, :-3])
    assert np.isnan(lagged[:, -3:]).all()
    grid = velocity_lag_scores(rates, later, [3])
    decoder = sklearn_velocity(rates, lagged, rates, lagged)[1]
    assert grid[0] == pytest.approx(decoder.best_score_, rel=1e-10)
    assert np.isnan(lag_behavior(later, 40)).all()
    np.testing.assert_array_equal(lag_behavior(later, -2)[:, 2:], later[:, :-2])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"train_rates": np.ones((20, 12))}, ValueError, "train_rates must have 3 axes"),
        ({"eval_rates": np.ones((10, 12, 3))}, ValueError, "eval_rates must have a last axis"),
        ({"eval_velocity": np.ones((9, 12, 2))}, ValueError, "same number of trials"),
        ({"train_velocity": np.full((20, 12, 2), np.nan)}, ValueError, "at least one bin"),
        ({"train_rates": np.full((20, 12, 20), np.nan)}, ValueError, "train_rates must be finite"),
        ({"train_mask": np.ones((20, 1))}, TypeError, "train_mask must be boolean"),
        ({"train_mask": np.full((19, 1), True)}, ValueError, "same number of trials"),
        ({"train_mask": np.full((20, 2), True)}, ValueError, "same number of decoders"),
    ],
)
def test_velocity_names_what_is_wrong(movement, change, error, message):
    names = ("train_rates", "train_velocity", "eval_rates", "eval_velocity")
    with pytest.raises(error, match=message):
        velocity_r2(**dict(zip(names, movement, strict=True)) | change)


def test_speed_goes_with_the_interval_within_conditions(rng):
    rates, produced = rng.normal(size=(12, 9, 3)), rng.random(12)
    condition = np.stack([np.arange(12) % 2, np.zeros(12)], axis=1)
    condition[4] = np.nan
    observed = np.arange(9) >= rng.integers(0, 5, size=(12, 1))
    expected = []
    for label in (0, 1):
        trials = [n for n in range(12) if condition[n, 0] == label]
        speeds = []
        for n in trials:
            path = rates[n][observed[n]]
            steps = [math.dist(a, b) for a, b in itertools.pairwise(path)]
            speeds.append(sum(steps) / len(steps))
        expected.append(stats.pearsonr(speeds, produced[trials])[0])
    found = speed_correlation(rates, produced, condition, observed)
    assert found == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"condition": [0, 0, 1]}, r"condition \[1.0\] must have trials"),
        ({"condition": [np.nan] * 3}, "condition must be known"),
        ({"observed": np.ones((3, 4))}, "observed must be boolean"),
        ({"observed": np.arange(12).reshape(3, 4) > 10}, "at least two bins of each trial"),
        ({"produced": [0.5, 0.6]}, "same number of trials"),
    ],
)
def test_speed_names_what_is_wrong(rng, change, message):
    given = {
        "rates": rng.normal(size=(3, 4, 2)),
        "produced": [0.5, 0.6, 0.7],
        "condition": [0, 0, 0],
        "observed": np.full((3, 4), True),
    }
    with pytest.raises(ValueError, match=message):
        speed_correlation(**given | change)
