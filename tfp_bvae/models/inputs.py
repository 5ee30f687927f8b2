"""From a split of a dataset to what a model takes and predicts."""

from __future__ import annotations

import numpy as np

from tfp_bvae.data import Split, require_counts
from tfp_bvae.models.arguments import is_of_counts
from tfp_bvae.models.base import BetaVAE

__all__ = ["model_arrays"]


def model_arrays(model: BetaVAE, split: Split) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The named inputs of a model, and the data that it is to explain.

    Args:
        model: a model of this package.
        split: the trials.

    Returns:
        Inputs by name, and targets `[trial, time - segment + forward_bins, outputs]`.

    Raises:
        ValueError: if the split does not have the channels, bins or external inputs that the
            model was built for, or counts that are not whole numbers under a Poisson model.
    """
    arguments = model.hyperparameters["arguments"]
    _check_sizes(arguments, split)
    segment = model.hyperparameters["params"]["segment"]
    if segment >= split.encod.shape[1]:
        raise ValueError(
            f"segment must be shorter than the trials of {split.encod.shape[1]} bins, got {segment}"
        )
    if is_of_counts(arguments["likelihood"]):
        require_counts(split)
    inputs = {"spikes": split.encod}
    if arguments["ext_inputs"]:
        inputs["ext_input"] = split.ext_input
    if "trial" in model.input_names:
        inputs["trial"] = np.arange(len(split.encod), dtype=np.int32)
    return inputs, split.recon[:, segment:]


def _check_sizes(arguments: dict, split: Split) -> None:
    ext_inputs = 0 if split.ext_input is None else split.ext_input.shape[-1]
    forward = split.recon.shape[1] - split.encod.shape[1]
    for name, expected, got in (
        ("encoded channels", arguments["channels"], split.encod.shape[-1]),
        ("predicted channels", arguments["outputs"], split.recon.shape[-1]),
        ("bins after the encoded ones", arguments["forward_bins"], forward),
        ("external inputs", arguments["ext_inputs"], ext_inputs),
    ):
        if expected != got:
            raise ValueError(f"the data must have {expected} {name}, as the model, got {got}")
