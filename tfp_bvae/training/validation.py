"""The likelihood of entries that the encoders did not see: the score by which a fit is chosen."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.data import Split
from tfp_bvae.metrics import bits_per_spike
from tfp_bvae.models import (
    BetaVAE,
    equal_batches,
    is_of_counts,
    model_arrays,
    model_segments,
)

__all__ = ["HeldOut"]

HIDDEN = 0.2  # share of entries hidden where a dataset holds out neither channels nor bins
SMOOTHING = 0.7  # weight of the newest score, as in LFADS


class HeldOut:
    """Scores a model on entries of a split that its encoders do not see.

    Where the data hold out channels or later bins, those are the entries. Otherwise a fixed
    random fifth of the entries is hidden from the encoders (and the rest scaled up, as
    coordinated dropout does in training) and scored. The posterior mean is used: no randomness
    enters, so that scores of different epochs and models can be compared.

    Args:
        model: the model.
        split: trials that it was not fitted to.
        batch_size: trials at a time.
        jit_compile: compile the forward pass with XLA.
    """

    def __init__(self, model: BetaVAE, split: Split, batch_size: int, jit_compile: bool = True):
        split = model_segments(model, split).split
        self.inputs, self.targets = model_arrays(model, split)
        self.batch_size = batch_size
        self.scored = self._choose(split)
        self.counts = is_of_counts(model.hyperparameters["arguments"]["likelihood"])
        self._step = tf.function(_forward(model, self.counts), jit_compile=jit_compile)

    def _choose(self, split: Split) -> np.ndarray:
        """Which targets are scored; hides them from the inputs where they are among these."""
        scored = np.ones(self.targets.shape, bool)
        skipped = split.recon.shape[1] - self.targets.shape[1]
        scored[:, : split.encod.shape[1] - skipped, : split.encod.shape[2]] = False
        if not scored.any():
            scored = np.random.default_rng(0).random(self.targets.shape) < HIDDEN
            spikes = self.inputs["spikes"] / (1.0 - HIDDEN)
            spikes[:, skipped:] *= ~scored
            if skipped:
                spikes[:, :skipped] = self.inputs["spikes"][:, :skipped]
            self.inputs = self.inputs | {"spikes": spikes}
        return scored

    def __call__(self) -> float:
        """Bits per spike of the scored entries; for Gaussian data nats per scored entry."""
        rates, log_probs = self._evaluate()
        if not np.isfinite(rates).all():
            return -np.inf
        if not self.counts:
            return float(log_probs[self.scored].mean())
        return float(bits_per_spike(rates, np.where(self.scored, self.targets, np.nan)))

    def _evaluate(self) -> tuple[np.ndarray, np.ndarray]:
        """Means of all targets, and for Gaussian data their marginal log-likelihoods."""
        count, parts = len(self.targets), []
        for trials in equal_batches(count, self.batch_size):
            batch = {name: tf.constant(x[trials]) for name, x in self.inputs.items()}
            parts.append(self._step(batch, tf.constant(self.targets[trials])))
        means, log_probs = (np.concatenate(p)[:count] for p in zip(*parts, strict=True))
        return means, log_probs


def _forward(model: BetaVAE, counts: bool):
    def forward(inputs, targets):
        likelihood = model(inputs, training=False)
        mean = likelihood.mean()
        if counts:
            return mean, tf.zeros_like(mean)
        return mean, tfd.Normal(mean, likelihood.stddev()).log_prob(targets)

    return forward
