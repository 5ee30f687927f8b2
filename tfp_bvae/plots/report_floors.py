"""A fitted model and simple methods on the same hidden entries; and the figures it is judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tfp_bvae.data import Split
from tfp_bvae.inference import BesidePrior
from tfp_bvae.metrics import FitFigures, Floor, Hidden, floor_scores
from tfp_bvae.models import is_of_counts, model_segments
from tfp_bvae.plots.report_material import Material, Sample
from tfp_bvae.plots.report_sessions import hidden_of_sessions, together
from tfp_bvae.training import HeldOut

__all__ = ["Compared", "compare_with_floors", "figures_of_fit"]

HIDDEN = 0.2  # share of entries of the training trials that read-outs learn to fill in
DEAD_KL = 0.01  # nats per trial; a dimension below tells nothing


class Compared(NamedTuple):
    """Scores on one set of hidden entries."""

    score: float  # of the model
    floors: tuple[Floor, ...]
    entries: str  # which entries, in words


def compare_with_floors(m: Material, glm: bool = True) -> Compared:
    """Score the model, and simple methods, on entries of validation trials that neither sees.

    Entries are those of `training.HeldOut`: held-out channels and later bins, where the data have
    them, else a random fifth. What FHVAE sees are segments: so it is for the methods. Of several
    sessions the methods learn each by itself, since its channels are other neurons; their score is
    that of the spikes of all.

    Args:
        m: with data and a model.
        glm: whether to fit the GLM too.
    """
    arguments = m.run.arguments
    held = HeldOut(m.model, m.valid.split, m.run.fit.batch_size, m.run.fit.jit_compile)
    train, valid = (_segments(m, side) for side in (m.train, m.valid))
    _, targets, scored = held.batch(np.arange(len(held.targets)))
    skipped = valid.split.recon.shape[1] - targets.shape[1]
    counts = is_of_counts(arguments.likelihood)
    hides = valid.split.recon.shape == valid.split.encod.shape
    sides = (
        _hidden(train, _train_mask(train.split, skipped, scored[0], hides), skipped),
        _hidden(valid, scored, skipped),
    )
    told = "condition" if m.run.params.segment_length is None else "place of the segment"

    def judged(train: Hidden, valid: Hidden) -> list[Floor]:
        return floor_scores(train, valid, arguments.bin_width, counts=counts, glm=glm, told=told)

    parts = [sides]
    if valid.split.session is not None:
        parts = list(hidden_of_sessions(m.data, train.split, valid.split, sides))
    found = together([judged(*part) for part in parts], [np.nansum(v.wanted) for _, v in parts])
    return Compared(held(), tuple(found), _entries(valid.split, hides))


def figures_of_fit(
    m: Material, compared: Compared | None, beside: Mapping[str, BesidePrior]
) -> FitFigures:
    """What the diagnostics of a run go by.

    Args:
        m: the run.
        compared: with floors; or None.
        beside: the posterior of each latent beside its prior.
    """
    counts = is_of_counts(m.run.arguments.likelihood)
    scores, fit = m.metrics.get("valid", {}), m.run.fit
    reached = scores.get("bits_per_spike")
    trials = m.run.arguments.num_trials
    known = {} if compared is None else {x.name: x.score for x in compared.floors}
    data = None
    if m.valid is not None and m.posterior is not None:
        data = m.valid.split.recon[:, m.valid.split.recon.shape[1] - m.posterior.rates.shape[1] :]
    return FitFigures(
        history=m.history,
        best_epoch=m.best_epoch,
        warm_up=fit.warm_up,
        steps_per_epoch=None if trials is None else -(-trials // fit.batch_size),
        kl={name: found.kl for name, found in beside.items()},
        active={name: found.active & (found.kl >= DEAD_KL) for name, found in beside.items()},
        betas={name: getattr(m.run.params, f"beta_{name}") for name in ("f", "z")},
        score=None if compared is None else compared.score,
        floors={name: score for name, score in known.items() if score is not None},
        reached=reached,
        reachable=scores.get("bits_per_spike_true"),
        gained=_gained(data, reached) if counts else None,
        rates=None if m.posterior is None else m.posterior.rates,
        data=data,
        silent=_silent(m) if counts else (),
        counts=counts,
    )


def _gained(data: np.ndarray | None, bits: float | None) -> float | None:
    """Nats per trial that so many bits per spike are."""
    if data is None or bits is None:
        return None
    return bits * math.log(2) * float(np.nansum(data)) / len(data)


def _silent(m: Material) -> tuple[int, ...]:
    if m.train is None:
        return ()
    counts = np.nansum(m.train.split.recon, axis=(0, 1))
    return tuple(int(n) for n in np.flatnonzero(counts == 0))


def _segments(m: Material, side: Sample) -> Sample:
    """What the model sees as trials; the first bin of a segment takes the place of a condition."""
    split, where = model_segments(m.model, side.split)
    if where is None:
        return side
    return Sample(split, where[:, 0], where[:, 1])


def _train_mask(split: Split, skipped: int, scored: np.ndarray, hides: bool) -> np.ndarray:
    """Entries of training trials that are hidden in the way of the validation trials."""
    shape = (split.num_trials, split.recon.shape[1] - skipped, split.recon.shape[2])
    if not hides:
        return np.broadcast_to(scored, shape)
    return np.random.default_rng(1).random(shape) < HIDDEN


def _hidden(side: Sample, scored: np.ndarray, skipped: int) -> Hidden:
    """All bins, of which the first `skipped` are seen and not scored."""
    split = side.split
    mask = np.zeros(split.recon.shape, bool)
    mask[:, skipped:] = scored
    seen = np.array(split.encod, np.float64)
    seen[mask[:, : seen.shape[1], : seen.shape[2]]] = np.nan
    return Hidden(seen, np.asarray(split.recon, np.float64), mask, side.condition)


def _entries(split: Split, hides: bool) -> str:
    if hides:
        return "a random fifth of the entries of validation trials, hidden from all"
    held_out = split.recon.shape[2] - split.encod.shape[2]
    later = split.recon.shape[1] - split.encod.shape[1]
    parts = [f"{held_out} held-out channels"] if held_out else []
    parts += [f"{later} later bins"] if later else []
    return f"the {' and '.join(parts)} of validation trials, which no encoder sees"
