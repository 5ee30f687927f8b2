"""Do tutorials hold on other draws of their data, and with other seeds of their models?

    python benchmarks/tutorial_seeds.py [--seeds 0 1 2 3 4] [--only 04 06]

Each tutorial that fits a model is run with its seed replaced. Its assertions stand for what its
text says; a run holds if none of them fails. Takes half an hour on two cores; with `--only` what
was found of the others stays in the table.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import itertools
import json
import multiprocessing
import re
from operator import attrgetter
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import tables

from tfp_bvae import models

matplotlib.use("agg")
ROOT = Path(__file__).resolve().parents[1]
# Where each has the seed of its data; that of its models becomes the same number, but in 08, which
# builds its models of layers and keeps their seed.
PLACES = {
    "03": r"(?<=static_dynamic\(seed=)\d+",
    "04": r"(?<=static_dynamic\(seed=)\d+",
    "05": r"(?<=sessions\(\n    )\d+",
    "06": r"(?<=default_rng\()\d+",
    "08": r"(?<=static_dynamic\(seed=)\d+",
}
# What is shown of each beside whether it holds, of the names it leaves.
SHOWN = {
    "04": ("R2 of the oscillator from z, full and factorized", "probes", "z_dynamic.score"),
    "06": ("average precision of inputs, of the change of spikes", "precision", ""),
}


def run(number: str, seed: int) -> dict[str, Any]:
    """One tutorial with one seed."""
    (script,) = (ROOT / "tutorials").glob(f"{number}_*.py")
    text, count = re.subn(PLACES[number], str(seed), script.read_text(), count=1)
    if count != 1:
        raise ValueError(f"{script.name} must have its seed where {PLACES[number]} finds it")
    names: dict[str, Any] = {"__name__": "__main__"}
    failed = []
    with contextlib.redirect_stdout(io.StringIO()), seeded(seed):
        for statement in ast.parse(text).body:
            code = compile(ast.Module([statement], []), script.name, "exec")
            try:
                exec(code, names)
            except AssertionError:
                failed.append(" ".join(ast.unparse(statement).split()))
    what, name, path = SHOWN.get(number, ("", "", ""))
    values = list(names[name].values())[:2] if name else []
    found = [round(float(attrgetter(path)(x) if path else x), 3) for x in values]
    return {"tutorial": script.stem, "seed": seed, "failed": failed, "what": what, "found": found}


def one(job: tuple[str, int]) -> dict[str, Any]:
    """`run`, of a tutorial and a seed."""
    return run(*job)


@contextlib.contextmanager
def seeded(seed: int):
    """All models that are built within have this seed."""
    kept = {name: getattr(models, name) for name in ("lfads", "dsae", "fhvae")}

    def with_seed(build):
        return lambda arguments, *more, **others: build(
            {**(arguments if isinstance(arguments, dict) else arguments.to_dict()), "seed": seed},
            *more,
            **others,
        )

    try:
        for name, build in kept.items():
            setattr(models, name, with_seed(build))
        yield
    finally:
        for name, build in kept.items():
            setattr(models, name, build)


def table(runs: list[dict[str, Any]]) -> str:
    """A row for each tutorial."""
    rows = []
    for name in dict.fromkeys(run["tutorial"] for run in runs):
        mine = [run for run in runs if run["tutorial"] == name]
        seeds = ", ".join(str(run["seed"]) for run in mine)
        failed = [f"{run['seed']}: `{text}`" for run in mine for text in run["failed"]]
        spread = [f"{min(x):.2f} to {max(x):.2f}" for x in np.transpose([r["found"] for r in mine])]
        what = f"{mine[0]['what']}: {'; '.join(spread)}" if spread else ""
        rows.append((name, seeds, sum(not r["failed"] for r in mine), "; ".join(failed), what))
    header = ("tutorial", "seeds", "hold", "what does not", "spread")
    return tables.markdown(header, rows) + f"\n{tables.machine()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--only", nargs="+", choices=PLACES, default=list(PLACES))
    options = parser.parse_args()
    jobs = itertools.product(options.only, options.seeds)
    written = tables.RESULTS / "tutorial_seeds.json"
    runs = json.loads(written.read_text()) if written.exists() else []
    runs = [found for found in runs if found["tutorial"][:2] not in options.only]
    # A process for each: what XLA compiles stays in memory as long as its process.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for found in pool.imap(one, jobs):
            print(found, flush=True)
            runs.append(found)
    runs.sort(key=lambda found: (found["tutorial"], found["seed"]))
    tables.write("tutorial_seeds", runs, table(runs))


if __name__ == "__main__":
    main()
