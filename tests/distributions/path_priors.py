"""Four priors over paths with known parameters, as dense Gaussians too, and posteriors."""

import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, AR1ProcessTriL, TiledMVNDiag, TiledMVNTriL

BATCH, STEPS, DIM = 3, 9, 2
TAU, SCALE, LOC = np.array([8.0, 1.5]), np.array([0.3, 0.8]), np.array([0.2, -0.5])
BELOW = np.array([[0.0, 0.0], [-0.5, 0.0]])  # what a full covariance adds below the diagonal


def ar1(dtype="float64", tau=TAU, scale=SCALE, loc=LOC):
    tau, scale, loc = (tf.constant(value, dtype) for value in (tau, scale, loc))
    return AR1Process(tau, scale, STEPS, loc=loc)


def ar1_full(dtype="float64", tau=TAU, scale=SCALE, loc=LOC):
    tau, loc = tf.constant(tau, dtype), tf.constant(loc, dtype)
    return AR1ProcessTriL(tau, tril(scale, dtype), STEPS, loc=loc)


def tiled(dtype="float64", scale=SCALE, loc=LOC):
    return TiledMVNDiag(tf.constant(loc, dtype), tf.constant(scale, dtype), STEPS)


def tiled_full(dtype="float64", scale=SCALE, loc=LOC):
    return TiledMVNTriL(tf.constant(loc, dtype), tril(scale, dtype), STEPS)


PRIORS = [ar1, ar1_full, tiled, tiled_full]


def tril(scale, dtype="float64"):
    """A Cholesky factor of this diagonal."""
    return tf.constant(np.asarray(scale)[..., None] * np.eye(np.shape(scale)[-1]) + BELOW, dtype)


def posterior(dtype="float64", full=False):
    rng = np.random.default_rng(0)
    loc = rng.normal(size=[BATCH, STEPS, DIM]).astype(dtype)
    scale = rng.uniform(0.1, 0.6, size=[BATCH, STEPS, DIM]).astype(dtype)
    if not full:
        return tfd.MultivariateNormalDiag(loc, scale)
    below = np.tril(rng.normal(size=[BATCH, STEPS, DIM, DIM]), -1).astype(dtype)
    return tfd.MultivariateNormalTriL(loc, tf.linalg.diag(scale) + below)


def var1_covariance(phi, innovation, num_timesteps):
    """Covariance over [time, dim] of `z_t = phi z_{t-1} + e_t`, by the sum over past innovations.

    `Cov(z_s, z_t) = sum_k phi^(s-k) S phi^(t-k)`: slow, and no closed form in it.
    """
    dim, stationary = len(phi), np.zeros_like(innovation)
    for k in range(5000):
        stationary += np.outer(phi**k, phi**k) * innovation
    joint = np.zeros([num_timesteps, dim, num_timesteps, dim])
    for s in range(num_timesteps):
        for t in range(num_timesteps):
            left, right = phi ** max(s - t, 0), phi ** max(t - s, 0)
            joint[s, :, t, :] = left[:, None] * stationary * right
    return joint.reshape(num_timesteps * dim, num_timesteps * dim)


def dense_prior(make, tau=TAU, scale=SCALE, loc=LOC):
    """Mean and covariance over [time, dim], time outermost, of what `make` makes."""
    is_full, is_tiled = make in (ar1_full, tiled_full), make in (tiled, tiled_full)
    factor = np.diag(scale) + (BELOW if is_full else 0.0)
    phi = np.zeros(DIM) if is_tiled else np.exp(-1.0 / np.asarray(tau))
    return np.tile(loc, STEPS), var1_covariance(phi, factor @ factor.T, STEPS)
