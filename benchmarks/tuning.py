"""The best of a population against the best of as many fits of the defaults, at equal steps.

    python benchmarks/tuning.py [--data Lorenz recording --recording M1_DAY0.h5] [--seeds 0 1 2]

A population of 8 trains for as many epochs in all as 8 fits of the defaults, which differ in the
seed of the model alone; of those the best is taken too. Both are chosen by the entries that
validation trials hide from the encoders. What is scored are other trials: the validation trials are
cut into two halves, of which one chooses and the other is scored, once, at the end (50 posterior
samples). Lorenz: rate R2 and bits per spike. The recording: co-smoothing. The paths of the
hyperparameters are drawn. What stands in `results/tuning.json` already is not done again.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import tables
from recording import co_bps, make_dataset

from tfp_bvae import data, inference, metrics, models, plots, training, tuning
from tfp_bvae.data import SpikeDataset

LORENZ, RECORDING = "Lorenz", "recording"
WAYS = ("defaults", "population")


def halves(dataset: SpikeDataset) -> tuple[SpikeDataset, SpikeDataset]:
    """The dataset with the half of the validation trials that chooses, and with the other."""
    count = dataset.valid.num_trials
    order = np.random.default_rng(0).permutation(count)
    parts = np.sort(order[: count // 2]), np.sort(order[count // 2 :])
    return tuple(
        dataclasses.replace(dataset, valid=dataset.valid.select(part), attrs=_without(dataset))
        for part in parts
    )


def _without(dataset: SpikeDataset) -> dict:
    """Attributes that are not of validation trials."""
    return {name: x for name, x in dataset.attrs.items() if not name.startswith("valid_")}


def score(model, dataset: SpikeDataset) -> dict[str, float]:
    """Scores on trials that nothing was chosen by."""
    valid = dataset.valid
    rates = inference.sample_and_average(model, valid, num_samples=50).rates
    if "num_held_in" in dataset.attrs:
        return {"co_bps": co_bps(rates, dataset)}
    return {
        "rate_r2": metrics.rate_r2(rates, valid.truth),
        "bits_per_spike": metrics.bits_per_spike(rates, valid.recon),
    }


def of_defaults(dataset: SpikeDataset, args) -> dict:
    """As many fits of the defaults as there are members, and the best of them."""
    chooses, scores = halves(dataset)
    epochs, found = args.generations * args.epochs_per_generation, []
    for seed in range(args.population):
        arguments = training.data_arguments(chooses, seed=seed)
        model = models.lfads(arguments, args.params, training.mean_rates(chooses.train))
        history = training.fit(model, chooses, args.fit | {"epochs": epochs}, verbose=False)
        held_out = training.HeldOut(model, chooses.valid, 64)()
        found.append({"held_out": held_out, "epochs": len(history), **score(model, scores)})
    return max(found, key=lambda one: one["held_out"]) | {
        "each": found,
        "epochs": sum(one["epochs"] for one in found),
    }


def of_population(dataset: SpikeDataset, seed: int, args, picture: str) -> dict:
    """The best of a population; the paths of its hyperparameters are drawn."""
    chooses, scores = halves(dataset)
    with tempfile.TemporaryDirectory() as folder:
        arguments = training.data_arguments(chooses)
        path = Path(folder) / "run"
        run = training.create_run(path, "lfads", chooses, arguments, args.params, args.fit)
        settings = {
            "population": args.population,
            "generations": args.generations,
            "epochs_per_generation": args.epochs_per_generation,
            "patience": None,
            "seed": seed,
            "failures": 50,  # a machine that is short of memory loses some
        }
        tuned = tuning.population_based_training(run, chooses, settings, address=args.address)
    axes = plots.plot_tuning(tuned.table)
    plots.save_figure(axes[0].figure, tables.RESULTS / picture)
    held_out = training.HeldOut(tuned.model, chooses.valid, 64)()
    last = max(row["generation"] for row in tuned.table)
    return {
        "held_out": held_out,
        "epochs": sum(args.epochs_per_generation for _ in tuned.table),
        "generations": last,
        "hyperparameters": {n: getattr(tuned.params, n) for n in tuning.search_space(
            "lfads", arguments, run.params)},
        **score(tuned.model, scores),
    }  # fmt: skip


def dataset_of(name: str, seed: int, args) -> SpikeDataset:
    """The simulation of this seed, or the split."""
    if name == LORENZ:
        return data.synthetic.lorenz(seed=seed, **args.lorenz)
    return make_dataset(args.recording, seed)


def text(runs: list[dict]) -> str:
    """A row for each dataset and way, and the mean."""
    rows = []
    for name in sorted({run["data"] for run in runs}):
        for way in WAYS:
            group = [run for run in runs if (run["data"], run["way"]) == (name, way)]
            if not group:
                continue
            scores = [
                _cell([run[unit] for run in group if unit in run])
                for unit in ("rate_r2", "bits_per_spike", "co_bps")
            ]
            epochs = f"{np.mean([run['epochs'] for run in group]):.0f}"
            rows.append([name, way, " ".join(str(run["seed"]) for run in group), *scores, epochs])
    header = [
        "data", "best of", "seeds", "rate R2", "bits/spike", "co-smoothing, bits/spike",
        "epochs in all",
    ]  # fmt: skip
    note = (
        "Mean ± SD over seeds of the simulation or of the split; of one seed there is no "
        "spread. Chosen by the hidden entries of one half of the validation "
        "trials, scored on the other half."
    )
    return tables.markdown(header, rows) + f"\n{note} {tables.machine()}.\n"


def _cell(scores: list[float]) -> str:
    """Mean and spread; of one seed the score alone, which has none."""
    return (
        tables.mean_and_spread(scores) if len(scores) > 1 else f"{scores[0]:.3f}" if scores else "-"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recording", metavar="FILE")
    parser.add_argument("--data", nargs="+", choices=(LORENZ, RECORDING), default=[LORENZ])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--population", type=int, default=8)
    parser.add_argument("--generations", type=int, default=15)
    parser.add_argument("--epochs-per-generation", type=int, default=10)
    parser.add_argument("--address", metavar="A")
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs")
    parser.add_argument("--name", default="tuning")
    args = parser.parse_args()
    args.params, args.fit, args.lorenz = {}, {}, {}
    if args.tiny:
        args.params = {"factors": 3, "generator_units": 8, "f_encoder_units": 6, "f_size": 4}
        args.fit = {"warm_up": 1, "batch_size": 16, "jit_compile": False}
        args.lorenz = {"num_conditions": 4, "num_channels": 6, "num_trials": 12, "num_valid": 4}
    written = tables.RESULTS / f"{args.name}.json"
    runs = json.loads(written.read_text()) if written.exists() else []
    for seed, name, way in itertools.product(args.seeds, args.data, WAYS):
        key = {"data": name, "seed": seed, "way": way}
        if any(key.items() <= run.items() for run in runs):
            continue
        dataset, begun = dataset_of(name, seed, args), time.perf_counter()
        if way == "defaults":
            found = of_defaults(dataset, args)
        else:
            found = of_population(dataset, seed, args, f"{args.name}-{name.lower()}-{seed}.png")
        runs.append(key | found | {"seconds": time.perf_counter() - begun})
        tables.write(args.name, runs, text(runs))  # what there is so far


if __name__ == "__main__":
    main()
