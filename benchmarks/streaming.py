"""Trials that stay on disk: memory with a small and a large file, and what a step costs.

    python benchmarks/streaming.py [--small 0.2] [--large 4] [--rounds 5]

Memory: one epoch of `training.fit` of DSAE factorized on a file of random counts (float32, without
chunks), opened by `data.open_hdf5`, in a process of its own; the peak is of the whole process,
from the door of the file to validation. Steps: the same fit fed from memory, from such a file, and
from one of `data.write_hdf5` (compressed chunks of whole trials) takes turns in one process; each
round gives one ratio. The files are made in a temporary folder and removed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import tables
import tf_keras

from tfp_bvae import data, models, training

BINS, CHANNELS, BATCH, STEPS = 50, 64, 128, 25
SETTINGS = {
    "dsae-factorized": {"f_encoder_units": 32, "z_encoder_units": 32, "generator_units": 32},
    "lfads": {},  # the defaults
}
LAYOUTS = {"contiguous": "file without chunks", "chunked": "file of write_hdf5"}


def write(path: str, gigabytes: float) -> int:
    """A file of that size, without having it in memory; the number of its training trials."""
    rng = np.random.default_rng(0)
    piece = rng.poisson(0.3, (2000, BINS, CHANNELS)).astype("float32")
    pieces = max(1, round(gigabytes * 1e9 / piece.nbytes))
    with h5py.File(path, "w") as file:
        file.attrs["bin_width"] = 0.02
        file["valid_data"] = piece
        train = file.create_dataset("train_data", (pieces * len(piece), BINS, CHANNELS), "f4")
        for first in range(0, len(train), len(piece)):
            train[first : first + len(piece)] = piece[rng.permutation(len(piece))]
        return len(train)


def build(name: str) -> models.BetaVAE:
    recipe = models.RECIPES[name]
    return recipe.build({"channels": CHANNELS}, recipe.params(SETTINGS[name]))


def memory(path: str) -> dict:
    """Peak memory of a process that opens a file and fits one epoch to it, MB; and seconds."""
    before = tables.peak_memory()
    start = time.perf_counter()
    dataset = data.open_hdf5(path)
    opened = time.perf_counter() - start
    model = build("dsae-factorized")
    start = time.perf_counter()
    training.fit(model, dataset, {"epochs": 1, "batch_size": BATCH, "warm_up": 0}, verbose=False)
    return {
        "gigabytes": Path(path).stat().st_size / 1e9,
        "trials": dataset.train.num_trials,
        "before_mb": before,
        "peak_mb": tables.peak_memory(),
        "open_s": opened,
        "epoch_s": time.perf_counter() - start,
    }


def steps(path: str, rounds: int) -> dict:
    """Time of a step in each round, ms, by where the trials come from."""
    plain = Path(path)
    chunked = plain.with_name("chunked.h5")
    in_memory = data.read_hdf5(plain)
    data.write_hdf5(chunked, in_memory)
    some = np.random.default_rng(0).permutation(in_memory.train.num_trials)[: STEPS * BATCH]
    splits = {
        "memory": in_memory.train.select(some),
        "contiguous": data.open_hdf5(plain).train.select(some),
        "chunked": data.open_hdf5(chunked).train.select(some),
    }
    found = {}
    for name in SETTINGS:
        model, settings = build(name), training.FitSettings.of({"batch_size": BATCH})
        training.compile_model(model, settings, 10**5)
        feeds = {
            source: training.TrialBatches(*models.model_arrays(model, split), BATCH)
            for source, split in splits.items()
        }
        found[name] = {source: [] for source in feeds}
        made = {source: _ms_per_batch(batches) for source, batches in feeds.items()}
        for source in [*feeds, *list(feeds) * rounds]:
            found[name][source].append(_ms_per_step(model, feeds[source]))
        found[name] = {source: times[1:] for source, times in found[name].items()}
    return {"rounds": rounds, "steps": STEPS, "ms": found, "batch_ms": made}


def _ms_per_batch(batches: training.TrialBatches) -> float:
    start = time.perf_counter()
    for index in range(len(batches)):
        batches[index]
    return 1e3 * (time.perf_counter() - start) / len(batches)


def _ms_per_step(model: models.BetaVAE, batches: training.TrialBatches) -> float:
    """The median from the end of a step to that of the next: a pause of the machine is left out."""
    ends: list[float] = []
    clock = tf_keras.callbacks.LambdaCallback(
        on_batch_end=lambda batch, logs: ends.append(time.perf_counter())
    )
    model.fit(training.as_dataset(batches), verbose=0, callbacks=[clock])
    batches.on_epoch_end()
    return 1e3 * float(np.median(np.diff(ends)))


def table(runs: list[dict]) -> str:
    """Memory by size of the file, then steps by where trials come from."""
    *fits, timed = runs
    made = timed["batch_ms"]
    text = tables.markdown(
        [
            "file, GB", "training trials", "peak memory, MB", "of that before the file is opened",
            "look at all values, s", "one epoch, s",
        ],
        [
            [
                f"{r['gigabytes']:.1f}", f"{r['trials']:,}", f"{r['peak_mb']:.0f}",
                f"{r['before_mb']:.0f}", f"{r['open_s']:.0f}", f"{r['epoch_s']:.0f}",
            ]
            for r in fits
        ],
    )  # fmt: skip
    rows = []
    for name, ms in timed["ms"].items():
        row = [name, f"{np.median(ms['memory']):.0f}"]
        for source in LAYOUTS:
            ratios = np.divide(ms[source], ms["memory"])
            low, middle, high = np.percentile(ratios, [25, 50, 75])
            row.append(f"{middle:.2f} ({low:.2f} to {high:.2f})")
        rows.append(row)
    header = ["model", "ms per step from memory", *(f"{t}: times that" for t in LAYOUTS.values())]
    return (
        f"{text}\n{tables.markdown(header, rows)}\n"
        f"Batches of {BATCH} trials of {BINS} bins and {CHANNELS} channels; medians and quartiles "
        f"of {timed['rounds']} rounds of {timed['steps']} steps, "
        "the file in the system's cache. By itself, a batch is made in "
        f"{made['memory']:.1f} ms from memory, {made['contiguous']:.0f} ms from a file without "
        f"chunks and {made['chunked']:.0f} ms from one of write_hdf5. {tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=float, default=0.2, help="GB")
    parser.add_argument("--large", type=float, default=4.0, help="GB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "PATH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        what, path = args.one
        print(json.dumps(memory(path) if what == "memory" else steps(path, args.rounds)))
        return
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/trials.h5"
        for what, gigabytes in (("memory", args.large), ("memory", args.small), ("steps", None)):
            if gigabytes is not None:
                write(path, gigabytes)
            command = [
                sys.executable, __file__, "--one", what, path, "--rounds", str(args.rounds),
            ]  # fmt: skip
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    tables.write("streaming", runs, table(runs))


if __name__ == "__main__":
    main()
