"""Scores of rates against what was to be predicted."""

import numpy as np
import pytest

from tfp_bvae.data import Split
from tfp_bvae.inference import score
from tfp_bvae.metrics import bits_per_spike, rate_r2


@pytest.fixture
def wide(dataset):
    """Trials of which the encoders see 8 bins of 10 and 4 channels of 6."""
    split = dataset.valid
    return Split(split.recon[:, :8, :4], split.recon, truth=split.truth)


def test_what_is_held_out_is_scored_by_itself(wide, make_model, rng):
    model = make_model({"channels": 4, "outputs": 6, "forward_bins": 2}, segment=3)
    spikes, truth = wide.recon[:, 3:], wide.truth[:, 3:]
    rates = truth * np.exp(0.1 * rng.standard_normal(truth.shape))
    expected = {
        "bits_per_spike": bits_per_spike(rates, spikes),
        "bits_per_spike_held_out": bits_per_spike(rates[:, :5, 4:], spikes[:, :5, 4:]),
        "bits_per_spike_forward": bits_per_spike(rates[:, 5:], spikes[:, 5:]),
        "bits_per_spike_true": bits_per_spike(truth, spikes),
        "rate_r2": rate_r2(rates, truth),
        "rate_r2_pooled": rate_r2(rates, truth, "pooled"),
    }
    assert score(model, wide, rates) == pytest.approx(expected, rel=1e-9)


def test_without_truth_and_without_spikes_there_is_less_to_say(wide, make_model):
    model = make_model({"channels": 4, "outputs": 6, "forward_bins": 2})
    silent = wide.recon.copy()
    silent[..., 4:] = 0
    scores = score(model, Split(wide.encod, silent), np.ones(silent.shape))
    assert set(scores) == {"bits_per_spike", "bits_per_spike_held_out", "bits_per_spike_forward"}
    assert scores["bits_per_spike_held_out"] is None


def test_gaussian_data_have_an_r2_in_place_of_bits(make_model, rng):
    data = rng.standard_normal([4, 5, 6])
    model = make_model({"likelihood": "gaussian"})
    truth = data + 0.1
    scores = score(model, Split(data, data, truth=truth), truth)
    assert set(scores) == {"r2", "rate_r2", "rate_r2_pooled"}
    assert scores["rate_r2"] == pytest.approx(1.0)
    assert 0.9 < scores["r2"] < 1.0
