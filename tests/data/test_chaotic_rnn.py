import math

import numpy as np
import pytest

from tfp_bvae.data import chaotic_rnn, require_counts
from tfp_bvae.data.synthetic import network

SMALL = {"num_conditions": 3, "num_trials": 4, "num_valid": 1, "num_bins": 20, "num_channels": 6}


def slow(seed, gain, pulses, size, conditions, trials, bins, normalize):
    """Spikes, rates and pulse times of every trial, [trial, bin, unit], one number at a time."""
    rng = np.random.RandomState(seed)
    weights = rng.randn(size, size) / math.sqrt(size)
    direction, _ = rng.randn(size), rng.randn(size)
    starts = [rng.randn(size, 1)[:, 0] for _ in range(conditions)]
    times = [None] * (conditions * trials)
    if pulses:
        times = rng.choice(bins // 2, size=[conditions * trials]) + bins // 4
    paths = []
    for trial, time in enumerate(times):
        x, path = list(starts[trial // trials]), []
        for t in range(bins):
            r = [math.tanh(value) for value in x]
            for i in range(size):
                drive = gain * sum(weights[i, j] * r[j] for j in range(size))
                x[i] = (1 - 10 / 25) * x[i] + 10 / 25 * drive
                if t == time:
                    x[i] += 10 / 25 * 20 * direction[i]
            path.append([math.tanh(value) for value in x])
        paths.append(path)
    rates = np.array(paths)
    for unit in range(size):
        for trial in range(len(rates)):
            if normalize == "trial":
                part = rates[trial, :, unit]
                rates[trial, :, unit] = (part - min(part)) / (max(part) - min(part))
        if normalize == "global":
            part = rates[..., unit]
            rates[..., unit] = (part - part.min()) / (part.max() - part.min())
    spikes = [[rng.poisson(unit * 30.0 * 0.010) for unit in trial.T] for trial in rates]
    return np.array(spikes).swapaxes(1, 2), rates * 0.3, times


def in_order(data, name):
    """Trials of both sides as they were drawn, three for training and one not."""
    sides = (data.train, data.valid)
    train, valid = (getattr(side, name).reshape(3, -1, 20, 6) for side in sides)
    return np.concatenate([train, valid], axis=1).reshape(-1, 20, 6)


@pytest.mark.parametrize("gain", [1.5, 2.5])
@pytest.mark.parametrize("pulses", [False, True])
@pytest.mark.parametrize("normalize", ["trial", "global"])
def test_truth_and_spikes_against_a_loop(gain, pulses, normalize):
    data = chaotic_rnn(7, gain=gain, pulses=pulses, normalize=normalize, **SMALL)
    spikes, rates, times = slow(7, gain, pulses, 6, 3, 4, 20, normalize)
    np.testing.assert_allclose(in_order(data, "truth"), rates, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(in_order(data, "recon"), spikes)
    if pulses:
        np.testing.assert_array_equal(data.attrs["valid_pulse_time"], times[3::4])
        assert data.attrs["train_pulse_time"].tolist() == [*times[:3], *times[4:7], *times[8:11]]


def test_the_network_is_that_of_the_paper():
    data = chaotic_rnn(5, num_conditions=1, num_trials=2, num_valid=1)
    assert abs(data.attrs["weights"][0, 0] - 0.06239899) < 1e-8
    again = np.random.RandomState(5)
    np.testing.assert_array_equal(data.attrs["weights"], again.randn(50, 50) / math.sqrt(50))


def test_benchmark_sizes():
    data = chaotic_rnn()
    assert data.train.encod.shape == (3200, 100, 50)
    assert data.valid.encod.shape == (800, 100, 50)
    assert data.bin_width == 0.01
    require_counts(data)
    assert np.bincount(data.attrs["train_cond_idx"]).tolist() == [8] * 400
    assert np.bincount(data.attrs["valid_cond_idx"]).tolist() == [2] * 400
    assert set(data.attrs) == {
        *("train_cond_idx", "valid_cond_idx", "weights", "initial_states", "gain", "normalize")
    }


@pytest.mark.parametrize("pulses", [False, True])
def test_same_seed_same_data_other_seed_other_data(pulses):
    a, b, c = (chaotic_rnn(seed, pulses=pulses, **SMALL) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.train.recon, b.train.recon)
    np.testing.assert_array_equal(a.valid.recon, b.valid.recon)
    assert not np.array_equal(a.train.truth, c.train.truth)
    gain = chaotic_rnn(3, pulses=pulses, gain=2.5, **SMALL)
    np.testing.assert_array_equal(a.attrs["weights"], gain.attrs["weights"])
    assert not np.array_equal(a.train.truth, gain.train.truth)


def test_the_rest_of_numpy_is_left_alone():
    before = np.random.get_state()[1].copy()
    chaotic_rnn(1, **SMALL)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_trials_of_a_condition_share_their_rates_on_both_sides():
    data = chaotic_rnn(1, **SMALL)
    truth = in_order(data, "truth").reshape(3, 4, 20, 6)
    np.testing.assert_array_equal(truth, np.broadcast_to(truth[:, :1], truth.shape))
    assert not np.array_equal(truth[0, 0], truth[1, 0])
    more = chaotic_rnn(1, **{**SMALL, "num_trials": 8})
    np.testing.assert_array_equal(more.valid.truth, data.valid.truth)
    recon = in_order(data, "recon").reshape(3, 4, 20, 6)
    assert not np.array_equal(recon[0, 0], recon[0, 1])


def test_rates_fill_their_range():
    data = chaotic_rnn(2, num_conditions=5, num_trials=3, num_valid=1)
    np.testing.assert_array_equal(data.train.truth.min(axis=1), 0)
    np.testing.assert_allclose(data.train.truth.max(axis=1), 0.3)
    whole = chaotic_rnn(2, num_conditions=5, num_trials=3, num_valid=1, normalize="global")
    np.testing.assert_array_equal(whole.train.truth.min(axis=(0, 1)), 0)
    np.testing.assert_allclose(whole.train.truth.max(axis=(0, 1)), 0.3)
    assert np.ptp(whole.train.truth, axis=1).min() < 0.2


def test_a_pulse_changes_nothing_before_its_time():
    sizes = {"num_conditions": 8, "num_trials": 5, "num_valid": 1, "normalize": "global"}
    data = chaotic_rnn(3, pulses=True, **sizes)
    times = data.attrs["train_pulse_time"].reshape(8, 4)
    truth = data.train.truth.reshape(8, 4, 100, 50)
    assert times.min() >= 25 and times.max() < 75
    for condition in range(8):
        latest = times[condition].argmax()
        for trial in set(range(4)) - {latest}:
            time = times[condition, trial]
            ours, other = truth[condition, trial], truth[condition, latest]
            np.testing.assert_array_equal(ours[:time], other[:time])
            if time < times[condition, latest]:
                jump = (ours - other)[time]
                strong = np.abs(data.attrs["pulse_direction"]) > 0.5
                agree = np.sign(jump) == np.sign(data.attrs["pulse_direction"])
                assert agree[strong].mean() > 0.95


def test_pulse_times_are_spread_over_the_middle_half():
    times = chaotic_rnn(
        0, pulses=True, num_channels=2, num_conditions=500, num_trials=10, num_valid=2
    ).attrs["train_pulse_time"]
    found = np.bincount(times, minlength=100)
    assert found[:25].sum() == found[75:].sum() == 0
    chi2 = np.square(found[25:75] - 80).sum() / 80
    assert abs(chi2 - 49) < 4 * math.sqrt(2 * 49)


def test_counts_are_poisson_with_the_true_rate():
    data = chaotic_rnn(2, num_conditions=2, num_channels=5, num_trials=4001, num_valid=1)
    counts = data.train.recon.reshape(2, 4000, 100, 5).astype(np.float64)
    rates = data.train.truth.reshape(2, 4000, 100, 5)[:, 0].astype(np.float64)
    assert counts.mean(axis=1)[rates == 0].max() == 0
    seen = rates > 0.001
    z = ((counts.mean(axis=1) - rates) / np.sqrt(np.maximum(rates, 1e-9) / 4000))[seen]
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    assert abs(np.square(z).mean() - 1) < 4 * math.sqrt(2 / z.size)
    fano = counts.var(axis=1).sum() / rates.sum()
    assert abs(fano - 1) < 0.02


def test_above_a_gain_of_one_the_activity_goes_on():
    last = {}
    for gain in (0.5, 1.5, 2.5):
        activity = network._activity(
            gain * np.random.default_rng(0).normal(size=(50, 50)) / math.sqrt(50),
            np.ones((1, 50)),
            np.zeros((1, 1, 400)),
            np.zeros(50),
        )
        last[gain] = np.abs(activity[0, 0, -100:]).mean()
    assert last[0.5] < 1e-4 < 0.1 < last[1.5] < last[2.5]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": -1}, ValueError, "seed must be"),
        ({"seed": 2**32}, ValueError, "seed must be at most 4294967295"),
        ({"seed": None}, TypeError, "seed must be"),
        ({"gain": -0.1}, ValueError, "gain must be in"),
        ({"gain": math.nan}, ValueError, "gain must be finite"),
        ({"gain": "high"}, TypeError, "gain must be a real number"),
        ({"gain": 1e6, **SMALL}, ValueError, "gain must let the activity of every unit change"),
        ({"pulses": 1}, TypeError, "pulses must be True or False"),
        ({"num_conditions": 0}, ValueError, "num_conditions must be"),
        ({"num_channels": 2.0}, TypeError, "num_channels must be"),
        ({"num_trials": 4, "num_valid": 4}, ValueError, "num_valid must be below num_trials, 4"),
        ({"num_bins": 1}, ValueError, "num_bins must be a whole number of at least 2"),
        ({"normalize": "unit"}, ValueError, "normalize must be one of 'trial', 'global'"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        chaotic_rnn(**arguments)
