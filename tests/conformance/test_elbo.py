"""The loss of a model is the bound of its paper, in nats per trial: by hand, from its outputs."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import stats
from zoo import FEW_MODELS, MODELS
from zoo_graphs import example, shared

from tfp_bvae.rnn import posterior_values


def negative_log_likelihood(x, likelihood):
    return -likelihood.log_prob(x)


def weight(model, layer, name):
    """The value of the weight of this name, in double precision."""
    (found,) = [
        w for w in model.get_layer(layer).weights if w.name.split("/")[-1].split(":")[0] == name
    ]
    return found.numpy().astype(float)


def evaluate(model, inputs, targets):
    """Losses of the whole batch at once; draws are the same each time."""
    model.compile(loss=negative_log_likelihood, run_eagerly=True)
    with posterior_values("sample", seed=[1, 2]):
        return model.evaluate(inputs, targets, batch_size=len(targets), verbose=0, return_dict=True)


def outputs(model, inputs, *names):
    """What these layers put out for those same draws."""
    parts = tf_keras.Model(model.input, [model.get_layer(name).output for name in names])
    with posterior_values("sample", seed=[1, 2]):
        found = parts(inputs)
    return tf.nest.map_structure(lambda x: x.numpy().astype(float), found)


def normal_kl(loc, scale, prior_loc, prior_scale):
    ratio = scale / prior_scale
    return 0.5 * (ratio**2 + ((loc - prior_loc) / prior_scale) ** 2 - 1.0) - np.log(ratio)


def kl_of_f(model, f_params):
    loc, raw = np.split(f_params, 2, axis=-1)
    shift = np.log(np.expm1(model.hyperparameters["params"]["q_f_scale"] - 0.01))
    prior = weight(model, "p_f", "loc"), np.exp(weight(model, "p_f", "log_scale"))
    return normal_kl(loc, 0.01 + np.log1p(np.exp(raw + shift)), *prior).sum(axis=1).mean()


def kl_of_z(model, path):
    z = path["inferred"]
    phi = np.exp(-1.0 / np.exp(weight(model, "p_z", "log_tau")))
    innovation = np.exp(weight(model, "p_z", "log_innovation_scale"))
    scale = np.stack([innovation / np.sqrt(1.0 - phi**2), *[innovation] * (z.shape[1] - 1)])
    past = np.concatenate([np.zeros_like(z[:, :1]), z[:, :-1]], axis=1)
    steps = normal_kl(path["inferred_loc"], path["inferred_scale"], phi * past, scale)
    return steps.sum(axis=(1, 2)).mean()


def log_likelihood(model, log_rate, targets):
    if model.hyperparameters["arguments"]["likelihood"] == "gaussian":
        density = stats.norm(log_rate, np.exp(weight(model, "likelihood", "log_scale"))).logpdf
    else:
        density = stats.poisson(np.exp(log_rate)).logpmf
    return density(targets).sum(axis=(1, 2)).mean()


def penalties(model):
    params, found = model.hyperparameters["params"], []
    for part in ("generator", "controller"):
        if params[f"l2_{part}"]:
            kernel = weight(model, "generator", f"{part}_recurrent_kernel")
            found.append(0.5 * weight(model, "generator", f"{part}_l2") * np.sum(kernel**2))
    return found


@pytest.mark.parametrize("name", [name for name in MODELS if "masked" not in name])
def test_the_loss_is_the_sum_of_its_terms_each_counted_once(name):
    model, inputs, targets = shared(name), example(name), MODELS[name].targets()
    f_params, path, log_rate = outputs(model, inputs, "f_params", "generator", "log_rate")
    found = evaluate(model, inputs, targets)
    kls = {"kl_f": kl_of_f(model, f_params)}
    if "inferred" in path:
        kls["kl_z"] = kl_of_z(model, path)
    for key, kl in kls.items():
        np.testing.assert_allclose(found[key], kl, rtol=1e-4)
    added = [weight(model, key, "beta") * kl for key, kl in kls.items()] + penalties(model)
    assert len(model.losses) == len(added)
    expected = sum(added) - log_likelihood(model, log_rate, targets)
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-4)


@pytest.mark.parametrize("name", FEW_MODELS)
def test_the_loss_is_that_of_a_trial_whatever_the_batch(name):
    model, inputs, targets = shared(name), example(name), MODELS[name].targets()
    model.compile(loss=negative_log_likelihood, run_eagerly=True)

    def losses(copies):
        repeated = {key: np.repeat(x, copies, axis=0) for key, x in inputs.items()}
        return model.evaluate(
            repeated, np.repeat(targets, copies, axis=0), batch_size=copies * len(targets),
            verbose=0, return_dict=True,
        )  # fmt: skip

    once, thrice = losses(1), losses(3)
    for key in once:
        np.testing.assert_allclose(once[key], thrice[key], rtol=1e-5)


def test_without_beta_no_prior_has_a_gradient():
    model = shared("lfads")
    priors = model.get_layer("p_f").trainable_weights + model.get_layer("p_z").trainable_weights
    assert len(priors) == 3

    def gradients():
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(model(example("lfads"), training=True).log_prob(1.0))
            loss += tf.add_n(model.losses)
        return tape.gradient(loss, priors)

    betas = [model.get_layer(name).beta for name in ("kl_f", "kl_z")]
    before = [float(beta) for beta in betas]
    assert all(np.all(gradient != 0.0) for gradient in gradients())
    for beta in betas:
        beta.assign(0.0)
    assert not any(np.any(gradient) for gradient in gradients())
    for beta, value in zip(betas, before, strict=True):
        beta.assign(value)


def test_betas_and_penalties_start_at_the_settings():
    model = MODELS["lfads, ext_input"].make(beta_f=0.25, beta_z=0.75)
    found = [weight(model, name, "beta") for name in ("kl_f", "kl_z")]
    found += [weight(model, "generator", f"{part}_l2") for part in ("generator", "controller")]
    np.testing.assert_allclose(found, [0.25, 0.75, 0.1, 0.2], rtol=1e-6)
