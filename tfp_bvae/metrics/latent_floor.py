"""Gaussian-process factor analysis, where elephant is installed."""

from __future__ import annotations

import contextlib
import importlib.util
import io

import numpy as np

__all__ = ["gpfa_latents", "has_elephant"]

MOST_TRIALS = 100  # that the factor analysis is fitted to
ITERATIONS = 50  # of expectation maximisation


def has_elephant() -> bool:
    """Whether elephant can be imported.

    >>> isinstance(has_elephant(), bool)
    True
    """
    return importlib.util.find_spec("elephant") is not None


def gpfa_latents(
    train: np.ndarray, valid: np.ndarray, bin_width: float, dims: int
) -> tuple[np.ndarray, np.ndarray]:
    r"""Latent paths of trials by Gaussian-process factor analysis of the roots of their counts.

    $$\sqrt{k_t} \sim N(C x_t + d, R), \qquad x_{\cdot, i} \sim GP(0, K_i)$$

    Fitted by elephant to at most 100 of the training trials, evenly chosen.

    Args:
        train: counts of training trials, `[trial, time, channel]`, all finite.
        valid: of other trials, the same bins and channels.
        bin_width: s.
        dims: number of latents, below that of the channels that have spikes.

    Returns:
        Posterior means of both, `[trial, time, dims]`.

    Raises:
        ImportError: elephant is not installed.

    Yu et al. (2009), "Gaussian-process factor analysis for low-dimensional single-trial analysis of
    neural population activity".
    """
    try:
        from elephant.gpfa import gpfa_core
    except ImportError as error:
        raise ImportError("GPFA needs elephant: pip install elephant") from error
    alive = train.std(axis=(0, 1)) > 0
    chosen = np.unique(np.linspace(0, len(train) - 1, min(MOST_TRIALS, len(train))).astype(int))
    with contextlib.redirect_stdout(io.StringIO()):  # it prints as it goes
        params, _ = gpfa_core.fit(
            _sequences(train[chosen][..., alive]),
            x_dim=dims,
            bin_width=1000.0 * bin_width,
            em_max_iters=ITERATIONS,
            em_tol=1e-5,
        )
        found = [
            gpfa_core.exact_inference_with_ll(_sequences(x[..., alive]), params, get_ll=False)[0]
            for x in (train, valid)
        ]
    latents = (np.stack([x.T for x in sequences["latent_variable"]]) for sequences in found)
    return tuple(latents)


def _sequences(counts: np.ndarray) -> np.ndarray:
    """Trials as elephant's GPFA wants them."""
    rows = [(trial.shape[0], np.sqrt(np.maximum(trial, 0.0)).T) for trial in counts]
    sequences = np.empty(len(rows), dtype=[("T", int), ("y", "O")])
    for place, row in enumerate(rows):
        sequences[place] = row
    return sequences
