"""The likelihood of entries that the encoders did not see: the score by which a fit is chosen."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.data import Split, channels_apart
from tfp_bvae.metrics import RunningBitsPerSpike
from tfp_bvae.models import (
    BetaVAE,
    equal_batches,
    is_of_counts,
    model_arrays,
    model_segments,
)

__all__ = ["HeldOut"]

HIDDEN = 0.2  # share of entries hidden where a dataset holds out neither channels nor bins


class HeldOut:
    """Scores a model on entries of a split that its encoders do not see.

    Where the data hold out channels or later bins, those are the entries. Otherwise a fixed
    random fifth of the entries is hidden from the encoders (and the rest scaled up, as
    coordinated dropout does in training) and scored. What was not observed (NaN) is not scored.
    The posterior mean is used: no randomness enters, so that scores of different epochs and models
    can be compared.

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
        arguments = model.hyperparameters["arguments"]
        self.counts = is_of_counts(arguments["likelihood"])
        self._sessions = arguments.get("num_sessions")
        self._skipped = split.recon.shape[1] - self.targets.shape[1]
        # bins and channels of the targets that the encoders see
        self._seen = split.encod.shape[1] - self._skipped, split.encod.shape[2]
        self._hides = self._seen == self.targets.shape[1:]
        self._step = tf.function(
            _forward(model, self.counts), autograph=False, jit_compile=jit_compile
        )

    def __call__(self) -> float:
        """Bits per spike of the scored entries; for Gaussian data nats per scored entry."""
        bits, nats, entries = RunningBitsPerSpike(), 0.0, 0
        for trials in equal_batches(len(self.targets), self.batch_size):
            inputs, targets, scored = self.batch(trials)
            batch = {name: tf.constant(x) for name, x in inputs.items()}
            means, log_probs = (x.numpy() for x in self._step(batch, tf.constant(targets)))
            new = slice(len(self.targets) - trials[0])  # the last trial may stand there again
            if not np.isfinite(means[new]).all():
                return -np.inf
            if self.counts:
                pair = means[new], np.where(scored, targets, np.nan)[new]
                if self._sessions is not None:  # other neurons in each
                    of = inputs["session"][new]
                    pair = (channels_apart(x, of, self._sessions) for x in pair)
                bits.add(*pair)
            else:
                nats += log_probs[new][scored[new]].sum(dtype=np.float64)
                entries += np.count_nonzero(scored[new])
        return bits.result() if self.counts else float(nats / entries)

    def batch(self, trials: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Some trials as they are scored.

        Args:
            trials: numbers of trials, one after the other; the last may stand there again.

        Returns:
            What the model is given, what it is to explain, and which entries of that are scored.
        """
        inputs = {name: x[trials] for name, x in self.inputs.items()}
        targets = self.targets[trials]
        if not self._hides:
            scored = np.ones(targets.shape, bool)
            scored[:, : self._seen[0], : self._seen[1]] = False
            return inputs, targets, scored & ~np.isnan(targets)
        scored = _hidden(int(trials[0]), targets.shape)
        spikes = inputs["spikes"] / (1.0 - HIDDEN)
        spikes[:, self._skipped :] *= ~scored
        spikes[:, : self._skipped] = inputs["spikes"][:, : self._skipped]
        return inputs | {"spikes": spikes}, targets, scored & ~np.isnan(targets)


def _hidden(first: int, shape: tuple[int, ...]) -> np.ndarray:
    """Which entries of some trials are hidden: of one stream of numbers over all trials."""
    rng = np.random.default_rng(0)
    rng.bit_generator.advance(first * shape[1] * shape[2])
    return rng.random(shape) < HIDDEN


def _forward(model: BetaVAE, counts: bool):
    def forward(inputs, targets):
        likelihood = model(inputs, training=False)
        mean = likelihood.mean()
        if counts:
            return mean, tf.zeros_like(mean)
        return mean, tfd.Normal(mean, likelihood.stddev()).log_prob(targets)

    return forward
