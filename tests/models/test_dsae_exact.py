"""DSAE's bound against exact inference, where model and posterior are linear and Gaussian."""

from __future__ import annotations

import linear_dsae
import numpy as np
import pytest
import tf_keras
from layers.test_importance_weighted import NOISE, PHI, SCALE, kalman
from linear_dsae import CHANNELS, STEPS, F, Z, build, instance
from linear_gaussian import Gaussian, Generative, exact_recognition

from tfp_bvae.training.losses import NegativeLogLikelihood

COPIES, DRAWS = 500, 40
SEVERAL = {"num_samples": 2, "importance_weighted": True}  # the loss is of log p(x, f, z) / q(f, z)


def losses(model, x):
    """What a fit would lower, term by term: in each draw the mean over copies of one trial."""
    model.compile(tf_keras.optimizers.SGD(0.0), NegativeLogLikelihood())
    data = np.repeat(x[np.newaxis], COPIES, axis=0)
    fit = model.fit({"spikes": data}, data, batch_size=COPIES, epochs=DRAWS, verbose=0)
    return {name: np.array(values) for name, values in fit.history.items()}


def check_mean(draws, expected):
    """Within four standard errors, where there is noise."""
    error = draws.std(ddof=1) / np.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4.0 * error + 1e-6, (draws.mean(), expected, error)


# The truth itself.


def test_the_dense_evidence_is_that_of_a_kalman_filter(rng):
    lags = np.abs(np.subtract.outer(np.arange(STEPS), np.arange(STEPS)))
    process = SCALE**2 / (1.0 - PHI**2) * PHI**lags
    generative = Generative(
        f=Gaussian(np.zeros(F), np.eye(F)),
        z=Gaussian(np.zeros(STEPS * Z), np.kron(process, np.eye(Z))),
        read_z=rng.normal(size=[Z, CHANNELS]),
        read_f=np.zeros([F, CHANNELS]),
        bias=np.zeros(CHANNELS),
        noise=np.full(CHANNELS, NOISE),
    )
    x = generative.draw(rng)
    log_evidence, filtered = kalman(x, generative.read_z)
    np.testing.assert_allclose(generative.log_evidence(x), log_evidence, rtol=1e-12)
    smoothed_last = generative.posterior(x).mean[-Z:]  # at the last bin the filter has seen all
    np.testing.assert_allclose(smoothed_last, filtered[-1][0], rtol=1e-10)


@pytest.mark.parametrize("kind", ["standard_normal", "tiled", "ar1", "recurrent"])
def test_two_ways_to_the_bound_agree(kind, rng):
    """log p(x) - KL(q || posterior), and E log p(x | f, z) - KL(q || prior)."""
    generative, recognition = instance(rng, getattr(linear_dsae, kind)())
    x = generative.draw(rng)
    q = recognition.joint(x)
    below = generative.log_evidence(x) - q.kl(generative.posterior(x))
    prior = generative.f.beside(generative.z)
    np.testing.assert_allclose(
        generative.expected_log_likelihood(x, q) - q.kl(prior), below, rtol=1e-10
    )
    parts = recognition.f.kl(generative.f) + recognition.kl_of_z(x, generative.z)
    np.testing.assert_allclose(q.kl(prior), parts, rtol=1e-10)
    assert below < generative.log_evidence(x) - 1.0


# The model.

CASES = {
    "steps that are independent": ("standard_normal", False, {}),
    "full covariance, z depends on f": ("tiled", True, {}),
    "AR(1), z depends on f": ("ar1", True, {}),
    "recurrent, z depends on f, betas": ("recurrent", True, {"beta_f": 0.7, "beta_z": 0.3}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_loss_is_minus_the_bound_in_closed_form(case, rng):
    kind, depends, betas = CASES[case]
    p_z = getattr(linear_dsae, kind)()
    generative, recognition = instance(rng, p_z)
    if not depends:
        recognition = recognition._replace(from_f=np.zeros([F, Z]))
    x = generative.draw(rng)
    q = recognition.joint(x)
    kl_f, kl_z = recognition.f.kl(generative.f), recognition.kl_of_z(x, generative.z)
    beta_f, beta_z = betas.get("beta_f", 1.0), betas.get("beta_z", 1.0)
    expected = beta_f * kl_f + beta_z * kl_z - generative.expected_log_likelihood(x, q)

    found = losses(build(generative, recognition, p_z, **betas), x)
    np.testing.assert_allclose(found["kl_f"], kl_f, rtol=1e-6)
    check_mean(found["kl_z"], kl_z)
    check_mean(found["loss"], expected)
    if not betas:
        np.testing.assert_allclose(
            -expected, generative.log_evidence(x) - q.kl(generative.posterior(x)), rtol=1e-10
        )
        assert -found["loss"].mean() < generative.log_evidence(x)


def test_at_the_exact_posterior_the_bound_is_the_evidence(rng):
    """The ELBO on average, and each single draw of log p(x, f, z) - log q(f, z)."""
    p_z = linear_dsae.tiled()
    generative, _ = instance(rng, p_z)
    x = generative.draw(rng)
    recognition = exact_recognition(generative, x)
    for found, known in zip(recognition.joint(x), generative.posterior(x), strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-8, atol=1e-10)

    check_mean(losses(build(generative, recognition, p_z), x)["loss"], -generative.log_evidence(x))
    each = losses(build(generative, recognition, p_z, SEVERAL), x)["loss"]
    np.testing.assert_allclose(each, -generative.log_evidence(x), rtol=1e-6)


def test_without_z_too(rng):
    """A z that nothing reads, with its prior as its posterior, is none."""
    p_z = linear_dsae.ar1()
    generative, _ = instance(rng, p_z)
    generative = generative._replace(read_z=np.zeros([Z, CHANNELS]))
    x = generative.draw(rng)
    recognition = exact_recognition(generative, x)
    model = build(generative, recognition, p_z, SEVERAL, z_size=0)
    np.testing.assert_allclose(losses(model, x)["loss"], -generative.log_evidence(x), rtol=1e-6)
