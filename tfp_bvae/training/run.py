"""The folder of one fit: what was fitted to what, and all that came of it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfp_bvae.data import SpikeDataset, atomic_file
from tfp_bvae.models import RECIPES, Arguments, BetaVAE, Params
from tfp_bvae.training.checkpoints import read_history
from tfp_bvae.training.model_file import claimed_weights, read_model
from tfp_bvae.training.run_data import fingerprint, mean_rates
from tfp_bvae.training.settings import FitSettings

__all__ = ["Run", "write_json"]


@dataclass(frozen=True)
class Run:
    """One fit on disk. Every file is written beside and renamed, so that it is whole or absent.

    * `run.json`: model, settings, version, path and fingerprint of the data
    * `checkpoints/`: the state after the last whole epoch
    * `history.csv`: figures of every epoch
    * `model.keras`: the model with its best weights
    * `posterior.h5`: rates and latents of all trials
    * `metrics.json`: scores
    * `tuning.csv` and `tuning.json`: of a search over hyperparameters
    * `adopted.json`: where the weights are from, if another package has fitted them

    Args:
        path: the folder.
        model: name of the model, one of `models.RECIPES`.
        arguments: what followed from the data.
        params: tunable settings of the model.
        fit: how it is fitted.
        data: `path` of the file, None where there is none, `sha256` of the arrays and, of joined
            sessions, `sessions`: channels of each by its name, encoded and predicted.
    """

    path: Path
    model: str
    arguments: Arguments
    params: Params
    fit: FitSettings
    data: Mapping[str, Any]

    @property
    def history_file(self) -> Path:
        """Figures of every epoch."""
        return self.path / "history.csv"

    @property
    def model_file(self) -> Path:
        """The model with its best weights."""
        return self.path / "model.keras"

    @property
    def posterior_file(self) -> Path:
        """Rates and latents of all trials."""
        return self.path / "posterior.h5"

    @property
    def metrics_file(self) -> Path:
        """Scores."""
        return self.path / "metrics.json"

    @property
    def tuning_file(self) -> Path:
        """Each member of a search after each generation, if the run is of one."""
        return self.path / "tuning.csv"

    @property
    def checkpoint(self) -> str | None:
        """The newest checkpoint, without its suffix; None before the end of the first epoch.

        Raises:
            ValueError: the run names one that is elsewhere.
        """
        folder = self.path / "checkpoints"
        if not (folder / "checkpoint").is_file():
            return None
        found = tf.train.latest_checkpoint(str(folder))
        if found is not None and Path(found).resolve().parent != folder.resolve():
            raise ValueError(f"{folder} must hold the checkpoint of the run, got {found}")
        return found

    def history(self) -> list[dict[str, float]]:
        """A dict of figures for each epoch so far."""
        return read_history(self.history_file) if self.history_file.exists() else []

    def epochs(self) -> int:
        """How many epochs the newest checkpoint has seen."""
        return int(self._from_checkpoint("epochs") or 0)

    def best_epoch(self) -> int | None:
        """The epoch, counted from 1, whose weights are the best so far; None without one."""
        best = self._from_checkpoint("state/best_epoch")
        return None if best is None or best < 0 else int(best) + 1

    def _from_checkpoint(self, name: str) -> np.ndarray | None:
        if self.checkpoint is None:
            return None
        try:
            return tf.train.load_variable(self.checkpoint, f"{name}/.ATTRIBUTES/VARIABLE_VALUE")
        except IndexError as error:  # which is what TensorFlow makes of a file that is cut short
            raise ValueError(f"{self.checkpoint} must be complete: {error}") from error

    def build_model(self, data: SpikeDataset) -> BetaVAE:
        """A new model as the run's settings say, its read-out at the mean rates of `data`.

        Raises:
            ValueError: its weights take too much memory.
        """
        mean = mean_rates(data.train, self.arguments.num_sessions)
        with claimed_weights(f"{self.path}: weights of the model"):
            return RECIPES[self.model].build(self.arguments, self.params, mean_rates=mean)

    def save_model(self, model: BetaVAE) -> None:
        """Write `model.keras`."""
        with tempfile.TemporaryDirectory(dir=self.path, prefix=".model-") as folder:
            beside = Path(folder) / self.model_file.name  # Keras goes by the suffix
            model.save(beside)
            with open(beside, "rb+") as written:
                os.fsync(written.fileno())
            os.replace(beside, self.model_file)

    def load_model(self) -> BetaVAE:
        """The fitted model; a file from elsewhere cannot run code: see `read_model`.

        Raises:
            FileNotFoundError: the fit has not come to its end.
            ValueError: the file is damaged, or holds more than a model of this package.
        """
        if not self.model_file.is_file():
            raise FileNotFoundError(
                f"{self.path} must hold model.keras, got a fit that is not finished: "
                "go on with --resume"
            )
        return read_model(self.model_file)

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write `metrics.json`."""
        write_json(self.metrics_file, metrics)

    def require_same(self, data: SpikeDataset, given: Mapping[str, Any] | None = None) -> None:
        """Refuse to go on with other data, or with settings that are not the run's.

        Args:
            data: the trials to go on with.
            given: settings asked for, by name; those that are not named stay as they are.

        Raises:
            ValueError: naming everything that differs.
        """
        known = self.arguments.to_dict() | self.params.to_dict() | self.fit.to_dict()
        differ = [
            f"{name} was {known[name]!r} and is now {value!r}"
            for name, value in (given or {}).items()
            if known[name] != value
        ]
        if fingerprint(data) != self.data["sha256"]:
            differ.append(f"the data are not those of {self.data['path'] or 'its start'}")
        if differ:
            raise ValueError(f"{self.path} must go on as it began: {'; '.join(differ)}")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values as a JSON file: whole or not at all."""
    with atomic_file(path) as beside:
        beside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
