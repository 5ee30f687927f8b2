"""What a run holds that a report can be made of, and what of it is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tfp_bvae.data import SpikeDataset, Split
from tfp_bvae.data.files import hdf5_file
from tfp_bvae.data.hdf5_nodes import datasets, require_storage
from tfp_bvae.data.limits import claim
from tfp_bvae.data.plain_files import read_json
from tfp_bvae.inference import Posterior, sample_and_average
from tfp_bvae.models import BetaVAE
from tfp_bvae.training import Run

__all__ = ["CONDITIONS", "Material", "Sample", "gather"]

CONDITIONS = ("condition", "cond_idx", "target", "static", "stimulus")  # train_..., valid_...
MOST_TRAIN, MOST_VALID = 1000, 300  # trials that are looked at
MOST_VALUES = 20_000_000  # of one side


@dataclass(frozen=True, eq=False)
class Sample:
    """Some trials of one side, in memory; all of them where they are few.

    Args:
        split: the trials.
        trials: their numbers.
        condition: of each, where that is known.
    """

    split: Split
    trials: np.ndarray
    condition: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Material:
    """What a report is made of.

    Args:
        run: the fit.
        history: figures of each epoch.
        metrics: scores, as the run holds them; empty where it does not.
        best_epoch: whose weights were kept.
        data: what was fitted; or None.
        model: the fitted model; or None.
        train: training trials; or None.
        valid: validation trials; or None.
        posterior: of the validation trials (of the first ones, where there are no data); or None.
        missing: what is not there, and why.
    """

    run: Run
    history: Sequence[Mapping[str, float]]
    metrics: Mapping[str, Any]
    best_epoch: int | None
    data: SpikeDataset | None
    model: BetaVAE | None
    train: Sample | None
    valid: Sample | None
    posterior: Posterior | None
    missing: tuple[str, ...]


def gather(run: Run, data: SpikeDataset | None = None, without_data: str = "") -> Material:
    """Read what a run holds; what cannot be read is missing, with a reason.

    Args:
        run: a fit, finished or not.
        data: what was fitted; or None.
        without_data: why there are none.
    """
    missing = [] if data is not None else [f"The data: {without_data or 'not given'}."]
    metrics = _metrics(run, missing)
    try:
        model = run.load_model()
    except (OSError, ValueError) as error:
        model = None
        missing.append(f"The model: {error}.")
    history = run.history()
    if not history:
        missing.append("The course of the fit: there is no history.csv, or nothing in it.")
    train, valid = (
        None if data is None else _sample(data, side, most)
        for side, most in (("train", MOST_TRAIN), ("valid", MOST_VALID))
    )
    posterior = _posterior(run, model, valid, missing)
    best = metrics.get("fit", {}).get("best_epoch") or run.best_epoch()
    return Material(
        run, history, metrics, best, data, model, train, valid, posterior, tuple(missing)
    )


def _metrics(run: Run, missing: list[str]) -> dict[str, Any]:
    try:
        return _scores(run, read_json(run.metrics_file))
    except FileNotFoundError:
        missing.append("The scores: there is no metrics.json; the fit has not come to its end.")
    except (OSError, ValueError) as error:
        missing.append(f"The scores: metrics.json cannot be read: {error}.")
    return {}


def _scores(run: Run, found: Any) -> dict[str, Any]:
    """Numbers by name, of each side and of the fit.

    Raises:
        ValueError: it is something else.
    """
    parts = list(found.items()) if isinstance(found, dict) else [("all", None)]
    for name, part in parts:
        if not isinstance(part, dict):
            raise ValueError(f"{run.metrics_file}: {name} must be a mapping, got {str(part)[:80]}")
        for what, value in part.items():
            inner = value.values() if isinstance(value, dict) else [value]
            if not all(isinstance(x, (int, float, str, type(None))) for x in inner):
                raise ValueError(f"{run.metrics_file}: {what} must be a number")
            if name != "fit" and isinstance(value, str):
                raise ValueError(f"{run.metrics_file}: {what} must be a number, got {value[:80]!r}")
    best = found.get("fit", {}).get("best_epoch")
    if not isinstance(best, (int, type(None))):
        raise ValueError(f"{run.metrics_file}: best_epoch must be a number, got {best!r}")
    return found


def _sample(data: SpikeDataset, side: str, most: int) -> Sample:
    """Evenly chosen trials, read into memory."""
    split = getattr(data, side)
    size = int(np.prod(split.recon.shape[1:]))
    count = max(2, min(split.num_trials, most, MOST_VALUES // size))
    trials = np.unique(np.linspace(0, split.num_trials - 1, count).astype(int))
    chosen = split.select(trials)
    arrays = {field.name: getattr(chosen, field.name) for field in fields(chosen)}
    chosen = Split(**{n: None if x is None else np.asarray(x) for n, x in arrays.items()})
    return Sample(chosen, trials, _condition(data, side, trials))


def _condition(data: SpikeDataset, side: str, trials: np.ndarray) -> np.ndarray | None:
    for name in CONDITIONS:
        found = np.asarray(data.attrs.get(f"{side}_{name}", 0))
        if found.shape == (getattr(data, side).num_trials,):
            kinds = len(np.unique(found.astype(str)))
            if 1 < kinds <= max(2, len(found) // 2):
                return found[trials]
    return None


def _posterior(
    run: Run, model: BetaVAE | None, valid: Sample | None, missing: list[str]
) -> Posterior | None:
    """What the run holds of these trials; else it is inferred anew, where there is a model."""
    try:
        found = _stored_posterior(run, valid)
        if found is not None:
            return found
        missing.append("The posterior: there is no posterior.h5 of these trials.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        missing.append(f"The posterior: {error}.")
    if model is None or valid is None:
        return None
    missing[-1] += " It was inferred anew."
    return sample_and_average(model, valid.split)


def _stored_posterior(run: Run, valid: Sample | None) -> Posterior | None:
    if not run.posterior_file.is_file():
        return None
    names = {f"valid_{field.name}": field.name for field in fields(Posterior)}
    with hdf5_file(run.posterior_file) as file:
        known = {name: data for name, data in datasets(run.posterior_file, file) if name in names}
        if "valid_rates" not in known:
            return None
        count = len(known["valid_rates"])
        trials = np.arange(min(count, MOST_VALID)) if valid is None else valid.trials
        if trials[-1] >= count:
            return None
        for name, data in known.items():
            claim(f"{run.posterior_file}: {name}", (len(trials), *data.shape[1:]))
            require_storage(run.posterior_file, name, data)
        return Posterior(**{names[name]: data[trials] for name, data in known.items()})
