"""How likely trials are under a fitted model: the ELBO, and the bound of many samples."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.layers.kl import divergence
from tfp_bvae.metrics import effective_sample_size, importance_weighted_log_likelihood
from tfp_bvae.models import (
    BetaVAE,
    Segments,
    equal_batches,
    model_arrays,
    model_segments,
    require_masked,
)
from tfp_bvae.models.group_means import estimate_group_means, f_means
from tfp_bvae.rnn import posterior_values

__all__ = ["Evidence", "log_likelihood"]

CENTRE = "f_centre"  # among the inputs, where p(f) is not that of the model: its mean


class Evidence(NamedTuple):
    """Two bounds on the log-likelihood of each trial, and how far to trust the tighter one."""

    elbo: np.ndarray  # evidence lower bound, beta 1, nats, [trial]
    importance_weighted: np.ndarray  # bound of all samples together, nats, [trial]
    effective_samples: np.ndarray  # from 1 to the number of samples, [trial]


def log_likelihood(
    model: BetaVAE,
    split: Split,
    num_samples: int = 100,
    batch_size: int = 64,
    samples_at_once: int = 10,
    seed: int = 0,
) -> Evidence:
    r"""Bounds on the log-likelihood of trials, whatever betas the model was trained with.

    .. math::

        w_s &= \log p(x \mid f_s, z_s) + \log \frac{p(f_s)}{q(f_s \mid x)}
            + \sum_t \log \frac{p(z_{s,t} \mid z_{s,<t})}{q(z_{s,t} \mid x, f_s, z_{s,<t})}, \qquad
            f_s, z_s \sim q(f, z \mid x) \\
        \mathrm{ELBO} &\approx \frac{1}{S} \sum_s w_s \;\le\;
            \log \frac{1}{S} \sum_s e^{w_s} \;\lesssim\; \log p(x)

    The prior of z is conditioned on the posterior's own path, which the generator was fed as well.
    x is what the model predicts and was observed: all outputs, from the first bin after its
    `segment` to the end of each trial, but for NaN. Dropout
    and coordinated dropout are off. Of models with one kind of data the bounds can be compared,
    whatever their latents are.

    `models.fhvae` is scored segment by segment: for it read "segment" for "trial", in the order of
    `model_segments`; where segments overlap, bins count more than once. Its p(f) is around the
    mean of the group that `estimate_group_means` finds in these very trials, so that what it
    gives is a bound given that mean, and flatters small groups. A trial of no known group is a
    group of its own.

    Memory is that of `batch_size * samples_at_once` trials, whatever `num_samples` is. The
    encoders run anew for each sample.

    Args:
        model: a fitted model.
        split: the trials.
        num_samples: `S`.
        batch_size: trials at a time.
        samples_at_once: samples of each trial at a time.
        seed: of the samples: the same seed and sizes give the same result.

    Raises:
        ValueError: if the trials do not suit the model, a number is below 1, or a weight is not
            finite.

    Source: Burda, Grosse and Salakhutdinov, ICLR 2016.

    >>> from tfp_bvae.models import dsae
    >>> spikes = np.ones([3, 8, 2], "float32")
    >>> evidence = log_likelihood(dsae({"channels": 2}), Split(spikes, spikes), num_samples=5)
    >>> evidence.elbo.shape, bool((evidence.elbo <= evidence.importance_weighted).all())
    ((3,), True)
    """
    num_samples = checks.whole_number("num_samples", num_samples, 1)
    at_once = min(checks.whole_number("samples_at_once", samples_at_once, 1), num_samples)
    batch_size = checks.whole_number("batch_size", batch_size, 1)
    segments = model_segments(model, split)
    inputs, targets = model_arrays(model, segments.split)
    terms = _terms(model)
    require_masked(model, split, "recon")
    count, chunks = len(targets), -(-num_samples // at_once)
    if "group" in inputs:
        means = [terms.f_means(batch) for _, batch in _batches(inputs, count, batch_size)]
        inputs |= {CENTRE: _centres(model, segments, np.concatenate(means)[:count])}
    parts = []
    for index, (trials, batch) in enumerate(_batches(inputs, count, batch_size)):
        explained = tf.constant(targets[trials])
        seeds = ([seed, index * chunks + chunk] for chunk in range(chunks))
        drawn = [terms.log_weights(batch, explained, s, at_once) for s in seeds]
        parts.append(np.concatenate(drawn)[:num_samples])
    log_weights = np.concatenate(parts, axis=1)[:, :count].astype(np.float64)
    return Evidence(
        log_weights.mean(axis=0),
        importance_weighted_log_likelihood(log_weights),
        effective_sample_size(log_weights),
    )


def _batches(inputs: dict, count: int, batch_size: int) -> Iterator[tuple[np.ndarray, dict]]:
    """Numbers of trials and their inputs; all batches of one size, filled up with the last."""
    for trials in equal_batches(count, batch_size):
        yield trials, {name: tf.constant(x[trials]) for name, x in inputs.items()}


def _centres(model: BetaVAE, segments: Segments, f_means: np.ndarray) -> np.ndarray:
    """The mean of p(f) of each segment: that of its group, `[segment, f_size]`."""
    trial = np.arange(len(f_means)) if segments.where is None else segments.where[:, 0]
    group = segments.split.group
    group = -1 - trial if group is None else np.where(group < 0, -1 - trial, group)
    scale = model.hyperparameters["params"]["p_f_scale"]
    groups, means = estimate_group_means(f_means, group, scale)
    return means[np.searchsorted(groups, group)].astype(np.float32)


_known: weakref.WeakKeyDictionary[BetaVAE, _Terms] = weakref.WeakKeyDictionary()


def _terms(model: BetaVAE) -> _Terms:
    """The terms of a model, compiled once for as long as it lives."""
    if model not in _known:
        _known[model] = _Terms(model)
    return _known[model]


class _Terms:
    """What a log-weight is the sum of."""

    def __init__(self, model: BetaVAE):
        layers = {layer.name: layer for layer in model.layers}
        terms = {name: layers[name].input[:2] for name in ("kl_f", "kl_z") if name in layers}
        self._p_f, self._likelihood = layers["p_f"], layers["likelihood"]
        # each [q, p], with the draw of q that the log-rates were made of
        self._terms = tf_keras.Model(model.inputs, terms | {"eta": self._likelihood.input})
        settings = model.hyperparameters
        # bins of z, beside those that the encoders see
        self._later = settings["arguments"]["forward_bins"] - settings["params"]["segment"]
        self.f_means = f_means(model) if "group" in layers else None
        self._compiled = tf.function(self._log_weights, autograph=False, jit_compile=True)

    def log_weights(self, batch: dict, targets: tf.Tensor, seed: list[int], samples: int):
        """Of that many joint samples of each trial, `[sample, trial]`, nats."""
        return self._compiled(batch, targets, tf.constant(seed, tf.int32), samples)

    def _log_weights(self, batch, targets, seed, samples):
        repeated = {name: tf.repeat(x, samples, axis=0) for name, x in batch.items()}
        centres = repeated.pop(CENTRE, None)
        with posterior_values("sample", seed=seed):
            found = dict(self._terms(repeated, training=False))
            likelihood = self._likelihood.distribution(found.pop("eta"))
            if centres is not None:
                found["kl_f"] = found["kl_f"][0], self._p_f.distribution(centres)
            targets = tf.cast(tf.repeat(targets, samples, axis=0), likelihood.dtype)
            joint = likelihood.log_prob(targets)
            for name, (q, p) in found.items():
                path = tf.cast(tf.convert_to_tensor(q), q.dtype)
                length = None
                if name == "kl_z" and "length" in repeated:
                    length = repeated["length"] + self._later
                joint -= tf.cast(divergence(q, p, path, "sampled", length), joint.dtype)
        return tf.transpose(tf.reshape(joint, [-1, samples]))
