"""The importance-weighted bound and its effective samples, from log-weights alone."""

import numpy as np
import pytest
from scipy import special

from tfp_bvae.metrics import effective_sample_size, importance_weighted_log_likelihood


def test_worked_examples():
    # weights 1 and 3: their mean is 2; 4^2 / (1 + 9) samples. Weights 6, 6: as good as two.
    log_weights = np.log([[1.0, 6.0], [3.0, 6.0]])
    np.testing.assert_allclose(
        importance_weighted_log_likelihood(log_weights), np.log([2.0, 6.0]), rtol=1e-14
    )
    np.testing.assert_allclose(effective_sample_size(log_weights), [1.6, 2.0], rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 3000.0])
def test_against_scipy(scale, rng):
    log_weights = scale * rng.normal(size=[50, 7]) - 2000.0
    expected = special.logsumexp(log_weights, axis=0) - np.log(50)
    np.testing.assert_allclose(importance_weighted_log_likelihood(log_weights), expected)
    normalised = special.softmax(log_weights, axis=0)
    found = effective_sample_size(log_weights)
    np.testing.assert_allclose(found, 1.0 / (normalised**2).sum(axis=0))
    assert (found >= 1.0 - 1e-12).all() and (found <= 50.0 + 1e-12).all()


@pytest.mark.parametrize("shift", [-1e6, 1e6])
def test_a_constant_moves_the_bound_by_itself_and_leaves_the_effective_samples(shift, rng):
    log_weights = rng.normal(size=[20, 3])
    moved = importance_weighted_log_likelihood(log_weights + shift) - shift
    np.testing.assert_allclose(moved, importance_weighted_log_likelihood(log_weights), atol=1e-9)
    np.testing.assert_allclose(
        effective_sample_size(log_weights + shift), effective_sample_size(log_weights), rtol=1e-9
    )


def test_one_sample_is_the_weight_itself(rng):
    log_weights = rng.normal(size=[1, 4])
    np.testing.assert_array_equal(importance_weighted_log_likelihood(log_weights), log_weights[0])
    np.testing.assert_array_equal(effective_sample_size(log_weights), np.ones(4))


def test_equal_weights_are_all_worth_the_same():
    log_weights = np.full([9, 2], -123.4)
    np.testing.assert_allclose(importance_weighted_log_likelihood(log_weights), -123.4, rtol=1e-14)
    np.testing.assert_allclose(effective_sample_size(log_weights), 9.0)


def test_more_samples_raise_the_bound_in_expectation_towards_the_truth(rng):
    """Log-normal weights of mean 1: the log-likelihood is 0, the ELBO -1/2 sigma^2."""
    sigma, trials = 1.2, 4000
    log_weights = sigma * rng.normal(size=[64, trials]) - 0.5 * sigma**2
    found = {n: importance_weighted_log_likelihood(log_weights[:n]) for n in (1, 4, 16, 64)}
    error = {n: each.std() / np.sqrt(trials) for n, each in found.items()}
    assert abs(found[1].mean() + 0.5 * sigma**2) < 4.0 * error[1]
    for fewer, more in [(1, 4), (4, 16), (16, 64)]:
        assert found[more].mean() - found[fewer].mean() > 4.0 * np.hypot(error[fewer], error[more])
    assert -0.1 < found[64].mean() < 4.0 * error[64]
    assert (np.diff([effective_sample_size(log_weights[:n]).mean() for n in found]) > 0).all()


@pytest.mark.parametrize("score", [importance_weighted_log_likelihood, effective_sample_size])
@pytest.mark.parametrize(
    "log_weights, said",
    [
        (np.zeros(3), "log_weights must have 2 axes"),
        (np.zeros([0, 3]), "log_weights must not be empty"),
        ([[0.0], [np.nan]], "log_weights must be finite"),
        ([[0.0], [np.inf]], "log_weights must be finite"),
    ],
)
def test_bad_input_is_named(score, log_weights, said):
    with pytest.raises(ValueError, match=said):
        score(log_weights)
