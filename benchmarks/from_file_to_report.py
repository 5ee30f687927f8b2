"""The motor-cortex recording by the command line alone: from its file to a report.

    python benchmarks/from_file_to_report.py M1_DAY0.h5 [--seeds 0 1 2] [--keep FOLDER]

`tfp-bvae convert`, `fit`, `report` and `export`, each in a process of its own, as a user types
them; the settings are those of `m1.py`. Each seed is another draw of the validation trials.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tables

CONVERT = ["--valid-fraction", "0.2", "--by", "condition", "--hold-out-every", "4"]
SETTINGS = ["beta_z=0.3", "batch_size=32"]
VERBS = ("convert", "fit", "report", "export")


def run(path: str, seed: int, epochs: int, folder: Path) -> dict:
    """The commands in a row: how long each took, and what came of them."""
    trials, fitted, results = (folder / name for name in ("trials.h5", "run", "results.nc"))
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    words = {
        "convert": [path, "--out", trials, *CONVERT, "--seed", seed],
        "fit": [trials, "--out", fitted, "--epochs", epochs, "--quiet", *settings],
        "report": [fitted],
        "export": [fitted, "--out", results, "--format", "netcdf"],
    }
    seconds = {verb: command(verb, *words[verb]) for verb in VERBS}
    scores = json.loads((fitted / "metrics.json").read_text(encoding="utf-8"))["valid"]
    return {
        "seed": seed,
        **{f"{verb}_s": taken for verb, taken in seconds.items()},
        "co_bps": scores["bits_per_spike_held_out"],
        "report_mb": (fitted / "report.html").stat().st_size / 1e6,
        "results_mb": results.stat().st_size / 1e6,
    }


def command(verb: str, *words) -> float:
    """Seconds that a command takes; the benchmark ends where one fails."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tfp_bvae.cli", verb, *map(str, words)], check=True)
    return time.perf_counter() - start


def table(runs: list[dict]) -> str:
    """One row for each seed."""
    header = [
        "seed of the draw", "co-smoothing, bits/spike", *(f"{verb}, s" for verb in VERBS),
        "report.html, MB",
    ]  # fmt: skip
    rows = [
        [r["seed"], f"{r['co_bps']:.3f}", *(f"{r[f'{v}_s']:.0f}" for v in VERBS),
         f"{r['report_mb']:.1f}"]
        for r in runs
    ]  # fmt: skip
    return tables.markdown(header, rows) + f"\n{tables.machine()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--keep", metavar="FOLDER", help="keep the files of each seed there")
    parser.add_argument("--name", default="from_file_to_report")
    args = parser.parse_args()
    runs = []
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(args.keep or folder) / str(seed)
            place.mkdir(parents=True)
            runs.append(run(args.path, seed, args.epochs, place))
        tables.write(args.name, runs, table(runs))


if __name__ == "__main__":
    main()
