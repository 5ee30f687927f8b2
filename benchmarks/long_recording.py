"""A continuous recording of 100,000 bins: LFADS on windows that overlap, merged again.

    python benchmarks/long_recording.py [--seed 0] [--epochs 80]

A Lorenz system runs on for 2,000 s, without trials; `data.chop` makes windows of it. One fit to
all of it and one, of a few epochs, to its first tenth, each in a process of its own: peak memory
of that process, from reading the file to the end of the fit, and seconds per epoch. Of the long
fit `inference.infer_recordings` gives the rates of all bins: R2 against the true rates over the
bins of validation, and, at the borders of windows against all other bins, how much a log-rate
changes from one bin to the next (root mean square, over that of the true rates at the same bins)
and how far it is from the truth. Beside it the same windows without overlap, put end to end.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tables
import tf_keras

from tfp_bvae import data, inference, metrics, models, training

BINS, WINDOW, OVERLAP = 100_000, 100, 25
SAMPLES, BATCH = 10, 64


def simulate(path: str, seed: int) -> None:
    """Counts and true rates `[time, channel]`, of the system that `data.lorenz` simulates."""
    run = data.lorenz(seed, num_conditions=1, num_trials=2, num_valid=1, duration_ms=20 * BINS)
    counts, rates = (x[0].astype("float32") for x in (run.train.recon, run.train.truth))
    data.write_arrays(path, {"counts": counts, "rates": rates}, {"bin_width": run.bin_width})


def one(path: str, bins: int, epochs: int) -> dict:
    """A fit to the first bins of a recording, with what it cost, and scores where it was long."""
    arrays, attrs = data.read_arrays(path)
    counts, rates = (arrays[name][:bins] for name in ("counts", "rates"))
    dataset = data.chop(counts, WINDOW, OVERLAP, attrs["bin_width"])
    arguments = training.data_arguments(dataset)
    model = models.lfads(arguments, mean_rates=training.mean_rates(dataset.train))
    ends = []
    clock = tf_keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
    )
    start = time.perf_counter()
    settings = {"epochs": epochs, "batch_size": BATCH, "warm_up": min(20, epochs)}
    training.fit(model, dataset, settings, verbose=False, callbacks=[clock])
    found = {
        "bins": bins,
        "windows": dataset.train.num_trials,
        "epochs": epochs,
        "peak_mb": tables.peak_memory(),
        "first_epoch_s": ends[0] - start,
        "epoch_s": float(np.median(np.diff(ends))),
        "fit_s": time.perf_counter() - start,
    }
    return found if bins < BINS else found | scores(model, dataset, counts, rates)


def scores(model, dataset: data.SpikeDataset, counts: np.ndarray, truth: np.ndarray) -> dict:
    """What the merged rates are worth, over validation bins and at the borders of windows."""
    valid = np.zeros(len(truth), bool)
    for _, first in dataset.attrs["valid_window"]:
        valid[first : first + WINDOW] = True
    found = {"valid_bins": int(valid.sum())}
    for name, overlap in (("merged", OVERLAP), ("end_to_end", 0)):
        start = time.perf_counter()
        (inferred,) = inference.infer_recordings(
            model, counts, WINDOW, overlap, num_samples=SAMPLES
        )
        rates = inferred["rates"]
        found[name] = {
            "seconds": time.perf_counter() - start,
            "rate_r2": metrics.rate_r2(rates[valid], truth[valid]),
            "pooled_r2": metrics.rate_r2(rates[valid], truth[valid], average="pooled"),
            "bits_per_spike": metrics.bits_per_spike(rates[valid], counts[valid]),
            **seams(np.log(rates), np.log(truth), WINDOW - overlap),
        }
    found["bits_of_truth"] = metrics.bits_per_spike(truth[valid], counts[valid])
    return found


def seams(log_rates: np.ndarray, log_truth: np.ndarray, stride: int) -> dict:
    """Change from bin to bin, over that of the truth, and error: at borders, and elsewhere."""
    border = np.zeros(len(log_rates), bool)
    starts = np.arange(stride, len(log_rates) - WINDOW + 1, stride)
    border[starts] = True  # the step into the first bin of a window
    border[starts - stride + WINDOW] = True  # and out of the last of the one before
    border = border[1:]
    change, true = np.diff(log_rates, axis=0), np.diff(log_truth, axis=0)
    error = (log_rates - log_truth)[1:]
    return {
        f"{what}_{where}": float(
            np.sqrt(np.square(x[at]).mean() / (np.square(true[at]).mean() if x is change else 1))
        )
        for what, x in (("change", change), ("error", error))
        for where, at in (("border", border), ("inside", ~border))
    }


def table(runs: list[dict]) -> str:
    """Cost by length, then what the rates are worth."""
    cost = tables.markdown(
        ["bins", "training windows", "peak memory of the fit, MB", "s per epoch", "epochs"],
        [
            [
                f"{r['bins']:,}", f"{r['windows']:,}", f"{r['peak_mb']:.0f}",
                f"{r['epoch_s']:.1f}", r["epochs"],
            ]
            for r in runs
        ],
    )  # fmt: skip
    long = runs[-1]
    names = ("rate_r2", "pooled_r2", "bits_per_spike")
    ends = [f"{what}_{where}" for what in ("change", "error") for where in ("border", "inside")]
    worth = tables.markdown(
        [
            "windows", "rate R2", "pooled R2", "bits/spike", "change at borders, of the true one",
            "elsewhere", "error of the log-rate at borders", "elsewhere",
        ],
        [
            [title, *(f"{long[kind][n]:.3f}" for n in (*names, *ends))]
            for kind, title in (
                ("merged", f"{OVERLAP} of {WINDOW} bins shared, merged"),
                ("end_to_end", "end to end"),
            )
        ],
    )  # fmt: skip
    return (
        f"{cost}\n{worth}\nR2 and bits per spike over {long['valid_bins']:,} validation bins, "
        "whose spikes the encoders see, but which the model was not fitted to (the true rates: "
        f"{long['bits_of_truth']:.3f}), {SAMPLES} posterior samples; borders over all bins. The "
        "best epoch is chosen by held-out likelihood on the validation windows. "
        f"{tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--name", default="long_recording")
    parser.add_argument("--one", nargs=3, metavar=("PATH", "BINS", "EPOCHS"))
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one[0], *map(int, args.one[1:]))))
        return
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "recording.h5")
        # apart: the peak of a process counts in the peak of those that it starts
        process = multiprocessing.get_context("spawn").Process(
            target=simulate, args=(path, args.seed)
        )
        process.start()
        process.join()
        for bins, epochs in ((BINS // 10, 4), (BINS, args.epochs)):
            command = [sys.executable, __file__, "--one", path, str(bins), str(epochs)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            runs.append({"seed": args.seed} | json.loads(done.stdout.splitlines()[-1]))
    tables.write(args.name, runs, table(runs))


if __name__ == "__main__":
    main()
