"""Penalties on a static latent against plain loops in numpy and known Gaussians."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import special, stats

from tfp_bvae.layers import (
    DIPPenalty,
    MVNDiagPosterior,
    MVNTriLPosterior,
    PathPosterior,
    TotalCorrelation,
)

BATCH, DIM, TRIALS = 5, 3, 40
POSTERIORS = {"diagonal": (MVNDiagPosterior, 2 * DIM), "full": (MVNTriLPosterior, DIM * 4 - 3)}


@pytest.fixture(params=POSTERIORS)
def q(request, rng):
    make, size = POSTERIORS[request.param]
    params = tf.constant(rng.normal(size=[BATCH, size]))
    return make(DIM, value="sample", seed=1, dtype="float64")(params)


def added(layer, q):
    """What it adds to the loss, and what it reports."""
    layer(q)
    (loss,), (metric,) = layer.losses, layer.metrics
    assert metric.name == layer.name
    return float(loss), float(metric.result())


def correlation(q, weights):
    """The same in loops, with scipy's densities; `weights[i, j]` of trial j for the sample i."""
    f, means, covariances = (x.numpy() for x in (q + 0.0, q.mean(), q.covariance()))
    terms = []
    for i in range(BATCH):
        joint, each = np.zeros(BATCH), np.zeros([BATCH, DIM])
        for j in range(BATCH):
            joint[j] = stats.multivariate_normal(means[j], covariances[j]).logpdf(f[i])
            for d in range(DIM):
                each[j, d] = stats.norm(means[j, d], covariances[j, d, d] ** 0.5).logpdf(f[i, d])
        marginals = special.logsumexp(each, axis=0, b=weights[i][:, None]).sum()
        terms.append(special.logsumexp(joint, b=weights[i]) - marginals)
    return np.mean(terms)


def stratified(trials, batch=BATCH):
    weights = np.full([batch, batch], (trials - 1) / (trials * (batch - 1)))
    np.fill_diagonal(weights, 1 / trials)
    return weights


def test_weighted_sampling_is_the_loop(q):
    expected = correlation(q, np.full([BATCH, BATCH], 1 / (TRIALS * BATCH)))
    loss, metric = added(TotalCorrelation(1.5, TRIALS, dtype="float64"), q)
    np.testing.assert_allclose([loss, metric], [1.5 * expected, expected], rtol=1e-6)


def test_stratified_sampling_is_the_loop(q):
    expected = correlation(q, stratified(TRIALS))
    layer = TotalCorrelation(1.5, TRIALS, sampling="stratified", dtype="float64")
    np.testing.assert_allclose(added(layer, q), [1.5 * expected, expected], rtol=1e-6)


def test_a_batch_of_all_trials_is_the_aggregate_itself(q):
    layer = TotalCorrelation(1.0, BATCH, sampling="stratified", dtype="float64")
    expected = correlation(q, np.full([BATCH, BATCH], 1 / BATCH))
    np.testing.assert_allclose(added(layer, q)[0], expected, rtol=1e-6)


def test_weighted_differs_from_the_aggregate_by_what_the_text_says(q):
    weighted = added(TotalCorrelation(1.0, BATCH, dtype="float64"), q)[0]
    layer = TotalCorrelation(1.0, BATCH, sampling="stratified", dtype="float64")
    offset = (DIM - 1) * np.log(BATCH)
    np.testing.assert_allclose(weighted, added(layer, q)[0] + offset, rtol=1e-6)


def test_stratified_densities_are_unbiased(rng):
    """Over all batches that hold a trial, the mean of the estimate is the aggregate density."""
    densities = rng.uniform(size=TRIALS)
    others = [rng.choice(np.arange(1, TRIALS), BATCH - 1, replace=False) for _ in range(20000)]
    batches = np.concatenate([np.zeros([20000, 1], int), others], axis=1)
    estimates = densities[batches] @ stratified(TRIALS)[0]
    error = estimates.std() / np.sqrt(len(estimates))
    assert abs(estimates.mean() - densities.mean()) <= 4 * error


def test_the_correlation_of_known_gaussians_is_found(rng):
    """Means N(0, P), posteriors N(m, s^2): the aggregate is N(0, P + s^2), its TC closed."""
    between, within, trials = np.array([[1.0, 0.7], [0.7, 1.5]]), 0.6, 3000
    total = between + within**2 * np.eye(2)
    closed = 0.5 * (np.log(np.diag(total)).sum() - np.linalg.slogdet(total)[1])
    means = rng.multivariate_normal(np.zeros(2), between, trials)
    drawn = means + within * rng.normal(size=means.shape)
    scales = np.full_like(means, within)
    q = PathPosterior(dtype="float64")([tf.constant(x) for x in (means, scales, drawn)])
    layer = TotalCorrelation(1.0, trials, sampling="stratified", dtype="float64")
    found = added(layer, q)[0]
    # each log-ratio has this spread; the mixture's own error is of the order of 1 / trials
    gaussian = stats.multivariate_normal(np.zeros(2), total)
    ratios = gaussian.logpdf(drawn) - stats.norm(0, np.diag(total) ** 0.5).logpdf(drawn).sum(1)
    assert abs(found - closed) <= 4 * ratios.std() / np.sqrt(trials)


def test_one_trial_alone_has_no_correlation():
    q = MVNDiagPosterior(DIM, value="sample", dtype="float64")(tf.ones([1, 2 * DIM], tf.float64))
    layer = TotalCorrelation(1.0, 1, sampling="stratified", dtype="float64")
    assert abs(added(layer, q)[0]) < 1e-12


@pytest.mark.parametrize("sampling", ["weighted", "stratified"])
def test_gradients_of_the_correlation_are_finite_where_trials_are_far_apart(sampling):
    params = tf.Variable(
        tf.concat([100.0 * tf.reshape(tf.range(12.0), [4, 3]), tf.zeros([4, 3])], 1)
    )
    layer = TotalCorrelation(1.0, TRIALS, sampling=sampling)
    with tf.GradientTape() as tape:
        layer(MVNDiagPosterior(DIM, value="sample")(params))
        loss = layer.losses[0]
    assert np.isfinite(tape.gradient(loss, params)).all()


@pytest.mark.parametrize("kind", ["i", "ii"])
def test_dip_is_the_penalty_of_the_covariance(kind, q):
    covariance = np.cov(q.mean(), rowvar=False, bias=True)
    if kind == "ii":
        covariance = covariance + np.mean(q.covariance(), axis=0)
    off = covariance - np.diag(np.diag(covariance))
    expected = 3.0 * np.sum(off**2) + 0.5 * np.sum((np.diag(covariance) - 1.0) ** 2)
    loss, metric = added(DIPPenalty(3.0, 0.5, kind, dtype="float64"), q)
    np.testing.assert_allclose([loss, metric], expected, rtol=1e-6)


def test_dip_of_the_identity_is_nothing(rng):
    means = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    q = PathPosterior(dtype="float64")([tf.constant(x) for x in (means, 1e-3 + 0 * means, means)])
    assert added(DIPPenalty(3.0, 0.5, dtype="float64"), q)[0] == 0.0
    q = PathPosterior(dtype="float64")([tf.constant(x) for x in (0 * means, 1 + 0 * means, means)])
    assert added(DIPPenalty(3.0, 0.5, "ii", dtype="float64"), q)[0] == 0.0


def test_weights_are_variables_that_are_not_trained(q):
    correlation, dip = TotalCorrelation(1.0, TRIALS), DIPPenalty(1.0, 1.0)
    for layer, weights in ((correlation, ["weight"]), (dip, ["off_diagonal", "diagonal"])):
        layer(q)
        assert layer.trainable_weights == []
        for name in weights:
            getattr(layer, name).assign(0.0)
        layer(q)
        assert float(layer.losses[0]) == 0.0


def test_in_a_model_they_add_one_loss_and_one_metric_each(rng):
    inputs = tf_keras.Input([6])
    f = MVNDiagPosterior(DIM)(inputs)
    f = tf_keras.layers.Add()(
        [TotalCorrelation(2.0, 8, name="tc")(f), DIPPenalty(1.0, 1.0, name="dip")(f)]
    )
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(1)(f))
    model.compile("sgd", "mse")
    history = model.fit(rng.normal(size=[8, 6]), np.zeros([8, 1]), verbose=0).history
    assert set(history) == {"loss", "tc", "dip"}
    assert len(model.losses) == 2


@pytest.mark.parametrize("make", [lambda: TotalCorrelation(1.0, 9), lambda: DIPPenalty(1.0, 1.0)])
def test_what_is_no_static_posterior_is_refused(make):
    with pytest.raises(TypeError, match="q must be the output of a distribution layer"):
        make()(tf.zeros([2, 3]))
    with pytest.raises(ValueError, match="one latent per trial"):
        make()(MVNDiagPosterior(2)(tf.zeros([2, 5, 4])))


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"weight must be in \[0\.0, inf\], got -1"):
        TotalCorrelation(-1.0, 9)
    with pytest.raises(ValueError, match="num_trials must be a whole number of at least 1, got 0"):
        TotalCorrelation(1.0, 0)
    with pytest.raises(ValueError, match="sampling must be one of 'weighted', 'stratified'"):
        TotalCorrelation(1.0, 9, sampling="none")
    with pytest.raises(ValueError, match=r"off_diagonal must be in"):
        DIPPenalty(-1.0, 1.0)
    with pytest.raises(ValueError, match="kind must be one of 'i', 'ii', got 'iii'"):
        DIPPenalty(1.0, 1.0, kind="iii")
