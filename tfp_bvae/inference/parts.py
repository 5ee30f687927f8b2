"""The posterior of more trials than memory holds: some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.inference.posterior import Posterior, sample_and_average
from tfp_bvae.models import BetaVAE

__all__ = ["posterior_parts"]


def posterior_parts(
    model: BetaVAE,
    split: Split,
    num_samples: int = 50,
    batch_size: int = 64,
    samples_at_once: int = 10,
    seed: int = 0,
) -> Iterator[tuple[slice, Posterior]]:
    """What `sample_and_average` gives, for `batch_size` trials after the other.

    Memory is that of these trials, however many the split has on disk. All parts go through the
    model in one shape, so that it is compiled once for splits of any size.

    Args:
        model: a fitted model.
        split: the trials.
        num_samples: of the posterior.
        batch_size: trials of a part.
        samples_at_once: samples of each trial at a time.
        seed: of the samples: the same seed and sizes give the same result.

    Yields:
        Which trials, and their posterior.

    Raises:
        ValueError: if the trials do not suit the model, or a number is below 1.

    >>> from tfp_bvae.data import Split
    >>> from tfp_bvae.models import dsae
    >>> spikes = np.ones([5, 8, 2])
    >>> parts = posterior_parts(dsae({"channels": 2}), Split(spikes, spikes), 2, batch_size=3)
    >>> [(rows.start, part.rates.shape) for rows, part in parts]
    [(0, (3, 8, 2)), (3, (2, 8, 2))]
    """
    checks.whole_number("batch_size", batch_size, 1)
    for number, first in enumerate(range(0, split.num_trials, batch_size)):
        last = min(first + batch_size, split.num_trials)
        trials = np.minimum(np.arange(first, first + batch_size), last - 1)
        own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)
        found = sample_and_average(
            model, split.select(trials), num_samples, batch_size, samples_at_once, own
        ).arrays()
        yield slice(first, last), Posterior(**{n: x[: last - first] for n, x in found.items()})
