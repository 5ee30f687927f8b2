import math

import numpy as np
import pytest

from tfp_bvae.data import require_counts, static_dynamic

SMALL = {"num_trials": 4, "num_valid": 1}


def posterior_mode(counts, offset, loadings, precision):
    """Most probable path of the oscillator, given the counts [bin, channel], by Newton's method."""
    num_bins, size = len(counts), len(loadings)
    path = np.zeros(num_bins * size)
    for _ in range(25):
        rates = np.exp(path.reshape(num_bins, size) @ loadings + offset)
        slope = ((counts - rates) @ loadings.T).ravel() - precision @ path
        curve = precision.copy()
        for t in range(num_bins):
            block = slice(size * t, size * t + size)
            curve[block, block] += (loadings * rates[t]) @ loadings.T
        path += 0.7 * np.linalg.solve(curve, slope)
    return path.reshape(num_bins, size)


def covariance(transition, num_bins):
    """Of a whole path: E[z_(t+k) z_t'] = transition^k, for the stationary oscillator."""
    blocks = [[None] * num_bins for _ in range(num_bins)]
    for i in range(num_bins):
        for j in range(i + 1):
            blocks[i][j] = np.linalg.matrix_power(transition, i - j)
            blocks[j][i] = blocks[i][j].T
    return np.block(blocks)


def test_benchmark_sizes():
    data = static_dynamic()
    assert data.train.encod.shape == (1000, 40, 30)
    assert data.valid.encod.shape == (200, 40, 30)
    assert data.bin_width == 0.02
    require_counts(data)
    assert np.bincount(data.attrs["train_static"]).tolist() == [250] * 4
    assert np.bincount(data.attrs["valid_static"]).tolist() == [50] * 4
    assert data.attrs["train_dynamic"].shape == (1000, 40, 2)
    assert 0.5 < data.train.recon.mean() < 2


def test_same_seed_same_data_other_seed_other_data():
    a, b, c = (static_dynamic(seed, **SMALL) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.train.recon, b.train.recon)
    np.testing.assert_array_equal(a.attrs["valid_dynamic"], b.attrs["valid_dynamic"])
    assert not np.array_equal(a.train.truth, c.train.truth)


def test_more_trials_do_not_change_the_neurons():
    few, many = static_dynamic(1, **SMALL), static_dynamic(1, num_trials=9, num_valid=3)
    for name in ("static_embedding", "static_loadings", "dynamic_loadings"):
        np.testing.assert_array_equal(few.attrs[name], many.attrs[name])


@pytest.mark.parametrize(("side", "first"), [("train", 0), ("valid", 3)])
def test_truth_against_a_loop(side, first):
    """From the seed to the rates, number by number."""
    data = static_dynamic(5, num_classes=3, num_bins=6, num_channels=4, **SMALL)
    neuron_rng, latent_rng, _ = np.random.default_rng(5).spawn(3)
    turn = neuron_rng.uniform(0, 2 * math.pi)
    loadings = []
    for _ in range(2):
        angles = neuron_rng.uniform(0, 2 * math.pi, size=4)
        lengths = neuron_rng.uniform(0.4, 0.8, size=4)
        loadings.append(
            [(r * math.cos(a), r * math.sin(a)) for r, a in zip(lengths, angles, strict=True)]
        )
    noise = latent_rng.standard_normal((3, 4, 6, 2))
    cos, sin = math.cos(2 * math.pi / 25), math.sin(2 * math.pi / 25)
    for trial, truth in enumerate(getattr(data, side).truth):
        group, draw = divmod(trial, 3) if side == "train" else (trial, 0)
        assert data.attrs[f"{side}_static"][trial] == group
        angle = turn + 2 * math.pi * group / 3
        place = (math.cos(angle), math.sin(angle))
        for t in range(6):
            e = noise[group, first + draw, t]
            if t == 0:
                z = (e[0], e[1])
            else:
                s = math.sqrt(1 - 0.98**2)
                z = (
                    0.98 * (cos * z[0] - sin * z[1]) + s * e[0],
                    0.98 * (sin * z[0] + cos * z[1]) + s * e[1],
                )
            np.testing.assert_allclose(data.attrs[f"{side}_dynamic"][trial, t], z, rtol=1e-10)
            for n in range(4):
                drive = sum(place[i] * loadings[0][n][i] + z[i] * loadings[1][n][i] for i in (0, 1))
                assert truth[t, n] == pytest.approx(40 * 0.02 * math.exp(drive), rel=1e-5)


def test_the_oscillator_is_stationary_with_the_covariance_it_should_have():
    data = static_dynamic(2, num_channels=1, num_trials=2001, num_valid=1, num_bins=30)
    z = data.attrs["train_dynamic"].reshape(len(data.attrs["train_dynamic"]), -1)
    expected = covariance(data.attrs["transition"], 30)
    # standard error of a covariance of unit-variance normals
    error = np.sqrt((1 + np.square(expected)) / len(z))
    assert np.abs((z.T @ z / len(z) - expected) / error).max() < 5
    assert np.abs(z.mean(axis=0)).max() < 5 / math.sqrt(len(z))


def test_class_and_oscillator_are_independent():
    data = static_dynamic(0, num_channels=1)
    z, labels = data.attrs["train_dynamic"], data.attrs["train_static"]
    means = np.stack([z[labels == label].mean(axis=(0, 1)) for label in range(4)])
    # of the time mean of a path, whose variance is far below 1
    error = np.sqrt(z.mean(axis=1).var() / 250)
    assert np.abs(means).max() < 4 * error


def test_counts_are_poisson_with_the_true_rate():
    data = static_dynamic(2)
    counts, rates = (a.astype(np.float64) for a in (data.train.recon, data.train.truth))
    z = (counts - rates) / np.sqrt(rates)
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    spread = np.sqrt((2 + 1 / rates).mean())  # standard deviation of z^2 for Poisson counts
    assert abs(np.square(z).mean() - 1) < 4 * spread / math.sqrt(z.size)


def test_what_is_hidden_can_be_found():
    """With the true parameters, the path and the class follow from the spikes of a trial."""
    data = static_dynamic(0, num_trials=26, num_valid=1)
    attrs = data.attrs
    offsets = math.log(0.8) + attrs["static_embedding"] @ attrs["static_loadings"]
    loadings, z = attrs["dynamic_loadings"], attrs["train_dynamic"]
    precision = np.linalg.inv(covariance(attrs["transition"], 40))
    found = np.stack(
        [
            posterior_mode(counts, offsets[label], loadings, precision)
            for counts, label in zip(data.train.recon, attrs["train_static"], strict=True)
        ]
    )
    assert 1 - np.square(z - found).sum() / np.square(z).sum() > 0.94
    mean = 40 * np.exp(offsets + np.square(loadings).sum(axis=0) / 2)  # per trial, over all paths
    counts = data.train.recon.sum(axis=1)
    guess = (counts @ np.log(mean).T - mean.sum(axis=1)).argmax(axis=1)
    assert (guess == attrs["train_static"]).mean() > 0.98


def test_smallest():
    data = static_dynamic(
        num_classes=1, num_channels=1, num_trials=2, num_valid=1, num_bins=1, bin_width_ms=5
    )
    assert data.train.recon.shape == data.valid.recon.shape == (1, 1, 1)
    assert data.bin_width == 0.005


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": -1}, ValueError, "seed must be"),
        ({"seed": 0.5}, TypeError, "seed must be"),
        ({"num_classes": 0}, ValueError, "num_classes must be"),
        ({"num_channels": 2.0}, TypeError, "num_channels must be"),
        ({"num_trials": 4, "num_valid": 4}, ValueError, "num_valid must be below num_trials, 4"),
        ({"num_valid": 0}, ValueError, "num_valid must be"),
        ({"num_bins": 0}, ValueError, "num_bins must be"),
        ({"bin_width_ms": 0}, ValueError, "bin_width_ms must be"),
        ({"base_rate": 0.0}, ValueError, "base_rate must be above 0"),
        ({"base_rate": math.inf}, ValueError, "base_rate must be finite"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        static_dynamic(**arguments)
