"""Scores that leave out what is not known, against the same scores of what is."""

import numpy as np
import pytest

from tfp_bvae.metrics import (
    RunningR2,
    cross_probes,
    fit_ridge,
    r2_per_channel,
    rate_r2,
    ridge_r2,
)


@pytest.fixture
def pair(rng):
    true = rng.normal(size=(6, 10, 3))
    predicted = true + 0.3 * rng.normal(size=true.shape)
    true[rng.random(true.shape) < 0.3] = np.nan
    predicted[np.isnan(true)] = np.nan
    return predicted, true


def test_r2_is_that_of_the_values_that_are_known(pair):
    predicted, true = pair
    expected = []
    for channel in range(3):
        known = ~np.isnan(true[..., channel])
        of_it = predicted[known][:, [channel]], true[known][:, [channel]]
        expected.append(r2_per_channel(*of_it)[0])
    np.testing.assert_allclose(r2_per_channel(predicted, true), expected, rtol=1e-10)
    running = RunningR2()
    for rows in (slice(0, 1), slice(1, 4), slice(4, 6)):
        running.add(predicted[rows], true[rows])
    np.testing.assert_allclose(running.result(), expected, rtol=1e-10)
    np.testing.assert_allclose(rate_r2(predicted, true), np.mean(expected), rtol=1e-10)


def test_a_channel_of_which_nothing_is_known_is_left_out_of_the_mean(pair):
    predicted, true = pair
    true[..., 1] = np.nan
    found = r2_per_channel(predicted, true)
    assert np.isnan(found[1]) and np.isfinite(found[[0, 2]]).all()
    np.testing.assert_allclose(rate_r2(predicted, true), found[[0, 2]].mean(), rtol=1e-10)
    with pytest.raises(ValueError, match="true must hold values that are known, got only NaN"):
        r2_per_channel(predicted, true * np.nan)


def test_what_is_predicted_must_be_finite_where_it_is_compared(pair):
    predicted, true = pair
    predicted[np.flatnonzero(~np.isnan(true).any(axis=(1, 2)))[:1]] = np.nan
    true[0, 0, 0], predicted[0, 0, 0] = 1.0, np.nan
    with pytest.raises(ValueError, match="predicted must be finite"):
        r2_per_channel(predicted, true)


def test_ridge_is_fitted_to_the_bins_that_are_known_of_each_output(rng):
    x = rng.normal(size=(20, 8, 3))
    y = x @ rng.normal(size=(3, 2)) + 0.1 * rng.normal(size=(20, 8, 2))
    y[:, 5:, 1] = np.nan  # one output ends earlier
    both = fit_ridge(x, y)
    first, second = fit_ridge(x, y[..., :1]), fit_ridge(x[:, :5], y[:, :5, 1:])
    np.testing.assert_allclose(both.coef[:, :1], first.coef, rtol=1e-10)
    np.testing.assert_allclose(both.coef[:, 1:], second.coef, rtol=1e-10)
    x[:, 6:] = np.nan  # and so do the trials
    found = ridge_r2(x[:15], y[:15], x[15:], y[15:])
    short = ridge_r2(x[:15, :6], y[:15, :6], x[15:, :6], y[15:, :6])
    np.testing.assert_allclose(found, short, rtol=1e-10)
    y[1:, :, 1] = np.nan
    with pytest.raises(ValueError, match="an output that is known in 1 of 20 trials"):
        fit_ridge(x, y)


def test_probes_take_trials_of_unequal_length(rng):
    static, path = np.arange(30) % 2, rng.normal(size=(30, 6, 1))
    path[::3, 4:] = np.nan
    probes = cross_probes(np.eye(2)[static], path, static, path, permutations=2)
    assert probes.f_static.score == 1.0 and probes.z_dynamic.score > 0.99
    path[3] = np.nan
    with pytest.raises(ValueError, match="z must hold values in every trial"):
        cross_probes(np.eye(2)[static], path, static, path, permutations=2)
