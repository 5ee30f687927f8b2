"""A channel is another neuron in each session: scores never mix the two."""

import numpy as np
import pytest
from zoo import SMALL

from tfp_bvae import data, inference, models, training


@pytest.fixture(scope="module")
def joined():
    sizes = {"num_conditions": 4, "num_trials": 6, "num_valid": 2, "duration_ms": 200}
    quiet = data.lorenz(num_channels=6, base_rate=5.0, **sizes)
    lively = data.lorenz(num_channels=4, base_rate=40.0, session=1, **sizes)
    return data.join_sessions({"quiet": quiet, "lively": lively})


@pytest.fixture(scope="module")
def model(joined):
    return models.lfads(training.data_arguments(joined), SMALL)


def test_scores_are_those_of_each_session_put_together(joined, model, rng):
    rates = rng.gamma(2.0, 0.2, joined.valid.recon.shape)
    found = inference.score(model, joined.valid, rates)
    bits, spikes, r2 = [], [], []
    for name, alone in data.split_sessions(joined).items():
        rows, channels = data.session_part(joined, "valid", name)
        single = models.lfads({"channels": len(channels)}, SMALL)
        own = inference.score(single, alone.valid, rates[rows][..., channels])
        bits.append(own["bits_per_spike"])
        spikes.append(alone.valid.recon.sum())
        r2.append(own["rate_r2"])
    assert found["bits_per_spike"] == pytest.approx(np.average(bits, weights=spikes))
    assert found["rate_r2"] == pytest.approx(np.average(r2, weights=[6, 4]))


def test_the_mean_rates_of_each_session_score_nothing(joined, model):
    """With one mean for both sessions a model would be praised for knowing which it is in."""
    seen = joined.valid.recon
    rates = np.zeros_like(seen)
    for number in (0, 1):
        rows = joined.valid.session == number
        rates[rows] = np.nansum(seen[rows], axis=(0, 1)) / (rows.sum() * seen.shape[1])
    assert inference.score(model, joined.valid, rates)["bits_per_spike"] == pytest.approx(0.0)


def test_hidden_entries_are_scored_so_too(joined, model):
    held = training.HeldOut(model, joined.valid, batch_size=8, jit_compile=False)
    mixed = training.HeldOut(model, joined.valid, batch_size=8, jit_compile=False)
    mixed._sessions = None
    # a model whose read-out starts at the same bias everywhere is worse than means of sessions
    assert held() < mixed()
