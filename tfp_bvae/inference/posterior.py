"""What a fitted model says of trials: rates, factors, latents, and how sure it is of them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import tensorflow as tf

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.inference.passes import at_posterior_mean, batches, joined, passes_of
from tfp_bvae.inference.segments import Cut
from tfp_bvae.models import BetaVAE, model_segments

__all__ = ["Posterior", "posterior_mean", "sample_and_average"]


@dataclass(frozen=True)
class Posterior:
    """Means over the posterior, with standard deviations over its samples in `..._scale`.

    Time runs over the bins that are predicted. What is after the end of a trial, where trials are
    of unequal length, is NaN; bins that were not observed have values as all others.

    The scales are None at the posterior mean, those of the inferred inputs too for a model without
    a dynamic latent; likewise the initial state where f does not enter it.

    `models.fhvae` takes segments, each with one f and one z. Here a trial has the mean of the f of
    its segments; all that has a time axis, z over the bins of its segment too, is put together by
    `data.stitch_segments`. Scales are put together as root mean squares with the same weights:
    they tell of the posterior of a segment, not of that of a mean over segments. Its factors are
    the states of the generator.
    """

    rates: np.ndarray  # expected spikes per bin, [trial, time, outputs]
    factors: np.ndarray  # [trial, time, factors]
    f: np.ndarray  # static latent: location of q(f), [trial, f]
    f_scale: np.ndarray  # scale of q(f), [trial, f]
    initial_state: np.ndarray | None = None  # of the generator, [trial, generator]
    inferred: np.ndarray | None = None  # dynamic latent (inferred inputs), [trial, time, z]
    rates_scale: np.ndarray | None = None
    factors_scale: np.ndarray | None = None
    initial_state_scale: np.ndarray | None = None
    inferred_scale: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """All that is not None, by name."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in named if value is not None}


def posterior_mean(model: BetaVAE, split: Split, batch_size: int = 64) -> Posterior:
    """Rates and latents with each latent at its posterior mean: quick, without noise.

    The mean of rates is not the rate at the mean: `sample_and_average` gives the former.

    Args:
        model: a fitted model.
        split: the trials.
        batch_size: trials (or segments) at a time.

    Raises:
        ValueError: if the trials do not suit the model.
    """
    segments = model_segments(model, split)
    found = at_posterior_mean(model, segments.split, batch_size)
    return Posterior(**Cut.of(model, split, segments).per_trial(found))


def sample_and_average(
    model: BetaVAE,
    split: Split,
    num_samples: int = 50,
    batch_size: int = 64,
    samples_at_once: int = 10,
    seed: int = 0,
) -> Posterior:
    r"""Means and standard deviations over samples from the posterior, dropout and masks off.

    .. math:: \bar\lambda = \frac{1}{S} \sum_s \lambda(f^s, z^s), \qquad
        f^s, z^s \sim q(f, z \mid x)

    Memory is that of `batch_size * samples_at_once` trials, whatever `num_samples` is. The
    encoders run once per trial.

    Args:
        model: a fitted model.
        split: the trials.
        num_samples: `S`.
        batch_size: trials (or segments) at a time.
        samples_at_once: samples of each trial at a time.
        seed: of the samples: the same seed and sizes give the same result.

    Raises:
        ValueError: if the trials do not suit the model, or a number is below 1.
    """
    checks.whole_number("num_samples", num_samples, 1)
    segments = model_segments(model, split)
    passes = passes_of(model, "sample")
    parts = []
    for index, batch in enumerate(batches(model, segments.split, batch_size)):
        boundary = passes.encode(batch)
        chunks = _chunks(num_samples, checks.whole_number("samples_at_once", samples_at_once, 1))
        total: dict[str, tf.Tensor] = {}
        for chunk, size in enumerate(chunks):
            sums = passes.decode(boundary, [seed, index * len(chunks) + chunk], size)
            total = {name: total.get(name, 0.0) + value for name, value in sums.items()}
        parts.append(
            passes.static(boundary) | {name: value / num_samples for name, value in total.items()}
        )
    found = _moments(joined(parts, segments.split.num_trials), with_scale=num_samples > 1)
    return Posterior(**Cut.of(model, split, segments).per_trial(found))


def _chunks(total: int, size: int) -> list[int]:
    return [min(size, total - first) for first in range(0, total, size)]


def _moments(found: dict[str, np.ndarray], with_scale: bool) -> dict[str, np.ndarray]:
    """Means as they are, and standard deviations instead of means of squares."""
    arrays = {name: x for name, x in found.items() if not name.endswith("_squared")}
    if with_scale:
        for name in set(arrays) - {"f", "f_scale"}:
            variance = found[f"{name}_squared"] - found[name] ** 2
            arrays[f"{name}_scale"] = np.sqrt(np.maximum(variance, 0.0))
    return arrays
