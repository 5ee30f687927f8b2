import math

import numpy as np
import pytest

from tfp_bvae.data import lorenz, require_counts
from tfp_bvae.data.synthetic import attractor


def test_benchmark_sizes():
    data = lorenz()
    assert data.train.encod.shape == (65 * 16, 50, 30)
    assert data.valid.encod.shape == (65 * 4, 50, 30)
    assert data.bin_width == 0.02
    require_counts(data)
    np.testing.assert_array_equal(data.train.encod, data.train.recon)
    assert np.bincount(data.attrs["train_cond_idx"]).tolist() == [16] * 65
    assert np.bincount(data.attrs["valid_cond_idx"]).tolist() == [4] * 65


def test_same_seed_same_data_other_seed_other_data():
    small = {"num_conditions": 3, "num_trials": 4, "num_valid": 1}
    a, b, c = lorenz(3, **small), lorenz(3, **small), lorenz(4, **small)
    np.testing.assert_array_equal(a.train.recon, b.train.recon)
    np.testing.assert_array_equal(a.valid.recon, b.valid.recon)
    assert not np.array_equal(a.train.truth, c.train.truth)


def test_more_trials_do_not_change_the_rates():
    few = lorenz(1, num_conditions=3, num_trials=2, num_valid=1)
    many = lorenz(1, num_conditions=3, num_trials=9, num_valid=3)
    np.testing.assert_array_equal(few.valid.truth, many.valid.truth[::3])


def test_truth_against_a_loop():
    """Equations of the benchmark, one condition, step by step in plain Python."""
    data = lorenz(5, num_conditions=2, num_trials=2, num_valid=1)
    state_rng, loading_rng, _ = np.random.default_rng(5).spawn(3)
    y1, y2, y3 = (2 * state_rng.standard_normal((2, 3)))[1].tolist()
    path = []
    for _ in range(1000):
        path.append((y1, y2, y3))
        d1, d2, d3 = 10 * (y2 - y1), y1 * (28 - y3) - y2, y1 * y2 - (8 / 3) * y3
        y1, y2, y3 = y1 + 0.006 * d1, y2 + 0.006 * d2, y3 + 0.006 * d3
    path = np.array(path)
    path = path - path.mean(axis=0)
    path = path / np.abs(path).max(axis=0)
    sign = loading_rng.choice([-1.0, 1.0], size=(3, 30))
    loadings = 1.5 / math.sqrt(3) * sign * loading_rng.uniform(1, 2, size=(3, 30))
    per_ms = np.exp(path @ loadings + math.log(0.005))
    expected = np.stack([per_ms[20 * b : 20 * b + 20].sum(axis=0) for b in range(50)])
    np.testing.assert_allclose(data.valid.truth[1], expected, rtol=1e-5)
    np.testing.assert_allclose(data.attrs["loadings"], loadings)
    np.testing.assert_allclose(data.attrs["latents"][1, 7], path[140:160].mean(axis=0))


def test_latents_are_centred_and_scaled_by_their_largest_value():
    path = attractor._normalise(
        attractor._trajectories(np.random.default_rng(0).normal(size=(4, 3)), 500)
    )
    np.testing.assert_allclose(path.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.abs(path).max(axis=1), 1)


def test_counts_are_poisson_with_the_true_rate():
    data = lorenz(2, num_conditions=2, num_channels=5, num_trials=4001, num_valid=1)
    counts = data.train.recon.reshape(2, 4000, 50, 5).astype(np.float64)
    rates = data.train.truth.reshape(2, 4000, 50, 5)[:, 0].astype(np.float64)
    z = (counts.mean(axis=1) - rates) / np.sqrt(rates / 4000)
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    assert abs(np.square(z).mean() - 1) < 4 * math.sqrt(2 / z.size)
    fano = counts.var(axis=1).sum() / rates.sum()
    assert abs(fano - 1) < 0.02


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_conditions": 0}, ValueError, "num_conditions must be"),
        ({"num_channels": 2.0}, TypeError, "num_channels must be"),
        ({"num_trials": 4, "num_valid": 4}, ValueError, "num_valid must be below num_trials, 4"),
        ({"num_valid": 0}, ValueError, "num_valid must be"),
        ({"bin_width_ms": 30}, ValueError, "duration_ms must be a multiple of bin_width_ms, 30"),
        ({"base_rate": -1.0}, ValueError, "base_rate must be above 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        lorenz(**arguments)


def test_another_session_is_of_the_same_system_and_other_neurons():
    sizes = {"num_conditions": 3, "num_trials": 4, "num_valid": 1}
    one, other, wider = (
        lorenz(seed=5, session=session, num_channels=channels, **sizes)
        for session, channels in ((0, 8), (1, 8), (1, 11))
    )
    np.testing.assert_array_equal(one.attrs["latents"], other.attrs["latents"])
    np.testing.assert_array_equal(one.attrs["latents"], wider.attrs["latents"])
    assert (one.attrs["loadings"] != other.attrs["loadings"]).all()
    assert (one.train.recon != other.train.recon).any()
    with pytest.raises(ValueError, match="session must be a whole number of at least 0"):
        lorenz(session=-1)
