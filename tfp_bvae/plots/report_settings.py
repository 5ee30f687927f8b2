"""What was fitted and how, and how to do it again."""

from __future__ import annotations

import shlex
from pathlib import Path

import tfp_bvae
from tfp_bvae.data.plain_files import read_json
from tfp_bvae.models import Arguments, Params
from tfp_bvae.plots.html import Markup, code, section, table, tag
from tfp_bvae.plots.report_material import Material
from tfp_bvae.training import FitSettings, changed_settings, fit_command, software

__all__ = ["fitted", "name_of", "repeated", "title_of"]

NAMES = {"lfads": "LFADS", "dsae-full": "DSAE (full)", "dsae-factorized": "DSAE (factorized)",
         "fhvae": "FHVAE"}  # fmt: skip


def title_of(m: Material) -> str:
    """The title of the page."""
    source = m.run.data.get("path")
    return f"{name_of(m)}{f' on {Path(source).name}' if source else ''}"


def name_of(m: Material) -> str:
    """The model, as a reader calls it."""
    return NAMES.get(m.run.model, m.run.model)


def fitted(m: Material) -> Markup:
    """What was fitted, to what."""
    a, rows = m.run.arguments, []
    rows.append(["model", name_of(m)])
    rows.append(["data", m.run.data.get("path") or "came from no file"])
    if m.data is not None:
        for side, split in (("training", m.data.train), ("validation", m.data.valid)):
            bins = split.recon.shape[1]
            rows.append([f"{side} trials", f"{split.num_trials:,}, of {bins} bins "
                                           f"({bins * a.bin_width:.4g} s)"])  # fmt: skip
    elif a.num_trials is not None:
        rows.append(["training trials", f"{a.num_trials:,}"])
    rows.append(["bin width", f"{1000 * a.bin_width:g} ms"])
    rows.append(["channels seen, predicted", f"{a.channels}, {a.outputs}"])
    if m.run.data.get("sessions"):
        of = [f"{name} ({seen})" for name, (seen, _) in m.run.data["sessions"].items()]
        rows.append(["sessions (channels seen)", ", ".join(of)])
    if a.forward_bins:
        rows.append(["bins predicted after those seen", a.forward_bins])
    if a.ext_inputs:
        rows.append(["external inputs", a.ext_inputs])
    rows.append(["likelihood", a.likelihood.replace("_", " ")])
    fit = m.metrics.get("fit", {})
    epochs = f"{len(m.history)} of {m.run.fit.epochs}" if m.history else f"0 of {m.run.fit.epochs}"
    rows.append(
        ["epochs", f"{epochs}; weights of epoch {m.best_epoch}" if m.best_epoch else epochs]
    )
    for name, label in (("seconds", "time of the fit, s"), ("trainable_weights", "weights")):
        if isinstance(fit.get(name), (int, float)):
            rows.append([label, f"{fit[name]:,.0f}"])
    known = {**_meanings(Arguments), **_meanings(FitSettings), **_meanings(Params)}
    changed = [[n, v, known.get(n, "")] for n, v in changed_settings(m.run).items()]
    parts = [table(["what", "value"], rows, "The fit")]
    if changed:
        header = ["setting", "value", "meaning"]
        parts.append(table(header, changed, "Settings that differ from the defaults of the model"))
    else:
        parts.append(tag("p", "All settings are the defaults of the model."))
    return section("What was fitted", *parts)


def _meanings(kind) -> dict[str, str]:
    found = kind.__dataclass_fields__.items()
    return {name: field.metadata["meaning"] for name, field in found if field.metadata}


def repeated(m: Material) -> Markup:
    """How to make the run again, and what it was made with."""
    described = read_json(m.run.path / "run.json")
    recorded = described.get("software")
    recorded = recorded if isinstance(recorded, dict) else None
    words = [
        tag("p", "This fits the same model to the same file with the same settings and seed:"),
        code(shlex.join(fit_command(m.run))),
    ]
    search, adopted = _command(m, "tuning"), _command(m, "adopted")
    if adopted:
        words = [
            tag("p", "These weights were not fitted here, but adopted from a checkpoint of "
                     "lfads-torch. This does it again:"),
            code(shlex.join(adopted)),
            tag("p", "And this fits the same model to the same file, from random weights:"),
            words[1],
        ]  # fmt: skip
    elif search:
        words = [
            tag("p", "These weights came of a search, in which hyperparameters changed while they "
                     "were trained. This searches in the same way:"),
            code(shlex.join(search)),
            tag("p", "And this fits a model with what they were in the end:"),
            words[1],
        ]  # fmt: skip
    if not m.run.data.get("path"):
        words.append(tag("p", "The data came from no file: write them to F.h5 with "
                              "data.write_hdf5 first."))  # fmt: skip
    rows = [["data, sha256 of all arrays", m.run.data.get("sha256", "unknown")],
            ["fit begun", described.get("created", "unknown")],
            ["tfp_bvae", described.get("version", "unknown")]]  # fmt: skip
    rows += [[name, value] for name, value in (recorded or software()).items()]
    when = "Made with" if recorded else "Of the report; the run does not say what it was made with"
    note = f"This page was written by tfp_bvae {tfp_bvae.__version__}."
    return section("To repeat it", *words, table(["what", "value"], rows, when),
                   tag("p", note, class_="soft"))  # fmt: skip


def _command(m: Material, of: str) -> list[str]:
    """The command of the search, or of the adoption, that a run came of; nothing without one."""
    file = m.run.path / f"{of}.json"
    if not file.is_file():
        return []
    found = read_json(file)
    words = found.get("command") if isinstance(found, dict) else None
    return [str(word) for word in words] if isinstance(words, list) else []
