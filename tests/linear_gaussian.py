r"""A linear-Gaussian model with a static and a dynamic latent, and its exact inference in numpy.

    f ~ N(m_f, S_f),  z ~ p(z) Gaussian,  x_t = z_t A + f B + c + noise
    q(f | x) = N(a, V),  q(z_t | x, f) = N(x_t K_x + f K_f + k, W)

All Gaussians over (f, z_1, ..., z_T) are dense: a mean, and a covariance matrix. What a model
computes step by step and layer by layer is one matrix product or one determinant here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Gaussian(NamedTuple):
    """Mean and covariance, dense."""

    mean: np.ndarray
    covariance: np.ndarray

    def log_prob(self, x: np.ndarray) -> float:
        away = x - self.mean
        _, log_det = np.linalg.slogdet(2.0 * np.pi * self.covariance)
        return -0.5 * (log_det + away @ np.linalg.solve(self.covariance, away))

    def kl(self, other: Gaussian) -> float:
        """KL(self || other), nats."""
        away, size = other.mean - self.mean, len(self.mean)
        trace = np.trace(np.linalg.solve(other.covariance, self.covariance))
        own, others = (np.linalg.slogdet(each.covariance)[1] for each in (self, other))
        mahalanobis = away @ np.linalg.solve(other.covariance, away)
        return 0.5 * (trace + mahalanobis - size + others - own)

    def beside(self, other: Gaussian) -> Gaussian:
        """The joint with one that has nothing to do with it."""
        size, sizes = len(self.mean), len(self.mean) + len(other.mean)
        covariance = np.zeros([sizes, sizes])
        covariance[:size, :size], covariance[size:, size:] = self.covariance, other.covariance
        return Gaussian(np.concatenate([self.mean, other.mean]), covariance)


class Generative(NamedTuple):
    """p(f), p(z) over all steps, and p(x | f, z)."""

    f: Gaussian  # [F]
    z: Gaussian  # [time * Z]
    read_z: np.ndarray  # A, [Z, channel]
    read_f: np.ndarray  # B, [F, channel]
    bias: np.ndarray  # c, [channel]
    noise: np.ndarray  # standard deviations, [channel]

    def expected(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, flat, is `M (f, z) + c` with noise of covariance R: M, c and R."""
        steps = len(self.z.mean) // len(self.read_z)
        of_z = np.kron(np.eye(steps), self.read_z.T)
        to_x = np.hstack([np.tile(self.read_f.T, (steps, 1)), of_z])
        return to_x, np.tile(self.bias, steps), np.diag(np.tile(self.noise, steps) ** 2)

    def log_evidence(self, x: np.ndarray) -> float:
        """log p(x) of a trial `[time, channel]`, nats."""
        (to_x, bias, noise), prior = self.expected(), self.f.beside(self.z)
        covariance = to_x @ prior.covariance @ to_x.T + noise
        return Gaussian(to_x @ prior.mean + bias, covariance).log_prob(x.ravel())

    def posterior(self, x: np.ndarray) -> Gaussian:
        """p(f, z | x)."""
        (to_x, bias, noise), prior = self.expected(), self.f.beside(self.z)
        precision = np.linalg.inv(prior.covariance) + to_x.T @ np.linalg.solve(noise, to_x)
        seen = to_x.T @ np.linalg.solve(noise, x.ravel() - bias)
        seen = seen + np.linalg.solve(prior.covariance, prior.mean)
        return Gaussian(np.linalg.solve(precision, seen), np.linalg.inv(precision))

    def expected_log_likelihood(self, x: np.ndarray, q: Gaussian) -> float:
        """E_q log p(x | f, z), nats."""
        to_x, bias, noise = self.expected()
        spread = np.trace(np.linalg.solve(noise, to_x @ q.covariance @ to_x.T))
        return Gaussian(to_x @ q.mean + bias, noise).log_prob(x.ravel()) - 0.5 * spread

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One trial `[time, channel]`."""
        (to_x, bias, noise), prior = self.expected(), self.f.beside(self.z)
        latent = rng.multivariate_normal(prior.mean, prior.covariance)
        x = rng.multivariate_normal(to_x @ latent + bias, noise)
        return x.reshape(-1, len(self.bias))


class Recognition(NamedTuple):
    """q(f | x) of one trial, and q(z_t | x, f)."""

    f: Gaussian  # a, V
    from_x: np.ndarray  # K_x, [channel, Z]
    from_f: np.ndarray  # K_f, [F, Z]
    bias: np.ndarray  # k, [Z]
    covariance: np.ndarray  # W, [Z, Z]

    def joint(self, x: np.ndarray) -> Gaussian:
        """q(f, z_1, ..., z_T | x)."""
        slope = np.tile(self.from_f.T, (len(x), 1))  # z = slope f + what has nothing to do with f
        z = (x @ self.from_x + self.bias).ravel() + slope @ self.f.mean
        shared, own = slope @ self.f.covariance, np.kron(np.eye(len(x)), self.covariance)
        covariance = np.block([[self.f.covariance, shared.T], [shared, shared @ slope.T + own]])
        return Gaussian(np.concatenate([self.f.mean, z]), covariance)

    def kl_of_z(self, x: np.ndarray, z: Gaussian) -> float:
        """E_q(f) KL(q(z | x, f) || p(z)), nats."""
        return self.joint(x).kl(self.f.beside(z))  # q(f) is in both, and cancels


def exact_recognition(generative: Generative, x: np.ndarray) -> Recognition:
    """The posterior itself, where steps of p(z) are independent and alike."""
    size, step = len(generative.read_f), slice(len(generative.read_z))
    joint = generative.posterior(x)
    f = Gaussian(joint.mean[:size], joint.covariance[:size, :size])
    precision = np.linalg.inv(generative.z.covariance[step, step])
    seen = generative.read_z / generative.noise**2  # A R^-1
    covariance = np.linalg.inv(precision + seen @ generative.read_z.T)
    gain = seen.T @ covariance
    bias = generative.z.mean[step] @ precision @ covariance - generative.bias @ gain
    return Recognition(f, gain, -generative.read_f @ gain, bias, covariance)
