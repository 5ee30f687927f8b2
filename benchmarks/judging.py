"""What the comparisons of the four models share: a fit, judgements, a table that grows."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import tables
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfp_bvae import data, inference, metrics, models, training

NUM_GENERATED = 500  # trials that are drawn from the priors
ACTIVE = 0.01  # share of its variance under the prior that a latent must follow
MODELS = ("lfads", "dsae-full", "dsae-factorized", "fhvae")
DISENTANGLEMENT = (
    "MIG", "SAP", "DCI disentanglement", "DCI completeness", "DCI informativeness", "modularity"
)  # fmt: skip


class Fitted(NamedTuple):
    """A model, and how the fit of it went."""

    model: models.BetaVAE
    figures: dict[str, float]  # kl_f, kl_z (nats per trial, last epoch), fit_s


def fit(
    name: str, dataset: data.SpikeDataset, params: dict, settings: dict, seed: int = 0
) -> Fitted:
    """One model by its name, fitted; where it needs groups, each trial is one."""
    recipe = models.RECIPES[name]
    if recipe.of_groups:
        dataset = data.with_groups(dataset)
    arguments = training.data_arguments(dataset, seed=seed)
    model = recipe.build(arguments, params, mean_rates=dataset.train.recon.mean((0, 1)))
    start = time.perf_counter()
    history = training.fit(model, dataset, settings, verbose=False)
    seconds = time.perf_counter() - start
    last = {name: history[-1][name] for name in ("kl_f", "kl_z")}
    return Fitted(model, {**last, "fit_s": seconds})


def active(means: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Dimensions whose posterior means vary over trials, against draws from the prior."""
    scale = prior.std(axis=tuple(range(prior.ndim - 1)))
    return metrics.active_units(means / scale, ACTIVE)


def in_segments(model: models.BetaVAE) -> bool:
    """Whether it makes up segments, with one z for each, so that there are no paths of z."""
    return "group" in model.input_names


def autocorrelation(paths: np.ndarray) -> float:
    """Lag 1, over all paths and dimensions together, so that a dimension counts by its variance.

    Args:
        paths: `[trial, time, dim]`; the mean over trials and bins is taken away.
    """
    centred = paths - paths.mean(axis=(0, 1))
    return float((centred[:, 1:] * centred[:, :-1]).mean() / np.square(centred).mean())


def class_from(train: np.ndarray, train_class, valid: np.ndarray, valid_class) -> float:
    """Share of validation trials whose class a linear classifier of training trials finds."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return float(model.fit(train, train_class).score(valid, valid_class))


def disentanglement(codes: np.ndarray, factors: np.ndarray, discrete: list[bool]) -> dict:
    """Scores by the names in `DISENTANGLEMENT`, and under `..._chance` those of shuffled trials."""

    def scores(codes: np.ndarray, factors: np.ndarray) -> list[float]:
        return [
            metrics.mig(codes, factors, discrete=discrete),
            metrics.sap(codes, factors, discrete=discrete),
            *metrics.dci(codes, factors, discrete=discrete),
            metrics.modularity(codes, factors, discrete=discrete),
        ]

    chance = metrics.shuffle_baseline(scores, codes, factors, permutations=5)
    by_chance = (f"{name}_chance" for name in DISENTANGLEMENT)
    return {
        **dict(zip(DISENTANGLEMENT, scores(codes, factors), strict=True)),
        **dict(zip(by_chance, map(float, chance.mean), strict=True)),
    }


def generated(model: models.BetaVAE, num_bins: int) -> inference.Generated:
    return inference.generate(model, NUM_GENERATED, num_bins)


def complete(
    name: str,
    wanted: Iterable[dict[str, Any]],
    run: Callable[[dict], dict],
    table: Callable[[list[dict]], str],
) -> None:
    """Adds to `results/name.json` the fits that it does not hold yet, one by one.

    Args:
        name: of the results.
        wanted: the fits: `model`, `params`, `settings`, and the seeds that tell them apart. One
            with other settings than before takes the place of the older one.
        run: makes one of them, to its figures.
        table: the Markdown of all.
    """
    path = tables.RESULTS / f"{name}.json"
    runs = json.loads(path.read_text()) if path.exists() else []
    for keys in wanted:
        if any(_agree(r, keys) for r in runs):
            print("kept:", {k: v for k, v in keys.items() if k not in ("params", "settings")})
            continue
        same_fit = {k: v for k, v in keys.items() if k not in ("params", "settings")}
        figures = run(keys)
        runs = [r for r in runs if not _agree(r, same_fit)] + [{**keys, **figures}]
        runs.sort(key=lambda r: MODELS.index(r["model"]))
        tables.write(name, runs, table(runs))


def _agree(run: dict, keys: dict) -> bool:
    return all(run.get(name) == value for name, value in keys.items())


def rows(runs: list[dict], columns: Iterable[str]) -> list[list[str]]:
    """A row for each model and its number of fits: mean and SD; empty where a value is None."""
    found = []
    for model in MODELS:
        own = [r for r in runs if r["model"] == model]
        if own:
            values = ([r[column] for r in own] for column in columns)
            cells = ("" if None in x else tables.mean_and_spread(x) for x in values)
            found.append([f"{model} ({len(own)})", *cells])
    return found


def rows_with_chance(runs: list[dict], columns: Iterable[str]) -> list[list[str]]:
    """As `rows`, with the mean of `..._chance` in brackets."""
    columns = list(columns)
    by_chance = rows(runs, [f"{column}_chance" for column in columns])
    return [
        [row[0], *(f"{x} ({c.split()[0]})" for x, c in zip(row[1:], chance[1:], strict=True))]
        for row, chance in zip(rows(runs, columns), by_chance, strict=True)
    ]


def fit_times(runs: list[dict]) -> str:
    """How long a fit took, s, mean over those of each model."""
    means = ((row[0], float(row[1].split()[0])) for row in rows(runs, ["fit_s"]))
    return "A fit took: " + ", ".join(f"{model} {mean:.0f} s" for model, mean in means) + "."


def options(parser: argparse.ArgumentParser, name: str) -> None:
    """The options that both comparisons have."""
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default=name, help="of the results")
