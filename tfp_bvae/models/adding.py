"""One more session for a model that is fitted already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfp_bvae import checks
from tfp_bvae.models.arguments import Arguments
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders import create_model
from tfp_bvae.models.builders.model import OF_SESSIONS
from tfp_bvae.models.fhvae import fhvae

__all__ = ["add_session"]

SAME = ("forward_bins", "ext_inputs", "bin_width", "likelihood")


def add_session(
    model: BetaVAE,
    arguments: Arguments | Mapping[str, Any],
    mean_rates: np.ndarray | None = None,
) -> BetaVAE:
    """A model of one session more (or of several), which keeps all that the fitted one has learned.

    Everything that sessions share, and the read-ins and read-outs of the sessions that there were,
    have the weights of the fitted model and do not train any more: they are no trainable weights,
    so that no decay and no penalty moves them. `training.fit` teaches the new rows alone, from the
    trials of the new sessions; it starts them by the conditions that they share with the old
    ones, where it is given trials of both.

    Args:
        model: fitted, with `num_sessions`.
        arguments: those of the data of all sessions, the old ones first
            (`training.data_arguments`): their `num_sessions`, `channels` and `outputs` may be more.
        mean_rates: spikes per bin, `[session, outputs]`, of all sessions; old rows are not used.

    Returns:
        A new model; the old one stays as it is. In a `models.fhvae` rows of new groups are zero,
        the mean of their prior.

    Raises:
        ValueError: if the model has no sessions, no session is new, the model is wider than the
            data, or they differ in what is not of sessions.

    >>> from tfp_bvae.models import lfads
    >>> model = lfads({"channels": 30, "num_sessions": 2})
    >>> wider = add_session(model, {"channels": 40, "num_sessions": 3})
    >>> wider.get_layer("input_factors").kernel.shape, len(wider.trainable_weights)
    (TensorShape([1, 40, 40]), 4)
    """
    known = model.hyperparameters
    old, new = Arguments.of(known["arguments"]), Arguments.of(arguments)
    _check(old, new)
    changes = {name: getattr(new, name) for name in ("channels", "outputs", "num_sessions")}
    changes |= {"fixed_sessions": old.num_sessions, "num_trials": new.num_trials}
    changes |= {"masked": old.masked or new.masked}
    changes |= {"num_groups": new.num_groups} if old.num_groups is not None else {}
    arguments, params = old.replace(changes), dict(known["params"])
    if old.num_groups is not None:
        wider = fhvae(arguments, params, mean_rates)
    else:
        wider = create_model(params, arguments, mean_rates, name=model.name)
    there = {layer.name for layer in model.layers}
    for layer in wider.layers:
        if layer.name not in there:  # what a masked model has beside, which has no weights
            continue
        if layer.name in OF_SESSIONS:
            _copy_sessions(model.get_layer(layer.name), layer, old, new)
        elif layer.name == "group_means":
            _copy_groups(model.get_layer(layer.name), layer)
        else:
            _copy(model.get_layer(layer.name), layer)
    return wider


def _check(old: Arguments, new: Arguments) -> None:
    if old.num_sessions is None:
        raise ValueError("model must have sessions (num_sessions, of 1 on), got none")
    checks.in_interval("num_sessions", new.num_sessions or 0, old.num_sessions + 1)
    checks.in_interval("channels", new.channels, old.channels)
    held_out = (arguments.outputs - arguments.channels for arguments in (old, new))
    fewest, got = held_out
    checks.in_interval("outputs that are not encoded", got, fewest)
    for name in SAME:
        if getattr(old, name, None) != getattr(new, name, None):
            raise ValueError(
                f"{name} must be that of the model, {getattr(old, name)!r}, "
                f"got {getattr(new, name)!r}"
            )
    if (old.num_groups is None) != (new.num_groups is None):
        raise ValueError(
            f"num_groups must be given for a model of groups alone, got {new.num_groups}"
        )


def _copy(source, layer) -> None:
    """All weights; Keras orders those of a layer by whether it trains."""
    trains, layer.trainable = layer.trainable, source.trainable
    layer.set_weights(source.get_weights())
    layer.trainable = trains


def _copy_sessions(source, layer, old: Arguments, new: Arguments) -> None:
    """The rows of old sessions, with their channels at the places that they have among more."""
    kernels, biases = source.kernels.numpy(), source.biases.numpy()
    if layer.name == "log_rate":
        held_out = new.channels + np.arange(old.outputs - old.channels)
        places = np.concatenate([np.arange(old.channels), held_out])
        layer.fixed_kernel.assign(_spread(kernels, places, new.outputs))
        layer.fixed_bias.assign(_spread(biases, places, new.outputs))
        return
    rows = _spread(np.swapaxes(kernels, 1, 2), np.arange(old.channels), new.channels)
    layer.fixed_kernel.assign(np.swapaxes(rows, 1, 2))
    layer.fixed_bias.assign(biases)


def _spread(x: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """The last axis at its places in a longer one, zero elsewhere."""
    spread = np.zeros([*x.shape[:-1], size], x.dtype)
    spread[..., places] = x
    return spread


def _copy_groups(source, layer) -> None:
    table = np.zeros(layer.table.shape, np.float32)
    kept = min(len(table), source.table.shape[0])
    table[:kept] = source.table.numpy()[:kept]
    layer.set_weights([table])
