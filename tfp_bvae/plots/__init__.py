"""Figures. Each function draws on axes it is given, or on new ones; none uses pyplot."""

from tfp_bvae.plots.channel import plot_channel
from tfp_bvae.plots.factors import plot_factors
from tfp_bvae.plots.fit import plot_history, plot_losses
from tfp_bvae.plots.generated import plot_swaps, plot_traversals
from tfp_bvae.plots.inputs import plot_inputs
from tfp_bvae.plots.latents import plot_kl, plot_posterior
from tfp_bvae.plots.maps import plot_rates, plot_spikes, plot_spikes_with_rates
from tfp_bvae.plots.psth import plot_psth
from tfp_bvae.plots.report import write_report
from tfp_bvae.plots.style import COLOURS, STYLE, NotebookFigure, new_axes, save_figure
from tfp_bvae.plots.trials import figure_of_trials
from tfp_bvae.plots.tuning import plot_tuning

__all__ = [  # noqa: RUF022 (plainly by letter)
    "COLOURS",
    "NotebookFigure",
    "STYLE",
    "figure_of_trials",
    "new_axes",
    "plot_channel",
    "plot_factors",
    "plot_history",
    "plot_inputs",
    "plot_kl",
    "plot_losses",
    "plot_posterior",
    "plot_psth",
    "plot_rates",
    "plot_spikes",
    "plot_spikes_with_rates",
    "plot_swaps",
    "plot_traversals",
    "plot_tuning",
    "save_figure",
    "write_report",
]
