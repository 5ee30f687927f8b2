"""`tfp-bvae demo`: a simulated recording, a fit, and a picture of what the fit found."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from tfp_bvae.cli.fit import fit_run, make_way
from tfp_bvae.data import lorenz, read_arrays, write_hdf5
from tfp_bvae.inference import Posterior
from tfp_bvae.plots import figure_of_trials, save_figure
from tfp_bvae.training import Run, create_run, data_arguments

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Simulate, fit, infer, draw."""
    path = Path(options.out)
    make_way(path, options.overwrite)
    data = lorenz(options.seed)
    found = create_run(
        path,
        "lfads",
        data,
        data_arguments(data, seed=options.seed),
        fit={"epochs": options.epochs},
        data_file=path / "data.h5",
    )
    write_hdf5(found.path / "data.h5", data)
    print(f"Simulated spikes of a Lorenz system: {data}\nFitting LFADS to them.")
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
