"""Slow, independent truths about Gaussian paths, in numpy and in double precision."""

import types

import numpy as np
import pytest


def ar1_covariance(tau, innovation_scale, num_timesteps):
    """sigma^2 phi^|i-j| / (1 - phi^2) for one dimension, [time, time]."""
    phi = np.exp(-1.0 / tau)
    lag = np.abs(np.subtract.outer(np.arange(num_timesteps), np.arange(num_timesteps)))
    return innovation_scale**2 * phi**lag / (1.0 - phi**2)


def mvn_log_prob(value, mean, covariance):
    """Log-density of one dense Gaussian."""
    residual = value - mean
    _, log_det = np.linalg.slogdet(2.0 * np.pi * covariance)
    return -0.5 * (log_det + residual @ np.linalg.solve(covariance, residual))


def mvn_kl(mean_q, covariance_q, mean_p, covariance_p):
    """Divergence between two dense Gaussians."""
    gap = mean_p - mean_q
    log_det = np.linalg.slogdet(covariance_p)[1] - np.linalg.slogdet(covariance_q)[1]
    trace = np.trace(np.linalg.solve(covariance_p, covariance_q))
    return 0.5 * (log_det + trace + gap @ np.linalg.solve(covariance_p, gap) - len(gap))


def block_diagonal(blocks):
    """Matrices [block, size, size] along the diagonal of one."""
    count, size, _ = blocks.shape
    joint = np.zeros([count * size, count * size])
    for index, block in enumerate(blocks):
        rows = slice(index * size, (index + 1) * size)
        joint[rows, rows] = block
    return joint


@pytest.fixture
def dense():
    """The functions above: tests are not a package, so they come as a fixture."""
    return types.SimpleNamespace(
        ar1_covariance=ar1_covariance,
        mvn_log_prob=mvn_log_prob,
        mvn_kl=mvn_kl,
        block_diagonal=block_diagonal,
    )


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Both floating types."""
    return request.param


@pytest.fixture
def rtol(dtype):
    """What a closed form is held to."""
    return {"float32": 1e-5, "float64": 1e-10}[dtype]


@pytest.fixture
def finite_difference():
    """Central differences of a scalar function of an array."""

    def derivative(function, value, step=1e-6):
        value = np.asarray(value, dtype=np.float64)
        result = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            bump = np.zeros_like(value)
            bump[index] = step * max(1.0, abs(value[index]))
            rise = float(function(value + bump)) - float(function(value - bump))
            result[index] = rise / (2.0 * bump[index])
        return result

    return derivative
