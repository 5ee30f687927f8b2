import math

import numpy as np
import pytest

from tfp_bvae.metrics import active_units, collapse_report, kl_per_dimension


def test_kl_by_monte_carlo():
    rng = np.random.default_rng(0)
    loc, prior_loc = rng.normal(size=(2, 3, 4, 2))
    scale, prior_scale = rng.uniform(0.3, 1.5, size=(2, 3, 4, 2))
    noise = rng.normal(size=(20_000, 3, 4, 2))
    z = loc + scale * noise
    log_ratio = -np.log(scale) - noise**2 / 2
    log_ratio += np.log(prior_scale) + ((z - prior_loc) / prior_scale) ** 2 / 2
    draws = log_ratio.sum(axis=2).mean(axis=1)  # [draw, dim]
    error = draws.std(axis=0) / math.sqrt(len(draws))
    found = kl_per_dimension(loc, scale, prior_loc, prior_scale)
    assert (np.abs(found - draws.mean(axis=0)) < 4 * error).all()


def test_kl_by_a_loop_and_broadcast():
    rng = np.random.default_rng(0)
    loc, scale = rng.normal(size=(3, 4, 2)), rng.uniform(0.5, 2, size=(3, 4, 2))
    prior_loc, prior_scale = np.array([0.5, -1]), rng.uniform(0.5, 2, size=(4, 2))
    expected = np.zeros(2)
    for n in range(3):
        for t in range(4):
            for d in range(2):
                s, p = scale[n, t, d], prior_scale[t, d]
                expected[d] += math.log(p / s) - 0.5
                expected[d] += (s**2 + (loc[n, t, d] - prior_loc[d]) ** 2) / (2 * p**2)
    found = kl_per_dimension(loc, scale, prior_loc, prior_scale)
    np.testing.assert_allclose(found, expected / 3, rtol=1e-12)
    assert kl_per_dimension(loc, scale, loc, scale).tolist() == [0, 0]


def test_active_units_over_trials_and_over_time():
    time, trial = np.arange(20.0), np.arange(10.0)
    constant = np.zeros((10, 20))
    clock = np.broadcast_to(np.sin(time), (10, 20))  # the same in all trials
    offset = np.broadcast_to(trial[:, None] - 4.5, (10, 20))  # still within a trial
    path = np.random.default_rng(0).normal(size=(10, 20))
    means = np.stack([constant, clock, offset, path], axis=-1)
    assert active_units(means).tolist() == [False, False, True, True]
    assert active_units(means, over="time").tolist() == [False, True, False, True]
    assert active_units(means[:, 3]).tolist() == [False, False, True, True]
    assert active_units([[0.1], [-0.1]], threshold=0.0099).tolist() == [True]
    assert active_units([[0.1], [-0.1]], threshold=0.0101).tolist() == [False]


def test_every_dimension_is_of_one_kind():
    rng = np.random.default_rng(0)
    loc = rng.normal(size=(500, 6)) * np.array([1, 0.5, 0.05, 0.12, 0.01, 0])
    scale = np.ones((500, 6)) * np.array([0.2, 0.9, 0.5, 1, 1, 1.3])
    report = collapse_report(loc, scale)
    assert report.active.tolist() == [True, True, False, False, False, False]
    assert report.passive.tolist() == [False, False, True, False, False, True]
    assert report.collapsed.tolist() == [False, False, False, True, True, False]
    assert report.variance_over_time is None
    np.testing.assert_allclose(report.variance, loc.var(axis=0))
    assert report.variance[3] > 0.01  # moves a little, and costs less than 0.01 nats


def test_thresholds_are_used():
    loc, scale = np.array([[1.0], [-1.0]]), np.ones((2, 1))  # 0.5 nats, variance 1
    assert collapse_report(loc, scale, kl_threshold=0.6).collapsed[0]
    assert collapse_report(loc, scale, variance_threshold=1.1).passive[0]
    assert collapse_report(loc, scale, prior_loc=loc).collapsed[0]


def test_a_report_reads_from_the_costliest_down():
    loc = np.random.default_rng(0).normal(size=(30, 8, 3)) * np.array([0.0, 2.0, 1.0])
    report = collapse_report(loc, np.ones(loc.shape))
    lines = str(report).splitlines()
    assert lines[0].startswith("3 dimensions: 2 active, 0 passive, 1 collapsed; ")
    assert "var, time" in lines[1]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "0"]
    assert lines[-1].endswith("collapsed")
    np.testing.assert_allclose(report.variance_over_time, loc.var(axis=1).mean(axis=0))
    one_bin = collapse_report(loc[:, :1], np.ones((30, 1, 3)))
    assert one_bin.variance_over_time is None


LOC = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loc": LOC[0]}, r"loc must be \[trial, dim\] or \[trial, time, dim\]"),
        ({"loc": LOC * np.nan}, "loc must be finite"),
        ({"loc": LOC[:1], "scale": 1.0}, "at least two trials"),
        ({"scale": LOC}, "scale must be above 0, got 0"),
        ({"scale": np.ones((2, 2))}, r"scale must have the shape of loc, \(3, 2\)"),
        ({"prior_scale": -1.0}, "prior_scale must be above 0"),
        ({"prior_loc": np.ones(3)}, "prior_loc must have the shape of loc"),
        ({"kl_threshold": 0.0}, "kl_threshold must be above 0"),
        ({"variance_threshold": -1.0}, "variance_threshold must be above 0"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        collapse_report(**{"loc": LOC, "scale": np.ones((3, 2)), **change})


def test_wrong_arguments_of_active_units():
    with pytest.raises(ValueError, match="over must be one of 'trials', 'time'"):
        active_units(LOC, over="bins")
    with pytest.raises(ValueError, match=r"needs \[trial, time, dim\]"):
        active_units(LOC, over="time")
    with pytest.raises(ValueError, match="at least two time bins"):
        active_units(LOC[:, None], over="time")
    with pytest.raises(ValueError, match="threshold must be above 0"):
        active_units(LOC, 0.0)
