"""LFADS on the Lorenz system, over several seeds of the simulation, with the defaults.

    python benchmarks/lorenz.py [--seeds 0 1 2 3 4] [--set name=value ...] [--name lorenz]

Rate R2 (per neuron over all validation trials and bins, then averaged; 50 posterior samples) and
bits per spike, beside those of the true rates. The defaults were chosen on other seeds (100 up).
"""

from __future__ import annotations

import argparse
import time

import tables

from tfp_bvae import data, inference, metrics, models, training


def run(seed: int, params: dict, settings: dict) -> dict:
    """One fit, and its scores on the validation trials."""
    dataset = data.synthetic.lorenz(seed=seed)
    arguments = {"channels": dataset.train.recon.shape[-1], "bin_width": dataset.bin_width}
    model = models.lfads(arguments, params, mean_rates=dataset.train.recon.mean((0, 1)))
    start = time.perf_counter()
    history = training.fit(model, dataset, settings)
    seconds = time.perf_counter() - start
    valid = dataset.valid
    rates = inference.sample_and_average(model, valid, num_samples=50).rates
    return {
        "seed": seed,
        "rate_r2": metrics.rate_r2(rates, valid.truth),
        "pooled_r2": metrics.rate_r2(rates, valid.truth, average="pooled"),
        "bits_per_spike": metrics.bits_per_spike(rates, valid.recon),
        "bits_of_truth": metrics.bits_per_spike(valid.truth, valid.recon),
        "kl_f": history[-1]["kl_f"],
        "kl_z": history[-1]["kl_z"],
        "skipped_steps": sum(row["skipped_steps"] for row in history),
        "fit_s": seconds,
    }


def table(runs: list[dict]) -> str:
    """The runs and their mean."""
    names = ("rate_r2", "pooled_r2", "bits_per_spike", "bits_of_truth", "kl_f", "kl_z")
    rows = [[r["seed"], *(f"{r[n]:.3f}" for n in names), f"{r['fit_s']:.0f}"] for r in runs]
    rows.append(["mean ± SD", *(tables.mean_and_spread([r[n] for r in runs]) for n in names), ""])
    header = [
        "seed", "rate R2", "pooled R2", "bits/spike", "bits/spike of the true rates",
        "KL f, nats", "KL z, nats", "fit, s",
    ]  # fmt: skip
    return tables.markdown(header, rows) + f"\n{tables.machine()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="lorenz")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    runs = []
    for seed in args.seeds:  # what there is so far is on disk at any time
        runs.append(run(seed, params, settings))
        tables.write(args.name, runs, table(runs))


def chosen(pairs: list[str]) -> tuple[dict, dict]:
    """`name=value` pairs, told apart into the model's settings and those of the fit."""
    params, settings = {}, {}
    for name, text in (pair.split("=", 1) for pair in pairs):
        for kind, found in ((models.Params, params), (training.FitSettings, settings)):
            if name in kind.names():
                found[name] = kind.parse(name, text)
                break
        else:
            raise SystemExit(f"no setting is called {name}")
    return params, settings


if __name__ == "__main__":
    main()
