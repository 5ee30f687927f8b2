"""Simple methods see nothing that they are scored on, and find what is there to find."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import minimize

from tfp_bvae import metrics
from tfp_bvae.metrics.latent_floor import has_elephant


@pytest.fixture
def shared(rng):
    """Counts of 8 channels that share one slow signal: 60 training and 20 other trials."""
    phase = rng.uniform(0, 2 * np.pi, size=(80, 1, 1))
    signal = np.sin(np.linspace(0, 6, 30)[:, np.newaxis] + phase)
    rates = np.exp(0.8 + 0.9 * signal * np.array([1, -1, 1, -1, 1, -1, 1, -1]))
    return rng.poisson(rates).astype(float), rates


def hidden(counts, scored, condition=None):
    bins, channels = counts.shape[1], counts.shape[2]
    return metrics.Hidden(
        np.where(scored[:, :bins, :channels], np.nan, counts), counts, scored, condition
    )


def test_methods_that_share_beat_the_mean_response(shared, rng):
    counts, rates = shared
    scored = rng.random(counts.shape) < 0.2
    sides = [hidden(counts[rows], scored[rows]) for rows in (slice(60), slice(60, None))]
    found = {f.name.split(",")[0]: f.score for f in metrics.floor_scores(*sides, bin_width=0.02)}
    truth = metrics.bits_per_spike(rates[60:], sides[1].wanted)
    assert found["mean response"] < 0.05 < found["ridge on smoothed counts"]
    assert found["ridge on smoothed counts"] <= found["Poisson GLM on smoothed counts"] < truth
    assert (found["GPFA"] is None) != has_elephant()


def test_no_method_sees_what_it_is_scored_on(shared, rng):
    """Other counts at the hidden entries change no prediction, only the score of it."""
    counts, _ = shared
    scored = rng.random(counts.shape) < 0.2
    train = hidden(counts[:60], scored[:60])
    noise = np.where(scored, rng.poisson(3.0, counts.shape), counts)
    seen = [hidden(x[60:], scored[60:]).seen for x in (counts, noise)]
    np.testing.assert_array_equal(*seen)
    pure = rng.poisson(2.0, (60, 30, 5)).astype(float)  # nothing to be found but by a leak
    mask = rng.random(pure.shape) < 0.2
    for floor in metrics.floor_scores(
        hidden(pure[:40], mask[:40]), hidden(pure[40:], mask[40:]), 0.02
    ):
        assert floor.score is None or floor.score < 0.01, floor
    assert train.wanted.shape == counts[:60].shape


def test_what_is_scored_must_not_be_seen():
    counts = np.ones((3, 4, 2))
    with pytest.raises(ValueError, match="seen must be NaN where scored, got 24 numbers there"):
        metrics.Hidden(counts, counts, np.ones(counts.shape, bool))
    with pytest.raises(ValueError, match="scored must name an entry that was measured"):
        metrics.Hidden(counts, counts, np.zeros(counts.shape, bool))


def test_held_out_channels_and_later_bins(shared):
    counts, _ = shared
    scored = np.zeros(counts.shape, bool)
    scored[:, :, 6:] = scored[:, 25:] = True
    sides = [
        metrics.Hidden(counts[rows, :25, :6], counts[rows], scored[rows])
        for rows in (slice(60), slice(60, None))
    ]
    found = metrics.floor_scores(*sides, bin_width=0.02)
    assert found[0].score < 0.05 < found[1].score < found[2].score


def test_gaussian_data_are_scored_by_their_density(shared, rng):
    _, rates = shared
    values = np.log(rates) + 0.1 * rng.normal(size=rates.shape)
    scored = rng.random(values.shape) < 0.2
    sides = [hidden(values[rows], scored[rows]) for rows in (slice(60), slice(60, None))]
    mean, ridge, *_ = metrics.floor_scores(*sides, bin_width=0.02, counts=False)
    wanted = sides[1].wanted
    by_hand = -np.log(np.nanstd(wanted)) - 0.5 * np.log(2 * np.pi) - 0.5
    assert mean.score == pytest.approx(by_hand, abs=0.1)
    assert ridge.score > mean.score + 0.5


def test_conditions_help_who_is_told_them(rng):
    condition = np.arange(80) % 4
    rates = np.exp(rng.normal(0.5, 0.6, size=(4, 20, 6)))[condition]
    counts, scored = rng.poisson(rates).astype(float), rng.random(rates.shape) < 0.2
    train, valid = (
        hidden(counts[r], scored[r], condition[r]) for r in (slice(60), slice(60, None))
    )
    mean, told, *_ = metrics.floor_scores(train, valid, bin_width=0.02, glm=False)
    assert told.name == "mean response per condition (told the condition)"
    assert told.score > mean.score + 0.05


def test_missing_bins_and_padding_are_left_out(shared, rng):
    counts, _ = shared
    scored = rng.random(counts.shape) < 0.2
    counts = counts.copy()
    counts[::3, 20:] = np.nan
    counts[::5, 3:6, 2] = np.nan
    sides = [hidden(counts[rows], scored[rows]) for rows in (slice(60), slice(60, None))]
    found = metrics.floor_scores(*sides, bin_width=0.02)
    assert all(np.isfinite(floor.score) for floor in found if floor.score is not None)
    assert found[0].score < 0.05 < found[1].score


def test_smoothing_of_what_was_observed(rng):
    counts = rng.poisson(2.0, (2, 20, 3)).astype(float)
    expected = gaussian_filter1d(counts, 1.5, axis=1, mode="reflect")
    np.testing.assert_allclose(metrics.smooth_observed(counts, 1.5), expected)
    counts[0, 4, 1] = np.nan
    weights = gaussian_filter1d(np.eye(20), 1.5, axis=0, mode="reflect")[:, :]
    seen = np.isfinite(counts[0, :, 1])
    slow = [(w[seen] @ counts[0, seen, 1]) / w[seen].sum() for w in weights]
    np.testing.assert_allclose(metrics.smooth_observed(counts, 1.5)[0, :, 1], slow)


def test_ridge_with_gaps_is_ridge_of_what_is_known(rng):
    """Where one penalty is as good as another, it is least squares over the known entries."""
    x = rng.normal(size=(30, 10, 3))
    y = x @ rng.normal(size=(3, 2)) + 5.0
    y[rng.random(y.shape) < 0.3] = np.nan
    new = rng.normal(size=(4, 10, 3))
    found = metrics.ridge_read_out(x, y, new)
    for channel in range(2):
        known = np.isfinite(y[..., channel])
        design = np.concatenate([x[known], np.ones((known.sum(), 1))], axis=-1)
        weights = np.linalg.lstsq(design, y[known, channel], rcond=None)[0]
        np.testing.assert_allclose(found[..., channel], new @ weights[:3] + weights[3], atol=1e-3)


def test_ridge_without_gaps_is_fit_ridge(rng):
    x, y, new = rng.normal(size=(20, 5, 3)), rng.normal(size=(20, 5, 2)), rng.normal(size=(3, 5, 3))
    np.testing.assert_array_equal(
        metrics.ridge_read_out(x, y, new), metrics.fit_ridge(x, y).predict(new)
    )


def test_the_glm_minimises_what_it_says(rng):
    x = rng.normal(size=(20, 30, 2))
    y = rng.poisson(np.exp(0.3 + x @ [[0.5], [-0.4]])).astype(float)
    y[::2, ::2] = np.nan
    found = metrics.poisson_read_out(x, y, x, alphas=(0.1,))
    known = np.isfinite(y[..., 0])
    z = (x[known] - x[known].mean(0)) / x[known].std(0)

    def objective(w):
        eta = w[2] + z @ w[:2]
        return np.mean(np.exp(eta) - y[known, 0] * eta) + 0.05 * w[:2] @ w[:2]

    best = minimize(objective, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(found[known, 0], np.exp(best[2] + z @ best[:2]), rtol=1e-4)


def test_one_penalty_for_all_is_near_to_that_of_each(shared):
    counts, _ = shared
    x = metrics.smooth_observed(counts[..., :6], 1.0)
    parts = [
        metrics.poisson_read_out(x[:60], counts[:60, :, 6:], x[60:], own_penalties=own, folds=3)
        for own in (True, False)
    ]
    scores = [metrics.bits_per_spike(rates, counts[60:, :, 6:]) for rates in parts]
    assert scores[0] == pytest.approx(scores[1], abs=0.005)


@pytest.mark.skipif(not has_elephant(), reason="elephant is not installed")
def test_gpfa_finds_the_shared_signal(shared):
    counts, rates = shared
    train, valid = metrics.latent_floor.gpfa_latents(counts[:60], counts[60:], 0.02, 1)
    assert train.shape == (60, 30, 1)
    found = np.corrcoef(valid.ravel(), np.log(rates[60:, :, 0]).ravel())[0, 1]
    assert abs(found) > 0.9
