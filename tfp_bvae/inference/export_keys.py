"""Posteriors under the names that other tools know: lfads-torch, the Neural Latents Benchmark."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import RowWriter, SpikeDataset, row_blocks, row_file
from tfp_bvae.inference.labels import FittedRun, ModelFacts, require_trials_of
from tfp_bvae.inference.posterior import Posterior
from tfp_bvae.models import BetaVAE

__all__ = ["LFADS_TORCH_KEYS", "write_lfads_torch", "write_nlb"]

#: The names of lfads-torch's output, and what of a `Posterior` stands under each; None: nothing.
LFADS_TORCH_KEYS = {
    "output_params": "rates",
    "factors": "factors",
    "ic_mean": "f",
    "ic_std": "f_scale",
    "co_means": "inferred",
    "co_stds": "inferred_scale",
    "gen_states": None,
    "gen_init": "initial_state",
    "gen_inputs": "gen_inputs",
    "con_states": None,
}
OF_DATA = {"encod": "encod_data", "recon": "recon_data", "ext_input": "ext_input", "truth": "truth"}

Parts = Iterable[tuple[str, slice, Posterior]]


def write_lfads_torch(
    path: str | os.PathLike[str],
    model: BetaVAE | FittedRun,
    parts: Parts,
    num_trials: Mapping[str, int],
    data: SpikeDataset | None = None,
) -> list[str]:
    """Write posteriors as lfads-torch's posterior sampling does: `{split}_output_params` and so on.

    `output_params` are rates, in spikes per bin, as there. `co_means` and `co_stds` are mean and
    standard deviation of the inferred inputs over posterior samples; lfads-torch averages the
    parameters of q instead, so its `co_stds` are smaller where the controller's states vary.
    `gen_states` and `con_states` are no part of a posterior here and are not written.

    Args:
        path: the file; one that is there is replaced at the end.
        model: what gave the posteriors; or its run.
        parts: split, trials of it and their posterior, such as `StoredPosterior.parts` gives them.
        num_trials: of each split.
        data: the trials: they are copied into the file, as there, with arrays of their `attrs`.

    Returns:
        The names, without the split, that the file does not have.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: `data` has other trials.

    >>> import tempfile
    >>> from tfp_bvae.models import lfads
    >>> posterior = Posterior(*np.ones([2, 4, 5, 1]), *np.ones([2, 4, 1]))
    >>> parts = [("train", slice(0, 4), posterior)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_lfads_torch(f"{folder}/a.h5", lfads({"channels": 1}), parts, {"train": 4})
    ['co_means', 'co_stds', 'gen_states', 'gen_init', 'gen_inputs', 'con_states']
    """
    facts = ModelFacts.of(model)
    if data is not None:
        require_trials_of(data, num_trials)
    written: set[str] = set()
    with row_file(path, {"bin_width": facts.arguments["bin_width"]}) as file:
        for side, trials, part in parts:
            arrays = part.arrays()
            inputs = _generator_inputs(facts, part, data, side, trials)
            if inputs is not None:
                arrays["gen_inputs"] = inputs
            named = {new: arrays[old] for new, old in LFADS_TORCH_KEYS.items() if old in arrays}
            keyed = {f"{side}_{name}": array for name, array in named.items()}
            file.write(trials, keyed, num_trials[side])
            written |= set(named)
        if data is not None:
            _copy_data(file, data, num_trials)
    return [name for name in LFADS_TORCH_KEYS if name not in written]


def write_nlb(
    path: str | os.PathLike[str],
    name: str,
    model: BetaVAE | FittedRun,
    parts: Parts,
    num_trials: Mapping[str, int],
) -> None:
    """Write rates as a submission to the Neural Latents Benchmark: a group with its six keys.

    `train_rates_heldin`, `train_rates_heldout`, `eval_rates_heldin`, `eval_rates_heldout` and, of
    a model that predicts later bins, `eval_rates_heldin_forward`, `eval_rates_heldout_forward`; in
    spikes per bin. What is evaluated are the trials of "valid".

    Args:
        path: the file; one that is there is replaced at the end.
        name: of the group: a dataset of the benchmark, `mc_maze` in bins of 5 ms, `mc_maze_20`
            in bins of 20 ms.
        model: what gave the posteriors; or its run.
        parts: split, trials of it and their posterior, such as `StoredPosterior.parts` gives them.
        num_trials: of each split.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: the model has no held-out channels, does not say the rates of all bins, or is
            not one of counts; or a rate is not finite.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> import tempfile
    >>> from tfp_bvae.data import read_arrays
    >>> from tfp_bvae.models import lfads
    >>> model = lfads({"channels": 2, "outputs": 3})
    >>> posterior = Posterior(np.ones([4, 5, 3]), *np.ones([1, 4, 5, 1]), *np.ones([2, 4, 1]))
    >>> parts = [("valid", slice(4), posterior)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_nlb(f"{folder}/a.h5", "mc_rtt", model, parts, {"valid": 4})
    ...     {key: x.shape for key, x in read_arrays(f"{folder}/a.h5")[0].items()}
    {'mc_rtt/eval_rates_heldin': (4, 5, 2), 'mc_rtt/eval_rates_heldout': (4, 5, 1)}
    """
    checks.text("name", name)
    facts = ModelFacts.of(model)
    seen, later = facts.arguments["channels"], facts.arguments["forward_bins"]
    if facts.arguments["outputs"] == seen:
        raise ValueError("model must have held-out channels (outputs above channels), got none")
    if facts.params["segment"] or facts.rates_unit != "spikes per bin":
        raise ValueError("model must say the rates of all bins, got a segment, or no counts")
    with row_file(path) as file:
        for side, trials, part in parts:
            if not np.isfinite(part.rates).all():
                raise ValueError(f"rates must be finite in all bins, got NaN in {side} trials")
            bins = part.rates.shape[1] - later
            label = {"train": "train", "valid": "eval"}[side]
            arrays = {
                f"{label}_rates_heldin": part.rates[:, :bins, :seen],
                f"{label}_rates_heldout": part.rates[:, :bins, seen:],
            }
            if later and label == "eval":
                arrays["eval_rates_heldin_forward"] = part.rates[:, bins:, :seen]
                arrays["eval_rates_heldout_forward"] = part.rates[:, bins:, seen:]
            keyed = {f"{name}/{key}": array for key, array in arrays.items()}
            file.write(trials, keyed, num_trials[side])


def _generator_inputs(
    facts: ModelFacts, part: Posterior, data: SpikeDataset | None, side: str, trials: slice
) -> np.ndarray | None:
    """Inferred and known inputs side by side; None if there are none, or the known not at hand."""
    found = [] if part.inferred is None else [part.inferred]
    if facts.arguments["ext_inputs"]:
        if data is None:
            return None
        known = getattr(data, side).ext_input[trials]
        found.append(known[:, facts.params["segment"] :])
    return np.concatenate(found, axis=-1) if found else None


def _copy_data(file: RowWriter, data: SpikeDataset, num_trials: Mapping[str, int]) -> None:
    for side, count in num_trials.items():
        split = getattr(data, side)
        for field, key in OF_DATA.items():
            array = getattr(split, field)
            if array is not None:
                for rows in row_blocks(array):
                    file.write(rows, {f"{side}_{key}": array[rows]}, count)
    if data.train.truth is not None:
        file.write(slice(0, 1), {"conversion_factor": np.ones(1)}, 1)
    for name, value in data.attrs.items():
        array: Any = np.asarray(value)
        if array.ndim and array.size and array.dtype.kind in "biuf":
            file.write(slice(None), {name: array}, len(array))
