"""From latents to rates: the second half of a model alone."""

from __future__ import annotations

import weakref

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.models import BetaVAE
from tfp_bvae.rnn import LFADSDecoder

__all__ = ["decode"]


def decode(
    model: BetaVAE,
    f: np.ndarray,
    z: np.ndarray | None = None,
    num_timesteps: int | None = None,
    ext_input: np.ndarray | None = None,
    session: int | np.ndarray | None = None,
) -> np.ndarray:
    """Rates that given latents mean: what the generator and the read-out make of them.

    Args:
        model: of this package.
        f: static latents, `[trial, f_size]`.
        z: dynamic latents (inferred inputs), `[trial, time, z_size]`; None for a model that has
            none. Of `models.fhvae` those of segments, `[segment, z_size]`, as `f` is then, and
            what comes back: `data.stitch_segments` makes trials of it.
        num_timesteps: number of bins, for a model without z and for `models.fhvae`.
        ext_input: known inputs, `[trial, time, channel]`, for a model that has them.
        session: whose channels are to be predicted, a number or one for each trial, `[trial]`, for
            a model of several.

    Returns:
        Expected spikes per bin (the mean of the likelihood), `[trial, time, outputs]`.

    Raises:
        ValueError: if an array does not suit the model, or is missing.

    >>> from tfp_bvae.models import dsae
    >>> model = dsae({"channels": 30}, {"z_size": 4, "f_size": 8})
    >>> decode(model, np.zeros([5, 8]), np.zeros([5, 20, 4])).shape
    (5, 20, 30)
    """
    arguments, params = model.hyperparameters["arguments"], model.hyperparameters["params"]
    f = _array("f", f, (None, params["f_size"]))
    latents = {"f": f}
    of_segments = "group" in model.input_names  # which have one z each
    if params["z_size"] and not of_segments:
        latents["z"] = _array("z", z, (len(f), None, params["z_size"]))
        bins = latents["z"].shape[1]
    else:
        bins = _bins(num_timesteps, "of segments" if of_segments else "without z")
        latents["steps"] = np.zeros([len(f), bins, 1], "float32")
    if of_segments:
        latents["z"] = _array("z", z, (len(f), params["z_size"]))
    if arguments["ext_inputs"]:
        shape = (len(f), bins, arguments["ext_inputs"])
        latents["ext_input"] = _array("ext_input", ext_input, shape)
    if "session" in model.input_names:
        latents["session"] = _session(session, len(f), arguments["num_sessions"])
    return _decoder(model)(latents).numpy()


def _session(session: int | np.ndarray | None, count: int, known: int) -> np.ndarray:
    """The number of the session of each trial."""
    numbers = np.asarray(-1 if session is None else session)
    wrong = numbers.dtype.kind not in "iu" or numbers.shape not in ((), (count,))
    if wrong or not np.isin(numbers, np.arange(known)).all():
        raise ValueError(
            f"session must be a number of 0 to {known - 1}, or one for each of {count} trials, "
            f"got {session!r}"
        )
    return np.broadcast_to(numbers, [count]).astype(np.int32)


def _array(name: str, value: np.ndarray | None, shape: tuple[int | None, ...]) -> np.ndarray:
    array = np.asarray(value, "float32") if value is not None else np.empty(0)
    sizes = zip(array.shape, shape, strict=False)
    if array.ndim != len(shape) or any(wanted not in (None, got) for got, wanted in sizes):
        came = "None" if value is None else f"shape {array.shape}"
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} must have shape [{wanted}], got {came}")
    return array


def _bins(num_timesteps: int | None, kind: str) -> int:
    if num_timesteps is None:
        raise ValueError(f"num_timesteps must be given for a model {kind}, got None")
    return checks.whole_number("num_timesteps", num_timesteps, 1)


_known: weakref.WeakKeyDictionary[BetaVAE, tf.types.experimental.GenericFunction] = (
    weakref.WeakKeyDictionary()
)


def _decoder(model: BetaVAE):
    """The second half of a model, compiled once for as long as it lives."""
    if model not in _known:
        _known[model] = tf.function(_second_half(model), autograph=False, jit_compile=True)
    return _known[model]


def _second_half(model: BetaVAE):
    layers = {layer.name: layer for layer in model.layers}
    likelihood, generator = layers["likelihood"], layers["generator"]
    if isinstance(generator, LFADSDecoder):

        def rates(latents):
            state = layers["initial_state"](latents["f"])
            z = latents["z"] if "z" in latents else latents["steps"]
            out = generator.generate(state, z, latents.get("ext_input"))
            read = [out["factors"], latents["session"]] if "session" in latents else out["factors"]
            return likelihood.distribution(layers["log_rate"](read)).mean()

        return rates
    entries = {"f": tf.nest.flatten(layers["kl_f"].output)[0]}
    if "kl_z" in layers:
        entries["z"] = tf.nest.flatten(layers["kl_z"].output)[0]
    if "kl_z" not in layers:
        entries["steps"] = layers["steps"].output
    elif entries["z"].shape.rank == 2:
        entries["steps"] = layers["generator_inputs"].input[0]
    if "ext_segment" in layers:
        entries["ext_input"] = layers["ext_segment"].output[1]
    elif "ext_input" in layers:
        entries["ext_input"] = layers["ext_input"].output
    if "session" in layers:
        entries["session"] = layers["session"].output
    half = tf_keras.Model(entries, layers["log_rate"].output)

    def rates(latents):
        if "steps" in entries:  # only their number is read
            channels = entries["steps"].shape[-1]
            latents = latents | {"steps": tf.tile(latents["steps"], [1, 1, channels])}
        return likelihood.distribution(half(latents, training=False)).mean()

    return rates
