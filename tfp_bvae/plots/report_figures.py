"""The pictures of a report, each with what it shows in words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from tfp_bvae.inference import BesidePrior, Posterior, swap_grid, traverse
from tfp_bvae.models import is_of_counts
from tfp_bvae.plots.factors import plot_factors
from tfp_bvae.plots.fit import plot_losses
from tfp_bvae.plots.generated import plot_swaps, plot_traversals
from tfp_bvae.plots.inputs import plot_inputs
from tfp_bvae.plots.latents import plot_kl, plot_posterior
from tfp_bvae.plots.maps import plot_rates
from tfp_bvae.plots.psth import plot_psth
from tfp_bvae.plots.report_material import Material
from tfp_bvae.plots.report_sessions import of_channels, one_session
from tfp_bvae.plots.trials import figure_of_trials
from tfp_bvae.plots.tuning import plot_tuning
from tfp_bvae.training import read_history

__all__ = ["EXPECTED", "Picture", "pictures"]

EXPECTED = (ValueError, TypeError, KeyError, IndexError, ArithmeticError, np.linalg.LinAlgError)
SOME = 8  # trials that are traversed
MOST_CONDITIONS = 8  # that can be told apart in one picture
SWAPPED = 3  # trials that exchange their latents


class Picture(NamedTuple):
    """One picture, or why there is none."""

    title: str
    drawn: Figure | None
    says: str  # what it shows; where there is none, why


def pictures(material: Material, beside: Mapping[str, BesidePrior]) -> Iterator[Picture]:
    """Draw all that can be drawn of a run.

    Args:
        material: the run.
        beside: the posterior of each latent beside its prior, as of `compare_with_prior`.
    """
    for title, draw in _plans(material, beside).items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # means over nothing but NaN
                drawn, says = draw()
        except EXPECTED as error:
            yield Picture(title, None, f"not drawn: {error}")
            continue
        yield Picture(title, drawn, says)


def _plans(
    m: Material, beside: Mapping[str, BesidePrior]
) -> dict[str, Callable[[], tuple[Figure, str]]]:
    """By title, what draws each picture that this run has."""
    plans: dict[str, Callable[[], tuple[Figure, str]]] = {}
    one, channels, of = (m, None, "") if m.valid is None else one_session(m)
    of = f" (Of session {of}.)" if of else ""
    posterior = m.posterior
    if posterior is not None and m.valid is not None:
        plans["Trials: spikes and rates"] = lambda: _trials(one, channels, of)
    elif posterior is not None:
        plans["Inferred rates of one trial"] = lambda: _rates(m, posterior)
    if m.history:
        plans["Course of the fit"] = lambda: _losses(m)
    if m.run.tuning_file.is_file():
        plans["Search over hyperparameters"] = lambda: _tuning(m)
    condition = None if m.valid is None else m.valid.condition
    if posterior is not None and condition is not None:
        plans["Mean responses of conditions"] = lambda: _psth(one, channels, of)
    if posterior is not None:
        if posterior.factors.shape[-1] > 1:
            plans["Factors in two dimensions"] = lambda: _factors(posterior, condition, 2)
        if posterior.factors.shape[-1] > 2:
            plans["Factors in three dimensions"] = lambda: _factors(posterior, condition, 3)
        if posterior.inferred is not None:
            plans["Dynamic latent against time"] = lambda: _inputs(m, posterior, condition)
    for name in beside:
        plans[f"KL of each dimension of {name}"] = lambda name=name: _kl(name, beside[name])
    if "f" in beside:
        plans["Posterior of f against its prior"] = lambda: _beside("f", beside["f"])
    if m.model is not None and m.valid is not None:
        plans["What each dimension of f does"] = lambda: _traversals(one, channels, of)
        if m.run.params.z_size and one.valid.split.num_trials >= SWAPPED:
            plans["Latents of one trial in another"] = lambda: _swaps(one, channels, of)
    return plans


def _trials(m: Material, channels: np.ndarray | None, of: str) -> tuple[Figure, str]:
    shown = of_channels(m.valid.split, m.posterior, channels)
    return figure_of_trials(*shown, m.run.arguments.bin_width), (
        "Validation trials, a lively and a typical one: what was measured, true rates where they "
        f"are known, and what the model infers; below, single channels.{of}"
    )


def _rates(m: Material, posterior: Posterior) -> tuple[Figure, str]:
    ax = plot_rates(posterior.rates[0], m.run.arguments.bin_width)
    return _of(ax), "Inferred rates of the first validation trial; its spikes are not at hand."


def _losses(m: Material) -> tuple[Figure, str]:
    unit = "bits/spike" if is_of_counts(m.run.arguments.likelihood) else "nats/entry"
    axes = plot_losses(m.history, best=m.best_epoch, unit=unit)
    return _of(axes), (
        "Loss and KL of the training trials and the score of hidden entries of the validation "
        "trials after each epoch; a dot marks the epoch whose weights were kept."
    )


def _tuning(m: Material) -> tuple[Figure, str]:
    unit = "bits/spike" if is_of_counts(m.run.arguments.likelihood) else "nats/entry"
    axes = plot_tuning(read_history(m.run.tuning_file), unit=unit)
    return _of(axes), (
        "Score and hyperparameters of all members of the search after each generation, copies "
        "beginning at their parents; in colour the line that leads to the best one at the end."
    )


def _psth(m: Material, channels: np.ndarray | None, of: str) -> tuple[Figure, str]:
    split, posterior = of_channels(m.valid.split, m.posterior, channels)
    bins = posterior.rates.shape[1]
    spikes = split.recon[:, split.recon.shape[1] - bins :]
    width = m.run.arguments.bin_width
    axes = plot_psth(spikes, posterior.rates, _named(m.valid.condition), width, smooth=2 * width)
    return _of(axes), (
        "Measured (smoothed over two bins) and inferred means of conditions (of at most eight), in "
        f"the channels that tell them apart most.{of}"
    )


def _factors(posterior: Posterior, condition, dims: int) -> tuple[Figure, str]:
    ax = plot_factors(posterior.factors, conditions=_named(condition), dims=dims)
    of = "conditions" if condition is not None else "single trials"
    return _of(ax), f"Paths of {of} in the first {dims} principal components of the factors."


def _inputs(m: Material, posterior: Posterior, condition) -> tuple[Figure, str]:
    axes = plot_inputs(posterior.inferred, m.run.arguments.bin_width, conditions=_named(condition))
    return _of(axes), "Means over validation trials of the dynamic latent z, against time."


def _kl(name: str, found: BesidePrior) -> tuple[Figure, str]:
    ax = plot_kl(found.kl, name=name)
    used = int(np.sum(found.kl >= 0.01))
    return _of(ax), (
        f"What each of the {len(found.kl)} dimensions of {name} tells of a trial: {used} of them "
        f"more than 0.01 nats, {found.kl.sum():.2f} nats in all."
    )


def _beside(name: str, found: BesidePrior) -> tuple[Figure, str]:
    order = np.sort(np.argsort(-found.kl, kind="stable")[:24])
    parts = (found.loc, found.scale, found.prior_loc, found.prior_scale)
    axes = plot_posterior(*(x[..., order] for x in parts), kl=found.kl[order], name=name)
    axes.set_xticks(range(len(order)), order)
    return _of(axes), (
        f"Posterior means of trials in standard deviations of the prior, for the "
        f"{len(order)} dimensions of {name} of largest KL."
    )


def _traversals(m: Material, channels: np.ndarray | None, of: str) -> tuple[Figure, str]:
    some = m.valid.split.select(_evenly(m.valid.split.num_trials, SOME))
    found = traverse(m.model, some)
    rates = found.rates[..., slice(None) if channels is None else channels]
    axes = plot_traversals(found.values, rates, m.run.arguments.bin_width)
    return _of(axes), (
        "Mean rates while one dimension of the static latent f moves over two standard deviations "
        f"of its prior and all else stays: the dimensions that change rates most.{of}"
    )


def _swaps(m: Material, channels: np.ndarray | None, of: str) -> tuple[Figure, str]:
    trials = _evenly(m.valid.split.num_trials, SWAPPED)
    names = [f"trial {m.valid.trials[n]}" for n in trials]
    rates = swap_grid(m.model, m.valid.split, trials)
    rates = rates[..., slice(None) if channels is None else channels]
    axes = plot_swaps(rates, m.run.arguments.bin_width, names=names)
    return _of(axes), (
        "Rates of the static latent f of the row's trial with the dynamic latent z of the "
        f"column's; framed are the trials as they are.{of}"
    )


def _of(axes) -> Figure:
    """The figure that axes are on."""
    ax = axes.flat[0] if isinstance(axes, np.ndarray) else axes
    return ax.get_figure(root=True)


def _named(condition: np.ndarray | None) -> list | None:
    """Labels of trials; of many conditions only some, evenly chosen, the others without."""
    if condition is None:
        return None
    kinds = np.unique(condition)
    shown = set(kinds[_evenly(len(kinds), MOST_CONDITIONS)].tolist())
    return [kind if kind in shown else None for kind in condition.tolist()]


def _evenly(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
