"""The two halves of a model, compiled: encoders, and all that is random and comes after them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae.data import Split
from tfp_bvae.models import BetaVAE, equal_batches, model_arrays
from tfp_bvae.rnn import posterior_values

__all__ = ["Passes", "at_posterior_mean", "batches", "joined", "passes_of"]

# Layers at which a model is cut: all that is random at inference comes after them. Where f joins
# the z encoder, that is random too, and the cut is before it, at `z_seen`. Groups only enter
# losses, but these are on the way of f.
BOUNDARY = (
    "f_params", "z_encoding", "z_seen", "steps", "ext_segment", "ext_input", "group", "count",
    "session",
)  # fmt: skip


_known: weakref.WeakKeyDictionary[BetaVAE, dict[str, Passes]] = weakref.WeakKeyDictionary()


def passes_of(model: BetaVAE, value: str) -> Passes:
    """The halves of a model, compiled once for as long as it lives.

    Args:
        model: of this package.
        value: of each latent, `"mean"` or `"sample"`.
    """
    halves = _known.setdefault(model, {})
    if value not in halves:
        halves[value] = Passes(model, value)
    return halves[value]


class Passes:
    """A model cut in two, both halves compiled: encoders, and the rest.

    Args:
        model: of this package.
        value: of each latent, `"mean"` or `"sample"`.
    """

    def __init__(self, model: BetaVAE, value: str):
        layers = {layer.name: layer for layer in model.layers}
        boundary = {name: layers[name].output for name in BOUNDARY if name in layers}
        if "ext_segment" in boundary:
            boundary["ext_segment"] = boundary["ext_segment"][1]
            del boundary["ext_input"]
        if "z_seen" in boundary:
            del boundary["z_encoding"]
        elif "z_inputs_and_f" in layers:
            boundary["z_seen"] = layers["z_inputs_and_f"].input[0]
        found = _quantities(layers)
        if "length" in layers and _is_of_kl(found.get("inferred"), layers):
            boundary["length"] = layers["length"].output
        self._value = value
        self._likelihood, self._q_f = layers["likelihood"], layers["q_f"]
        self._encoder = tf_keras.Model(model.inputs, boundary)
        self._decoder = tf_keras.Model(boundary, found)
        self._encode = tf.function(self._encode_batch, autograph=False, jit_compile=True)
        self._decode = tf.function(self._decode_batch, autograph=False, jit_compile=True)

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
    if not isinstance(generated, dict):  # a plain MLP, or states that are read out as they are
        generated = {"factors": layers["factors"].output if "factors" in layers else generated}
    found["factors"] = generated["factors"]
    if "initial_state" in layers:
        found["initial_state"] = layers["initial_state"].output
    if "inferred" in generated:
        found["inferred"] = generated["inferred"]
    elif "kl_z" in layers:  # hands on the sample of q(z); beside it a ratio, in some models
        found["inferred"] = tf.nest.flatten(layers["kl_z"].output)[0]
    return found


def _is_of_kl(z: tf.Tensor | None, layers: dict[str, tf_keras.layers.Layer]) -> bool:
    """Whether z comes out of the layer that scores it, which asks for the length of trials."""
    return "kl_z" in layers and z is tf.nest.flatten(layers["kl_z"].output)[0]


def batches(model: BetaVAE, split: Split, batch_size: int) -> Iterator[dict[str, tf.Tensor]]:
    """Inputs of `batch_size` trials at a time; the last one is filled up with its last trial."""
    inputs, _ = model_arrays(model, split)
    for trials in equal_batches(len(split.encod), batch_size):
        yield {name: tf.constant(x[trials]) for name, x in inputs.items()}


def joined(parts: list[dict], count: int) -> dict[str, np.ndarray]:
    """What came of each of the `batches`, one after the other, for the trials that there are."""
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def at_posterior_mean(model: BetaVAE, split: Split, batch_size: int) -> dict[str, np.ndarray]:
    """Each quantity of a `Posterior` with the latents at their means.

    Args:
        model: of this package.
        split: what the model takes at a time: trials, or their segments.
        batch_size: of these at a time.
    """
    passes = passes_of(model, "mean")
    parts = []
    for batch in batches(model, split, batch_size):
        boundary = passes.encode(batch)
        parts.append(passes.static(boundary) | passes.decode(boundary, [0, 0], 1))
    found = joined(parts, len(split.encod))
    return {name: x for name, x in found.items() if not name.endswith("_squared")}
