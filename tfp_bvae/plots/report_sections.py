"""The parts of a report in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tfp_bvae.inference.report import SCORE_LABELS
from tfp_bvae.metrics import Finding
from tfp_bvae.models import is_of_counts
from tfp_bvae.plots.html import Markup, bullets, figure, join, section, table, tag
from tfp_bvae.plots.report_figures import Picture
from tfp_bvae.plots.report_floors import Compared
from tfp_bvae.plots.report_material import Material
from tfp_bvae.plots.report_settings import name_of

__all__ = ["diagnosed", "how_well", "pictured", "verdict"]

LEVELS = {"act": "To be mended", "look": "To be looked at", "fine": "As it should be"}


def verdict(m: Material, compared: Compared | None, findings: Sequence[Finding]) -> Markup:
    """What the fit says in three lines."""
    lines = [_what(m), _how_well(m, compared)]
    to_mend = [finding.about for finding in findings if finding.level == "act"]
    to_see = sum(finding.level == "look" for finding in findings)
    if to_mend:
        also = f", and {to_see} more to be looked at" if to_see else ""
        lines.append(f"To be mended: {', '.join(dict.fromkeys(to_mend))}{also}; see Diagnostics.")
    elif findings:
        also = f"; {to_see} to be looked at" if to_see else ""
        lines.append(f"Of what was looked at, nothing calls for action{also}.")
    else:
        lines.append("There is too little here to judge the fit by.")
    return tag("div", *(tag("p", line) for line in lines), class_="verdict")


def _what(m: Material) -> str:
    a = m.run.arguments
    source = (
        "data that came from no file"
        if not m.run.data.get("path")
        else Path(m.run.data["path"]).name
    )
    channels = f"{a.channels} channels"
    if a.outputs > a.channels:
        channels += f" (and {a.outputs - a.channels} held out)"
    if a.num_sessions:
        channels += f" (at most) of {a.num_sessions} sessions"
    trials = "" if a.num_trials is None else f"{a.num_trials:,} training trials of "
    return f"{name_of(m)} was fitted to {trials}{channels}: {source}."


def _how_well(m: Material, compared: Compared | None) -> str:
    if compared is None:
        bits = m.metrics.get("valid", {}).get("bits_per_spike")
        if bits is None:
            return "How well it does is not known: see what is missing, below."
        return f"On validation trials it scores {bits:.3f} bits/spike; floors were not compared."
    unit = _unit(m)
    said = f"It predicts {compared.entries}, at {compared.score:.3f} {unit}"
    known = [floor for floor in compared.floors if floor.score is not None]
    if not known:
        return f"{said}."
    best = max(known, key=lambda floor: floor.score)
    side = "above" if compared.score >= best.score else "below"
    if f"{compared.score:.3f}" == f"{best.score:.3f}":
        side = "level with"
    return f"{said}: {side} the best simple method, {best.name}, at {best.score:.3f}."


def how_well(m: Material, compared: Compared | None, why_not: str) -> Markup:
    """Scores, and the model among simple methods."""
    parts: list[Markup] = []
    sides = [side for side in ("train", "valid") if side in m.metrics]
    names = [name for name in SCORE_LABELS if any(name in m.metrics[side] for side in sides)]
    if names:
        rows = [
            [SCORE_LABELS[name], *(_number(m.metrics[side].get(name)) for side in sides)]
            for name in names
        ]
        header = ["score", *({"train": "training", "valid": "validation"}[s] for s in sides)]
        parts.append(table(header, rows, "Scores of the rates that are inferred from all entries"))
    parts.append(tag("h3", "Against simple methods"))
    if compared is None:
        parts.append(tag("p", why_not))
    else:
        parts.append(_floors(m, compared))
    return section("How well it does", *parts)


def _floors(m: Material, compared: Compared) -> Markup:
    rows: list[tuple[float, list[object]]] = [
        (compared.score, [tag("strong", f"{name_of(m)}, this fit"),
                          tag("strong", _number(compared.score))])
    ]  # fmt: skip
    rows += [(x.score, [x.name, _number(x.score)]) for x in compared.floors if x.score is not None]
    rows.sort(key=lambda row: -row[0])
    unit = _unit(m)
    table_of_all = table(
        ["method", unit], [row for _, row in rows], f"Scores on {compared.entries}"
    )
    notes = [f"{x.name}: {x.note}." for x in compared.floors if x.note]
    trials = f"{m.valid.split.num_trials:,} validation trials"
    words = (
        f"All methods are scored on the same entries of {trials}, which none of them sees, and "
        "learn from training trials only; penalties and the width of the smoothing are chosen "
        "inside these. The model is taken at its posterior mean."
    )
    return join(
        [table_of_all, tag("p", words, class_="soft"), *([bullets(notes)] if notes else [])]
    )


def diagnosed(findings: Sequence[Finding]) -> Markup:
    """Diagnostics in words."""
    if not findings:
        return section("Diagnostics", tag("p", "There is too little here to judge the fit by."))
    parts = []
    for finding in findings:
        title = f"{LEVELS[finding.level]}: {finding.about}"
        advice = [tag("p", tag("strong", "What to do: "), finding.advice)] if finding.advice else []
        parts.append(
            tag("div", tag("h3", title), tag("p", finding.says), *advice,
                class_=f"finding {finding.level}")
        )  # fmt: skip
    return section("Diagnostics", *parts)


def pictured(found: Iterable[Picture]) -> Markup:
    """The pictures under their titles."""
    parts = []
    for title, drawn, says in found:
        parts.append(tag("h3", title))
        if drawn is None:
            parts.append(tag("p", says, class_="soft"))
        else:
            parts.append(figure(drawn, f"{title}. {says}", says))
    if not parts:
        return section("Pictures", tag("p", "There is nothing to draw."))
    return section("Pictures", tag("p", "Wide pictures scroll.", class_="soft small"), *parts)


def _unit(m: Material) -> str:
    return "bits/spike" if is_of_counts(m.run.arguments.likelihood) else "nats/entry"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
