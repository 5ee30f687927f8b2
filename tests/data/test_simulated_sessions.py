"""Simulated sessions: number by number, and what is the same between them and what is not."""

import math

import numpy as np
import pytest

from tfp_bvae.data import (
    read_hdf5,
    require_counts,
    sessions,
    static_dynamic,
    with_groups,
    write_hdf5,
)

SMALL = {"num_trials": 6, "num_valid": 2}


def test_benchmark_sizes():
    data = sessions()
    assert data.train.encod.shape == (500, 40, 30)
    assert data.valid.encod.shape == (100, 40, 30)
    assert data.bin_width == 0.02
    require_counts(data)
    assert np.bincount(data.attrs["train_session"]).tolist() == [250] * 2
    assert np.bincount(data.attrs["valid_session"]).tolist() == [50] * 2
    assert 0.5 < data.train.recon.mean() < 2


def test_same_seed_same_data_other_seed_other_data():
    a, b, c = (sessions(seed, **SMALL) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.train.recon, b.train.recon)
    np.testing.assert_array_equal(a.attrs["valid_drift"], b.attrs["valid_drift"])
    assert not np.array_equal(a.train.truth, c.train.truth)


def test_more_trials_do_not_change_neurons_and_gains():
    few, many = sessions(1, **SMALL), sessions(1, num_trials=9, num_valid=3)
    for name in ("log_gains", "drift_directions", "dynamic_loadings"):
        np.testing.assert_array_equal(few.attrs[name], many.attrs[name])


def test_more_sessions_do_not_change_the_first():
    few, many = sessions(1, **SMALL), sessions(1, num_sessions=4, **SMALL)
    np.testing.assert_array_equal(few.attrs["log_gains"], many.attrs["log_gains"][:2])
    np.testing.assert_array_equal(few.train.truth, many.train.truth[: few.train.num_trials])
    np.testing.assert_array_equal(few.attrs["valid_drift"], many.attrs["valid_drift"][:4])


def drawn(seed, num_sessions, num_trials, num_bins, num_channels):
    """The random numbers behind the sessions, in the order in which they are drawn."""
    neurons, own, walks, latent, _ = np.random.default_rng(seed).spawn(5)
    angles = neurons.uniform(0, 2 * math.pi, size=num_channels)
    lengths = neurons.uniform(0.4, 0.8, size=num_channels)
    loadings = [(r * math.cos(a), r * math.sin(a)) for r, a in zip(lengths, angles, strict=True)]
    return (
        loadings,
        own.standard_normal((num_sessions, 2, num_channels)),
        walks.standard_normal((num_sessions, num_trials, num_channels)),
        latent.standard_normal((num_sessions, num_trials, num_bins, 2)),
    )


@pytest.mark.parametrize("side", ["train", "valid"])
def test_truth_against_a_loop(side):
    """From the seed to the rates, number by number."""
    data = sessions(5, num_sessions=3, num_bins=5, num_channels=4, gain=0.6, drift=0.9, **SMALL)
    loadings, own, steps, noise = drawn(5, 3, 6, 5, 4)
    cos, sin = math.cos(2 * math.pi / 25), math.sin(2 * math.pi / 25)
    for row, truth in enumerate(getattr(data, side).truth):
        known = {
            name: data.attrs[f"{side}_{name}"][row] for name in ("session", "dynamic", "drift")
        }
        s, k = known["session"], data.attrs[f"{side}_trial_in_session"][row]
        for n in range(4):
            walk = [sum(steps[s, i, n] for i in range(j + 1)) / math.sqrt(6) for j in range(6)]
            d = 0.9 * ((k / 5 - 0.5) * own[s, 1, n] + walk[k] - sum(walk) / 6)
            assert known["drift"][n] == pytest.approx(d, rel=1e-9)
            z = (0.0, 0.0)
            for t in range(5):
                e = noise[s, k, t]
                share = math.sqrt(1 - 0.98**2) if t else 1.0
                z = (
                    0.98 * (cos * z[0] - sin * z[1]) + share * e[0],
                    0.98 * (sin * z[0] + cos * z[1]) + share * e[1],
                )
                np.testing.assert_allclose(known["dynamic"][t], z, rtol=1e-9)
                drive = 0.6 * own[s, 0, n] + d + z[0] * loadings[n][0] + z[1] * loadings[n][1]
                assert truth[t, n] == pytest.approx(40 * 0.02 * math.exp(drive), rel=1e-5)


def test_rows_are_ordered_by_session_and_time_and_validation_is_spread():
    data = sessions(0, num_sessions=3, num_channels=1, num_bins=1, num_trials=30, num_valid=5)
    for side, per_session in (("train", 25), ("valid", 5)):
        session, trial = (data.attrs[f"{side}_{n}"] for n in ("session", "trial_in_session"))
        assert session.tolist() == np.repeat(range(3), per_session).tolist()
        assert (np.diff(trial.reshape(3, -1)) > 0).all()
    assert data.attrs["valid_trial_in_session"][:5].tolist() == [3, 9, 15, 21, 27]
    for s in range(3):
        both = [data.attrs[f"{side}_trial_in_session"] for side in ("train", "valid")]
        of = [data.attrs[f"{side}_session"] == s for side in ("train", "valid")]
        together = np.concatenate([b[o] for b, o in zip(both, of, strict=True)])
        assert sorted(together) == list(range(30))


@pytest.mark.parametrize(("num_trials", "num_valid"), [(2, 1), (7, 6), (10, 3), (300, 50)])
def test_each_trial_is_on_one_side(num_trials, num_valid):
    sizes = {"num_trials": num_trials, "num_valid": num_valid, "num_sessions": 1, "num_bins": 1}
    data = sessions(0, num_channels=1, **sizes)
    numbers = [data.attrs[f"{side}_trial_in_session"] for side in ("train", "valid")]
    assert [len(side) for side in numbers] == [num_trials - num_valid, num_valid]
    assert sorted(np.concatenate(numbers)) == list(range(num_trials))


def test_gains_and_drift_are_as_large_as_asked():
    data = sessions(0, num_sessions=20, num_channels=400, num_trials=41, num_valid=1, num_bins=1,
                    gain=0.4, drift=0.3)  # fmt: skip
    count = 20 * 400
    assert data.attrs["log_gains"].std() == pytest.approx(0.4, abs=4 * 0.4 / math.sqrt(2 * count))
    d = data.attrs["train_drift"].reshape(20, 40, 400)
    change = d[:, -1] - d[:, 0]  # of the trend, and of a walk of 40 steps
    expected = 0.3 * math.sqrt(1 + 40 / 41)
    assert change.std() == pytest.approx(expected, abs=4 * expected / math.sqrt(2 * count))
    trend = np.mean(change * data.attrs["drift_directions"])
    assert trend == pytest.approx(0.3, abs=4 * expected * 1.5 / math.sqrt(count))
    step = np.diff(d, axis=1)[:, :19]  # before the trial that is left out
    slope = 0.3 * data.attrs["drift_directions"][:, None] / 40
    assert (step - slope).std() == pytest.approx(0.3 / math.sqrt(41), rel=0.02)


def test_drift_is_about_the_gain_of_the_session():
    data = sessions(3, num_channels=5, num_bins=1, num_trials=9, num_valid=3)
    for s in range(2):
        both = [
            data.attrs[f"{x}_drift"][data.attrs[f"{x}_session"] == s] for x in ("train", "valid")
        ]
        np.testing.assert_allclose(np.concatenate(both).mean(axis=0), 0.0, atol=1e-14)


def test_the_dynamics_are_those_of_static_dynamic_in_each_session():
    one, other = sessions(0, num_channels=1), static_dynamic(0, num_channels=1)
    np.testing.assert_array_equal(one.attrs["transition"], other.attrs["transition"])
    z, session = one.attrs["train_dynamic"], one.attrs["train_session"]
    for s in range(2):
        now, before = z[session == s, 1:].reshape(-1, 2), z[session == s, :-1].reshape(-1, 2)
        fitted = np.linalg.lstsq(before, now, rcond=None)[0].T
        error = math.sqrt((1 - 0.98**2) / len(now))
        assert np.abs(fitted - one.attrs["transition"]).max() < 5 * error


def test_counts_are_poisson_with_the_true_rate():
    data = sessions(2)
    counts, rates = (a.astype(np.float64) for a in (data.train.recon, data.train.truth))
    z = (counts - rates) / np.sqrt(rates)
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    spread = np.sqrt((2 + 1 / rates).mean())  # standard deviation of z^2 for Poisson counts
    assert abs(np.square(z).mean() - 1) < 4 * spread / math.sqrt(z.size)


def test_nothing_but_dynamics_without_gain_and_drift():
    data = sessions(1, gain=0, drift=0, **SMALL)
    expected = 0.8 * np.exp(data.attrs["train_dynamic"] @ data.attrs["dynamic_loadings"])
    np.testing.assert_allclose(data.train.truth, expected, rtol=1e-5)


def test_sessions_are_groups():
    data = with_groups(sessions(0, num_sessions=3, **SMALL), "session")
    assert np.bincount(data.train.group).tolist() == [4] * 3
    assert data.valid.group.tolist() == [0, 0, 1, 1, 2, 2]


def test_round_trip_through_a_file(tmp_path):
    data = sessions(1, **SMALL)
    write_hdf5(tmp_path / "a.h5", data)
    back = read_hdf5(tmp_path / "a.h5")
    np.testing.assert_array_equal(back.train.truth, data.train.truth)
    assert back.attrs.keys() == data.attrs.keys()
    for name, value in data.attrs.items():
        assert back.attrs[name].dtype == value.dtype
        np.testing.assert_array_equal(back.attrs[name], value)


def test_smallest():
    data = sessions(num_sessions=1, num_channels=1, num_trials=2, num_valid=1, num_bins=1)
    assert data.train.recon.shape == data.valid.recon.shape == (1, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": -1}, ValueError, "seed must be"),
        ({"num_sessions": 0}, ValueError, "num_sessions must be"),
        ({"num_channels": 2.0}, TypeError, "num_channels must be"),
        ({"num_trials": 4, "num_valid": 4}, ValueError, "num_valid must be below num_trials, 4"),
        ({"num_valid": 0}, ValueError, "num_valid must be"),
        ({"num_bins": 0}, ValueError, "num_bins must be"),
        ({"gain": -0.1}, ValueError, "gain must be in"),
        ({"gain": "a"}, TypeError, "gain must be"),
        ({"drift": -0.1}, ValueError, "drift must be in"),
        ({"drift": math.nan}, ValueError, "drift must be finite"),
        ({"base_rate": 0.0}, ValueError, "base_rate must be above 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        sessions(**arguments)
