"""The rules by which the figures of a fit are judged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .diagnose_output import rates, silent, steps
from .diagnostics import LEVELS, Finding, FitFigures, Thresholds

__all__ = ["diagnose_fit"]


def diagnose_fit(figures: FitFigures, thresholds: Thresholds | None = None) -> list[Finding]:
    """Judge a fit: what is to be done first, what is as it should be last.

    Looked at are: the score against simple methods, collapse of f and of z, a beta that is too
    strong or too weak, overfitting, a fit that goes on getting better, steps that were skipped,
    rates that explode or stand still, and channels without spikes. What the figures do not tell is
    not judged.

    Args:
        figures: of the fit.
        thresholds: where a figure becomes a finding; None for the defaults.

    >>> rising = [{"epoch": e, "loss": 9.0 - e, "val_heldout": 0.1 * e} for e in range(1, 11)]
    >>> [f.about for f in diagnose_fit(FitFigures(rising, best_epoch=10)) if f.level == "act"]
    ['convergence']
    """
    thresholds = thresholds or Thresholds()
    found: list[Finding] = []
    for rule in RULES:
        found += rule(figures, thresholds)
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def _floors(x: FitFigures, t: Thresholds) -> list[Finding]:
    if x.score is None or not x.floors:
        return []
    name, best = max(x.floors.items(), key=lambda item: item[1])
    said = f"{x.score:.3f} {x.unit} on hidden entries; the best simple method, {name}, {best:.3f}"
    if np.isfinite(x.score) and best <= x.score < best + t.level * abs(best):
        return [
            Finding(
                "floors", "look", f"The model is level with the best simple method: {said}.",
                "A simple method that does as well is easier to explain. More epochs, more trials "
                "or a score on what it cannot do (single trials, behaviour) may part the two.",
            )
        ]  # fmt: skip
    if np.isfinite(x.score) and x.score >= best:
        return [Finding("floors", "fine", f"The model is above every simple method: {said}.")]
    beaten = sum(x.score < floor for floor in x.floors.values())
    return [
        Finding(
            "floors", "act",
            f"The model is below {beaten} of {len(x.floors)} simple methods: {said}.",
            "Do not use its rates before this is mended. See what else is found here; if nothing "
            "is: more epochs, lower betas, another learning rate, or more trials.",
        )
    ]  # fmt: skip


def _collapse(x: FitFigures, t: Thresholds) -> list[Finding]:
    found = []
    for name, what in (("f", "static"), ("z", "dynamic")):
        kl, active = x.divergence(name), x.active.get(name)
        if kl is None:
            continue
        about = f"collapse of {name}"
        share = "" if active is None else f", {int(np.sum(active))} of {len(active)} dimensions"
        if kl < t.collapsed_kl:
            found.append(Finding(
                about, "act",
                f"The {what} latent {name} is not used: its posterior is its prior (KL {kl:.3f} "
                f"nats per trial, below {t.collapsed_kl:g}).",
                f"Lower beta_{name} (it is {x.betas.get(name, float('nan')):g}), give it free bits "
                f"(--set free_bits_{name}=0.1) or a longer warm_up; if the data need no {what} "
                "latent, this is no fault.",
            ))  # fmt: skip
        elif active is not None and np.mean(active) < t.few_active:
            found.append(Finding(
                about, "look",
                f"Few dimensions of {name} follow the trial: {int(np.sum(active))} of "
                f"{len(active)}, with {kl:.2f} nats per trial in all.",
                f"Nothing is lost; {name}_size can be smaller.",
            ))  # fmt: skip
        else:
            follows = f"{share} follow the trial" if share else ""
            found.append(
                Finding(about, "fine", f"{name} is used: {kl:.2f} nats per trial{follows}.")
            )
    return found


def _beta(x: FitFigures, t: Thresholds) -> list[Finding]:
    kl = x.all_divergence
    if kl is None:
        return []
    below = x.score is not None and bool(x.floors) and x.score < max(x.floors.values())
    room = (
        x.reachable is not None and x.reached is not None
        and x.reached < (1 - t.room) * x.reachable
    )  # fmt: skip
    betas = ", ".join(f"beta_{name} {value:g}" for name, value in x.betas.items())
    if kl < t.strong_kl and (below or room):
        why = "simple methods do better" if below else (
            f"the true rates reach {x.reachable:.3f} bits/spike, the model's {x.reached:.3f}"
        )  # fmt: skip
        return [Finding(
            "beta", "act",
            f"Beta is too strong: the latents tell {kl:.2f} nats per trial (below "
            f"{t.strong_kl:g}) while {why}. Now: {betas}.",
            "Set both betas to a tenth, and again, until the held-out score no longer rises.",
        )]  # fmt: skip
    if x.gained is not None and kl > t.weak_ratio * max(x.gained, 0.0):
        return [Finding(
            "beta", "look",
            f"Beta may be too weak: the latents cost {kl:.1f} nats per trial, more than "
            f"{t.weak_ratio:g} times the {x.gained:.1f} that the rates gain on each channel's "
            f"mean: they may copy noise. Now: {betas}.",
            "Raise betas (say threefold) and see whether the held-out score stays; compare the "
            "scores of training and validation trials.",
        )]  # fmt: skip
    gain = "" if x.gained is None else f" for {x.gained:.1f} nats gained on each channel's mean"
    return [Finding("beta", "fine", f"The latents cost {kl:.1f} nats per trial{gain}.")]


def _scored(x: FitFigures) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Epochs, held-out scores and losses of the epochs that count and were validated."""
    rows = [r for r in x.history if r.get("val_heldout") is not None and r["epoch"] >= x.warm_up]
    columns = ([row.get(name, np.nan) for row in rows] for name in ("epoch", "val_heldout", "loss"))
    return tuple(np.array(column, float) for column in columns)


def _overfitting(x: FitFigures, t: Thresholds) -> list[Finding]:
    epochs, scores, losses = _scored(x)
    if len(epochs) < 5 or x.best_epoch is None:
        return []
    tail = slice(-max(1, len(scores) // 10), None)
    at_best = int(np.argmin(np.abs(epochs - x.best_epoch)))
    best, end = scores[at_best], float(scores[tail].mean())
    learns_on = losses[tail].mean() < losses[at_best]
    course = f"{best:.3f} at epoch {x.best_epoch}, {end:.3f} at the end ({x.unit})"
    if np.isfinite(end) and best - end > t.fall * abs(best) and learns_on:
        return [Finding(
            "overfitting", "act",
            f"The model overfits: its held-out score falls from {course} while the training loss "
            f"goes on falling. The weights kept are those of epoch {x.best_epoch}.",
            "More dropout or coordinated_dropout, an l2_generator, higher betas, fewer units, "
            "more trials; --set patience=20 stops such a fit earlier.",
        )]  # fmt: skip
    return [Finding("overfitting", "fine", f"The held-out score keeps its height: {course}.")]


def _convergence(x: FitFigures, t: Thresholds) -> list[Finding]:
    epochs, scores, _ = _scored(x)
    if len(epochs) < 2 or x.best_epoch is None:
        return []
    count = max(1, len(scores) // 10)
    gain = float(scores[-count:].mean() - scores[-2 * count : -count].mean())
    last = x.history[-1]["epoch"]
    said = f"best epoch {x.best_epoch:g} of {last:g}"
    at_end = x.best_epoch >= t.near_end * last or x.best_epoch == epochs[-1]
    if at_end and not gain <= t.rise * abs(scores[-1]):
        return [Finding(
            "convergence", "act",
            f"The fit was still getting better when it ended: {said}, and {gain:+.4f} {x.unit} "
            "over the last tenth of the epochs.",
            "Fit for more epochs: --epochs, twice as many.",
        )]  # fmt: skip
    return [Finding("convergence", "fine", f"The fit has come to its end: {said}.")]


RULES: tuple[Callable[[FitFigures, Thresholds], list[Finding]], ...] = (
    _floors, _collapse, _beta, _overfitting, _convergence, steps, rates, silent
)  # fmt: skip
