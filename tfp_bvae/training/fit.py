"""Fitting: Keras' own compile and fit, with schedules, validation and checkpoints around it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from tfp_bvae.data import SpikeDataset, Split
from tfp_bvae.data.doors import require_dataset
from tfp_bvae.models import BetaVAE, model_arrays, model_segments, require_masked
from tfp_bvae.training.alignment import start_sessions
from tfp_bvae.training.batches import GroupBatches, TrialBatches
from tfp_bvae.training.checkpoints import Checkpoints, History
from tfp_bvae.training.chief import is_chief, of_chief, require_shared
from tfp_bvae.training.feed import NextEpoch, as_dataset
from tfp_bvae.training.groups import require_groups
from tfp_bvae.training.hierarchical import HierarchicalSampling
from tfp_bvae.training.holding import hold_run
from tfp_bvae.training.losses import NegativeLogLikelihood
from tfp_bvae.training.parts import parts_of_batches, require_divisible, require_replicable
from tfp_bvae.training.progress import Progress, StopIfStuck
from tfp_bvae.training.replicas import EpochFigures, replicated_step
from tfp_bvae.training.schedules import WarmUp, cosine_decay
from tfp_bvae.training.score_keeper import ScoreKeeper
from tfp_bvae.training.settings import FitSettings
from tfp_bvae.training.validation import HeldOut

__all__ = ["compile_model", "fit"]


def compile_model(model: BetaVAE, settings: FitSettings, steps: int | None) -> None:
    """Compiles a model with Adam, a cosine decay over `steps`, and the negative log-likelihood.

    Without `steps` the learning rate is a variable, `model.optimizer.learning_rate`, to assign.
    """
    settings = settings.resolved(model.hyperparameters)
    rate = settings.learning_rate
    optimizer = tf_keras.optimizers.Adam(
        rate if steps is None else cosine_decay(rate, steps, settings.final_rate),
        weight_decay=settings.weight_decay or None,
        global_clipnorm=settings.clip_norm,
        jit_compile=False,  # the whole step is compiled
    )
    model.compile(optimizer, loss=NegativeLogLikelihood(), jit_compile=settings.jit_compile)
    model.optimizer.build(model.trainable_variables)  # or the first step is traced twice


def fit(
    model: BetaVAE,
    data: SpikeDataset,
    settings: FitSettings | Mapping[str, Any] | None = None,
    run: str | os.PathLike[str] | None = None,
    resume: bool = False,
    verbose: bool = True,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
    strategy: tf.distribute.Strategy | None = None,
) -> list[dict[str, float]]:
    """Fits a model to the training trials, and leaves it with its best weights.

    Betas and L2 rise from 0 over the warm-up (`WarmUp` knows other ways); the learning rate
    falls along half a cosine. After each epoch the likelihood of entries that the encoders do not
    see is measured on the validation trials (`HeldOut`); the model ends with the weights of the
    best smoothed score after the warm-up. A step whose gradient is not finite changes nothing and
    is counted.

    Memory is that of a batch, beside the data themselves; those of `data.open_hdf5` stay on disk,
    and what is fitted to them is the same to the last digit.

    An FHVAE with `groups_at_once` is fitted by hierarchical sampling (`HierarchicalSampling`): an
    epoch is a pass over the groups that are drawn for it. The rows of its table are then some
    groups', at the end those of the best epoch; ask `inference` for the means of groups.

    Sessions of a model of several start where they agree (`align_sessions`), once, if their
    conditions are known; a warning says so if they start at random. Sessions that are fixed only
    serve that start: the model is fitted to the trials of the others.

    Args:
        model: from `tfp_bvae.models`.
        data: training and validation trials.
        settings: a `FitSettings` or a plain dict; None for the defaults. Epochs, batch size and
            learning rate are the model's unless given here.
        run: folder for checkpoints, `history.csv` and TensorBoard's events (where tensorboard is
            installed); None keeps nothing on disk.
        resume: go on from the newest checkpoint in `run`.
        verbose: show a bar with the time that is left.
        callbacks: further Keras callbacks.
        strategy: for several devices or hosts, a `tf.distribute.MirroredStrategy` or
            `MultiWorkerMirroredStrategy` under which the model was built. Each replica takes its
            part of the same batches (`batch_size` is that of all together), with the same noise.
            On several hosts all call `fit`; the first one validates and writes to `run`.

    Returns:
        A dict of figures per epoch: `loss`, `kl_f`, `kl_z` (nats per trial), `skipped_steps`,
        `val_heldout` (bits per spike).

    Raises:
        BlockingIOError: if another process holds the folder (`hold_run`).
        FileExistsError: if `run` holds what came of a finished fit, and `resume` is not set.
        TypeError: if `data` is no `SpikeDataset`.
        ValueError: if the data do not suit the model, or have fewer groups than `groups_at_once`;
            if the model was not built under the `strategy`, its loss is more than a mean over
            trials, or replicas cannot share a batch evenly.
        FloatingPointError: if no step of an epoch had a finite gradient.
    """
    require_dataset("data", data)
    held = run is not None and is_chief(strategy)
    if held and not resume:
        _require_unfinished(Path(run))
    with hold_run(run) if held else contextlib.nullcontext():
        return _fit(model, data, settings, run, resume, verbose, callbacks, strategy)


def _fit(
    model, data, settings, run, resume, verbose, callbacks, strategy
) -> list[dict[str, float]]:
    settings = FitSettings.of(settings).resolved(model.hyperparameters)
    require_replicable(model, strategy)
    data = start_sessions(model, data, settings)
    _check_num_trials(model, len(data.train.encod))
    require_groups(model, data.train)
    require_masked(model, data.train, "recon")
    batches, sampling = make_batches(model, data.train, settings)
    require_divisible(batches.batch_size, strategy)
    chief = is_chief(strategy)
    with strategy.scope() if strategy else contextlib.nullcontext():
        compile_model(model, settings, steps=settings.epochs * len(batches))

    held_out = HeldOut(model, data.valid, settings.batch_size, settings.jit_compile)
    score = of_chief(strategy, model, held_out)
    keeper = ScoreKeeper(model, score, settings.warm_up, settings.validate_every, settings.patience)
    first, saving = 0, []
    if run is not None:
        state = keeper.state | _loss_scale(model)
        checkpoints = Checkpoints(Path(run) / "checkpoints", model, state, writes=chief)
        first = checkpoints.restore() if resume else checkpoints.forget()
        saving = [checkpoints, *_tensorboard(Path(run))] if chief else []
        require_shared(strategy, model, run, first)
    history = History(Path(run) / "history.csv" if run is not None else None, first, chief)
    batches.epoch = first

    if first < settings.epochs and not _stopped(keeper, settings, first):
        model.fit(
            **_feed(model, batches, strategy, settings.jit_compile),
            epochs=settings.epochs,
            initial_epoch=first,
            verbose=0,
            callbacks=[
                *([EpochFigures()] if strategy else []),
                NextEpoch(batches),
                *sampling,
                WarmUp(
                    settings.warm_up * len(batches),
                    len(batches),
                    settings.beta_schedule,
                    settings.cycles,
                ),
                StopIfStuck(),
                keeper,
                history,
                *([Progress(settings.epochs, first)] if verbose and chief else []),
                *callbacks,
                *saving,
            ],
        )
    keeper.set_model(model)
    keeper.restore_best()
    return history.rows


def _feed(
    model: BetaVAE,
    batches: TrialBatches | GroupBatches,
    strategy: tf.distribute.Strategy | None,
    jit_compile: bool,
) -> dict[str, Any]:
    """What Keras' fit goes through; with a strategy the model has another step as well."""
    if strategy is None:
        return {"x": as_dataset(batches)}
    model.train_function = replicated_step(model, strategy, batches.batch_size, jit_compile)
    return {"x": parts_of_batches(batches, strategy), "steps_per_epoch": len(batches)}


def make_batches(
    model: BetaVAE, split: Split, settings: FitSettings
) -> tuple[TrialBatches | GroupBatches, list[tf_keras.callbacks.Callback]]:
    """The batches of a fit, and what must be done between them."""
    seed = model.hyperparameters["arguments"]["seed"]
    at_once = model.hyperparameters["params"].get("groups_at_once")
    arrays = model_arrays(model, model_segments(model, split).split)
    if not at_once:
        return TrialBatches(*arrays, settings.batch_size, seed), []
    batches = GroupBatches(*arrays, settings.batch_size, at_once, seed)
    return batches, [HierarchicalSampling(model, batches, settings.jit_compile)]


def _require_unfinished(run: Path) -> None:
    """A fit of its own must not put its checkpoints beside the model and rates of another."""
    found = [
        name for name in ("model.keras", "posterior.h5", "metrics.json") if (run / name).exists()
    ]
    if found:
        raise FileExistsError(
            f"run must be a folder without a finished fit, got {run} with {', '.join(found)}: "
            "take another, or go on with it by resume=True"
        )


def _check_num_trials(model: BetaVAE, count: int) -> None:
    """The total correlation is wrong in silence where it is told of another number of trials."""
    known = model.hyperparameters["arguments"]["num_trials"]
    if model.hyperparameters["params"]["total_correlation"] and known != count:
        raise ValueError(f"num_trials of the model must be {count}, as the data have, got {known}")


def _stopped(keeper: ScoreKeeper, settings: FitSettings, epochs: int) -> bool:
    """Whether a resumed fit had run out of patience already."""
    best_epoch = int(keeper.state["best_epoch"])
    return (
        bool(settings.patience)
        and best_epoch >= 0
        and (epochs - 1 - best_epoch >= settings.patience)
    )


def _loss_scale(model: BetaVAE) -> dict[str, Any]:
    """What a loss-scaling optimiser (mixed_float16) has learned, which its variables leave out."""
    scaled = isinstance(model.optimizer, tf_keras.mixed_precision.LossScaleOptimizer)
    return {"loss_scale": model.optimizer._loss_scale} if scaled else {}


def _tensorboard(run: Path) -> list[tf_keras.callbacks.Callback]:
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return []
    return [tf_keras.callbacks.TensorBoard(str(run / "tensorboard"), profile_batch=0)]
