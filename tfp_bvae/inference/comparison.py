"""The posterior of each latent beside its prior, and what each of its dimensions costs."""

from __future__ import annotations

import weakref
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import metrics
from tfp_bvae.data import Split
from tfp_bvae.distributions import time_marginals
from tfp_bvae.distributions.mean_field import unwrapped
from tfp_bvae.inference.passes import batches, joined
from tfp_bvae.models import BetaVAE, model_segments
from tfp_bvae.rnn import posterior_values

__all__ = ["BesidePrior", "compare_with_prior"]


class BesidePrior(NamedTuple):
    """The posterior of one latent, and the prior that its KL is taken from.

    Of a dynamic latent the prior of a bin is that given the bins before it, on a sampled path of
    the posterior.
    """

    loc: np.ndarray  # mean of q, [trial, dim] or [trial, time, dim]
    scale: np.ndarray  # standard deviation of q, same shape
    prior_loc: np.ndarray  # mean of p, same shape
    prior_scale: np.ndarray  # standard deviation of p, same shape
    kl: np.ndarray  # nats per trial, [dim]
    active: np.ndarray  # the posterior's mean follows the trial: Burda's active units, [dim]

    @property
    def share_active(self) -> float:
        """Share of the dimensions whose mean follows the trial."""
        return float(self.active.mean())


def compare_with_prior(
    model: BetaVAE, split: Split, batch_size: int = 64, seed: int = 0
) -> dict[str, BesidePrior]:
    r"""Posterior and prior of each latent, and the KL of each dimension, in nats per trial.

    .. math::

        \mathrm{KL}_d = \Big\langle \sum_t
            \mathrm{KL}\big(q(z_{t,d}) \,\|\, p(z_{t,d} \mid z_{<t})\big) \Big\rangle_{trials}

    as `metrics.kl_per_dimension` takes it of means and standard deviations; where a covariance is
    not diagonal, that of its marginals, which do not add up to the whole. Bins after the end of a
    trial are NaN, and cost nothing. Active is a dimension whose mean varies over trials by more
    than a hundredth of the variance of its prior.

    Of `models.fhvae` read "segment" for "trial"; its p(f) is around the mean of the group.

    Args:
        model: a fitted model.
        split: the trials; two or more.
        batch_size: trials (or segments) at a time.
        seed: of the sampled paths.

    Returns:
        Under "f", and for a model with a dynamic latent under "z".

    Raises:
        ValueError: if the trials do not suit the model.

    Source: Burda, Grosse and Salakhutdinov, ICLR 2016 (active units).

    >>> from tfp_bvae.models import dsae
    >>> spikes = np.ones([3, 8, 2], "float32")
    >>> found = compare_with_prior(dsae({"channels": 2}, {"z_size": 4}), Split(spikes, spikes))
    >>> found["z"].loc.shape, found["z"].kl.shape
    ((3, 8, 4), (4,))
    """
    segments = model_segments(model, split).split
    compiled, parts = _compiled(model), []
    for index, batch in enumerate(batches(model, segments, batch_size)):
        parts.append(compiled(batch, tf.constant([seed, index], tf.int32)))
    found = joined(parts, segments.num_trials)
    skipped = model.hyperparameters["params"]["segment"]
    return {
        name: _beside([found[f"{name}_{part}"] for part in PARTS], segments.length, skipped)
        for name in ("f", "z")
        if f"{name}_loc" in found
    }


ACTIVE = 0.01  # variance over trials, in variances of the prior
PARTS = ("loc", "scale", "prior_loc", "prior_scale")
_known: weakref.WeakKeyDictionary[BetaVAE, tf.types.experimental.GenericFunction] = (
    weakref.WeakKeyDictionary()
)


def _compiled(model: BetaVAE):
    """From inputs to `PARTS` of each latent, compiled once for as long as the model lives."""
    if model not in _known:
        layers = {layer.name: layer for layer in model.layers}
        pairs = {name: layers[f"kl_{name}"].input[:2] for name in "fz" if f"kl_{name}" in layers}
        half = tf_keras.Model(model.inputs, pairs)

        def run(batch, seed):
            with posterior_values("sample", seed=seed):
                found = half(batch, training=False)
                return {k: x for name, pair in found.items() for k, x in _parts(name, *pair)}

        _known[model] = tf.function(run, autograph=False, jit_compile=True)
    return _known[model]


def _parts(name: str, q, p) -> list[tuple[str, tf.Tensor]]:
    """Means and standard deviations of q and of p, broadcast to those of q."""
    path = tf.cast(tf.convert_to_tensor(q), q.dtype)
    q, p = unwrapped(q), unwrapped(p)
    if p.event_shape.rank == 2:
        q, p = time_marginals(q), p.conditionals(path)
    q = getattr(q, "distribution", q) if q.event_shape.rank == 2 else q
    values = (q.mean(), q.stddev(), p.mean(), p.stddev())
    shape = tf.shape(values[0])
    return [
        (f"{name}_{part}", tf.broadcast_to(x, shape)) for part, x in zip(PARTS, values, strict=True)
    ]


def _beside(arrays: list[np.ndarray], length: np.ndarray | None, skipped: int) -> BesidePrior:
    """The figures of one latent, from `PARTS`; what is padding is NaN."""
    loc, scale, prior_loc, prior_scale = arrays
    seen = np.ones((*loc.shape[:-1], 1), bool)
    if length is not None and loc.ndim == 3:
        seen = (np.arange(loc.shape[1]) + skipped < length[:, np.newaxis])[..., np.newaxis]
    # a posterior that is its prior costs nothing
    kl = metrics.kl_per_dimension(
        np.where(seen, loc, prior_loc), np.where(seen, scale, prior_scale), prior_loc, prior_scale
    )
    spread = np.ma.array(loc / prior_scale, mask=np.broadcast_to(~seen, loc.shape)).var(axis=0)
    active = spread.reshape(-1, loc.shape[-1]).mean(axis=0).filled(0.0) > ACTIVE
    return BesidePrior(*(np.where(seen, x, np.nan) for x in arrays), kl, active)
