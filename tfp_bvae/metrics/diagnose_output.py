"""Rules about the steps of a fit, and about the rates that came of it."""

from __future__ import annotations

import numpy as np

from .diagnostics import Finding, FitFigures, Thresholds

__all__ = ["rates", "silent", "steps"]


def steps(x: FitFigures, t: Thresholds) -> list[Finding]:
    """Whether steps were skipped since their gradient was not finite."""
    if not x.history:
        return []
    skipped = sum(row.get("skipped_steps") or 0 for row in x.history)
    lost = [r["epoch"] for r in x.history if r.get("val_heldout") in (-np.inf, np.inf)]
    all_steps = len(x.history) * (x.steps_per_epoch or 1)
    if not skipped and not lost:
        return [Finding("steps", "fine", "Every step had a finite gradient.")]
    many = x.steps_per_epoch is not None and skipped > t.skipped * all_steps
    known = f" of {all_steps}" if x.steps_per_epoch else ""
    said = f"{skipped:.0f} steps{known} had a gradient that was not finite, and changed nothing"
    if lost:
        said += f"; after {len(lost)} epochs the rates themselves were not finite"
    return [Finding(
        "steps", "act" if many or lost else "look", f"{said}.",
        "A lower learning_rate or clip_norm; a lower clip of recurrent states.",
    )]  # fmt: skip


def rates(x: FitFigures, t: Thresholds) -> list[Finding]:
    """Whether rates explode, stand still or are not finite."""
    if x.rates is None:
        return []
    inferred = np.asarray(x.rates, np.float64)
    padding = np.isnan(inferred).all(axis=-1, keepdims=True)
    if not (np.isfinite(inferred) | padding).all():
        return [Finding("rates", "act", "Some inferred rates are not finite.",
                        "A lower learning_rate; look for outliers in the data.")]  # fmt: skip
    found = []
    flat = inferred[~padding[..., 0]]
    spread, mean, top = flat.std(axis=0), flat.mean(axis=0), flat.max(axis=0)
    if x.data is not None:
        data = np.asarray(x.data, np.float64).reshape(-1, inferred.shape[-1])
        size = np.abs(np.nan_to_num(data)).max(axis=0)
        high = np.flatnonzero(
            np.abs(top) > t.exploded * np.maximum(size, 1.0 if x.counts else 1e-6)
        )
        if len(high):
            found.append(Finding(
                "rates", "act" if len(high) > t.many * len(top) or x.counts else "look",
                f"Rates explode in {_channels(high)}: up to {np.abs(top[high]).max():.3g} per bin, "
                f"over {t.exploded:g} times the largest value measured there.",
                "A lower learning_rate; higher betas; look for outliers in these channels.",
            ))  # fmt: skip
    scale = np.abs(mean) if x.counts else np.maximum(np.abs(mean), 1.0)
    still = np.setdiff1d(np.flatnonzero(spread <= t.constant * scale), x.silent)
    if len(still):
        many = len(still) > t.many * inferred.shape[-1]
        found.append(Finding(
            "rates", "act" if many else "look",
            f"Rates stand still in {_channels(still)} of {inferred.shape[-1]}.",
            "If in most: the latents have collapsed, lower betas. If in a few: they share nothing "
            "with the others, and are predicted by their mean.",
        ))  # fmt: skip
    return found or [Finding("rates", "fine", "Rates are finite, and move in every channel.")]


def silent(x: FitFigures, t: Thresholds) -> list[Finding]:
    """Channels without a spike."""
    if not len(x.silent):
        return []
    return [Finding(
        "channels", "look",
        f"Without a spike in any training trial: {_channels(np.asarray(x.silent))}.",
        "They teach nothing and cost little; leave them out of the file if they are dead.",
    )]  # fmt: skip


def _channels(numbers: np.ndarray) -> str:
    """Some channels, by number; many, by their count."""
    shown = ", ".join(str(int(n)) for n in numbers[:8])
    if len(numbers) > 8:
        return f"{len(numbers)} channels ({shown}, ...)"
    return f"channel{'s' if len(numbers) > 1 else ''} {shown}"
