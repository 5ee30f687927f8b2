"""Trials that a model makes up: from its priors, from two trials, and along one latent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.inference.decode import decode
from tfp_bvae.inference.posterior import posterior_mean
from tfp_bvae.layers import sample_z_prior
from tfp_bvae.models import BetaVAE
from tfp_bvae.rnn import standard_normal

__all__ = ["Generated", "Traversal", "derangement", "generate", "swap", "traverse"]


class Generated(NamedTuple):
    """Trials that a model made up."""

    rates: np.ndarray  # expected spikes per bin, [trial, time, outputs]
    f: np.ndarray  # static latents, [trial, f_size]
    z: np.ndarray | None  # dynamic latents, [trial, time, z_size]
    source: np.ndarray | None = None  # of each trial, the one that its z came from, [trial]


class Traversal(NamedTuple):
    """Rates along each dimension of f."""

    values: np.ndarray  # what f_d was set to, [f_size, step]
    rates: np.ndarray  # [f_size, step, trial, time, outputs]
    effect: np.ndarray  # mean absolute change of a rate from step to step, [f_size, outputs]


def generate(
    model: BetaVAE,
    num_trials: int,
    num_timesteps: int,
    seed: int = 0,
    ext_input: np.ndarray | None = None,
) -> Generated:
    r"""Trials from the prior alone, without data.

    .. math:: f \sim p(f), \qquad z_t \sim p(z_t \mid z_{<t}), \qquad \lambda = \mathrm{dec}(f, z)

    Args:
        model: a fitted model.
        num_trials: number of trials.
        num_timesteps: number of bins.
        seed: of the draws.
        ext_input: known inputs, `[trial, time, channel]`, for a model that has them.

    >>> from tfp_bvae.models import dsae
    >>> generate(dsae({"channels": 30}), num_trials=5, num_timesteps=20).rates.shape
    (5, 20, 30)
    """
    checks.whole_number("num_trials", num_trials, 1)
    checks.whole_number("num_timesteps", num_timesteps, 1)
    params = model.hyperparameters["params"]
    prior = model.get_layer("p_f").distribution(None)
    noise = standard_normal([num_trials, params["f_size"]], [seed, 0], prior.dtype)
    f = (prior.mean() + prior.stddev() * noise).numpy()
    z = None
    if params["z_size"]:
        paths, _ = sample_z_prior(
            model.get_layer("p_z"), num_timesteps, batches=num_trials, seed=[seed, 1]
        )
        z = paths[0].numpy()
    return Generated(decode(model, f, z, num_timesteps, ext_input), f, z)


def derangement(count: int, seed: int = 0) -> np.ndarray:
    """A random order in which nothing stays in its place, `[count]`.

    Raises:
        ValueError: for fewer than two.

    >>> bool((derangement(9) == np.arange(9)).any())
    False
    """
    checks.whole_number("count", count, 2)
    order = np.random.default_rng(seed).permutation(count)
    found = np.empty(count, int)
    found[order] = np.roll(order, 1)  # each trial gets its neighbour in a random ring
    return found


def swap(
    model: BetaVAE,
    split: Split,
    source: np.ndarray | None = None,
    seed: int = 0,
    batch_size: int = 64,
) -> Generated:
    r"""The static latent of each trial with the dynamic latent of another.

    .. math:: \lambda_i = \mathrm{dec}\left(\bar f_i, \bar z_{\pi(i)}\right)

    at posterior means. Where q(z) depends on f, `z_j` is inferred with the f of its own trial j.

    Args:
        model: a fitted model.
        split: the trials.
        source: `pi`, of each trial the one that its z comes from, `[trial]`; None for a random
            derangement, so that no trial keeps its own.
        seed: of the derangement.
        batch_size: trials at a time while latents are inferred.

    Raises:
        ValueError: for a model without z, or a `source` that does not name trials.

    Source: Li and Mandt, ICML 2018 (their feature swapping).
    """
    if not model.hyperparameters["params"]["z_size"]:
        raise ValueError("model must have a dynamic latent, got z_size 0")
    found = posterior_mean(model, split, batch_size)
    count = len(found.f)
    source = derangement(count, seed) if source is None else np.asarray(source)
    if source.shape != (count,) or not np.isin(source, np.arange(count)).all():
        raise ValueError(f"source must hold {count} numbers of trials, got {source!r}")
    ext_input = split.ext_input
    if ext_input is not None:  # it goes with the dynamics
        ext_input = ext_input[source][:, -found.inferred.shape[1] :]
    rates = decode(model, found.f, found.inferred[source], ext_input=ext_input)
    return Generated(rates, found.f, found.inferred[source], source)


def traverse(
    model: BetaVAE, split: Split, num_steps: int = 5, reach: float = 2.0, batch_size: int = 64
) -> Traversal:
    r"""Rates while one dimension of f moves over its prior and all else stays.

    .. math:: f_d \in [m_d - k s_d, m_d + k s_d]

    Args:
        model: a fitted model.
        split: trials whose other latents are kept, at their posterior means.
        num_steps: number of values of `f_d`.
        reach: `k`, in standard deviations of the prior p(f).
        batch_size: trials at a time while latents are inferred.
    """
    checks.whole_number("num_steps", num_steps, 2)
    checks.positive("reach", reach)
    found = posterior_mean(model, split, batch_size)
    prior = model.get_layer("p_f").distribution(None)
    loc, scale = (tf.cast(x, tf.float32).numpy() for x in (prior.mean(), prior.stddev()))
    grid = np.linspace(-reach, reach, num_steps)
    values = loc[:, np.newaxis] + scale[:, np.newaxis] * grid
    bins = found.rates.shape[1]
    ext_input = None if split.ext_input is None else split.ext_input[:, -bins:]
    rates = []
    for dim, column in enumerate(values):
        for value in column:
            f = found.f.copy()
            f[:, dim] = value
            rates.append(decode(model, f, found.inferred, bins, ext_input))
    rates = np.stack(rates).reshape(*values.shape, *found.rates.shape)
    return Traversal(values, rates, np.abs(np.diff(rates, axis=1)).mean(axis=(1, 2, 3)))
