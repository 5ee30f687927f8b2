"""`tfp-bvae adopt`."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfp_bvae.cli.fit import write_results
from tfp_bvae.cli.folders import keep_data, require_free
from tfp_bvae.cli.scores import score_table
from tfp_bvae.cli.sessions import read_sessions
from tfp_bvae.cli.settings import part, read_settings
from tfp_bvae.data import SpikeDataset
from tfp_bvae.models import Arguments, BetaVAE, Params, from_lfads_torch
from tfp_bvae.models.lfads_torch.reading import read_checkpoint
from tfp_bvae.models.lfads_torch.settings import LIKELIHOODS
from tfp_bvae.training import FitSettings, Run, create_run, data_arguments, hold_run
from tfp_bvae.training.holding import clear_run
from tfp_bvae.training.run import write_json

__all__ = ["run"]

MODEL = "lfads"


def run(options: Namespace) -> None:
    """Make the run that a fit would have made, of weights that lfads-torch has fitted."""
    given = read_settings(MODEL, options.set, seed=options.seed)
    weights, stored = read_checkpoint(options.weights)
    config = stored | _config(options.config)
    likelihood = LIKELIHOODS.get(config.get("reconstruction", "Poisson"), "poisson")
    data = read_sessions(options.data, likelihood, given.get("bin_width"))
    arguments = data_arguments(data, likelihood).replace(part(given, Arguments))
    model = from_lfads_torch(weights, config, arguments, part(given, Params))
    path = Path(options.out)
    require_free(path, options)
    with hold_run(path):
        require_free(path, options)
        clear_run(path)  # nothing, or what is to be overwritten
        try:
            found = _run_of(path, model, data, options, given)
            keep_data(found, data)
            write_json(path / "adopted.json", _origin(options))
            found.save_model(model)
            weights_that_train = sum(int(w.shape.num_elements()) for w in model.trainable_weights)
            figures = {"trainable_weights": weights_that_train}
            write_results(found, model, data, figures, quiet=True)
        except Exception:
            clear_run(path)
            raise
    print(f"{score_table(json.loads(found.metrics_file.read_text()))}\n\n{path}/: {_files(path)}")


def _run_of(
    path: Path, model: BetaVAE, data: SpikeDataset, options: Namespace, given: dict[str, Any]
) -> Run:
    """The folder, with what the model says of itself."""
    known = model.hyperparameters
    arguments, params = Arguments.of(known["arguments"]), Params.of(known["params"])
    file = path / "data.h5" if len(options.data) > 1 else options.data[0]
    fit = FitSettings.of(part(given, FitSettings))
    return create_run(path, MODEL, data, arguments, params, fit, file)


def _config(words: Sequence[str]) -> dict[str, Any]:
    """Settings of lfads-torch, of words NAME=VALUE: numbers, true, false, or text."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not name or not equals or not text:
            raise ValueError(f"--config must be given NAME=VALUE, got {word!r}")
        if name in found:
            raise ValueError(f"--config must give {name} once, got it twice")
        try:
            found[name] = json.loads(text.lower())
        except json.JSONDecodeError:
            found[name] = text
    return found


def _origin(options: Namespace) -> dict[str, Any]:
    """Where the weights are from, and the command that made the run."""
    words = ["tfp-bvae", "adopt", options.weights, *options.data, "--out", options.out]
    for option, values in (("--config", options.config), ("--set", options.set)):
        words += [word for value in values for word in (option, value)]
    content = Path(options.weights).read_bytes()
    return {
        "weights": os.path.abspath(options.weights),
        "sha256": hashlib.sha256(content).hexdigest(),
        "command": words + ([] if options.seed is None else ["--seed", options.seed]),
    }


def _files(path: Path) -> str:
    files = ", ".join(sorted(file.name for file in path.glob("[!.]*.*")))
    return f"{files}\nto look at it: {shlex.join(['tfp-bvae', 'report', str(path)])}"
