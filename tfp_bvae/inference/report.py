"""The posterior of whole datasets, in files and in scores."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from tfp_bvae.data import Split, write_arrays
from tfp_bvae.inference.posterior import Posterior
from tfp_bvae.metrics import bits_per_spike, r2_per_channel, rate_r2
from tfp_bvae.models import BetaVAE, is_of_counts, model_arrays

__all__ = ["score", "write_posterior"]


def write_posterior(
    path: str | os.PathLike[str],
    posteriors: Mapping[str, Posterior],
    attrs: Mapping[str, float | int | str] | None = None,
) -> None:
    """Write posteriors to an HDF5 file, as `train_rates`, `valid_factors`, ...: all or nothing.

    Args:
        path: the file.
        posteriors: by the name of the split.
        attrs: of the file, beside the unit of the rates.

    Raises:
        FileNotFoundError: the folder does not exist.

    >>> import tempfile
    >>> from tfp_bvae.data import read_arrays
    >>> posterior = Posterior(*np.ones([5, 1, 2, 3]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_posterior(f"{folder}/p.h5", {"valid": posterior})
    ...     sorted(read_arrays(f"{folder}/p.h5")[0])[-1]
    'valid_rates'
    """
    arrays = {
        f"{side}_{name}": array
        for side, posterior in posteriors.items()
        for name, array in posterior.arrays().items()
    }
    write_arrays(path, arrays, {"rates_unit": "expected spikes per bin", **(attrs or {})})


def score(model: BetaVAE, split: Split, rates: np.ndarray) -> dict[str, float | None]:
    """Scores of inferred rates: against the data, and against true rates where they are known.

    Args:
        model: the model that gave the rates.
        split: the trials.
        rates: expected spikes per bin, `[trial, time - segment + forward_bins, outputs]`.

    Returns:
        By name, None where there is no spike to score:
        `bits_per_spike`, of all that is predicted, and where there are such entries
        `bits_per_spike_held_out` (channels that the encoders do not see, in bins that they do see:
        co-smoothing) and `bits_per_spike_forward` (later bins). With true rates: `rate_r2` (per
        channel, then averaged), `rate_r2_pooled`, and `bits_per_spike_true`, what the true rates
        reach. For a Gaussian model `r2` of the data instead of bits.

    Raises:
        ValueError: if the trials do not suit the model.

    >>> from tfp_bvae.data import lorenz
    >>> from tfp_bvae.models import lfads
    >>> split = lorenz(num_conditions=1).valid
    >>> round(score(lfads({"channels": 30}), split, split.truth)["rate_r2"], 3)
    1.0
    """
    _, targets = model_arrays(model, split)
    skipped = split.recon.shape[1] - targets.shape[1]
    truth = None if split.truth is None else split.truth[:, skipped:]
    scores: dict[str, float | None] = {}
    if not is_of_counts(model.hyperparameters["arguments"]["likelihood"]):
        scores["r2"] = float(r2_per_channel(rates, targets).mean())
    else:
        for name, region in _regions(split, skipped).items():
            scores[name] = _bits(rates[region], targets[region])
    if truth is not None:
        scores["rate_r2"] = rate_r2(rates, truth)
        scores["rate_r2_pooled"] = rate_r2(rates, truth, average="pooled")
        if "bits_per_spike" in scores:
            scores["bits_per_spike_true"] = _bits(truth, targets)
    return scores


def _regions(split: Split, skipped: int) -> dict[str, tuple[slice, ...]]:
    """Slices of the targets that are scored apart."""
    _, bins, channels = split.encod.shape
    every = slice(None)
    regions = {"bits_per_spike": (every, every, every)}
    if split.recon.shape[2] > channels:
        seen = slice(None, bins - skipped)
        regions["bits_per_spike_held_out"] = (every, seen, slice(channels, None))
    if split.recon.shape[1] > bins:
        regions["bits_per_spike_forward"] = (every, slice(bins - skipped, None), every)
    return regions


def _bits(rates: np.ndarray, spikes: np.ndarray) -> float | None:
    return bits_per_spike(rates, spikes) if spikes.any() else None
