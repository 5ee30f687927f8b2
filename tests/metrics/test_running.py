"""Scores that come a part at a time are those of all at once."""

import numpy as np
import pytest

from tfp_bvae.metrics import (
    RunningBitsPerSpike,
    RunningR2,
    bits_per_spike,
    r2_per_channel,
    rate_r2,
)

PARTS = [[slice(0, 20)], [slice(0, 1), slice(1, 13), slice(13, 20)], [slice(7, 20), slice(0, 7)]]


@pytest.mark.parametrize("parts", PARTS)
def test_bits_per_spike_of_parts(parts, rng):
    rates = rng.gamma(2.0, 1.0, [20, 5, 4])
    spikes = rng.poisson(rates).astype(float)
    spikes[rng.random(spikes.shape) < 0.3] = np.nan
    spikes[:, :, 3] = np.where(np.isnan(spikes[:, :, 3]), np.nan, 0.0)  # a silent channel
    rates[0, 0, 0] = 0.0
    score = RunningBitsPerSpike()
    for part in parts:
        score.add(rates[part], spikes[part])
    assert score.result() == pytest.approx(bits_per_spike(rates, spikes), rel=1e-12)
    assert score.spikes == np.nansum(spikes)


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_r2_of_parts(parts, offset, rng):
    true = rng.normal(size=[20, 5, 4]) + offset
    true[..., 2] = 3.0
    predicted = true + 0.3 * rng.normal(size=true.shape)
    predicted[..., 2] = 3.0
    score, pooled = RunningR2(), RunningR2()
    for part in parts:
        score.add(predicted[part], true[part])
        pooled.add(predicted[part].reshape(-1, 1), true[part].reshape(-1, 1))
    np.testing.assert_allclose(score.result(), r2_per_channel(predicted, true), rtol=1e-9)
    assert pooled.result()[0] == pytest.approx(rate_r2(predicted, true, "pooled"), rel=1e-9)


def test_nothing_has_no_score():
    with pytest.raises(ValueError, match="at least one spike"):
        RunningBitsPerSpike().result()
    silent = RunningBitsPerSpike()
    silent.add(np.ones([2, 3]), np.zeros([2, 3]))
    with pytest.raises(ValueError, match="at least one spike"):
        silent.result()
    with pytest.raises(ValueError, match="got none"):
        RunningR2().result()


def test_parts_are_checked_as_all_is():
    with pytest.raises(ValueError, match="rates must have the shape of spikes"):
        RunningBitsPerSpike().add(np.ones([2, 3]), np.ones([2, 2]))
    with pytest.raises(ValueError, match="whole"):
        RunningBitsPerSpike().add(np.ones([2, 3]), np.full([2, 3], 0.5))
    with pytest.raises(ValueError, match="predicted must be finite"):
        RunningR2().add(np.full([2, 3], np.nan), np.ones([2, 3]))
