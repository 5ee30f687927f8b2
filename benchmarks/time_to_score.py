"""Seconds of fitting until the rate R2 of the Lorenz benchmark passes what lfads-torch reached.

    python benchmarks/time_to_score.py [--seeds 0 1 2] [--target 0.842] [--epochs 150]
        [--lfads-torch CHECKOUT [--torch-python PYTHON]]

LFADS with its defaults on `data.lorenz`; after each epoch the rates of the validation trials are
averaged over 50 posterior samples and scored, and the fit ends once the score is above the target:
by default the best that lfads-torch's modules reached in 120 epochs at the sizes in `PEER`. Seconds
are those of fitting, compiling and validating; scoring is left out. With a checkout, lfads-torch is
fitted with these sizes too, to the same data, for `--peer-epochs`: Adam at its constant rate of
0.004, the betas and the warm-up that this package has by default.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time

import numpy as np
import speed
import tables
import tf_keras
import turns

from tfp_bvae import data, inference, metrics, models, training

SAMPLES = 50
PEER = {
    "batch": 64, "generator": 100, "factors": 40, "units": 64, "static_units": 100, "f_size": 100,
    "z_size": 1, "dropout": 0.05, "coordinated_dropout": 0.35, "beta": 0.1, "warm_up": 20,
    "samples": SAMPLES,
}  # fmt: skip


class Score(tf_keras.callbacks.Callback):
    """Rate R2 after each epoch and the seconds of fitting until then; ends the fit at a target."""

    def __init__(self, split: data.Split, target: float):
        super().__init__()
        self.split, self.target = split, target
        self.curve: list[dict[str, float]] = []
        self._start, self._aside = time.perf_counter(), 0.0

    def on_epoch_end(self, epoch, logs=None):
        """Scores, and takes the time that this needs off the clock."""
        before = time.perf_counter()
        rates = inference.sample_and_average(self.model, self.split, SAMPLES).rates
        score = float(metrics.rate_r2(rates, self.split.truth))
        self.curve.append({"s": before - self._start - self._aside, "rate_r2": score})
        self._aside += time.perf_counter() - before
        self.model.stop_training = score > self.target


def ours(dataset: data.SpikeDataset, target: float, epochs: int | None) -> list[dict[str, float]]:
    """Seconds and rate R2 after each epoch, with the defaults."""
    arguments = {"channels": dataset.train.recon.shape[-1], "bin_width": dataset.bin_width}
    model = models.lfads(arguments, mean_rates=dataset.train.recon.mean((0, 1)))
    score = Score(dataset.valid, target)
    settings = {"epochs": epochs} if epochs else None
    training.fit(model, dataset, settings, verbose=False, callbacks=[score])
    return score.curve


def theirs(
    dataset: data.SpikeDataset, target: float, seed: int, args: argparse.Namespace
) -> list[dict[str, float]]:
    """The same of lfads-torch, on as many threads as torch takes by default."""
    bins, channels = dataset.train.recon.shape[1:]
    with tempfile.TemporaryDirectory() as folder:
        files = {"counts": f"{folder}/counts.npz", "rates": f"{folder}/rates.npy"}
        np.savez(files["counts"], train=dataset.train.recon, valid=dataset.valid.recon)
        shape = {"bins": bins, "encoded": bins, "channels": channels, "outputs": channels}
        commands = speed.peer_commands(args, "fit", PEER | shape | files | {"seed": seed})
        worker, curve, seconds = turns.Worker(commands["peer"]), [], 0.0
        try:
            while len(curve) < args.peer_epochs and not passed(curve, target):
                seconds += worker.measure()["s"]
                score = metrics.rate_r2(np.load(files["rates"]), dataset.valid.truth)
                curve.append({"s": seconds, "rate_r2": float(score)})
        finally:
            worker.close()
    return curve


def passed(curve: list[dict[str, float]], target: float) -> bool:
    """Whether the last score is above the target."""
    return bool(curve) and curve[-1]["rate_r2"] > target


def table(runs: list[dict]) -> str:
    """A row for each fit."""
    target = runs[0]["target"]
    header = [
        "seed", "fit of", f"s until R2 > {target}", "epochs", "s for an epoch", "best R2 seen",
    ]  # fmt: skip
    rows = []
    for r in runs:
        curve = r["curve"]
        best = max(point["rate_r2"] for point in curve)
        until = f"{curve[-1]['s']:.0f}" if passed(curve, target) else "not reached"
        later = np.diff([point["s"] for point in curve])  # the first epoch compiles
        an_epoch = f"{np.median(later):.2f}" if len(later) else ""
        rows.append([r["seed"], r["of"], until, len(curve), an_epoch, f"{best:.3f}"])
    return f"{tables.markdown(header, rows)}\n{tables.machine()}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--target", type=float, default=0.842)
    parser.add_argument("--epochs", type=int, help="of ours; the default is the model's")
    parser.add_argument("--peer-epochs", type=int, default=120)
    parser.add_argument("--name", default="time_to_score", help="of the results")
    speed.peer_options(parser)
    args = parser.parse_args()
    runs = []
    for seed in args.seeds:
        dataset = data.lorenz(seed)
        fits = {"this package": functools.partial(ours, dataset, args.target, args.epochs)}
        if args.lfads_torch:
            fits["lfads-torch"] = functools.partial(theirs, dataset, args.target, seed, args)
        for of, fit in fits.items():
            runs.append({"seed": seed, "of": of, "target": args.target, "curve": fit()})
            tables.write(args.name, runs, table(runs))


if __name__ == "__main__":
    main()
