"""LFADS on the motor-cortex recording: co-smoothing, force and muscles.

    python benchmarks/m1.py M1_DAY0.h5 [--splits 0 1 2] [--seeds 0 1 2] [--set name=value ...]

`make_m1_day0.py` makes the file. Every split is fitted with every seed of the model. Settings
were chosen on splits 100 and up.
"""

from __future__ import annotations

import argparse
import itertools
import time

import tables
from lorenz import chosen
from recording import make_dataset, score

from tfp_bvae import inference, models, training

# What differs from the defaults, and was chosen on splits 100 and up.
PARAMS: dict = {"beta_z": 0.3}
SETTINGS: dict = {"epochs": 150, "batch_size": 32}


def build(dataset, params: dict, seed: int):
    """LFADS that sees 72 channels and predicts 96."""
    arguments = {
        "channels": dataset.train.encod.shape[-1],
        "outputs": dataset.train.recon.shape[-1],
        "bin_width": dataset.bin_width,
        "seed": seed,
    }
    return models.lfads(arguments, params, mean_rates=dataset.train.recon.mean((0, 1)))


def run(path: str, split: int, seed: int, params: dict, settings: dict) -> dict:
    """One fit, and its scores on the validation trials."""
    dataset = make_dataset(path, split)
    model = build(dataset, params, seed)
    start = time.perf_counter()
    history = training.fit(model, dataset, settings)
    seconds = time.perf_counter() - start
    rates = [
        inference.sample_and_average(model, side, num_samples=50).rates
        for side in (dataset.train, dataset.valid)
    ]
    last = {name: history[-1][name] for name in ("kl_f", "kl_z")}
    return {"split": split, "seed": seed, **score(*rates, dataset), **last, "fit_s": seconds}


def table(runs: list[dict]) -> str:
    """One row for each split (mean over seeds), and one for all."""
    names = ("co_bps", "force_r2", "emg_r2")
    splits = sorted({r["split"] for r in runs})
    groups = [(s, [r for r in runs if r["split"] == s]) for s in splits] + [("all", runs)]
    rows = [
        [label, *(tables.mean_and_spread([r[n] for r in group]) for n in names),
         f"{sum(r['fit_s'] for r in group) / len(group):.0f}"]
        for label, group in groups
    ]  # fmt: skip
    seeds = len({r["seed"] for r in runs})
    header = ["split", "co-smoothing, bits/spike", "force R2", "EMG R2", "fit, s"]
    return (
        tables.markdown(header, rows)
        + f"\nMean ± SD over {seeds} seeds of the model in each split. {tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="m1")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    params, settings = PARAMS | params, SETTINGS | settings
    runs = []
    for split, seed in itertools.product(args.splits, args.seeds):
        runs.append(run(args.path, split, seed, params, settings))
        tables.write(args.name, runs, table(runs))  # what there is so far


if __name__ == "__main__":
    main()
