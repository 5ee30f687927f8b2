"""Two sessions of other neurons fitted together, beside each fitted alone.

    python benchmarks/stitching.py [--seeds 0 1 2] [--recording M1_DAY0.h5] [--set name=value ...]

Lorenz: one system seen by two sets of neurons of other sizes, few trials each
(`data.lorenz(session=...)`). Scored: R2 of the true latents, read linearly from the factors of
validation trials, the reading fitted to training trials; of the fit together one reading serves
both sessions. Motor cortex: the recording of `recording.py`, its channels and its trials halved, so
that no channel and no trial is in both. Every fourth channel of a half is held out. Scored:
co-smoothing and R2 of the force, read linearly from factors in the same way. All fits have as many
steps as the fit together. Settings were chosen on seeds 100 and up.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import tables
from lorenz import chosen
from recording import NUM_FORCE, VALID_FRACTION, held_out, load_recording

from tfp_bvae import data, inference, metrics, models, training

NEURONS = {"a": 30, "b": 20}
LORENZ = {"num_conditions": 40, "num_trials": 4, "num_valid": 2}
SIZES = {"f_encoder_units": 50, "z_encoder_units": 40, "controller_units": 40,
         "generator_units": 60, "f_size": 32}  # fmt: skip
PARAMS: dict = {"lorenz": SIZES | {"factors": 20, "input_factors": 10},
                "m1": SIZES | {"factors": 20, "input_factors": 20, "beta_z": 0.3}}  # fmt: skip
SETTINGS: dict = {"epochs": 120, "batch_size": 40, "validate_every": 4}


def lorenz_sessions(seed: int) -> dict[str, data.SpikeDataset]:
    """Two sessions of one system, with the true latents of each trial as `behavior`."""
    found = {}
    for number, (name, channels) in enumerate(NEURONS.items()):
        dataset = data.lorenz(seed, num_channels=channels, session=number, **LORENZ)
        for side in ("train", "valid"):
            condition = dataset.attrs[f"{side}_cond_idx"]
            dataset.attrs[f"{side}_behavior"] = dataset.attrs["latents"][condition]
        found[name] = dataset
    return found


def m1_sessions(path: str, seed: int) -> dict[str, data.SpikeDataset]:
    """Two halves of the channels, each in one half of the trials, with the force as `behavior`."""
    recording = load_recording(path)
    rng = np.random.default_rng([seed, 1])
    channels = np.array_split(rng.permutation(recording.counts.shape[-1]), 2)
    halves = data.stratified_split(recording.target, 0.5, seed)
    found = {}
    for name, own, trials in zip(NEURONS, channels, halves, strict=True):
        hidden = held_out(len(own))
        own, attrs, splits = np.concatenate([own[~hidden], own[hidden]]), {}, []
        drawn = data.stratified_split(recording.target[trials], VALID_FRACTION, seed)
        for side, rows in zip(("train", "valid"), drawn, strict=True):
            recon = recording.counts[trials[rows]][..., own]
            splits.append(data.Split(recon[..., : int(np.sum(~hidden))], recon))
            attrs[f"{side}_behavior"] = recording.behavior[trials[rows]][..., :NUM_FORCE]
            attrs[f"{side}_condition"] = recording.target[trials[rows]]
        found[name] = data.SpikeDataset(*splits, bin_width=recording.bin_width, attrs=attrs)
    return found


def fitted(dataset: data.SpikeDataset, params: dict, settings: dict, seed: int):
    """LFADS, and what it infers of each side."""
    arguments = training.data_arguments(dataset, seed=seed)
    if arguments.num_sessions is None:
        params = {name: value for name, value in params.items() if name != "input_factors"}
    mean = training.mean_rates(dataset.train, arguments.num_sessions)
    model = models.lfads(arguments, params, mean)
    training.fit(model, dataset, settings, verbose=False)
    return {
        side: inference.sample_and_average(model, getattr(dataset, side), num_samples=50)
        for side in ("train", "valid")
    }


def scores(dataset: data.SpikeDataset, found: dict) -> dict[str, list[float]]:
    """R2 of behaviour from factors, and bits per spike, of each session of a dataset."""
    factors = {side: posterior.factors for side, posterior in found.items()}
    decoder = metrics.fit_ridge(factors["train"], dataset.attrs["train_behavior"])
    parts = [(slice(None), np.arange(dataset.valid.recon.shape[2]))]
    if dataset.valid.session is not None:
        names = dataset.attrs["session_names"]
        parts = [data.session_part(dataset, "valid", str(name)) for name in names]
    result: dict[str, list[float]] = {"behavior_r2": [], "bits": []}
    seen = dataset.valid.encod.shape[2]
    for rows, channels in parts:
        read = decoder.predict(factors["valid"][rows])
        behavior = dataset.attrs["valid_behavior"][rows]
        result["behavior_r2"].append(float(metrics.r2_per_channel(read, behavior).mean()))
        scored = channels[channels >= seen] if (channels >= seen).any() else channels
        rates, counts = found["valid"].rates[rows], dataset.valid.recon[rows]
        bits = metrics.bits_per_spike(rates[..., scored], counts[..., scored])
        result["bits"].append(float(bits))
    return result


def run(part: str, sessions: dict, seed: int, params: dict, settings: dict) -> list[dict]:
    """The fit together and each alone, in as many steps."""
    joined = data.join_sessions(sessions)
    runs, total = [], joined.train.num_trials
    for who, dataset in {"together": joined, **sessions}.items():
        start = time.perf_counter()
        epochs = round(settings["epochs"] * total / dataset.train.num_trials)
        warm_up = round(settings.get("warm_up", 20) * total / dataset.train.num_trials)
        every = round(settings["validate_every"] * epochs / settings["epochs"])
        own = settings | {"epochs": epochs, "warm_up": warm_up, "validate_every": every}
        found = scores(dataset, fitted(dataset, params, own, seed))
        seconds = time.perf_counter() - start
        runs.append({"part": part, "seed": seed, "who": who, **found, "fit_s": seconds})
        print(runs[-1], flush=True)
    return runs


def table(runs: list[dict]) -> str:
    """A row for each seed and session, together beside alone; and their means."""
    header = ["data", "seed", "session", "R2 together", "R2 alone", "bits together", "bits alone"]
    rows = []
    for part in dict.fromkeys(r["part"] for r in runs):
        pairs = []
        for seed in dict.fromkeys(r["seed"] for r in runs if r["part"] == part):
            of = {r["who"]: r for r in runs if (r["part"], r["seed"]) == (part, seed)}
            for number, name in enumerate(NEURONS):
                pair = [
                    of[who][score][place]
                    for score in ("behavior_r2", "bits")
                    for who, place in (("together", number), (name, 0))
                ]
                pairs.append(pair)
                rows.append([part, seed, name, *(f"{value:.3f}" for value in pair)])
        means = [tables.mean_and_spread(column) for column in zip(*pairs, strict=True)]
        rows.append([part, "mean ± SD", "", *means])
    note = (
        "R2: Lorenz latents, or force, read from the factors. Bits per spike: of all channels on "
        f"the Lorenz system, of held-out channels on the recording. {tables.machine()}.\n"
    )
    return tables.markdown(header, rows) + "\n" + note


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recording", metavar="M1_DAY0.h5")
    parser.add_argument("--parts", nargs="+", choices=tuple(PARAMS), default=list(PARAMS))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="stitching")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    runs = []
    for part in args.parts:
        if part == "m1" and args.recording is None:
            continue
        for seed in args.seeds:
            sessions = (
                lorenz_sessions(seed) if part == "lorenz" else m1_sessions(args.recording, seed)
            )
            runs += run(part, sessions, seed, PARAMS[part] | params, SETTINGS | settings)
            tables.write(args.name, runs, table(runs))  # what there is so far


if __name__ == "__main__":
    main()
