"""A figure of a few trials: spikes, true rates, inferred rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.plots.channel import plot_channel
from tfp_bvae.plots.fit import plot_history
from tfp_bvae.plots.maps import by_peak, plot_rates, plot_spikes
from tfp_bvae.plots.style import STYLE, NotebookFigure
from tfp_bvae.plots.timeline import variance

if TYPE_CHECKING:
    from tfp_bvae.inference import Posterior  # for its type alone: figures need no TensorFlow

__all__ = ["figure_of_trials"]


def figure_of_trials(
    split: Split,
    posterior: Posterior,
    bin_width: float,
    history: Sequence[Mapping[str, float]] | None = None,
    trials: Sequence[int] | None = None,
    start: float = 0.0,
) -> Figure:
    """Maps of spikes, true rates where known, and inferred rates; single channels below.

    Channels are in the order of the time of their peak, in the true rates of each trial where
    known and else in the inferred ones. All maps of rates share one colour scale.

    Args:
        split: the trials.
        posterior: of those trials.
        bin_width: s.
        history: figures of each epoch of the fit, for a panel of their own.
        trials: which to show; None for two: one livelier than nine tenths of them, and one
            livelier than half, by the variance of their rates over time.
        start: of the first bin that is predicted, s relative to the event.

    Returns:
        A figure; `save_figure` writes it.

    Raises:
        ValueError: if the posterior is not that of the trials.

    >>> from types import SimpleNamespace
    >>> from tfp_bvae.data import lorenz
    >>> split = lorenz(num_conditions=1).valid
    >>> posterior = SimpleNamespace(rates=split.truth, rates_scale=None)  # as if all were known
    >>> len(figure_of_trials(split, posterior, bin_width=0.02).subfigs)
    2
    """
    count = len(split.recon)
    checks.same_length(["split", "posterior"], [count, len(posterior.rates)], "trials")
    view = _View(split, posterior, bin_width, start)
    trials = view.examples() if trials is None else list(trials)
    with matplotlib.rc_context(STYLE):
        figure = NotebookFigure(figsize=(7.2, 1.9 * len(trials) + 2.3), layout="constrained")
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.9 * len(trials), 2.1])
        _draw_maps(top, view, trials)
        _draw_channels(bottom, view, trials[0], history)
    return figure


class _View:
    """Spikes, true and inferred rates over the bins that are predicted."""

    def __init__(self, split: Split, posterior: Posterior, bin_width: float, start: float):
        skipped = split.recon.shape[1] - posterior.rates.shape[1]
        self.spikes = split.recon[:, skipped:]
        self.true = None if split.truth is None else split.truth[:, skipped:]
        self.inferred, self.scale = posterior.rates, posterior.rates_scale
        self.bin_width, self.start = bin_width, start
        self.clearest = self.inferred if self.true is None else self.true

    def examples(self) -> list[int]:
        """A lively and a typical trial, by rank: not by how well they were inferred."""
        lively = variance(self.clearest, 1).sum(axis=-1)
        rank = np.argsort(lively, kind="stable")
        places = (0.9, 0.5) if len(rank) > 1 else (0.5,)
        return [int(rank[int(place * len(rank))]) for place in places]

    def rates(self, trial: int) -> list[np.ndarray]:
        """True rates where known, and inferred ones."""
        return [x[trial] for x in (self.true, self.inferred) if x is not None]

    def order(self, trial: int) -> np.ndarray:
        """Channels by the time of their peak."""
        return by_peak(self.clearest[trial])


def _draw_maps(figure: SubFigure, view: _View, trials: Sequence[int]) -> None:
    """A row of maps for each trial."""
    titles = ["spikes", *([] if view.true is None else ["true rates"]), "inferred rates"]
    grid = figure.subplots(len(trials), len(titles), squeeze=False, sharex=True, sharey=True)
    shown = [x[trials] for x in (view.true, view.inferred) if x is not None]
    vmax = max(np.nanquantile(x, 0.995) for x in shown) / view.bin_width
    most = max(np.nanmax(view.spikes[trials]), 1)
    for row, trial in zip(grid, trials, strict=True):
        order = view.order(trial)
        counts, width = view.spikes[trial], view.bin_width
        plot_spikes(counts, width, start=view.start, order=order, vmax=most, ax=row[0])
        for ax, rates in zip(row[1:], view.rates(trial), strict=True):
            plot_rates(rates, width, start=view.start, order=order, vmax=vmax, ax=ax)
        row[0].set_ylabel(f"trial {trial}\nchannel, by time of peak")
    for ax, title in zip(grid[0], titles, strict=True):
        ax.set_title(title)
    for ax in grid.flat:
        ax.label_outer()
    figure.colorbar(
        grid[0, 0].images[-1],
        ax=grid[:, 0],
        label="spikes per bin",
        aspect=40,
        ticks=MaxNLocator(5, integer=True),
    )
    figure.colorbar(
        grid[0, -1].images[-1], ax=grid[:, 1:], label="rate (spikes/s)", aspect=40, extend="max"
    )


def _draw_channels(
    figure: SubFigure, view: _View, trial: int, history: Sequence[Mapping[str, float]] | None
) -> None:
    """Channels of low, middle and high peak rate, and the course of the fit."""
    panels = figure.subplots(1, 3 if not history else 4, squeeze=False)[0]
    clearest = view.clearest[trial]
    highest = np.where(np.isnan(clearest), 0.0, clearest).max(axis=0)
    by_height = np.argsort(highest, kind="stable")
    places = np.round(np.array([0.5, 0.75, 1.0]) * (len(by_height) - 1))
    chosen = by_height[places.astype(int)]
    for ax, channel in zip(panels, chosen, strict=False):
        one = (trial, slice(None), channel)
        plot_channel(
            view.inferred[one],
            view.bin_width,
            scale=None if view.scale is None else view.scale[one],
            true=None if view.true is None else view.true[one],
            spikes=view.spikes[one],
            start=view.start,
            key=False,
            ax=ax,
        )
        ax.set_title(f"trial {trial}, channel {channel}")
        ax.xaxis.set_major_locator(MaxNLocator(2))
    for ax in panels[1:3]:
        ax.set_ylabel("")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    if history:
        plot_history(history, ax=panels[-1])
        panels[-1].set_title("course of the fit")
