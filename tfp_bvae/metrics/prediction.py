"""What the Neural Latents Benchmark asks of rates: unseen channels, and bins to come."""

from __future__ import annotations

import numpy as np

from .. import checks
from .spikes import bits_per_spike

__all__ = ["co_smoothing", "forward_prediction"]


def co_smoothing(
    rates: np.ndarray,
    spikes: np.ndarray,
    held_out: np.ndarray,
    forward: np.ndarray | None = None,
) -> float:
    """Bits per spike of channels that the encoders did not see, in bins that they saw.

    `bits_per_spike` of these channels; `co-bps` of the benchmark.

    Args:
        rates: expected spikes per bin, `[trial, time, channel]`.
        spikes: counts of the same shape; NaN marks what was not observed, and is left out.
        held_out: which channels were not seen, `[channel]`, bool.
        forward: which bins come after those that were seen, `[time]`, bool; they are left out.

    Raises:
        TypeError: `held_out` or `forward` is not boolean.
        ValueError: as `bits_per_spike`; or no channel is held out.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> rates, spikes = [[[9.0, 1.0], [9.0, 3.0]]], [[[0, 0], [0, 4]]]
    >>> round(co_smoothing(rates, spikes, [False, True]), 6)
    0.584963
    """
    rates, spikes = np.asarray(rates), np.asarray(spikes)
    checks.rank("spikes", spikes.shape, 3)
    checks.rank("rates", rates.shape, 3)
    chosen = _which("held_out", held_out, spikes.shape[2], "channels")
    seen = np.full(spikes.shape[1], True)
    if forward is not None:
        seen = ~_which("forward", forward, spikes.shape[1], "time bins")
    return bits_per_spike(rates[:, seen][..., chosen], spikes[:, seen][..., chosen])


def forward_prediction(rates: np.ndarray, spikes: np.ndarray, forward: np.ndarray) -> float:
    """Bits per spike of all channels in the bins after those that the encoders saw.

    `bits_per_spike` of these bins, of held-in and held-out channels together; `fp-bps` of the
    benchmark.

    Args:
        rates: expected spikes per bin, `[trial, time, channel]`.
        spikes: counts of the same shape; NaN marks what was not observed, and is left out.
        forward: which bins come after those that were seen, `[time]`, bool.

    Raises:
        TypeError: `forward` is not boolean.
        ValueError: as `bits_per_spike`; or there is no such bin.

    Pei et al. (2021), "Neural Latents Benchmark '21".

    >>> rates, spikes = [[[9.0], [1.0], [3.0]]], [[[0], [0], [4]]]
    >>> round(forward_prediction(rates, spikes, [False, True, True]), 6)
    0.584963
    """
    rates, spikes = np.asarray(rates), np.asarray(spikes)
    checks.rank("spikes", spikes.shape, 3)
    checks.rank("rates", rates.shape, 3)
    chosen = _which("forward", forward, spikes.shape[1], "time bins")
    return bits_per_spike(rates[:, chosen], spikes[:, chosen])


def _which(name: str, mask: np.ndarray, size: int, axis: str) -> np.ndarray:
    """A boolean mask of at least one entry of an axis."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"{name} must be boolean, got {mask.dtype}")
    checks.rank(name, mask.shape, 1)
    checks.same_length(["spikes", name], [size, len(mask)], axis)
    if not mask.any():
        raise ValueError(f"{name} must choose at least one of the {axis}, got none")
    return mask
