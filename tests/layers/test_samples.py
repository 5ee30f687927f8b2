"""Several samples per trial: how they are laid out, and the ratio of each."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import path_kl, sampled_kl
from tfp_bvae.layers import (
    AR1Prior,
    ImportanceWeightedLikelihood,
    LearnableMVNPrior,
    LogRatio,
    MVNDiagPosterior,
    PoissonLikelihood,
    RepeatSamples,
    SplitSamples,
)

BATCH, STEPS, DIM = 3, 5, 2


@pytest.fixture
def x(rng):
    return rng.normal(size=[BATCH, STEPS, 2 * DIM])


@pytest.mark.parametrize("shape", [(BATCH,), (BATCH, 4), (BATCH, STEPS, 4)], ids=str)
@pytest.mark.parametrize("samples", [1, 3])
def test_what_was_repeated_is_split_sample_by_sample(shape, samples, rng):
    x = rng.normal(size=shape)
    repeated = RepeatSamples(samples, dtype="float64")(x, training=True)
    np.testing.assert_array_equal(repeated, np.concatenate(samples * [x]))
    split = SplitSamples(samples, dtype="float64")(repeated, training=True)
    np.testing.assert_array_equal(split, np.stack(samples * [x]))


@pytest.mark.parametrize("make", [RepeatSamples, SplitSamples])
def test_at_inference_nothing_changes(make, x):
    for training in (False, None):
        np.testing.assert_array_equal(make(4, dtype="float64")(x, training=training), x)


def test_sizes_that_are_known_stay_known_and_whole_numbers_whole(x):
    assert RepeatSamples(2)(tf.range(3), training=True).dtype == tf.int32
    signature = [tf.TensorSpec([None, None, 4])]
    repeat = tf.function(lambda x: RepeatSamples(2)(x, training=True), signature)
    split = tf.function(lambda x: SplitSamples(2)(x, training=True), signature)
    assert repeat.get_concrete_function().output_shapes.as_list() == [None, None, 4]
    assert split.get_concrete_function().output_shapes.as_list() == [2, None, None, 4]


def test_a_batch_that_holds_no_whole_number_of_samples_is_refused(x):
    with pytest.raises(tf.errors.InvalidArgumentError):
        SplitSamples(2)(x, training=True)


def test_samples_of_one_trial_are_draws_of_their_own(x):
    q = MVNDiagPosterior(DIM, seed=1)(RepeatSamples(2)(x, training=True), training=True)
    one, other = SplitSamples(2)(tf.identity(q), training=True)
    assert not np.any(np.isclose(one, other))
    np.testing.assert_array_equal(*tf.split(q.mean(), 2))


def q_and_p(x, training, over_time=True):
    q = MVNDiagPosterior(DIM, seed=1, dtype="float64")(x, training=training)
    prior = AR1Prior(DIM, tau=3.0) if over_time else LearnableMVNPrior(DIM, scale=0.4)
    return q, type(prior).from_config(prior.get_config() | {"dtype": "float64"})(x)


def test_the_ratio_of_a_path_is_minus_the_sampled_divergence(x):
    q, p = q_and_p(x, training=True)
    layer = LogRatio(dtype="float64")
    z, ratio = layer([q, p], training=True)
    np.testing.assert_array_equal(z, tf.identity(q))
    np.testing.assert_allclose(ratio, -sampled_kl(q, p, z), rtol=1e-12)
    assert not layer.losses and ratio.shape == [BATCH]
    (metric,) = layer.metrics
    np.testing.assert_allclose(metric.result(), -np.mean(ratio), rtol=1e-6)


def test_at_inference_it_is_minus_the_divergence_given_the_mean(x):
    q, p = q_and_p(x, training=False)
    z, ratio = LogRatio(dtype="float64")([q, p], training=False)
    np.testing.assert_array_equal(z, q.mean())
    np.testing.assert_allclose(ratio, -path_kl(q, p, z), rtol=1e-12)


@pytest.mark.parametrize("steps", [(), (STEPS,)], ids=str)
def test_without_a_time_axis_in_the_prior_steps_add_up(steps, rng):
    x = rng.normal(size=[BATCH, *steps, 2 * DIM])
    for training in (True, False):
        q, p = q_and_p(x, training, over_time=False)
        z, ratio = LogRatio(dtype="float64")([q, p], training=training)
        expected = p.log_prob(z) - q.log_prob(z)
        if not training:
            expected = -tfd.kl_divergence(q.tensor_distribution, p.tensor_distribution)
        axes = tuple(range(1, len(steps) + 1))
        np.testing.assert_allclose(ratio, np.sum(expected, axis=axes), rtol=1e-10)


def test_the_ratio_s_mean_is_the_divergence(rng):
    x = np.repeat(rng.normal(size=[1, STEPS, 2 * DIM]), 20_000, axis=0)
    _, ratio = LogRatio(dtype="float64")(q_and_p(x, True), training=True)
    q, p = q_and_p(x[:1], False)
    exact = tfd.kl_divergence(tfd.Independent(q.tensor_distribution, 1), p.tensor_distribution)
    error = np.std(ratio) / np.sqrt(len(ratio))
    assert abs(-np.mean(ratio) - exact[0]) < 4.0 * error


def test_what_it_is_given_to_pass_on_it_passes_on(x):
    q, p = q_and_p(x, training=True)
    found, _ = LogRatio(dtype="float64")([q, p, tf.constant(x)], training=True)
    np.testing.assert_array_equal(found, x)


def test_a_number_in_the_place_of_a_distribution_is_refused(x):
    q, p = q_and_p(x, training=True)
    with pytest.raises(TypeError, match="q must be the output of a distribution layer"):
        LogRatio()([tf.identity(q), p])
    with pytest.raises(TypeError, match="p must be the output of a distribution layer"):
        LogRatio()([q, tf.identity(p)])


def test_a_model_of_several_samples_fits_and_averages_the_elbo(rng):
    """Without weighing: the loss is the mean over samples of the usual one."""
    x, y = tf_keras.Input([None, 2 * DIM]), rng.poisson(1.0, [8, STEPS, DIM]).astype("float32")
    q = MVNDiagPosterior(DIM, seed=1)(RepeatSamples(3)(x))
    likelihood = PoissonLikelihood()(SplitSamples(3)(tf_keras.layers.Dense(DIM)(q)))
    model = tf_keras.Model(x, likelihood)
    adam = tf_keras.optimizers.Adam(0.02)
    model.compile(adam, loss=lambda y, law: -law.log_prob(y), jit_compile=True)
    history = model.fit(rng.normal(size=[8, STEPS, 2 * DIM]), y, epochs=80, verbose=0).history
    assert np.mean(history["loss"][-20:]) < np.mean(history["loss"][:20])


@pytest.mark.parametrize("make", [RepeatSamples, SplitSamples])
def test_wrong_settings_are_refused(make):
    with pytest.raises(ValueError, match="num_samples must be a whole number of at least 1, got 0"):
        make(0)


def test_weights_without_a_likelihood_or_a_likelihood_without_weights():
    likelihood = PoissonLikelihood()(tf.zeros([2, BATCH, STEPS, DIM]))
    with pytest.raises(ValueError, match=r"inputs must be \[likelihood, ratio, ...\]"):
        ImportanceWeightedLikelihood()([likelihood])
    with pytest.raises(TypeError, match="likelihood must be the output of a distribution layer"):
        ImportanceWeightedLikelihood()([tf.zeros([2, BATCH]), tf.zeros([2, BATCH])])
