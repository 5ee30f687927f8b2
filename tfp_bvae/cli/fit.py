"""`tfp-bvae fit`."""

from __future__ import annotations

import shlex
import sys
import time
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tfp_bvae.cli.folders import require_free, resume_run, start_run
from tfp_bvae.cli.scores import (
    infer_parts,
    posterior_file,
    score_parts,
    score_table,
)
from tfp_bvae.cli.settings import read_settings
from tfp_bvae.data import SpikeDataset, split_sessions
from tfp_bvae.inference import Posterior
from tfp_bvae.models import BetaVAE
from tfp_bvae.training import (
    Run,
    fit,
    hold_run,
)
from tfp_bvae.training.holding import clear_run, is_blank

__all__ = [
    "figures_of",
    "fit_run",
    "notes_of",
    "run",
    "write_results",
]


def run(options: Namespace) -> None:
    """Fit a model to a file, or go on with a fit."""
    given = read_settings(options.model, options.set, epochs=options.epochs, seed=options.seed)
    path = Path(options.out)
    require_free(path, options)
    with hold_run(path), warnings.catch_warnings():
        was_there = options.resume and not is_blank(path)
        if was_there:
            found, data = resume_run(path, options, given)
        else:
            found, data = start_run(path, options, given)
        if not options.quiet:
            notes_of(data)
        warnings.showwarning = lambda warning, *_: options.quiet or _note(warning)
        fit_run(found, data, quiet=options.quiet, keep=was_there)


def notes_of(data: SpikeDataset) -> None:
    """Say on stderr what is worth a word about the data."""
    if "bin_width_note" in data.attrs:
        _note(f"{data.attrs['bin_width_note']}; --set bin_width=0.02, say, tells it")
    for note in data.attrs.get("read_notes", "").splitlines():
        _note(note)
    joined = "session_channels" in data.attrs
    for one in split_sessions(data).values() if joined else [data]:
        _note_what_is_missing(one)


def _note(text: object) -> None:
    print(f"tfp-bvae: note: {text}", file=sys.stderr)


def _note_what_is_missing(data: SpikeDataset) -> None:
    """One line on stderr, where entries were not observed or trials are of unequal length."""
    sides = (data.train, data.valid)
    missing = sum(side.missing for side in sides)
    entries = sum(int(side.bins.sum()) * side.recon.shape[2] for side in sides)
    shorter = sum(int((side.bins < side.recon.shape[1]).sum()) for side in sides)
    if missing or shorter:
        trials = sum(side.num_trials for side in sides)
        print(
            f"tfp-bvae: note: {missing} of {entries} entries ({missing / entries:.1%}) were not "
            f"observed; {shorter} of {trials} trials are shorter than {data.train.recon.shape[1]} "
            "bins",
            file=sys.stderr,
        )


def fit_run(run: Run, data: SpikeDataset, quiet: bool = False, keep: bool = False) -> None:
    """Fit, or go on where the newest checkpoint stands; then write all that a run holds.

    A run that has a model and no checkpoint was adopted: its fit starts from that model.

    A run that fails before its first checkpoint is removed: there is nothing in it to keep,
    unless it was there before.

    Args:
        run: what to fit.
        data: to what.
        quiet: print nothing.
        keep: leave the folder even then.
    """
    first = run.epochs()
    started = time.monotonic()
    with hold_run(run.path):
        try:
            adopted = run.checkpoint is None and run.model_file.is_file()
            model = run.load_model() if adopted else run.build_model(data)
            fit(model, data, run.fit, run=run.path, resume=True, verbose=not quiet)
        except Exception:
            if run.checkpoint is None and not keep:
                clear_run(run.path)
            raise
        seconds = time.monotonic() - started
        run.save_model(model)
        write_results(run, model, data, figures_of(run, model, seconds, first), quiet)


def write_results(
    run: Run, model: BetaVAE, data: SpikeDataset, figures: dict[str, Any], quiet: bool = False
) -> None:
    """Write the posterior and the scores of a fitted model, and say what there is.

    Args:
        run: its folder.
        model: fitted.
        data: what it was fitted to.
        figures: what there is to say of the fit.
        quiet: print nothing.
    """
    with posterior_file(run.posterior_file, data) as write:
        scores = score_parts(model, data, _written(infer_parts(model, data), write))
    metrics = scores | {"fit": figures}
    run.write_metrics(metrics)
    if not quiet:
        print(_summary(run, metrics))


def _written(
    parts: Iterable[tuple[str, slice, Posterior]], write: Callable[..., None]
) -> Iterator[tuple[str, slice, Posterior]]:
    """Parts of a posterior as they pass by on their way into a file."""
    for written in parts:
        write(*written)
        yield written


def figures_of(run: Run, model: BetaVAE, seconds: float, first: int) -> dict[str, Any]:
    """What there is to say of the fit itself."""
    history = run.history()
    last = history[-1]
    return {
        "epochs": len(history),
        "best_epoch": run.best_epoch(),
        f"kl_nats_per_{_unit(run)}": {n: last[n] for n in ("kl_f", "kl_z") if n in last},
        "skipped_steps": int(sum(row["skipped_steps"] for row in history)),
        "seconds": round(seconds, 1),
        "resumed_at_epoch": first,
        "trainable_weights": sum(int(w.shape.num_elements()) for w in model.trainable_weights),
    }


def _unit(run: Run) -> str:
    """What the model sees as a trial, and what its nats are of."""
    return "trial" if run.params.segment_length is None else "segment"


def _summary(run: Run, metrics: dict[str, Any]) -> str:
    figures = metrics["fit"]
    unit = _unit(run)
    divergences = ", ".join(f"{k} {v:.1f}" for k, v in figures[f"kl_nats_per_{unit}"].items())
    return (
        f"\n{score_table(metrics)}\n\n"
        f"best epoch {figures['best_epoch']} of {figures['epochs']}, "
        f"{divergences} nats per {unit}, "
        f"{figures['seconds']:.0f} s, {figures['trainable_weights']:,} weights\n"
        f"{run.path}/: {', '.join(sorted(file.name for file in run.path.glob('[!.]*.*')))}\n"
        f"to look at it: {shlex.join(['tfp-bvae', 'report', str(run.path)])}"
    )
