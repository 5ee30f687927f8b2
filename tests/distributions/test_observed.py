"""Densities that leave out NaN, against scipy on what is left."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, Observed, ObservedMVNTriL, SharedMVNTriL
from tfp_bvae.distributions.kl import path_kl, sampled_kl
from tfp_bvae.layers.draws import draw


def holes(rng, *shape, share=0.4):
    """Values of which some are NaN; one row of nothing else."""
    values = rng.normal(size=shape)
    values[rng.random(shape) < share] = np.nan
    values[0] = np.nan
    return values


def test_entries_that_are_nan_cost_nothing_and_have_no_gradient(rng):
    values, loc = holes(rng, 5, 3), tf.Variable(rng.normal(size=(5, 3)))
    with tf.GradientTape() as tape:
        found = Observed(tfd.Normal(loc, tf.constant(2.0, tf.float64))).log_prob(values)
    expected = stats.norm(loc.numpy(), 2.0).logpdf(values)
    np.testing.assert_allclose(found, np.where(np.isnan(values), 0.0, expected), rtol=1e-10)
    expected = np.where(np.isnan(values), 0.0, (values - loc.numpy()) / 4.0)
    np.testing.assert_allclose(tape.gradient(found, loc), expected, rtol=1e-10)


def test_moments_and_draws_are_those_of_the_entries():
    entries = tfd.Poisson(tf.constant([1.0, 4.0]))
    observed = Observed(entries)
    for moment in ("mean", "variance", "stddev"):
        np.testing.assert_array_equal(getattr(observed, moment)(), getattr(entries, moment)())
    np.testing.assert_array_equal(draw(observed, [1, 2]), draw(entries, [1, 2]))
    assert observed.sample(3).shape == (3, 2)


def scale_tril(rng, dim):
    lower = np.tril(0.5 * rng.normal(size=(dim, dim)))
    return lower + np.diag(1.0 + rng.random(dim) - np.diag(lower))


def marginal(value, loc, factor):
    """Log-density of the entries of one vector that are no NaN."""
    seen = ~np.isnan(value)
    if not seen.any():
        return 0.0
    covariance = (factor @ factor.T)[np.ix_(seen, seen)]
    return stats.multivariate_normal(loc[seen], covariance).logpdf(value[seen])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_gaussian_is_the_marginal_of_the_entries_observed(rng, jit_compile):
    values, loc, factor = holes(rng, 6, 4), rng.normal(size=(6, 4)), scale_tril(rng, 4)

    @tf.function(jit_compile=jit_compile)
    def run(loc, factor):
        with tf.GradientTape() as tape:
            tape.watch([loc, factor])
            found = ObservedMVNTriL(loc, factor).log_prob(values)
        return found, tape.gradient(found, [loc, factor])

    found, (of_loc, of_factor) = run(tf.constant(loc), tf.constant(factor))
    rows = zip(values, loc, strict=True)
    np.testing.assert_allclose(found, [marginal(v, m, factor) for v, m in rows], rtol=1e-10)
    assert (of_loc.numpy()[np.isnan(values)] == 0.0).all()
    for (i, j), slope in np.ndenumerate(of_factor.numpy()):  # by finite differences
        if j <= i:
            step = np.zeros_like(factor)
            step[i, j] = 1e-5
            ends = (
                sum(marginal(v, m, factor + s) for v, m in zip(values, loc, strict=True))
                for s in (-step, step)
            )
            low, high = ends
            np.testing.assert_allclose(slope, (high - low) / 2e-5, rtol=1e-5, atol=1e-8)


def test_vectors_that_are_whole_or_empty_take_the_short_way(rng):
    values, loc, factor = rng.normal(size=(3, 5, 4)), rng.normal(size=(3, 5, 4)), scale_tril(rng, 4)
    whole = SharedMVNTriL(loc, factor).log_prob(values).numpy()
    np.testing.assert_allclose(ObservedMVNTriL(loc, factor).log_prob(values), whole, rtol=1e-10)
    values[1, 2:] = np.nan
    whole[1, 2:] = 0.0
    np.testing.assert_allclose(ObservedMVNTriL(loc, factor).log_prob(values), whole, rtol=1e-10)


@pytest.mark.parametrize("estimate", [path_kl, sampled_kl])
def test_a_kl_ends_with_the_trial(rng, estimate):
    loc, path = rng.normal(size=(2, 3, 7, 2))
    scale = 0.5 + rng.random((3, 7, 2))
    length = [7, 2, 5]

    def kl(trials, steps, length=None):
        q = tfd.MultivariateNormalDiag(loc[trials, :steps], scale[trials, :steps])
        prior = AR1Process(
            tf.constant([10.0, 3.0], tf.float64), tf.constant(0.3, tf.float64), steps
        )
        return estimate(q, prior, tf.constant(path[trials, :steps]), length)

    every = kl(slice(None), 7, tf.constant(length))
    alone = [kl(slice(n, n + 1), steps)[0] for n, steps in enumerate(length)]
    np.testing.assert_allclose(every, alone, rtol=1e-10)
