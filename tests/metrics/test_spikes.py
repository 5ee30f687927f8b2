import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln
from sklearn.metrics import r2_score

from tfp_bvae.metrics import bits_per_spike, poisson_nll, r2_per_channel, rate_r2


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    rates = rng.gamma(2.0, 0.5, size=(6, 10, 4))
    return rates, rng.poisson(rates).astype(float)


def nlb_nll(rates, spikes):
    """`neg_log_likelihood` of nlb_tools, as published."""
    seen = ~np.isnan(spikes)
    rates, spikes = rates[seen], spikes[seen]
    rates = np.where(rates == 0, 1e-9, rates)
    return np.sum(rates - spikes * np.log(rates) + gammaln(spikes + 1.0))


def nlb_bits_per_spike(rates, spikes):
    """`bits_per_spike` of nlb_tools, as published."""
    null = np.tile(np.nanmean(spikes, axis=(0, 1), keepdims=True), (*spikes.shape[:2], 1))
    difference = nlb_nll(null, spikes) - nlb_nll(rates, spikes)
    return difference / np.nansum(spikes) / np.log(2)


def test_worked_by_hand():
    """Two bins, one channel, counts 1 and 3, null rate 2.

    NLL(null) - NLL(model) = (4 - 4 log 2) - (1 + 3 - 3 log 3) = 3 log 3 - 4 log 2; four spikes.
    """
    score = bits_per_spike([[1.0], [3.0]], [[1], [3]])
    assert score == pytest.approx((3 * math.log(3) - 4 * math.log(2)) / (4 * math.log(2)))
    assert bits_per_spike([[2.0], [2.0]], [[1], [3]]) == 0.0


def test_against_the_benchmark(data):
    rates, spikes = data
    assert bits_per_spike(rates, spikes) == pytest.approx(
        nlb_bits_per_spike(rates, spikes), rel=1e-12
    )


def test_missing_spikes_are_left_out(data):
    rates, spikes = data
    spikes[0, :3] = spikes[4, 2, 1] = np.nan
    expected = nlb_bits_per_spike(rates, spikes)
    assert bits_per_spike(rates, spikes) == pytest.approx(expected, rel=1e-12)
    rates[0, :3] = np.nan  # nothing was observed there
    assert bits_per_spike(rates, spikes) == pytest.approx(expected, rel=1e-12)


def test_zero_rates_and_silent_channels(data):
    rates, spikes = data
    rates[:, 0, 2] = 0.0
    spikes[..., 3] = 0.0
    before = rates.copy(), spikes.copy()
    expected = nlb_bits_per_spike(rates, spikes)
    assert bits_per_spike(rates, spikes) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(rates, before[0])
    np.testing.assert_array_equal(spikes, before[1])


def test_a_channel_never_observed_counts_for_nothing(data):
    rates, spikes = data
    unseen = np.concatenate([spikes, np.full((6, 10, 1), np.nan)], axis=-1)
    more = np.concatenate([rates, np.ones((6, 10, 1))], axis=-1)
    assert bits_per_spike(more, unseen) == pytest.approx(bits_per_spike(rates, spikes), rel=1e-12)


def test_null_is_the_best_constant_and_worse_is_negative(data):
    _, spikes = data
    mean = np.broadcast_to(spikes.mean(axis=(0, 1)), spikes.shape)
    assert bits_per_spike(mean, spikes) == pytest.approx(0.0, abs=1e-12)
    assert bits_per_spike(1.3 * mean, spikes) < 0


def test_nll_against_scipy(data):
    rates, spikes = data
    spikes[0, 0, 0] = 300
    expected = -stats.poisson.logpmf(spikes, rates).sum()
    assert poisson_nll(rates, spikes) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("score", [bits_per_spike, poisson_nll])
@pytest.mark.parametrize(
    ("which", "value", "message"),
    [
        ("rates", -0.1, "rates must be finite and at least 0, got -0.1 and 0 more of 240"),
        ("rates", np.nan, "rates must be finite"),
        ("rates", np.inf, "rates must be finite"),
        ("spikes", -1, "spikes must be whole"),
        ("spikes", 0.5, "spikes must be whole, at least 0, got 0.5"),
        ("spikes", np.inf, "spikes must be finite"),
    ],
)
def test_bad_values_are_named(data, score, which, value, message):
    rates, spikes = data
    (rates if which == "rates" else spikes)[2, 3, 1] = value
    with pytest.raises(ValueError, match=message):
        score(rates, spikes)


def test_bad_shapes_are_named(data):
    rates, spikes = data
    with pytest.raises(ValueError, match="rates must have the shape of spikes"):
        bits_per_spike(rates[:, :5], spikes)
    with pytest.raises(ValueError, match=r"rates must be .* not empty"):
        bits_per_spike(rates[:0], spikes[:0])
    with pytest.raises(ValueError, match="at least one spike"):
        bits_per_spike(rates, np.zeros_like(spikes))


def test_r2_against_sklearn(data):
    rates, spikes = data
    flat = rates.reshape(-1, 4), spikes.reshape(-1, 4)
    expected = r2_score(flat[1], flat[0], multioutput="raw_values")
    np.testing.assert_allclose(r2_per_channel(rates, spikes), expected, rtol=1e-12)
    assert rate_r2(rates, spikes) == pytest.approx(expected.mean(), rel=1e-12)
    pooled = r2_score(spikes.ravel(), rates.ravel())
    assert rate_r2(rates, spikes, average="pooled") == pytest.approx(pooled, rel=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1])  # the mean of 0.1s is not quite 0.1
def test_constant_channels_as_sklearn(constant):
    true = np.full((7, 2), constant)
    predicted = np.array([[constant, constant + 1]] * 7)
    assert r2_per_channel(predicted, true).tolist() == [1.0, 0.0]
    assert r2_score(true[:4], predicted[:4], multioutput="raw_values").tolist() == [1.0, 0.0]


def test_r2_refuses_what_it_cannot_score(data):
    rates, spikes = data
    with pytest.raises(ValueError, match="average must be one of 'channel', 'pooled'"):
        rate_r2(rates, spikes, average="trial")
    with pytest.raises(ValueError, match="predicted must have the shape of true"):
        rate_r2(rates[:2], spikes)
    rates[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="predicted must be finite"):
        rate_r2(rates, spikes)
