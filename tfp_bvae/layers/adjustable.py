"""Rates of dropout that can be changed while a model is fitted, on demand."""

from __future__ import annotations

import tf_keras

from tfp_bvae.layers.masks import CoordinatedDropout, SeededDropout
from tfp_bvae.rnn import Generator, LFADSDecoder
from tfp_bvae.rnn.rates import AdjustableRate

__all__ = ["adjustable", "rates_of"]

# Which layers have a rate, and under which name.
RATES = {
    CoordinatedDropout: "rate",
    SeededDropout: "rate",
    LFADSDecoder: "dropout",
    Generator: "dropout",
}


def adjustable(model: tf_keras.Model) -> None:
    """Make every rate of dropout in a model one that can be changed without a new trace.

    An ordinary model has its rates as constants of the compiled step. After this call they are
    values that the step reads; `rates_of` gives them, to assign. The model computes and saves the
    same, and its configuration has the rates as they are at that time. For a search over
    hyperparameters, in which a step is compiled once and rates change many times.

    Args:
        model: built; if it has been fitted, its training step is traced anew.

    >>> from tfp_bvae.layers import SeededDropout
    >>> model = tf_keras.Sequential([tf_keras.Input([3]), SeededDropout(0.5, name="hidden")])
    >>> adjustable(model)
    >>> rates_of(model)["hidden"].assign(0.1)
    >>> model.get_layer("hidden").get_config()["rate"]
    0.1
    """
    for layer, name in _with_rates(model):
        if not isinstance(getattr(layer, name), AdjustableRate):
            setattr(layer, name, AdjustableRate(getattr(layer, name)))
    model.train_function = None  # of Keras: to be traced where it is needed next


def rates_of(model: tf_keras.Model) -> dict[str, AdjustableRate]:
    """The adjustable rates of a model by the name of their layer; none of one that has constants.

    Args:
        model: on which `adjustable` was called.
    """
    found = {layer.name: getattr(layer, name) for layer, name in _with_rates(model)}
    return {name: rate for name, rate in found.items() if isinstance(rate, AdjustableRate)}


def _with_rates(model: tf_keras.Model):
    for layer in model._flatten_layers(include_self=False):
        for kind, name in RATES.items():
            if isinstance(layer, kind):
                yield layer, name
