"""The posterior of whole datasets, in files and in scores."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import Split, StoredArray, channels_apart, row_blocks, write_arrays
from tfp_bvae.inference.posterior import Posterior
from tfp_bvae.metrics import RunningBitsPerSpike, RunningR2
from tfp_bvae.models import BetaVAE, is_of_counts, model_arrays

__all__ = ["RATES_UNIT", "SCORE_LABELS", "Scores", "score", "write_posterior"]

RATES_UNIT = "expected spikes per bin"
SCORE_LABELS = {
    "bits_per_spike": "bits/spike",
    "bits_per_spike_held_out": "bits/spike, held-out channels (co-smoothing)",
    "bits_per_spike_forward": "bits/spike, later bins",
    "bits_per_spike_true": "bits/spike that the true rates give",
    "rate_r2": "rate R2, mean over channels",
    "rate_r2_pooled": "rate R2, pooled",
    "r2": "R2 of the data, mean over channels",
}


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
    write_arrays(path, arrays, {"rates_unit": RATES_UNIT, **(attrs or {})})


def score(model: BetaVAE, split: Split, rates: np.ndarray | StoredArray) -> dict[str, float | None]:
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
        reach. For a Gaussian model `r2` of the data instead of bits. What was not observed, or is
        after the end of a trial (NaN), is left out; R2 is the mean over channels of which
        something is known. The channels of each session are neurons of their own.

    Raises:
        ValueError: if the trials do not suit the model.

    >>> from tfp_bvae.data import lorenz
    >>> from tfp_bvae.models import lfads
    >>> split = lorenz(num_conditions=1).valid
    >>> round(score(lfads({"channels": 30}), split, split.truth)["rate_r2"], 3)
    1.0
    """
    scores = Scores(model, split)
    checks.same_length(["split", "rates"], [split.num_trials, len(rates)], "trials")
    for trials in row_blocks(rates):
        scores.add(trials, rates[trials])
    return scores.result()


class Scores:
    """`score` of rates that come some trials at a time.

    Args:
        model: the model that gave the rates.
        split: all the trials, in memory or on disk.

    Raises:
        ValueError: if the trials do not suit the model.

    >>> from tfp_bvae.data import lorenz
    >>> from tfp_bvae.models import lfads
    >>> split = lorenz(num_conditions=1).valid
    >>> scores = Scores(lfads({"channels": 30}), split)
    >>> for trials in (slice(0, 3), slice(3, 4)):
    ...     scores.add(trials, split.truth[trials])
    >>> round(scores.result()["rate_r2"], 3)
    1.0
    """

    def __init__(self, model: BetaVAE, split: Split):
        _, self._targets = model_arrays(model, split)
        skipped = split.recon.shape[1] - self._targets.shape[1]
        self._truth = None if split.truth is None else split.truth[:, skipped:]
        self._session = split.session
        self._sessions = model.hyperparameters["arguments"].get("num_sessions")
        self._bits, self._r2 = {}, {}
        if is_of_counts(model.hyperparameters["arguments"]["likelihood"]):
            self._regions = _regions(split, skipped)
            self._bits = {name: RunningBitsPerSpike() for name in self._regions}
        else:
            self._r2["r2"] = RunningR2()
        if self._truth is not None:
            self._r2 |= {"rate_r2": RunningR2(), "rate_r2_pooled": RunningR2()}
            if self._bits:
                self._bits["bits_per_spike_true"] = RunningBitsPerSpike()

    def add(self, trials: slice, rates: np.ndarray) -> None:
        """Take some trials in.

        Args:
            trials: which.
            rates: of these, expected spikes per bin, `[trial, time, outputs]`.
        """
        targets = self._targets[trials]
        truth = None if self._truth is None else self._truth[trials]
        for name, bits in self._bits.items():
            if name == "bits_per_spike_true":
                pair = truth, np.where(np.isnan(truth), np.nan, targets)
            else:
                pair = rates[self._regions[name]], targets[self._regions[name]]
            bits.add(*self._of_neurons(trials, pair))
        for name, r2 in self._r2.items():
            pair = rates, targets if name == "r2" else truth
            if name == "rate_r2_pooled":
                r2.add(*(x.reshape(-1, 1) for x in pair))
            else:
                r2.add(*self._of_neurons(trials, pair))

    def _of_neurons(self, trials: slice, arrays: tuple) -> list[np.ndarray]:
        """One column for each neuron: a channel is another one in each session."""
        if self._sessions is None:
            return list(arrays)
        return [channels_apart(x, self._session[trials], self._sessions) for x in arrays]

    def result(self) -> dict[str, float | None]:
        """The scores of all trials that were added, by name; those of `score`."""
        bits = {name: b.result() if b.spikes else None for name, b in self._bits.items()}
        r2 = {name: float(np.nanmean(r.result())) for name, r in self._r2.items()}
        true = {name: bits.pop(name) for name in ("bits_per_spike_true",) if name in bits}
        return bits | r2 | true


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
