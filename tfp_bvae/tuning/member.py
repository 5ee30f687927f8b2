"""One member of a population: a model that is trained a generation at a time."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae.data import SpikeDataset
from tfp_bvae.data.files import atomic_folder
from tfp_bvae.layers import adjustable
from tfp_bvae.models import RECIPES, Arguments, BetaVAE, Params, require_masked
from tfp_bvae.training import (
    FitSettings,
    HeldOut,
    History,
    NextEpoch,
    ScoreKeeper,
    StopIfStuck,
    WarmUp,
    as_dataset,
    compile_model,
    cosine_decay,
    mean_rates,
)
from tfp_bvae.training.alignment import start_sessions
from tfp_bvae.training.fit import make_batches
from tfp_bvae.training.groups import require_groups
from tfp_bvae.tuning.live import assign_hyperparameters, hyperparameters_in_force
from tfp_bvae.tuning.space import LIVE

__all__ = ["Member", "Plan", "best_weights", "build", "read_facts"]

ARRAYS, FACTS = "arrays.npz", "facts.json"


@dataclass(frozen=True)
class Plan:
    """What all members have in common.

    Args:
        model: name of the model, one of `models.RECIPES`.
        arguments: of the model.
        params: settings that are not searched.
        fit: how members are fitted.
        epochs: of a generation.
        decay: epochs over which the learning rate falls along half a cosine, as in `training.fit`;
            None: it stays.
    """

    model: str
    arguments: Arguments
    params: Params
    fit: FitSettings
    epochs: int
    decay: int | None = None


def build(plan: Plan, values: Mapping[str, float], data: SpikeDataset, seed: int = 0) -> BetaVAE:
    """A new model with some hyperparameters, its read-out at the mean rates.

    Args:
        plan: all else.
        values: hyperparameters by name.
        data: what it is fitted to.
        seed: is added to that of the plan.
    """
    arguments = plan.arguments.replace({"seed": plan.arguments.seed + seed})
    means = mean_rates(data.train, arguments.num_sessions)
    params = plan.params.replace(values)
    return RECIPES[plan.model].build(arguments, params, mean_rates=means)


class Member:
    """A model with all that its training goes on from; one after the other it can be several.

    The model is built and its step traced once, as long as only hyperparameters of `LIVE` change.

    Args:
        plan: what all members have in common.
        data: training and validation trials.
    """

    def __init__(self, plan: Plan, data: SpikeDataset):
        self.plan, self._given = plan, data
        self.model: BetaVAE | None = None
        self._sizes: dict[str, float] = {}
        self.generation = self.epoch = 0
        self.improved = False  # whether the newest generation has the best weights so far

    def start(self, number: int, values: Mapping[str, float]) -> None:
        """Begin anew: other weights for each number.

        Args:
            number: of the member.
            values: all hyperparameters that are searched, by name.
        """
        self._take(values, number)
        for variable in self.model.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        for name, value in (("best", -np.inf), ("smoothed", np.nan), ("best_epoch", -1)):
            self.keeper.state[name].assign(value)
        self.generation = self.epoch = 0
        self.history.rows, self.best_values = [], dict(values)
        self.set(values)

    def set(self, values: Mapping[str, float]) -> None:
        """Change hyperparameters of `LIVE`, from the next step on.

        Raises:
            RuntimeError: if the model does not have them afterwards.
        """
        live = {name: value for name, value in values.items() if name in LIVE}
        assign_hyperparameters(self.model, live)
        found = hyperparameters_in_force(self.model)
        for name, value in live.items():
            if not math.isclose(found[name], value, rel_tol=1e-5, abs_tol=1e-30):
                raise RuntimeError(f"{name} must be {value} in the model, got {found[name]}")
        for sampling in self._sampling:  # means of groups follow from beta_f
            params = self.model.hyperparameters["params"]
            sampling.scale = params["p_f_scale"] / math.sqrt(params["beta_f"])
        self.values = dict(values)

    def train(self) -> dict[str, float]:
        """Train for one generation.

        Returns:
            `generation`, `epochs` so far, `score` (smoothed over epochs; minus infinity if it is
            not finite, or all steps of an epoch were skipped), `best` of all epochs that count,
            `skipped_steps`, `seconds`, and the hyperparameters by name.
        """
        begun, first = time.monotonic(), self.epoch
        kept, failed = int(self.keeper.state["best_epoch"]), False
        self.epoch, self.generation = first + self.plan.epochs, self.generation + 1
        self.batches.epoch = first
        try:
            self.model.fit(
                self._dataset,
                epochs=self.epoch,
                initial_epoch=first,
                verbose=0,
                callbacks=self._callbacks(),
            )
        except FloatingPointError:
            failed = True
        self.improved = int(self.keeper.state["best_epoch"]) != kept
        if self.improved:
            self.best_values = dict(self.values)
        score = float(self.keeper.state["smoothed"])
        rows = [row for row in self.history.rows if row["epoch"] > first]
        return {
            "generation": self.generation,
            "epochs": self.epoch,
            "score": -math.inf if failed or not math.isfinite(score) else score,
            "best": float(self.keeper.state["best"]),
            "skipped_steps": int(sum(row["skipped_steps"] for row in rows)),
            "seconds": round(time.monotonic() - begun, 3),
            **self.values,
        }

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write all that training goes on from: weights, slots, random streams, best weights."""
        self._write(folder, self._variables())

    def save_best(self, folder: str | os.PathLike[str]) -> None:
        """Write the best weights, and what is to be said of them: a whole folder or none."""
        with atomic_folder(folder) as beside:
            beside.mkdir()
            self._write(beside, {"best_weight": self.keeper.state["weights"]})

    def _write(self, folder: str | os.PathLike[str], kinds: dict[str, list[tf.Variable]]) -> None:
        arrays = {
            f"{kind}_{number}": variable.numpy()
            for kind, variables in kinds.items()
            for number, variable in enumerate(variables)
        }
        np.savez(Path(folder) / ARRAYS, **arrays)
        facts = {
            "generation": self.generation,
            "epoch": self.epoch,
            "seed": self.batches.seed,
            "values": self.values,
            "best": float(self.keeper.state["best"]),
            "best_epoch": int(self.keeper.state["best_epoch"]),
            "best_values": self.best_values,
            "history": self.history.rows,
        }
        (Path(folder) / FACTS).write_text(json.dumps(facts), encoding="utf-8")

    def load(self, folder: str | os.PathLike[str]) -> None:
        """Go on from what `save` wrote, be it of this member or another."""
        facts = read_facts(folder)
        if self._other_sizes(facts["values"]):
            self._take(facts["values"], 0)
        with np.load(Path(folder) / ARRAYS, allow_pickle=False) as arrays:
            for kind, variables in self._variables().items():
                for number, variable in enumerate(variables):
                    variable.assign(arrays[f"{kind}_{number}"])
        self.generation, self.epoch = facts["generation"], facts["epoch"]
        self.batches.seed, self.best_values = facts["seed"], facts["best_values"]
        self.history.rows = facts["history"]
        self.set(facts["values"])

    def _variables(self) -> dict[str, list[tf.Variable]]:
        state = self.keeper.state
        return {
            "weight": self.model.weights,
            "slot": list(self.model.optimizer.variables),
            "best_weight": state["weights"],
            "score": [state[name] for name in ("best", "smoothed", "best_epoch")],
        }

    def _other_sizes(self, values: Mapping[str, float]) -> bool:
        """Whether the model at hand is too large or small for these values, or there is none."""
        return self.model is None or self._sizes != _sizes(values)

    def _take(self, values: Mapping[str, float], number: int) -> None:
        """Have the weights of a new model; the model itself only if the one at hand differs."""
        model = build(self.plan, values, self._given, number)
        data = start_sessions(model, self._given, self.plan.fit)
        seed = model.hyperparameters["arguments"]["seed"]
        if not self._other_sizes(values):
            self.model.set_weights(model.get_weights())
            self.batches.seed = seed
            return
        require_groups(model, data.train)
        require_masked(model, data.train, "recon")
        fit = self.plan.fit.resolved(model.hyperparameters)
        adjustable(model)
        self.batches, self._sampling = make_batches(model, data.train, fit)
        self._dataset = as_dataset(self.batches)
        compile_model(model, fit, steps=None)
        held_out = HeldOut(model, data.valid, fit.batch_size, fit.jit_compile)
        self.keeper = _Keeper(model, held_out, fit.warm_up, fit.validate_every)
        self.history, self.model, self._fit = History(), model, fit
        self._sizes = _sizes(values)

    def _callbacks(self) -> list[tf_keras.callbacks.Callback]:
        fit, steps = self._fit, len(self.batches)
        falling = []
        if self.plan.decay is not None:
            rate = self.values.get("learning_rate", fit.learning_rate)
            falling = [_Fall(cosine_decay(rate, self.plan.decay * steps, fit.final_rate), steps)]
        return [
            NextEpoch(self.batches),
            *self._sampling,
            WarmUp(fit.warm_up * steps, steps, fit.beta_schedule, fit.cycles),
            *falling,
            StopIfStuck(),
            self.keeper,
            self.history,
        ]


class _Keeper(ScoreKeeper):
    """Keeps the best weights of many short fits that are one."""

    def set_params(self, params):
        super().set_params(params | {"epochs": -1})  # none is the last


class _Fall(tf_keras.callbacks.Callback):
    """Assigns a learning rate that falls."""

    def __init__(self, schedule: tf_keras.optimizers.schedules.LearningRateSchedule, steps: int):
        super().__init__()
        self.schedule, self.steps = schedule, steps

    def on_epoch_begin(self, epoch, logs=None):
        self._first = epoch * self.steps

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate.assign(self.schedule(self._first + batch))


def read_facts(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What `Member.save` or `Member.save_best` wrote beside the arrays."""
    return json.loads((Path(folder) / FACTS).read_text(encoding="utf-8"))


def best_weights(folder: str | os.PathLike[str]) -> list[np.ndarray]:
    """The best weights that `Member.save_best` wrote, in the order of `model.weights`."""
    with np.load(Path(folder) / ARRAYS, allow_pickle=False) as arrays:
        names = [name for name in arrays.files if name.startswith("best_weight_")]
        return [arrays[f"best_weight_{number}"] for number in range(len(names))]


def _sizes(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name not in LIVE}
