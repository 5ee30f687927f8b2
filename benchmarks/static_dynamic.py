"""Four models on trials with a static class and a dynamic oscillator: which latent knows what.

    python benchmarks/static_dynamic.py [--models dsae-full ...] [--seeds 0 1 2] [--set name=value]

Every score is of the 200 validation trials; probes leave trials out. Fits that
`results/static_dynamic.json` holds are not made again, unless with other settings. Settings were
chosen on seeds 100 and up.
"""

from __future__ import annotations

import argparse
import functools
import itertools

import judging
import numpy as np
import tables
from lorenz import chosen

from tfp_bvae import data, inference, metrics

DSAE: dict = {
    "f_size": 8, "z_size": 2, "beta_f": 1.0, "beta_z": 1.0, "coordinated_dropout": 0.0,
    "f_encoder_units": 32, "z_encoder_units": 32, "factors": 16,
}  # fmt: skip
FULL: dict = DSAE | {"z_encoder_units2": 32}
# Each trial is a group. With all 1000 of them drawn for each epoch, the rows of the table start
# it at their closed form; a few gradient steps do not take them there.
FHVAE: dict = {
    "f_size": 4, "z_size": 4, "segment_length": 10, "segment_stride": 5, "groups_at_once": 1000,
    "beta_f": 2.0, "beta_z": 1.0, "discrimination": 0.3, "learning_rate": 3e-3, "factors": 16,
    "f_encoder_units": 64, "z_encoder_units": 64, "generator_units": 64,
}  # fmt: skip
# What differs from the models' defaults, and was chosen on seeds 100 and up.
PARAMS: dict[str, dict] = {"lfads": {}, "dsae-full": FULL, "dsae-factorized": DSAE, "fhvae": FHVAE}
SETTINGS: dict[str, dict] = {
    "lfads": {"epochs": 60},
    "dsae-full": {"epochs": 60},
    "dsae-factorized": {"epochs": 60},
    "fhvae": {"epochs": 15, "batch_size": 128, "warm_up": 10, "validate_every": 5},
}
SIDES = {
    "z_dynamic": "oscillator from z, R2",
    "f_dynamic": "oscillator from f, R2",
    "f_static": "class from f",
    "z_static": "class from mean z",
    "swap_both": "swapped trials right on both sides",
    "autocorrelation": "lag-1 of generated z",
    "rate_autocorrelation": "lag-1 of generated log-rates",
}
FITS = {
    "rate_r2": "rate R2",
    "bits_per_spike": "bits/spike",
    "kl_f": "KL f, nats",
    "kl_z": "KL z, nats",
    "active_f": "active f",
    "active_z": "active z",
    "factors_dynamic": "oscillator from factors, R2",
}
PROBED = ("f_static", "z_static", "swap_both")  # of which chance is told below the tables


def run(keys: dict) -> dict:
    """One fit, and all that is asked of it."""
    dataset = data.static_dynamic(seed=keys["seed"])
    model, figures = judging.fit(
        keys["model"], dataset, keys["params"], keys["settings"], keys["seed"]
    )
    found = inference.posterior_mean(model, dataset.valid)
    rates = inference.sample_and_average(model, dataset.valid).rates
    truth = dataset.valid.truth
    return {
        **figures,
        **probed(found, dataset),
        **swapped(model, dataset),
        **made_up(model, found, truth.shape[1]),
        "rate_r2": metrics.rate_r2(rates, truth),
        "bits_per_spike": metrics.bits_per_spike(rates, dataset.valid.recon),
        **disentangled(found, dataset),
    }


def probed(found: inference.Posterior, dataset: data.SpikeDataset) -> dict:
    """What each latent knows of each side, and what it would by chance."""
    static, dynamic = (dataset.attrs[f"valid_{side}"] for side in ("static", "dynamic"))
    probes = metrics.cross_probes(found.f, found.inferred, static, dynamic)
    of_factors = metrics.cross_probes(found.f, found.factors, static, dynamic, permutations=2)
    named = {name: getattr(probes, name) for name in ("z_dynamic", "f_dynamic")}
    named |= {name: getattr(probes, name) for name in ("f_static", "z_static")}
    return {
        **{name: probe.score for name, probe in named.items()},
        **{f"{name}_chance": probe.chance for name, probe in named.items()},
        "factors_dynamic": of_factors.z_dynamic.score,
    }


def judges(dataset: data.SpikeDataset) -> tuple[metrics.ClassJudge, metrics.PathJudge]:
    """Read-outs of class and oscillator, trained on the spikes of the training trials."""
    spikes, attrs = dataset.train.recon, dataset.attrs
    return (
        metrics.fit_class_judge(spikes, attrs["train_static"]),
        metrics.fit_path_judge(spikes, attrs["train_dynamic"]),
    )


def swapped(model, dataset: data.SpikeDataset) -> dict:
    """What judges say of the f of each trial with the z of another."""
    made = inference.swap(model, dataset.valid)
    own = inference.posterior_mean(model, dataset.valid).rates
    scores = judged(dataset, made.rates, own, made.source)
    return {
        "swap_static": scores.swapped.static,
        "swap_dynamic": scores.swapped.dynamic,
        "swap_both": scores.swapped.both,
        "swap_both_chance": scores.chance.both,
        "own_both": scores.unswapped.both,
    }


def judged(dataset: data.SpikeDataset, made, own, source) -> metrics.SwapScores:
    attrs = dataset.attrs
    sides = attrs["valid_static"], attrs["valid_dynamic"]
    return metrics.swap_scores(*judges(dataset), made, own, *sides, source)


def made_up(model, found: inference.Posterior, num_bins: int) -> dict:
    """How smooth generated trials are, and how many dimensions of the latents are in use."""
    made = judging.generated(model, num_bins)
    in_use = judging.active(found.inferred, made.z)
    has_paths = in_use.any() and not judging.in_segments(model)
    paths = made.z[..., in_use] if has_paths else None
    return {
        "autocorrelation": None if paths is None else judging.autocorrelation(paths),
        "rate_autocorrelation": None if paths is None else within_trial(np.log(made.rates)),
        "active_f": int(judging.active(found.f, made.f).sum()),
        "active_z": int(in_use.sum()),
    }


def within_trial(log_rates: np.ndarray) -> float:
    """Lag-1 autocorrelation about the mean of each trial, so that nothing static counts."""
    return judging.autocorrelation(log_rates - log_rates.mean(axis=1, keepdims=True))


def disentangled(found: inference.Posterior, dataset: data.SpikeDataset) -> dict:
    """Scores of the joined code [f; z_t] for class and oscillator, one bin of each trial.

    The oscillator has no axes of its own, so its first coordinate stands for it.
    """
    attrs = dataset.attrs
    trials = np.arange(len(found.f))
    bins = np.random.default_rng(0).integers(found.inferred.shape[1], size=len(trials))
    codes = np.concatenate([found.f, found.inferred[trials, bins]], axis=-1)
    side = np.stack([attrs["valid_static"], attrs["valid_dynamic"][trials, bins, 0]], axis=-1)
    return judging.disentanglement(codes, side, [True, False])


@functools.cache
def of_the_truth(seed: int) -> dict:
    """What the true rates would have, of the columns of both tables that they can have."""
    dataset = data.static_dynamic(seed=seed)
    attrs, rates = dataset.attrs, dataset.valid.truth
    offsets = (attrs["static_embedding"] @ attrs["static_loadings"])[attrs["valid_static"]]
    source = inference.derangement(len(rates))
    made = rates[source] * np.exp(offsets - offsets[source])[:, np.newaxis]
    return {
        "swap_both": judged(dataset, made, rates, source).swapped.both,
        "autocorrelation": judging.autocorrelation(attrs["valid_dynamic"]),
        "rate_autocorrelation": within_trial(np.log(rates)),
        "bits_per_spike": metrics.bits_per_spike(rates, dataset.valid.recon),
    }


def table(runs: list[dict]) -> str:
    """Three tables: the two sides, the fit, disentanglement scores with chance."""
    truth = [of_the_truth(seed) for seed in sorted({r["seed"] for r in runs})]
    text = ""
    for columns in (SIDES, FITS):
        of_truth = [
            tables.mean_and_spread([t[name] for t in truth]) if name in truth[0] else ""
            for name in columns
        ]
        found = [*judging.rows(runs, columns), ["the truth", *of_truth]]
        text += tables.markdown(["model (fits)", *columns.values()], found) + "\n"
    found = judging.rows_with_chance(runs, judging.DISENTANGLEMENT)
    text += tables.markdown(["model (fits)", *judging.DISENTANGLEMENT], found)
    chance = (np.mean([r[f"{name}_chance"] for r in runs]) for name in PROBED)
    return (
        f"{text}\nMean ± SD over {len(truth)} seeds of the simulation, in brackets the mean of "
        "shuffled trials. By chance the class is found from f in {:.2f} and from mean z in {:.2f} "
        "of the trials, and swapped trials are right on both sides in {:.2f}. ".format(*chance)
        + f"{judging.fit_times(runs)} {tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    judging.options(parser, "static_dynamic")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    wanted = [
        {"model": model, "seed": seed, "params": PARAMS[model] | params,
         "settings": SETTINGS[model] | settings}
        for model, seed in itertools.product(args.models, args.seeds)
    ]  # fmt: skip
    judging.complete(args.name, wanted, run, table)


if __name__ == "__main__":
    main()
