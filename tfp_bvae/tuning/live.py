"""Hyperparameters of a model that is being trained: read, and changed without a new trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import tf_keras

from tfp_bvae import checks
from tfp_bvae.layers import CoordinatedDropout, rates_of
from tfp_bvae.models import BetaVAE
from tfp_bvae.rnn import L2Penalty
from tfp_bvae.tuning.space import LIVE

__all__ = ["assign_hyperparameters", "hyperparameters_in_force"]


def assign_hyperparameters(model: BetaVAE, values: Mapping[str, float]) -> None:
    """Change hyperparameters of a compiled model: its next step has them.

    Betas and weights of L2 penalties become what the warm-up rises to, and are set to it; a
    `WarmUp` that still rises lowers them again at the next step.

    Args:
        model: with `layers.adjustable`, compiled with a learning rate that is a variable.
        values: by name, of `LIVE`; the others stay as they are.

    Raises:
        KeyError: for a name that is not one of `LIVE`.
        ValueError: if the model has no such hyperparameter.
    """
    for name, value in values.items():
        checks.known_key("hyperparameters", name, LIVE)
        places = list(_PLACES[name](model))
        if not places:
            raise ValueError(f"{name} must be a hyperparameter of the model, which has none such")
        for place in places:
            place.assign(value)
    model.hyperparameters["params"] |= values


def hyperparameters_in_force(model: BetaVAE) -> dict[str, float]:
    """What the next step of a model has (betas and L2: after the warm-up), read from its parts.

    Args:
        model: as of `assign_hyperparameters`.
    """
    found = {}
    for name in LIVE:
        places = list(_PLACES[name](model))
        if places:
            found[name] = places[0].read()
    return found


class _Weight:
    """The weight of a KL term: a variable, and what the warm-up rises to."""

    def __init__(self, layer: tf_keras.layers.Layer):
        self._layer = layer

    def assign(self, value: float) -> None:
        self._layer.initial_beta = value
        self._layer.beta.assign(value)

    def read(self) -> float:
        return float(self._layer.initial_beta)


class _Penalty:
    """The weight of an L2 penalty, which the layer that owns it keeps for its configuration."""

    def __init__(self, layer: tf_keras.layers.Layer, part: str):
        self._layer, self._part = layer, part

    def assign(self, value: float) -> None:
        penalty: L2Penalty = getattr(self._layer, f"{self._part}_penalty")
        setattr(self._layer, f"{self._part}_l2", value)
        penalty.target = value
        penalty.weight.assign(value)

    def read(self) -> float:
        return float(getattr(self._layer, f"{self._part}_penalty").target)


class _Rate:
    """A rate of dropout."""

    def __init__(self, rate):
        self.assign, self._rate = rate.assign, rate

    def read(self) -> float:
        return float(self._rate)


class _LearningRate:
    """That of the optimiser."""

    def __init__(self, model: BetaVAE):
        self._model = model

    def assign(self, value: float) -> None:
        self._model.optimizer.learning_rate.assign(value)

    def read(self) -> float:
        return float(self._model.optimizer.learning_rate)


def _kl(latent: str) -> Callable[[BetaVAE], Iterator[_Weight]]:
    def places(model):
        for layer in model.layers:
            if layer.name == f"kl_{latent}" and hasattr(layer, "initial_beta"):
                yield _Weight(layer)

    return places


def _l2(part: str) -> Callable[[BetaVAE], Iterator[_Penalty]]:
    def places(model):
        for layer in model.layers:
            penalty = getattr(layer, f"{part}_penalty", None)
            if penalty is not None and penalty.weight is not None:
                yield _Penalty(layer, part)

    return places


def _dropout(coordinated: bool) -> Callable[[BetaVAE], Iterator[_Rate]]:
    def places(model):
        kinds = {layer.name: layer for layer in model._flatten_layers(include_self=False)}
        for name, rate in rates_of(model).items():
            if isinstance(kinds[name], CoordinatedDropout) == coordinated:
                yield _Rate(rate)

    return places


def _learning_rate(model: BetaVAE) -> Iterator[_LearningRate]:
    if model.optimizer is not None:
        yield _LearningRate(model)


_PLACES = {
    "beta_f": _kl("f"),
    "beta_z": _kl("z"),
    "coordinated_dropout": _dropout(True),
    "dropout": _dropout(False),
    "l2_controller": _l2("controller"),
    "l2_generator": _l2("generator"),
    "learning_rate": _learning_rate,
}
