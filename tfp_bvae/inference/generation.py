"""Trials that a model makes up: from its priors, from two trials, and along one latent."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.inference.decode import decode
from tfp_bvae.inference.segments import Cut, infer_latents
from tfp_bvae.layers import sample_z_prior
from tfp_bvae.models import BetaVAE
from tfp_bvae.rnn import standard_normal

__all__ = ["Generated", "Traversal", "derangement", "generate", "swap", "swap_grid", "traverse"]


class Generated(NamedTuple):
    """Trials that a model made up."""

    rates: np.ndarray  # expected spikes per bin, [trial, time, outputs]
    f: np.ndarray  # static latents, [trial, f_size]
    z: np.ndarray | None  # dynamic latents, [trial, time, z_size]; of segments over their bins
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
    session: int | np.ndarray | None = None,
) -> Generated:
    r"""Trials from the prior alone, without data.

    .. math:: f \sim p(f), \qquad z_t \sim p(z_t \mid z_{<t}), \qquad \lambda = \mathrm{dec}(f, z)

    Of `models.fhvae` each trial is a group of its own, and one segment, of any length:
    `mu ~ N(0, I)`, `f ~ N(mu, s^2 I)`, and one `z ~ N(0, I)` for all bins.

    Args:
        model: a fitted model.
        num_trials: number of trials.
        num_timesteps: number of bins.
        seed: of the draws.
        ext_input: known inputs, `[trial, time, channel]`, for a model that has them.
        session: whose channels are predicted, a number or one for each trial, for a model of
            several.

    >>> from tfp_bvae.models import dsae
    >>> generate(dsae({"channels": 30}), num_trials=5, num_timesteps=20).rates.shape
    (5, 20, 30)
    """
    checks.whole_number("num_trials", num_trials, 1)
    checks.whole_number("num_timesteps", num_timesteps, 1)
    params = model.hyperparameters["params"]
    loc, scale = _f_prior(model)
    f = loc + scale * _noise([num_trials, params["f_size"]], seed, 0)
    if "group" in model.input_names:
        z = _noise([num_trials, params["z_size"]], seed, 1)
        over_time = np.repeat(z[:, np.newaxis], num_timesteps, axis=1)
        return Generated(decode(model, f, z, num_timesteps, session=session), f, over_time)
    z = None
    if params["z_size"]:
        paths, _ = sample_z_prior(
            model.get_layer("p_z"), num_timesteps, batches=num_trials, seed=[seed, 1]
        )
        z = paths[0].numpy()
    return Generated(decode(model, f, z, num_timesteps, ext_input, session), f, z)


def _noise(shape: list[int], seed: int, stream: int) -> np.ndarray:
    return standard_normal(shape, [seed, stream]).numpy()


def _f_prior(model: BetaVAE) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale of p(f), `[f_size]`; of a trial of any group, where there are groups."""
    layer = model.get_layer("p_f")
    if "group" in model.input_names:
        scale = np.hypot(model.get_layer("group_means").scale, layer.scale)
        size = model.hyperparameters["params"]["f_size"]
        return np.zeros(size, "float32"), np.full(size, scale, "float32")
    prior = layer.distribution(None)
    return tuple(np.asarray(x, "float32") for x in (prior.mean(), prior.stddev()))


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
    Of `models.fhvae` segment by segment: the first of one trial with the first of the other, and
    so on. Of a model of several sessions the channels are those of the trial that f is from.

    Args:
        model: a fitted model.
        split: the trials.
        source: `pi`, of each trial the one that its z comes from, `[trial]`; None for a random
            derangement, so that no trial keeps its own.
        seed: of the derangement.
        batch_size: trials at a time while latents are inferred.

    Raises:
        ValueError: for a model without z, or a `source` that does not name trials; of
            `models.fhvae` trials of the same length.

    Source: Li and Mandt, ICML 2018 (their feature swapping).
    """
    if not model.hyperparameters["params"]["z_size"]:
        raise ValueError("model must have a dynamic latent, got z_size 0")
    found, count = infer_latents(model, split, batch_size), split.num_trials
    cut = found.cut
    source = derangement(count, seed) if source is None else np.asarray(source)
    if source.shape != (count,) or not np.isin(source, np.arange(count)).all():
        raise ValueError(f"source must hold {count} numbers of trials, got {source!r}")
    ext_input = split.ext_input
    if ext_input is not None:  # it goes with the dynamics
        ext_input = ext_input[source][:, -cut.bins :]
    swapped = found._replace(z=found.z[cut.rows(source)], cut=_with_ends_of(cut, source))
    rates = swapped.rates(model, ext_input)
    return Generated(rates, cut.mean(found.f), swapped.cut.stitch(swapped.z), source)


def swap_grid(model: BetaVAE, split: Split, trials: np.ndarray, batch_size: int = 64) -> np.ndarray:
    r"""The static latent of each of a few trials with the dynamic latent of each of them.

    .. math:: \lambda_{ij} = \mathrm{dec}\left(\bar f_i, \bar z_j\right)

    Args:
        model: a fitted model.
        split: the trials.
        trials: numbers of those to combine, `[k]`.
        batch_size: trials at a time while latents are inferred.

    Returns:
        Expected spikes per bin, `[k, k, time, outputs]`: f of the row's trial, z of the column's.
        On the diagonal are the trials themselves.

    Raises:
        ValueError: for a model without z.
    """
    trials = np.asarray(trials)
    rows, columns = np.divmod(np.arange(len(trials) ** 2), len(trials))
    # trial (i, j) is trial i; its z comes from one that is trial j
    found = swap(model, split.select(trials[rows]), columns * len(trials), batch_size=batch_size)
    return found.rates.reshape(len(trials), len(trials), *found.rates.shape[1:])


def _with_ends_of(cut: Cut, source: np.ndarray) -> Cut:
    """Where trials end that go on as others do."""
    if cut.ends is None:
        return cut
    ends = cut.ends[source]
    other = np.flatnonzero(ends != cut.ends)
    if cut.where is not None and len(other):
        trial = other[0]
        raise ValueError(
            "source must name trials of the same length for a model of segments, got "
            f"{ends[trial]} bins for trial {trial} of {cut.ends[trial]}"
        )
    return dataclasses.replace(cut, ends=ends)


def traverse(
    model: BetaVAE, split: Split, num_steps: int = 5, reach: float = 2.0, batch_size: int = 64
) -> Traversal:
    r"""Rates while one dimension of f moves over its prior and all else stays.

    .. math:: f_d \in [m_d - k s_d, m_d + k s_d]

    Of `models.fhvae` it moves in all segments of a trial alike, over the prior of any group:
    mean 0 and variance `1 + s^2`.

    Args:
        model: a fitted model.
        split: trials whose other latents are kept, at their posterior means.
        num_steps: number of values of `f_d`.
        reach: `k`, in standard deviations of the prior p(f).
        batch_size: trials at a time while latents are inferred.
    """
    checks.whole_number("num_steps", num_steps, 2)
    checks.positive("reach", reach)
    found = infer_latents(model, split, batch_size)
    loc, scale = _f_prior(model)
    grid = np.linspace(-reach, reach, num_steps)
    values = loc[:, np.newaxis] + scale[:, np.newaxis] * grid
    ext_input = None if split.ext_input is None else split.ext_input[:, -found.cut.bins :]
    rates = []
    for dim, column in enumerate(values):
        for value in column:
            f = found.f.copy()
            f[:, dim] = value
            rates.append(found._replace(f=f).rates(model, ext_input))
    rates = np.stack(rates).reshape(*values.shape, *rates[0].shape)
    return Traversal(values, rates, np.nanmean(np.abs(np.diff(rates, axis=1)), axis=(1, 2, 3)))
