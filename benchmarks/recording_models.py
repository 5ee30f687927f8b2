"""Four models on the motor-cortex recording: rates, behaviour, and which latent knows the target.

    python benchmarks/recording_models.py M1_DAY0.h5 [--models lfads ...] [--splits 0]
        [--seeds 0 1 2] [--set name=value ...]

`make_m1_day0.py` makes the file. Fits that `results/recording_models.json` holds are not made
again, unless with other settings.
"""

from __future__ import annotations

import argparse
import functools
import itertools

import judging
import m1
import numpy as np
import tables
from lorenz import chosen
from recording import behavior_r2, make_dataset, score

from tfp_bvae import data, inference

# What differs from the models' defaults. Only LFADS was tuned on this recording (`m1.py`): DSAE has
# its settings, FHVAE those of `static_dynamic.py`, with both betas and masks as of the others.
FHVAE: dict = {
    "f_size": 8, "z_size": 8, "segment_length": 16, "segment_stride": 8, "groups_at_once": 238,
    "beta_f": 0.6, "beta_z": 0.3, "discrimination": 0.3, "learning_rate": 3e-3,
    "coordinated_dropout": 0.3, "dropout": 0.05,
    "f_encoder_units": 64, "z_encoder_units": 64, "generator_units": 64,
}  # fmt: skip
PARAMS = dict.fromkeys(judging.MODELS, m1.PARAMS) | {"fhvae": FHVAE}
SETTINGS = dict.fromkeys(judging.MODELS, m1.SETTINGS) | {
    "fhvae": {"epochs": 100, "batch_size": 64, "validate_every": 5}
}
PERMUTATIONS = 10  # of targets, for chance
SCORES = {
    "co_bps": "co-smoothing, bits/spike",
    "force_r2": "force R2",
    "emg_r2": "EMG R2",
    "kl_f": "KL f, nats",
    "kl_z": "KL z, nats",
    "active_f": "active f",
    "active_z": "active z",
}
TARGETS = {
    "from_f": "from f",
    "from_mean_z": "from the mean of z over time",
    "from_path_z": "from the whole path of z",
    "force_r2_of_z": "force from z at each bin, R2",
}


def run(keys: dict, path: str) -> dict:
    """One fit, its scores on the validation trials, and what its latents say of the target."""
    dataset = make_dataset(path, keys["split"])
    model, figures = judging.fit(
        keys["model"], dataset, keys["params"], keys["settings"], keys["seed"]
    )
    sides = dataset.train, dataset.valid
    rates = [inference.sample_and_average(model, side).rates for side in sides]
    found = [inference.posterior_mean(model, side) for side in sides]
    made = judging.generated(model, rates[0].shape[1])
    return {
        **figures,
        **score(*rates, dataset),
        "active_f": int(judging.active(found[1].f, made.f).sum()),
        "active_z": int(judging.active(found[1].inferred, made.z).sum()),
        **targets(found, dataset),
    }


def targets(found: list[inference.Posterior], dataset: data.SpikeDataset) -> dict:
    """The target, told from posterior means: learned on training trials, scored on validation."""
    codes = {
        "from_f": [side.f for side in found],
        "from_mean_z": [side.inferred.mean(axis=1) for side in found],
        "from_path_z": [side.inferred.reshape(len(side.f), -1) for side in found],
    }
    train, valid = (dataset.attrs[f"{side}_target"] for side in ("train", "valid"))
    read = {name: judging.class_from(x[0], train, x[1], valid) for name, x in codes.items()}
    rng = np.random.default_rng(0)
    chance = [
        judging.class_from(codes["from_path_z"][0], rng.permutation(train),
                           codes["from_path_z"][1], valid)
        for _ in range(PERMUTATIONS)
    ]  # fmt: skip
    force = behavior_r2(found[0].inferred, found[1].inferred, dataset)["force_r2"]
    return {**read, "chance": float(np.mean(chance)), "force_r2_of_z": force}


def table(runs: list[dict]) -> str:
    """Two tables: scores as of `m1.py`, and the target from each latent."""
    scores, read = (
        tables.markdown(["model (fits)", *columns.values()], judging.rows(runs, columns))
        for columns in (SCORES, TARGETS)
    )
    splits = ", ".join(map(str, sorted({r["split"] for r in runs})))
    chance = np.mean([r["chance"] for r in runs])
    return (
        f"{scores}\nShare of validation trials of which a linear classifier, learned on training "
        f"trials, finds the target (one of 8), and force from z:\n\n{read}\nMean ± SD over seeds "
        f"of the model, split {splits}; with shuffled targets the classifier finds {chance:.2f}. "
        f"{judging.fit_times(runs)} {tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--splits", type=int, nargs="+", default=[0])
    judging.options(parser, "recording_models")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    wanted = [
        {"model": model, "split": split, "seed": seed, "params": PARAMS[model] | params,
         "settings": SETTINGS[model] | settings}
        for model, split, seed in itertools.product(args.models, args.splits, args.seeds)
    ]  # fmt: skip
    judging.complete(args.name, wanted, functools.partial(run, path=args.path), table)


if __name__ == "__main__":
    main()
