"""What specimens of the zoo are made of: example inputs, shapes, and ways to stand in a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tf_keras

from tfp_bvae import layers

BATCH, STEPS, CHANNELS, LATENT, UNITS = 3, 6, 4, 2, 5


class Specimen(NamedTuple):
    """How to make one layer, what to feed it, what comes out, and how it stands in a graph."""

    make: Callable[[], tf_keras.layers.Layer]
    inputs: Callable[[int, int], Any]  # of batch and steps: arrays [batch, (time,) channel]
    shapes: Callable[[int, int], list]  # of batch and steps: shapes of what comes out, flat
    wire: Callable = lambda layer, inputs: layer(inputs)
    random: str = "never"  # or "in training", or "always": when two calls differ


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def counts(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).poisson(1.0, shape).astype("float32")


def path(batch: int, steps: int, channels: int = CHANNELS) -> np.ndarray:
    return normal(batch, steps, channels)


def with_gaps(batch: int, steps: int) -> np.ndarray:
    """Data of which every third value was not observed."""
    data = path(batch, steps)
    data.flat[::3] = np.nan
    return data


def params(batch: int, steps: int) -> np.ndarray:
    """Parameters of a diagonal Gaussian at each step."""
    return normal(batch, steps, 2 * LATENT)


def of_sessions(batch: int, steps: int) -> list[np.ndarray]:
    """Sequences, and which of two sessions each trial is of."""
    return [path(batch, steps), np.arange(batch, dtype="int32") % 2]


def unequal(batch: int, steps: int) -> list[np.ndarray]:
    """Sequences, and how many steps each has."""
    return [path(batch, steps), np.maximum(steps - np.arange(batch, dtype="int32"), 1)]


def drawn(batch: int, steps: int) -> list[np.ndarray]:
    """Location, scale and a draw at each step."""
    loc, raw, noise = (normal(batch, steps, LATENT, seed=seed) for seed in range(3))
    return [loc, np.exp(0.5 * raw), loc + np.exp(0.5 * raw) * noise]


def start(batch: int, steps: int, **sequences: int) -> dict[str, np.ndarray]:
    """What decoders take: an initial state, and sequences by name and number of channels."""
    found = {name: path(batch, steps, channels) for name, channels in sequences.items()}
    return found | {"initial_state": normal(batch, UNITS)}


def against(make_prior: Callable[[], tf_keras.layers.Layer]) -> Callable:
    """Wires a KL layer between a posterior of the inputs and a prior."""

    def wire(layer, inputs):
        q = layers.MVNDiagPosterior(LATENT, name="q")(inputs)
        return layer([q, make_prior()(inputs)])

    return wire


def after_posterior(layer, inputs):
    """Wires a penalty after a posterior of the inputs."""
    return layer(layers.MVNDiagPosterior(LATENT, name="q")(inputs))


def between(layer, inputs):
    """Wires a KL layer as models do: the path was drawn before, and something else goes on."""
    *path_and_params, goes_on = inputs
    q = layers.PathPosterior(name="q")(path_and_params)
    return layer([q, layers.AR1Prior(LATENT, name="p")(goes_on), goes_on])


def with_length(layer, inputs):
    """Wires a layer that is told how long each trial is."""
    sequence, length = inputs
    return layer(sequence, length=length)


def one_step(layer, inputs):
    """Wires a prior's cell: it takes a sample and a state, and gives a Gaussian and a state."""
    sample, *state = inputs
    gaussian, _ = layer(sample, tuple(state))
    return gaussian


def ratio_of(make_prior: Callable[[], tf_keras.layers.Layer]) -> Callable:
    """Wires a ratio of a posterior of the inputs and a prior, as a stock layer reads it."""

    def wire(layer, inputs):
        q = layers.MVNDiagPosterior(LATENT, name="q")(inputs)
        z, ratio = layer([q, make_prior()(inputs)])
        return [z, tf_keras.layers.Activation("linear")(ratio)]

    return wire


def weighed(value: str = "auto") -> Callable:
    """Wires a layer for several samples into the smallest importance-weighted model."""

    def wire(layer, inputs):
        parts = {
            "RepeatSamples": layers.RepeatSamples(2, name="repeat"),
            "SplitSamples": layers.SplitSamples(2, name="split"),
            "ImportanceWeightedLikelihood": layers.ImportanceWeightedLikelihood(name="weighted"),
        }
        parts[type(layer).__name__] = layer
        repeated = parts["RepeatSamples"](inputs)
        q = layers.MVNDiagPosterior(LATENT, value=value, name="q")(repeated)
        p = layers.AR1Prior(LATENT, name="p")(repeated)
        z, ratio = layers.LogRatio(name="ratio")([q, p])
        likelihood = layers.PoissonLikelihood(name="counts")(parts["SplitSamples"](z))
        return parts["ImportanceWeightedLikelihood"]([likelihood, ratio])

    return wire


def in_rnn(cell, inputs):
    """Wires a recurrent cell as a layer of Keras runs it."""
    return tf_keras.layers.RNN(cell, return_sequences=True)(inputs)


def each_step(*channels: int | None) -> Callable[[int, int], list]:
    """Shapes of outputs that are sequences as long as the input."""
    return lambda b, t: [(b, t, size) for size in channels]


DECODED = each_step(4, 3, UNITS, LATENT, LATENT, LATENT)  # by name: controller, factors, ...
