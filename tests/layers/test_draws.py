"""One draw of a distribution: by its law, and the same with and without XLA."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, TiledMVNDiag, ZeroInflatedPoisson
from tfp_bvae.layers import AR1Prior, GaussianLikelihood, NegativeBinomialLikelihood
from tfp_bvae.layers.draws import draw
from tfp_bvae.rnn import standard_normal

COUNT = 20_000


def poisson(rate):
    return lambda: tfd.Poisson(tf.fill([COUNT], rate)), stats.poisson(rate)


def negative_binomial(mean, size):
    law = stats.nbinom(size, size / (size + mean))
    logits = np.log(mean / size).astype("float32")
    return lambda: tfd.NegativeBinomial(tf.fill([COUNT], size), logits=logits), law


LAWS = {
    "few": poisson(0.02),
    "Poisson": poisson(3.0),
    "many": poisson(400.0),
    "very many": poisson(20_000.0),
    "negative binomial": negative_binomial(3.0, 0.7),
    "close to Poisson": negative_binomial(400.0, 1e4),
    "long tail": negative_binomial(20.0, 0.1),
}


def p_value(drawn, law):
    """Of a chi-square test over bins of about equal probability."""
    edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 41)[1:-1]))
    probability = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    found = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    keep = probability * COUNT > 5
    assert found[~keep].sum() < 20
    return stats.chisquare(
        found[keep], probability[keep] / probability[keep].sum() * found[keep].sum()
    ).pvalue


@pytest.mark.parametrize("name", LAWS)
def test_counts_follow_their_law(name):
    make, law = LAWS[name]
    drawn = draw(make(), tf.constant([1, 2])).numpy()
    assert drawn.dtype == np.float32 and np.array_equal(drawn, np.round(drawn))
    assert abs(drawn.mean() - law.mean()) < 4.0 * law.std() / np.sqrt(COUNT)
    assert p_value(drawn, law) > 1e-3


def test_zero_inflated_counts_follow_theirs():
    drawn = draw(ZeroInflatedPoisson(tf.zeros([COUNT]), 0.5), tf.constant([1, 2])).numpy()
    silent = 1.0 / (1.0 + np.exp(-0.5))
    expected = (1.0 - silent) * stats.poisson(1.0).pmf(np.arange(4)) + silent * (np.arange(4) == 0)
    for count, probability in enumerate(expected):
        error = np.sqrt(probability * (1.0 - probability) / COUNT)
        assert abs((drawn == count).mean() - probability) < 4.0 * error


def test_rates_that_are_no_numbers_or_infinite_end_the_search():
    drawn = draw(tfd.Poisson(tf.constant([np.nan, np.inf, 0.0, 2.0])), tf.constant([1, 2]))
    assert drawn[2] == 0.0 and np.isfinite(drawn[3])


def test_gaussians_follow_their_law():
    factor = np.array([[1.0, 0.0], [-0.8, 0.5]])
    mvn = tfd.MultivariateNormalTriL(tf.fill([COUNT, 2], 3.0), tf.constant(factor, tf.float32))
    drawn = draw(mvn, tf.constant([1, 2])).numpy()
    np.testing.assert_allclose(drawn.mean(0), 3.0, atol=4.0 / np.sqrt(COUNT))
    np.testing.assert_allclose(np.cov(drawn.T), factor @ factor.T, atol=0.05)
    normal = tfd.Independent(tfd.Normal(tf.fill([COUNT, 1], -1.0), 0.5), 1)
    assert (
        stats.kstest(draw(normal, tf.constant([1, 2]))[:, 0], stats.norm(-1.0, 0.5).cdf).pvalue
        > 1e-3
    )


@pytest.mark.parametrize(
    "process",
    [AR1Process([4.0, 9.0], 0.3, 7, loc=1.0), TiledMVNDiag([1.0, 2.0], [0.1, 0.2], 7)],
    ids=lambda process: type(process).__name__,
)
def test_a_path_is_what_the_process_makes_of_the_noise(process):
    noise = standard_normal([7, 2], tf.constant([1, 2]))
    np.testing.assert_array_equal(draw(process, tf.constant([1, 2])), process.from_noise(noise))


def test_any_other_distribution_draws_for_itself():
    gamma = tfd.Gamma(tf.ones([3]), 1.0)
    seed = tf.constant([1, 2])
    np.testing.assert_array_equal(draw(gamma, seed), gamma.sample(seed=seed))


SAME = {
    "AR(1)": lambda x: AR1Process(tf.exp(x), tf.exp(x), 9),
    "Gaussian": lambda x: tfd.Independent(tfd.Normal(x, tf.exp(x)), 2),
    "Poisson": lambda x: tfd.Independent(tfd.Poisson(log_rate=x), 2),
    "negative binomial": lambda x: tfd.NegativeBinomial(tf.exp(-x), logits=x),
    "zero-inflated": lambda x: ZeroInflatedPoisson(x, -x),
}


@pytest.mark.parametrize("name", SAME)
def test_xla_changes_no_draw(name, rng):
    x = tf.constant(rng.normal(size=[3, 40, 50]).astype("float32"))

    def one(x):
        return draw(SAME[name](x), tf.constant([3, 4]))

    compiled = tf.function(one, jit_compile=True)(x)
    if name in ("AR(1)", "Gaussian"):
        np.testing.assert_allclose(one(x), compiled, rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_array_equal(one(x), compiled)


@pytest.mark.parametrize(
    "layer",
    [
        AR1Prior(2, value="sample", seed=1),
        GaussianLikelihood("full", value="sample", seed=1),
        NegativeBinomialLikelihood(value="sample", seed=1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_draw_what_they_draw_without_xla(layer, rng):
    x = tf.constant(rng.normal(size=[3, 5, 2]).astype("float32"))
    layer(x)
    before = layer.noise._state.numpy()
    plain = tf.identity(layer(x))
    layer.noise._state.assign(before)
    compiled = tf.function(lambda x: tf.identity(layer(x)), jit_compile=True)(x)
    np.testing.assert_allclose(plain, compiled, rtol=1e-4, atol=1e-5)


def test_no_gradient_passes_a_count_and_none_is_lost_in_a_gaussian():
    x = tf.Variable([[0.3]])
    with tf.GradientTape(persistent=True) as tape:
        count = draw(tfd.Poisson(log_rate=x), tf.constant([1, 2]))
        value = draw(tfd.Normal(x, tf.exp(x)), tf.constant([1, 2]))
    assert tape.gradient(count, x) is None
    noise = standard_normal([1, 1], tf.constant([1, 2]))
    np.testing.assert_allclose(tape.gradient(value, x), 1.0 + noise * np.exp(0.3), rtol=1e-5)
