"""Figures. Each function draws on axes it is given, and hands them back; none uses pyplot."""

from tfp_bvae.plots.axes import plot_channel, plot_history, plot_rates, plot_spikes
from tfp_bvae.plots.style import COLOURS, STYLE, NotebookFigure, save_figure
from tfp_bvae.plots.trials import figure_of_trials

__all__ = [  # noqa: RUF022 (plainly by letter)
    "COLOURS",
    "NotebookFigure",
    "STYLE",
    "figure_of_trials",
    "plot_channel",
    "plot_history",
    "plot_rates",
    "plot_spikes",
    "save_figure",
]
