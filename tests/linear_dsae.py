"""DSAE with the weights of a linear-Gaussian model: `linear_gaussian` holds its exact inference.

An MLP with leaky ReLUs is linear where its units come in pairs, leaky(u) - leaky(-u) = 1.2 u; a
recurrent network is where it is far from saturation. q(f) is the same for each trial: weights
from its encoder are zero.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow_probability as tfp
import tf_keras
from linear_gaussian import Gaussian, Generative, Recognition

from tfp_bvae import models

STEPS, CHANNELS, F, Z = 4, 3, 2, 2
PAIRED = 1.2  # leaky(u) - leaky(-u) = PAIRED u
FAR_FROM_SATURATION = 1e-4
MIN_SCALE = {"f": 1e-2, "z": 1e-3}  # floors on the scales of the posteriors
LAGS = np.subtract.outer(np.arange(STEPS), np.arange(STEPS))
SCALE = np.array([0.5, 0.8])  # of a step of p(z)
SETTINGS = {
    "f_size": F, "f_encoder_units": 2, "f_covariance": "full", "q_f_scale": 1.0,
    "z_size": Z, "z_encoder_cell": "dense", "z_encoder_units": 2 * (CHANNELS + F), "lag": 0,
    "q_z_scale": 1.0, "p_z_scale": 1.0, "generator_cell": "dense", "f_enters": "inputs",
    "generator_units": 2 * (Z + F), "factors": Z + F, "beta_f": 1.0, "beta_z": 1.0,
    "dropout": 0.0, "coordinated_dropout": 0.0,
}  # fmt: skip


class ZPrior(NamedTuple):
    """A Gaussian process over paths, and the settings and weights of the layer that is it."""

    path: Gaussian  # [time * Z]
    settings: dict
    weights: dict[str, np.ndarray]


def standard_normal() -> ZPrior:
    path = Gaussian(np.zeros(STEPS * Z), np.eye(STEPS * Z))
    return ZPrior(path, {"z_prior": "standard_normal"}, {})


def tiled() -> ZPrior:
    """The same at each step, of full covariance."""
    loc, step = np.array([0.3, -0.6]), np.array([[0.6, 0.3], [0.3, 0.8]])
    path = Gaussian(np.tile(loc, STEPS), np.kron(np.eye(STEPS), step))
    settings = {"z_prior": "tiled", "z_covariance": "full"}
    return ZPrior(path, settings, {"loc": loc} | covariance_weights(step))


def ar1() -> ZPrior:
    tau = np.array([3.0, 0.8])
    phi = np.exp(-1.0 / tau)
    stationary = SCALE**2 / (1.0 - phi**2)
    each = [
        np.kron(stationary[d] * phi[d] ** np.abs(LAGS), np.diag(np.eye(Z)[d])) for d in range(Z)
    ]
    weights = {"log_tau": np.log(tau), "log_innovation_scale": np.log(SCALE)}
    return ZPrior(Gaussian(np.zeros(STEPS * Z), sum(each)), {"z_prior": "ar1"}, weights)


def recurrent() -> ZPrior:
    """A network that remembers all steps before: h_t = z_{t-1} + memory h_{t-1}, m_t = h_t gain."""
    memory, gain = 0.5, np.array([[0.6, 0.2], [-0.3, 0.4]])
    past = np.tril(memory ** (np.abs(LAGS) - 1.0), -1)
    to_noise = np.eye(STEPS * Z) - np.kron(past, gain.T)
    root = np.linalg.solve(to_noise, np.kron(np.eye(STEPS), np.diag(SCALE)))
    weights = {
        "kernel": FAR_FROM_SATURATION * np.eye(Z),
        "recurrent_kernel": memory * np.eye(Z),
        "output_kernel": np.hstack([gain / FAR_FROM_SATURATION, np.zeros([Z, Z])]),
        "output_bias": np.concatenate([np.zeros(Z), raw_scale(SCALE, MIN_SCALE["z"])]),
    }
    path = Gaussian(np.zeros(STEPS * Z), root @ root.T)
    return ZPrior(path, {"z_prior": "simple_rnn", "z_prior_units": Z}, weights)


def instance(rng: np.random.Generator, p_z: ZPrior) -> tuple[Generative, Recognition]:
    """A model with this prior of z, and a q that is not its posterior."""
    root = np.array([[0.9, 0.0], [0.4, 0.7]])
    generative = Generative(
        f=Gaussian(np.array([0.2, -0.4]), root @ root.T),
        z=p_z.path,
        read_z=rng.normal(size=[Z, CHANNELS]),
        read_f=rng.normal(size=[F, CHANNELS]),
        bias=rng.normal(size=CHANNELS),
        noise=np.array([0.6, 0.8, 1.0]),
    )
    root = np.array([[0.6, 0.0], [-0.3, 0.5]])
    step = np.array([[0.5, 0.1], [0.1, 0.4]]) if "z_covariance" in p_z.settings else np.eye(Z) / 2
    recognition = Recognition(
        f=Gaussian(np.array([-0.3, 0.5]), root @ root.T),
        from_x=0.3 * rng.normal(size=[CHANNELS, Z]),
        from_f=0.3 * rng.normal(size=[F, Z]),
        bias=0.3 * rng.normal(size=Z),
        covariance=step,
    )
    return generative, recognition


def build(
    generative: Generative, recognition: Recognition, p_z: ZPrior, arguments=None, **params
) -> models.BetaVAE:
    """DSAE in double precision, with these weights."""
    depends = {"f_joins": "first" if recognition.from_f.any() else "none"}
    params = models.Params.of(SETTINGS | depends | p_z.settings | params)
    given = {"channels": CHANNELS, "likelihood": "gaussian"} | (arguments or {})
    tf_keras.mixed_precision.set_global_policy("float64")
    try:
        model = models.dsae(given, params)
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    assign(model, "p_f", loc=generative.f.mean, **covariance_weights(generative.f.covariance))
    assign(model, "likelihood", log_scale=np.log(generative.noise))
    assign_posterior(model, "f", *recognition.f)
    assign_pairs(model, "generator", "factors", np.eye(Z + F))
    read_out = [generative.read_z, generative.read_f]
    if params.z_size:
        assign(model, "p_z", **p_z.weights)
        assign_posterior(model, "z", recognition.bias, recognition.covariance)
        slope = np.vstack([recognition.from_x, recognition.from_f])
        assign_pairs(model, "z_encoder", "z_loc", slope)
    else:
        read_out.reverse()  # f comes first, and the rest of the factors is zero
    assign(model, "log_rate", kernel=np.vstack(read_out), bias=generative.bias)
    return model


def assign(model: models.BetaVAE, layer: str, **values: np.ndarray) -> None:
    """Sets weights of a layer by name."""
    weights = {w.name.split("/")[-1].split(":")[0]: w for w in model.get_layer(layer).weights}
    for name, value in values.items():
        weights[name].assign(value)


def assign_pairs(model: models.BetaVAE, hidden: str, read: str, slope: np.ndarray) -> None:
    """Two dense layers that are `slope` together, as far as the first has inputs."""
    size, units = model.get_layer(hidden).kernel.shape
    up = np.zeros([size, units])
    up[:, :size], up[:, -size:] = np.eye(size), -np.eye(size)
    assign(model, hidden, kernel=up, bias=np.zeros(units))
    assign(model, read, kernel=up.T @ slope[:size] / PAIRED)


def assign_posterior(model, latent: str, loc: np.ndarray, covariance: np.ndarray) -> None:
    """A location and a scale that depend on nothing."""
    factor, layer = np.linalg.cholesky(covariance), model.get_layer(f"{latent}_scale")
    raw = raw_scale(np.diag(factor), MIN_SCALE[latent])
    if layer.units > len(raw):
        raw = tfp.math.fill_triangular_inverse(np.tril(factor, -1) + np.diag(raw)).numpy()
    assign(model, f"{latent}_loc", bias=loc, kernel=np.zeros([layer.kernel.shape[0], len(loc)]))
    assign(model, f"{latent}_scale", bias=raw, kernel=np.zeros(layer.kernel.shape))


def raw_scale(scale: np.ndarray, floor: float) -> np.ndarray:
    """What becomes this scale by `floor + softplus(raw + shift)`, where 0 becomes 1."""
    return np.log(np.expm1(scale - floor)) - np.log(np.expm1(1.0 - floor))


def covariance_weights(covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Weights of a prior's covariance L L^T, L = diag(s) (I + B)."""
    factor = np.linalg.cholesky(covariance)
    scale = np.diag(factor)
    below = (factor / scale[:, np.newaxis])[np.tril_indices(len(scale), -1)]
    return {"log_scale": np.log(scale), "below": below}
