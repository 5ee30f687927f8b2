"""FHVAE on two simulated sessions: is the session in f, the dynamics in z, and neither in both?

    python benchmarks/sessions.py [--seeds 0 1 2] [--set name=value ...] [--name sessions]

The sessions are of one oscillator, seen with other gains and drifting (`tfp_bvae.data.sessions`). A
group is a session. Probes and judges are linear; those of latents are scored on trials left out of
them. Trials are also translated: decoded with f moved from the mean of their session to that of the
other. Settings were chosen on other seeds (100 up).
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np
import tables
from lorenz import chosen

from tfp_bvae import data, inference, metrics, models, training

SIMULATION = {"num_trials": 450, "num_valid": 200}
# Chosen on seeds 100 up. With beta_f above beta_z the path is cheaper to tell by z than by f.
PARAMS: dict = {"segment_length": 10, "segment_stride": 5, "f_size": 4, "z_size": 4,
                "f_encoder_units": 64, "z_encoder_units": 64, "generator_units": 64,
                "beta_f": 4.0, "beta_z": 1.0, "learning_rate": 3e-3}  # fmt: skip
SETTINGS: dict = {"epochs": 40, "batch_size": 128, "warm_up": 10, "validate_every": 5}
FOLDS = 5


class Segments(NamedTuple):
    """Posterior means of the segments of one side, and the true path of each."""

    f: np.ndarray  # [segment, f_size]
    z: np.ndarray  # [segment, z_size]
    path: np.ndarray  # [segment, bin, 2]
    where: np.ndarray  # trial and first bin, [segment, 2]


def run(seed: int, params: dict, settings: dict) -> dict:
    """One fit, and its scores on the validation trials."""
    dataset = data.with_groups(data.sessions(seed, **SIMULATION), by="session")
    arguments = training.data_arguments(dataset, seed=seed)
    model = models.fhvae(arguments, params, mean_rates=dataset.train.recon.mean((0, 1)))
    start = time.perf_counter()
    history = training.fit(model, dataset, settings, verbose=False)
    seconds = time.perf_counter() - start
    valid, rates = dataset.valid, inference.posterior_mean(model, dataset.valid).rates
    segments = {side: infer_segments(model, dataset, side) for side in ("train", "valid")}
    return {
        "seed": seed,
        **probes(segments, valid.group),
        **{f"drift_from_{name}": drift_r2(dataset, segments, name) for name in ("f", "z")},
        **translation(dataset, rates, inference.translate(model, valid, 1 - valid.group).rates),
        "rate_r2": metrics.rate_r2(rates, valid.truth),
        "bits_per_spike": metrics.bits_per_spike(rates, valid.recon),
        "bits_of_truth": metrics.bits_per_spike(valid.truth, valid.recon),
        "kl_f": history[-1]["kl_f"],
        "kl_z": history[-1]["kl_z"],
        "skipped_steps": sum(row["skipped_steps"] for row in history),
        "fit_s": seconds,
    }


def infer_segments(model, dataset: data.SpikeDataset, side: str) -> Segments:
    """What the model says of the segments of one side, each for itself."""
    split, where = models.model_segments(model, getattr(dataset, side))
    found = inference.posterior_mean(model, split)
    bins = np.arange(split.recon.shape[1])
    path = dataset.attrs[f"{side}_dynamic"][where[:, :1], where[:, 1:] + bins]
    return Segments(found.f, found.inferred[:, 0], path, where)


def probes(segments: dict[str, Segments], session: np.ndarray) -> dict:
    """The session and the path of the oscillator, each read from f and from z."""
    valid = segments["valid"]
    trial = valid.where[:, 0]
    scores = {}
    for name in ("f", "z"):
        x = getattr(valid, name)
        means = trial_means(valid, name)
        scores[f"session_from_{name}"] = accuracy(means, session, np.arange(len(session)))
        scores[f"session_from_{name}_segment"] = accuracy(x, session[trial], trial)
        scores[f"path_from_{name}"] = path_r2(segments, name)
    return scores


def trial_means(segments: Segments, name: str) -> np.ndarray:
    """Mean of a latent over the segments of each trial."""
    x, trial = getattr(segments, name), segments.where[:, 0]
    return np.stack([x[trial == number].mean(axis=0) for number in range(trial.max() + 1)])


def accuracy(x: np.ndarray, session: np.ndarray, trial: np.ndarray) -> float:
    """Share of rows whose session a logistic regression of other trials tells."""
    right = np.zeros(len(x), bool)
    for fold in range(FOLDS):
        left_out = trial % FOLDS == fold
        judge = metrics.fit_class_judge(x[~left_out, np.newaxis], session[~left_out])
        right[left_out] = judge.predict(x[left_out, np.newaxis]) == session[left_out]
    return float(right.mean())


def path_r2(segments: dict[str, Segments], name: str) -> float:
    """R2 of the true path, read from one latent of each segment, and put together."""
    train, valid = segments["train"], segments["valid"]
    num_bins = int(valid.where[:, 1].max()) + valid.path.shape[1]
    flat = train.path.reshape(len(train.path), 1, -1)
    decoder = metrics.fit_ridge(getattr(train, name)[:, np.newaxis], flat)
    read = decoder.predict(getattr(valid, name)).reshape(valid.path.shape)
    return r2(*(data.stitch_segments(x, valid.where, num_bins) for x in (read, valid.path)))


def drift_r2(dataset: data.SpikeDataset, segments: dict[str, Segments], name: str) -> float:
    """R2 of the drift of each neuron, read from the mean of a latent, by session."""
    attrs, read = dataset.attrs, np.empty_like(dataset.attrs["valid_drift"])
    x = {side: trial_means(segments[side], name) for side in segments}
    for number in np.unique(dataset.train.group):
        of = {side: getattr(dataset, side).group == number for side in segments}
        known = attrs["train_drift"][of["train"]]
        decoder = metrics.fit_ridge(x["train"][of["train"]][:, np.newaxis], known[:, np.newaxis])
        read[of["valid"]] = decoder.predict(x["valid"][of["valid"]])
    return r2(read, attrs["valid_drift"])


def translation(dataset: data.SpikeDataset, own: np.ndarray, moved: np.ndarray) -> dict:
    """What judges of real trials make of the rates of both; and true rates with other gains."""
    train, valid, attrs = dataset.train, dataset.valid, dataset.attrs
    target = 1 - valid.group
    judge = metrics.fit_class_judge(train.recon, train.group)
    change = attrs["log_gains"][target] - attrs["log_gains"][valid.group]
    truth = valid.truth * np.exp(change)[:, np.newaxis]
    return {
        "judged_target": float(np.mean(judge.predict(moved) == target)),
        "judged_target_before": float(np.mean(judge.predict(own) == target)),
        "path_translated": judged_path(dataset, moved, target),
        "path_own": judged_path(dataset, own, valid.group),
        "path_counts": judged_path(dataset, valid.recon, valid.group),
        "rate_r2_translated": metrics.rate_r2(moved, truth),
        "rate_r2_untranslated": metrics.rate_r2(own, truth),
    }


def judged_path(dataset: data.SpikeDataset, trials: np.ndarray, session: np.ndarray) -> float:
    """R2 of the true path as read by the judge of the session that each trial is to be of."""
    train, attrs = dataset.train, dataset.attrs
    read = np.empty_like(attrs["valid_dynamic"])
    for number in np.unique(session):
        of = train.group == number
        judge = metrics.fit_path_judge(train.recon[of], attrs["train_dynamic"][of])
        read[session == number] = judge.predict(trials[session == number])
    return r2(read, attrs["valid_dynamic"])


def r2(read: np.ndarray, path: np.ndarray) -> float:
    """Mean over the columns, each about its mean over all trials (and bins)."""
    return float(metrics.r2_per_channel(read, path).mean())


ROWS = {
    "session from f, trial": "session_from_f",
    "session from f, segment": "session_from_f_segment",
    "session from mean z, trial": "session_from_z",
    "session from z, segment": "session_from_z_segment",
    "R2 of the path from z": "path_from_z",
    "R2 of the path from f": "path_from_f",
    "R2 of the drift from f": "drift_from_f",
    "R2 of the drift from mean z": "drift_from_z",
    "translated: judged to be of the other session": "judged_target",
    "the same before translation": "judged_target_before",
    "translated: R2 of the path": "path_translated",
    "not translated: R2 of the path": "path_own",
    "spikes: R2 of the path": "path_counts",
    "translated: rate R2": "rate_r2_translated",
    "the same without translation": "rate_r2_untranslated",
    "rate R2": "rate_r2",
    "bits/spike": "bits_per_spike",
    "bits/spike of the true rates": "bits_of_truth",
    "KL f, nats per segment": "kl_f",
    "KL z, nats per segment": "kl_z",
}


def table(runs: list[dict]) -> str:
    """A row for each score, a column for each seed, and their mean."""
    rows = [
        [label, *(f"{r[n]:.3f}" for r in runs), tables.mean_and_spread([r[n] for r in runs])]
        for label, n in ROWS.items()
    ]
    rows.append(["fit, s", *(f"{r['fit_s']:.0f}" for r in runs), ""])
    header = ["", *(f"seed {r['seed']}" for r in runs), "mean ± SD"]
    note = (
        "Sessions: share told right, chance 0.5. Translated rates are compared with the true ones "
        f"multiplied by the gains of the other session. {tables.machine()}.\n"
    )
    return tables.markdown(header, rows) + "\n" + note


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="sessions")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    runs = []
    for seed in args.seeds:
        runs.append(run(seed, PARAMS | params, SETTINGS | settings))
        tables.write(args.name, runs, table(runs))  # what there is so far


if __name__ == "__main__":
    main()
