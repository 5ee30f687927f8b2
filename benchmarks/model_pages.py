"""For the page of each model: what `static_dynamic.py` found of it, seed by seed.

    python benchmarks/model_pages.py

Reads `results/static_dynamic.json` and writes `results/model_NAME.md`, and `results/four_models.md`
for the README; no fit is made.
"""

from __future__ import annotations

import json

import judging
import numpy as np
import tables
from static_dynamic import FITS, SIDES

WHOLE = ("active_f", "active_z")  # numbers of dimensions
TOGETHER = ("f_static", "z_static", "z_dynamic", "swap_both", "rate_r2")


def page(runs: list[dict]) -> str:
    """One row for each score, one column for each seed, and the mean over all."""
    runs = sorted(runs, key=lambda run: run["seed"])
    rows = []
    for name, meaning in (SIDES | FITS).items():
        values = [run[name] for run in runs]
        if None in values:  # a score that the model has not
            continue
        digits = 0 if name in WHOLE else 3
        spread = tables.mean_and_spread(values, max(digits, 1))
        rows.append([meaning, *(f"{value:.{digits}f}" for value in values), spread])
    header = ["200 validation trials", *(f"seed {run['seed']}" for run in runs), "mean ± SD"]
    chance = np.mean([run["f_static_chance"] for run in runs])
    settings = ", ".join(f"`{name}` {value}" for name, value in given(runs[0]).items())
    return (
        tables.markdown(header, rows)
        + f"\nThe class is found by chance in {chance:.2f} of the trials. "
        + (f"Settings that are not the model's defaults: {settings}.\n" if settings else "\n")
    )


def together(runs: list[dict]) -> str:
    """One row for each model, of what matters most."""
    columns = {name: (SIDES | FITS)[name] for name in TOGETHER}
    seeds = len({run["seed"] for run in runs})
    rows = judging.rows(runs, columns)
    return (
        tables.markdown(["model", *columns.values()], rows)
        + f"\nMean ± SD over {seeds} seeds of the simulation.\n"
    )


def given(run: dict) -> dict:
    """What was set of the model and of the fit."""
    return run["params"] | run["settings"]


def main() -> None:
    runs = json.loads((tables.RESULTS / "static_dynamic.json").read_text())
    for model in dict.fromkeys(run["model"] for run in runs):
        text = page([run for run in runs if run["model"] == model])
        (tables.RESULTS / f"model_{model}.md").write_text(text)
        print(f"{model}\n\n{text}")
    (tables.RESULTS / "four_models.md").write_text(together(runs))


if __name__ == "__main__":
    main()
