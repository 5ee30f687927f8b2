"""LFADS on the Lorenz system of which a fifth was not observed, beside complete data.

    python benchmarks/missing.py [--seeds 0 1 2] [--share 0.2] [--set name=value ...]

Of each training and validation trial, at random: a share of the entries; or a share of the bins,
all channels of them. The encoders do not see what is missing, and the likelihood knows nothing of
it. The yardstick: every spike is lost with that chance, so that as much is known as with missing
entries, and nothing is missing. Rate R2 is over all bins of the validation trials, missing or not
(per neuron, then averaged; 50 posterior samples). The aim: within 0.02 of complete data.
"""

from __future__ import annotations

import argparse
import dataclasses
import time

import numpy as np
import tables
from lorenz import chosen

from tfp_bvae import data, inference, metrics, models, training

KINDS = {
    "complete": "complete",
    "thinned": "{} of the spikes lost, nothing missing",
    "entries": "{} of entries missing",
    "bins": "{} of bins missing",
}


def without(split: data.Split, kind: str, share: float, rng: np.random.Generator) -> data.Split:
    """The trials with NaN in a share of the bins, or of the entries; some are left in each."""
    if kind == "complete":
        return split
    if kind == "thinned":
        counts = rng.binomial(split.recon.astype(int), 1 - share).astype(split.recon.dtype)
        return dataclasses.replace(split, encod=counts, recon=counts)
    trials, bins, channels = split.recon.shape
    missing = rng.random((trials, bins, 1 if kind == "bins" else channels)) < share
    missing[:, 0] &= ~missing.all(axis=1)
    counts = np.where(missing, np.nan, split.recon)
    return dataclasses.replace(split, encod=counts, recon=counts)


def run(seed: int, kind: str, share: float, params: dict, settings: dict) -> dict:
    """One fit, and its scores on the validation trials."""
    complete, rng = data.lorenz(seed=seed), np.random.default_rng([seed, 20])
    sides = {s: without(getattr(complete, s), kind, share, rng) for s in ("train", "valid")}
    dataset = data.SpikeDataset(**sides, bin_width=complete.bin_width)
    arguments = training.data_arguments(dataset)
    model = models.lfads(arguments, params, mean_rates=training.mean_rates(dataset.train))
    start = time.perf_counter()
    training.fit(model, dataset, settings, verbose=False)
    seconds = time.perf_counter() - start
    rates = inference.sample_and_average(model, dataset.valid, num_samples=50).rates
    if kind == "thinned":  # in the unit of all other rates
        rates = rates / (1 - share)
    truth, gone = complete.valid.truth, np.isnan(dataset.valid.recon)
    of_gone = metrics.rate_r2(rates, np.where(gone, truth, np.nan)) if gone.any() else None
    return {
        "seed": seed,
        "kind": kind,
        "share": share,
        "rate_r2": metrics.rate_r2(rates, truth),
        "rate_r2_of_missing": of_gone,
        "bits_per_spike": metrics.bits_per_spike(rates, complete.valid.recon),
        "fit_s": seconds,
    }


def table(runs: list[dict]) -> str:
    """One row for each kind of data, its mean over seeds, and how far it is from complete data."""
    whole = {r["seed"]: r["rate_r2"] for r in runs if r["kind"] == "complete"}
    rows = []
    for kind in KINDS:
        of_kind = [r for r in runs if r["kind"] == kind]
        if not of_kind:
            continue
        lost = [whole[r["seed"]] - r["rate_r2"] for r in of_kind]
        gone = [r["rate_r2_of_missing"] for r in of_kind if r["rate_r2_of_missing"] is not None]
        label = KINDS[kind].format(f"{of_kind[0]['share']:.0%}")
        rows.append(
            [
                label,
                tables.mean_and_spread([r["rate_r2"] for r in of_kind]),
                "" if kind == "complete" else tables.mean_and_spread(lost),
                tables.mean_and_spread(gone) if gone else "",
                tables.mean_and_spread([r["bits_per_spike"] for r in of_kind]),
                f"{np.mean([r['fit_s'] for r in of_kind]):.0f}",
            ]
        )
    header = [
        "data", "rate R2", "less than of complete data", "rate R2 where nothing was observed",
        "bits/spike, of all counts", "fit, s",
    ]  # fmt: skip
    seeds = len(whole)
    return (
        tables.markdown(header, rows)
        + f"\nMean ± SD over {seeds} seeds of the simulation. {tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="missing")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    runs = []
    for seed in args.seeds:  # what there is so far is on disk at any time
        for kind in KINDS:
            runs.append(run(seed, kind, args.share, params, settings))
            tables.write(args.name, runs, table(runs))


if __name__ == "__main__":
    main()
