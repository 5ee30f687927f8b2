"""`tfp-bvae demo`: a simulated recording, a fit, and a picture of what the fit found."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from tfp_bvae.cli.fit import fit_run
from tfp_bvae.cli.folders import keep_data, require_free
from tfp_bvae.data import SpikeDataset, lorenz, read_arrays
from tfp_bvae.inference import Posterior
from tfp_bvae.plots import figure_of_trials, save_figure
from tfp_bvae.training import Run, create_run, data_arguments, hold_run, open_run
from tfp_bvae.training.holding import clear_run, is_blank

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Simulate, fit, infer, draw."""
    path = Path(options.out)
    require_free(path, options)
    with hold_run(path):
        _show(*(_resumed if options.resume and not is_blank(path) else _started)(path, options))


def _started(path: Path, options: Namespace) -> tuple[Run, SpikeDataset]:
    data = lorenz(options.seed)
    require_free(path, options)
    clear_run(path)  # nothing, or what is to be overwritten
    arguments, file = data_arguments(data, seed=options.seed), path / "data.h5"
    found = create_run(
        path, "lfads", data, arguments, fit={"epochs": options.epochs}, data_file=file
    )
    keep_data(found, data)
    print(f"Simulated spikes of a Lorenz system: {data}\nFitting LFADS to them.")
    return found, data


def _resumed(path: Path, options: Namespace) -> tuple[Run, SpikeDataset]:
    """As it began, whatever the other options say."""
    found = open_run(path)
    data = lorenz(found.arguments.seed)
    found.require_same(data)
    keep_data(found, data)
    return found, data


def _show(found: Run, data: SpikeDataset) -> None:
    fit_run(found, data)
    figure = figure_of_trials(data.valid, _valid(found), data.bin_width, found.history())
    scores = json.loads(found.metrics_file.read_text(encoding="utf-8"))["valid"]
    figure.suptitle(
        "LFADS on a simulated Lorenz system, validation trials\n"
        f"rate R² {scores['rate_r2']:.2f}, {scores['bits_per_spike']:.3f} bits/spike "
        f"(the true rates: {scores['bits_per_spike_true']:.3f})",
        fontsize=9,
    )
    save_figure(figure, found.path / "figure.png")
    print(f"{found.path}/figure.png shows spikes, true and inferred rates of validation trials")


def _valid(run: Run) -> Posterior:
    """The posterior of the validation trials, as the run keeps it."""
    arrays, _ = read_arrays(run.posterior_file)
    side = "valid_"
    return Posterior(**{n.removeprefix(side): x for n, x in arrays.items() if n.startswith(side)})
