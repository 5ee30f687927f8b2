"""What a fitted model says of trials: rates, factors, latents, and how sure it is of them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.models import BetaVAE, model_arrays
from tfp_bvae.rnn import posterior_values

__all__ = ["Posterior", "posterior_mean", "sample_and_average"]

# Layers at which a model is cut: all that is random at inference comes after them. Where f joins
# the z encoder, that is random too, and the cut is before it, at `z_seen`.
BOUNDARY = ("f_params", "z_encoding", "z_seen", "steps", "ext_segment", "ext_input")


@dataclass(frozen=True)
class Posterior:
    """Means over the posterior, with standard deviations over its samples in `..._scale`.

    Time runs over the bins that are predicted. The scales are None at the posterior mean, those
    of the inferred inputs too for a model without a dynamic latent; likewise the initial state
    where f does not enter it.
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
        batch_size: trials at a time.

    Raises:
        ValueError: if the trials do not suit the model.
    """
    passes = _passes(model, "mean")
    parts = []
    for batch in _batches(model, split, batch_size):
        boundary = passes.encode(batch)
        parts.append(passes.static(boundary) | passes.decode(boundary, [0, 0], 1))
    return _posterior(parts, len(split.encod), with_scale=False)


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
        batch_size: trials at a time.
        samples_at_once: samples of each trial at a time.
        seed: of the samples: the same seed and sizes give the same result.

    Raises:
        ValueError: if the trials do not suit the model, or a number is below 1.
    """
    checks.whole_number("num_samples", num_samples, 1)
    passes = _passes(model, "sample")
    parts = []
    for index, batch in enumerate(_batches(model, split, batch_size)):
        boundary = passes.encode(batch)
        chunks = _chunks(num_samples, checks.whole_number("samples_at_once", samples_at_once, 1))
        total: dict[str, tf.Tensor] = {}
        for chunk, size in enumerate(chunks):
            sums = passes.decode(boundary, [seed, index * len(chunks) + chunk], size)
            total = {name: total.get(name, 0.0) + value for name, value in sums.items()}
        parts.append(
            passes.static(boundary) | {name: value / num_samples for name, value in total.items()}
        )
    return _posterior(parts, len(split.encod), with_scale=num_samples > 1)


_known: weakref.WeakKeyDictionary[BetaVAE, dict[str, _Passes]] = weakref.WeakKeyDictionary()


def _passes(model: BetaVAE, value: str) -> _Passes:
    """The halves of a model, compiled once for as long as it lives."""
    halves = _known.setdefault(model, {})
    if value not in halves:
        halves[value] = _Passes(model, value)
    return halves[value]


class _Passes:
    """A model cut in two, both halves compiled: encoders, and the rest."""

    def __init__(self, model: BetaVAE, value: str):
        layers = {layer.name: layer for layer in model.layers}
        boundary = {name: layers[name].output for name in BOUNDARY if name in layers}
        if "ext_segment" in boundary:
            boundary["ext_segment"] = boundary["ext_segment"][1]
            del boundary["ext_input"]
        if "z_seen" in boundary:
            del boundary["z_encoding"]
        self._value = value
        self._likelihood, self._q_f = layers["likelihood"], layers["q_f"]
        self._encoder = tf_keras.Model(model.inputs, boundary)
        self._decoder = tf_keras.Model(boundary, _quantities(layers))
        self._encode = tf.function(self._encode_batch, jit_compile=True)
        self._decode = tf.function(self._decode_batch, jit_compile=True)

    def encode(self, batch: dict) -> dict[str, tf.Tensor]:
        """What the encoders make of a batch: the tensors at which the model is cut."""
        return self._encode(batch)

    def static(self, boundary: dict) -> dict[str, tf.Tensor]:
        """Location and scale of q(f)."""
        q_f = self._q_f.distribution(boundary["f_params"])
        return {"f": q_f.mean(), "f_scale": q_f.stddev()}

    def decode(self, boundary: dict, seed: list[int], samples: int) -> dict[str, tf.Tensor]:
        """Sums over `samples` of each quantity and, under `..._squared`, of its square."""
        return self._decode(boundary, tf.constant(seed, tf.int32), samples)

    def _encode_batch(self, batch):
        with posterior_values(self._value):
            return self._encoder(batch, training=False)

    def _decode_batch(self, boundary, seed, samples):
        repeated = {name: tf.repeat(x, samples, axis=0) for name, x in boundary.items()}
        with posterior_values(self._value, seed=seed):
            out = self._decoder(repeated, training=False)
        quantities = dict(out)
        quantities["rates"] = self._likelihood.distribution(quantities.pop("log_rate")).mean()
        return {
            name + suffix: tf.reduce_sum(
                tf.reshape(power(x), tf.concat([[-1, samples], tf.shape(x)[1:]], 0)), axis=1
            )
            for name, x in quantities.items()
            for suffix, power in (("", tf.identity), ("_squared", tf.square))
        }


def _quantities(layers: dict[str, tf_keras.layers.Layer]) -> dict[str, tf.Tensor]:
    """The tensors of a model that a `Posterior` is made of."""
    generated = layers["generator"].output
    found = {"log_rate": layers["log_rate"].output}
    if not isinstance(generated, dict):  # a plain MLP
        generated = {"factors": layers["factors"].output}
    found["factors"] = generated["factors"]
    if "initial_state" in layers:
        found["initial_state"] = layers["initial_state"].output
    if "inferred" in generated:
        found["inferred"] = generated["inferred"]
    elif "kl_z" in layers:  # hands on the sample of q(z); beside it a ratio, in some models
        found["inferred"] = tf.nest.flatten(layers["kl_z"].output)[0]
    return found


def _batches(model: BetaVAE, split: Split, batch_size: int) -> Iterator[dict[str, tf.Tensor]]:
    """Inputs of `batch_size` trials at a time; the last one is filled up with its last trial."""
    inputs, _ = model_arrays(model, split)
    count = len(split.encod)
    size = min(checks.whole_number("batch_size", batch_size, 1), count)
    for first in range(0, count, size):
        trials = np.minimum(np.arange(first, first + size), count - 1)
        yield {name: tf.constant(x[trials]) for name, x in inputs.items()}


def _chunks(total: int, size: int) -> list[int]:
    return [min(size, total - first) for first in range(0, total, size)]


def _posterior(parts: list[dict], count: int, with_scale: bool) -> Posterior:
    means = {name: np.concatenate([p[name] for p in parts])[:count] for name in parts[0]}
    arrays = {name: x for name, x in means.items() if not name.endswith("_squared")}
    if with_scale:
        for name in set(arrays) - {"f", "f_scale"}:
            variance = means[f"{name}_squared"] - means[name] ** 2
            arrays[f"{name}_scale"] = np.sqrt(np.maximum(variance, 0.0))
    return Posterior(**arrays)
