"""Bounds on the log-likelihood: against exact inference, by hand, and for every kind of model."""

from __future__ import annotations

import linear_dsae
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from linear_gaussian import exact_recognition
from scipy import stats

from tfp_bvae import data, models
from tfp_bvae.inference import log_likelihood
from tfp_bvae.rnn import posterior_values

COPIES = 400


def copies(x, count=COPIES):
    """A split of one trial, again and again."""
    trials = np.repeat(x[np.newaxis], count, axis=0).astype("float32")
    return data.Split(trials, trials)


@pytest.fixture
def linear(rng):
    """A model with an AR(1) prior, a q that is not its posterior, and a trial."""
    p_z = linear_dsae.ar1()
    generative, recognition = linear_dsae.instance(rng, p_z)
    x = generative.draw(rng).astype("float32").astype(float)
    return generative, recognition, linear_dsae.build(generative, recognition, p_z), x


def test_elbo_bound_and_exact_evidence_stand_in_this_order(linear):
    generative, recognition, model, x = linear
    truth = generative.log_evidence(x)
    found = {
        samples: log_likelihood(model, copies(x), samples, COPIES, min(samples, 16))
        for samples in (1, 8, 64)
    }
    bound = {samples: each.importance_weighted for samples, each in found.items()}
    mean = {samples: each.mean() for samples, each in bound.items()}
    error = {samples: each.std() / np.sqrt(COPIES) for samples, each in bound.items()}
    in_closed_form = truth - recognition.joint(x).kl(generative.posterior(x))
    for each in found.values():
        elbo_error = each.elbo.std() / np.sqrt(COPIES)
        assert abs(each.elbo.mean() - in_closed_form) < 4.0 * elbo_error
        assert (each.elbo <= each.importance_weighted + 1e-9).all()
    np.testing.assert_array_equal(found[1].elbo, found[1].importance_weighted)
    for fewer, more in [(1, 8), (8, 64)]:
        assert mean[more] - mean[fewer] > 4.0 * np.hypot(error[fewer], error[more])
    assert mean[64] < truth + 4.0 * error[64]
    assert truth - mean[64] < 0.3 * (truth - mean[1])
    ratios = np.exp(bound[64] - truth)  # the weights themselves have no bias
    assert abs(ratios.mean() - 1.0) < 4.0 * ratios.std() / np.sqrt(COPIES)


def test_with_the_exact_posterior_each_sample_gives_the_evidence(rng):
    p_z = linear_dsae.tiled()
    generative, _ = linear_dsae.instance(rng, p_z)
    x = generative.draw(rng).astype("float32").astype(float)
    model = linear_dsae.build(generative, exact_recognition(generative, x), p_z)
    found = log_likelihood(model, copies(x, 3), num_samples=7, samples_at_once=3)
    for bound in (found.elbo, found.importance_weighted):
        np.testing.assert_allclose(bound, generative.log_evidence(x), rtol=1e-8)
    np.testing.assert_allclose(found.effective_samples, 7.0)


def test_lfads_by_hand(make_model, dataset):
    """One draw, all terms in numpy from what the layers put out for that draw."""
    valid = dataset.valid
    ext_input = np.random.default_rng(0).normal(size=(8, 10, 2))
    split = data.Split(valid.encod[:, :8], valid.recon, ext_input)
    wide = {"q_f_scale": 0.8, "p_f_scale": 0.6, "q_z_scale": 0.5}
    model = make_model({"ext_inputs": 2, "forward_bins": 2}, segment=3, **wide)
    layers = {name: model.get_layer(name) for name in ("f_params", "kl_f", "generator", "log_rate")}
    parts = tf_keras.Model(model.inputs, {name: each.output for name, each in layers.items()})
    with posterior_values("sample", seed=[5, 0]):
        out = parts(models.model_arrays(model, split)[0], training=False)
    out = tf.nest.map_structure(lambda x: x.numpy().astype(float), out)

    def weight(layer, name):
        (found,) = [w for w in model.get_layer(layer).weights if f"/{name}:" in w.name]
        return found.numpy().astype(float)

    loc, raw = np.split(out["f_params"], 2, axis=-1)
    scale = 0.01 + np.logaddexp(0.0, raw + np.log(np.expm1(0.8 - 0.01)))
    f, p_f = out["kl_f"], stats.norm(weight("p_f", "loc"), np.exp(weight("p_f", "log_scale")))
    expected = (p_f.logpdf(f) - stats.norm(loc, scale).logpdf(f)).sum(axis=1)
    path = out["generator"]
    z = path["inferred"]
    assert z.shape[1] == 7 and np.abs(z - path["inferred_loc"]).min() > 0.0
    phi = np.exp(-1.0 / np.exp(weight("p_z", "log_tau")))
    innovation = np.exp(weight("p_z", "log_innovation_scale"))
    first = stats.norm(0.0, innovation / np.sqrt(1.0 - phi**2)).logpdf(z[:, 0])
    later = stats.norm(phi * z[:, :-1], innovation).logpdf(z[:, 1:])
    q_z = stats.norm(path["inferred_loc"], path["inferred_scale"]).logpdf(z)
    expected += first.sum(axis=1) + later.sum(axis=(1, 2)) - q_z.sum(axis=(1, 2))
    expected += stats.poisson(np.exp(out["log_rate"])).logpmf(valid.recon[:, 3:]).sum(axis=(1, 2))

    found = log_likelihood(model, split, num_samples=1, seed=5)
    np.testing.assert_allclose(found.elbo, expected, rtol=1e-5)


SMALL = {
    "f_size": 3, "f_encoder_units": 4, "z_encoder_units": 4, "generator_units": 6, "factors": 3,
    "q_f_scale": 0.8, "p_f_scale": 0.8, "beta_f": 1.0, "beta_z": 1.0,
}  # fmt: skip
KINDS = {
    "lfads, no z, full covariance, negative binomial": (
        "lfads",
        {"likelihood": "negative_binomial"},
        {"z_size": 0, "f_covariance": "full"},
    ),
    "lfads, importance-weighted": (
        "lfads",
        {"num_samples": 2, "importance_weighted": True},
        {"z_size": 2, "coordinated_dropout": 0.0},
    ),
    "dsae-full, Gaussian": (
        "dsae-full",
        {"likelihood": "gaussian_full"},
        {"z_size": 2, "z_encoder_units2": 3},
    ),
    "dsae-factorized, full covariance, recurrent generator": (
        "dsae-factorized",
        {},
        {"z_size": 2, "z_prior": "tiled", "z_covariance": "full", "generator_cell": "lstm"},
    ),
}


RARER = ("lfads, no z, full covariance, negative binomial", "dsae-full, Gaussian")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.slow] if kind in RARER else []) for kind in KINDS],
)
def test_its_mean_is_minus_the_loss_of_the_model(kind, dataset):
    """The loss with betas of 1, dropout off, and a KL that is not of the sample alone."""
    recipe, arguments, params = KINDS[kind]
    split, (build, settings, *_) = dataset.valid, models.RECIPES[recipe]
    model = build({"channels": 6} | arguments, settings(SMALL | params))
    inputs, targets = models.model_arrays(model, split)

    @tf.function
    def bound(seed):
        with posterior_values("sample", seed=[seed, 7]):
            likelihood = model(inputs, training=False)
        added = tf.add_n(model.losses) if model.losses else 0.0
        return tf.reduce_mean(likelihood.log_prob(targets)) - added

    draws = np.array([bound(tf.constant(seed)).numpy() for seed in range(60)])
    found = [log_likelihood(model, split, num_samples=1, seed=seed) for seed in range(100, 160)]
    ours = np.array([each.elbo.mean() for each in found])
    error = np.hypot(ours.std(ddof=1), draws.std(ddof=1)) / np.sqrt(60)
    assert abs(ours.mean() - draws.mean()) < 4.0 * error


def test_fhvae_holds_f_against_the_mean_of_its_group(dataset):
    """One draw in numpy; segments of trials that are of a group, of none, or not known."""
    valid = dataset.valid
    split = data.Split(valid.encod, valid.recon, group=np.array([0, 0, 7, 7, -1, -1, 1, 1]))
    small = {"f_size": 3, "f_encoder_units": 4, "z_size": 2, "z_encoder_units": 4}
    cut = {"segment_length": 5, "segment_stride": 5, "generator_units": 5}
    model = models.fhvae({"channels": 6, "num_groups": 2}, small | cut)
    segments = models.model_segments(model, split)
    inputs, targets = models.model_arrays(model, segments.split)
    names = ("f_params", "kl_f", "kl_z", "log_rate")
    outputs = {name: model.get_layer(name).output for name in names}
    outputs["z_parameters"] = model.get_layer("q_z").input
    with posterior_values("sample", seed=[3, 0]):
        out = tf_keras.Model(model.inputs, outputs)(inputs, training=False)
    out = {name: x.numpy().astype(float) for name, x in out.items()}

    def posterior(params, init_scale, floor):
        loc, raw = np.split(params, 2, axis=-1)
        return loc, floor + np.logaddexp(0.0, raw + np.log(np.expm1(init_scale - floor)))

    loc, scale = posterior(out["f_params"], 0.5, 0.01)
    centre = np.empty_like(loc)
    for members in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [10, 11], [12, 13, 14, 15]):
        centre[members] = loc[members].sum(axis=0) / (len(members) + 0.5**2)
    f, z = out["kl_f"], out["kl_z"]
    log_rate = stats.poisson(np.exp(out["log_rate"])).logpmf(targets).sum(axis=(1, 2))
    f_ratio = stats.norm(centre, 0.5).logpdf(f) - stats.norm(loc, scale).logpdf(f)
    q_z = stats.norm(*posterior(out["z_parameters"], 1.0, 0.001))
    z_ratio = stats.norm(0.0, 1.0).logpdf(z) - q_z.logpdf(z)
    expected = log_rate + f_ratio.sum(axis=1) + z_ratio.sum(axis=1)

    found = log_likelihood(model, split, num_samples=1, seed=3)
    assert found.elbo.shape == (16,)
    np.testing.assert_allclose(found.elbo, expected, rtol=1e-5)


def test_sizes_of_batches_the_seed_and_what_is_not_finite(make_model, dataset):
    model = make_model(q_f_scale=0.8, p_f_scale=0.8)

    def score(**kwargs):
        settings = {"num_samples": 7, "batch_size": 3, "samples_at_once": 3} | kwargs
        return log_likelihood(model, dataset.valid, **settings)

    before = [w.numpy() for w in model.weights]
    one, same, other = score(), score(), score(seed=1)
    for first, second, third in zip(one, same, other, strict=True):
        assert first.shape == (8,) and first.dtype == np.float64
        np.testing.assert_array_equal(first, second)
        assert (first != third).all()
    assert ((one.effective_samples >= 1.0) & (one.effective_samples <= 7.0)).all()
    for was, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(was, weight.numpy())

    model.get_layer("log_rate").bias.assign(np.full(6, np.nan))
    with pytest.raises(ValueError, match="log_weights must be finite, got NaN"):
        score()


@pytest.mark.parametrize("name", ["num_samples", "batch_size", "samples_at_once"])
def test_numbers_below_one_are_refused(make_model, dataset, name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got 0"):
        log_likelihood(make_model(), dataset.valid, **{name: 0})
