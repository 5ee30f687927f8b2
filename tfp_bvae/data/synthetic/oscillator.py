"""Neurons with a static part, the class of the trial, and a dynamic one, a noisy oscillator."""

from __future__ import annotations

import math

import numpy as np

from ... import checks
from ..containers import SpikeDataset
from .conditions import as_dataset, condition_indices, training_trials

LATENT_DIM = 2
PERSISTENCE = 0.98  # of the oscillator from bin to bin: its phase is lost after some 50 bins
PERIOD = 25  # bins
STRENGTH = (0.4, 0.8)  # least and largest length of a neuron's loadings, in log-rate


def static_dynamic(
    seed: int = 0,
    *,
    num_classes: int = 4,
    num_channels: int = 30,
    num_trials: int = 300,
    num_valid: int = 50,
    num_bins: int = 40,
    bin_width_ms: int = 20,
    base_rate: float = 40.0,
) -> SpikeDataset:
    r"""Poisson spikes that say the class of a trial, and where a noisy oscillator is in each bin.

    $$z_1 \sim \mathcal N(0, I), \quad z_t = \rho R z_{t-1} + \sqrt{1 - \rho^2}\,\epsilon_t, \quad
      \epsilon_t \sim \mathcal N(0, I), \quad
      \log r_t = \log b + e_{c} A + z_t C$$

    $R$ turns by a 25th of a circle and $\rho = 0.98$: the oscillator is stationary, each trial
    begins at a phase of its own, and $\mathrm{E}[z_{t+k} z_t^\top] = \rho^k R^k$. The embeddings
    $e_c$ of the classes stand on the unit circle at equal distances, turned by a random angle. Each
    neuron has static loadings, a column of $A$, and dynamic loadings, a column of $C$, of random
    direction and of length U(0.4, 0.8). The class and the oscillator are independent.

    Trials are ordered by class; the last `num_valid` of each class are for validation.

    Args:
        seed: seed of `numpy.random.default_rng`; the same seed gives the same data. The neurons,
            the oscillator and the counts have a stream each: more trials do not change the neurons.
        num_classes: number of classes; with 1, nothing is static but the neurons.
        num_channels: number of neurons.
        num_trials: trials per class, training and validation together.
        num_valid: validation trials per class.
        num_bins: length of a trial, bins.
        bin_width_ms: width of a bin, ms. The oscillator moves from bin to bin, whatever they are.
        base_rate: rate $b$ of a neuron where both latents are zero, spikes/s.

    Returns:
        A dataset with `truth` (expected spikes per bin), and in `attrs`: `train_static` and
        `valid_static` `[trial]`, the class of each trial; `train_dynamic` and `valid_dynamic`
        `[trial, bin, 2]`, $z$; `static_embedding` `[class, 2]`, `static_loadings` and
        `dynamic_loadings` `[2, channel]`, and `transition` `[2, 2]`, $\rho R$.

    Raises:
        TypeError: a size is not a whole number.
        ValueError: a size is too small, or `num_valid` leaves no training trial.

    In the manner of the sequences with a static and a dynamic factor of Li and Mandt (2018),
    "Disentangled sequential autoencoder"; the linear oscillator makes the truth exact.

    >>> data = static_dynamic(seed=1, num_trials=5, num_valid=1)
    >>> data.train
    Split(16 trials, encod 40 x 30, recon 40 x 30, truth)
    >>> data.attrs["valid_static"], data.attrs["valid_dynamic"].shape
    (array([0, 1, 2, 3]), (4, 40, 2))
    """
    checks.whole_number("seed", seed, minimum=0)
    checks.whole_number("num_classes", num_classes, minimum=1)
    checks.whole_number("num_channels", num_channels, minimum=1)
    num_train = training_trials(num_trials, num_valid)
    checks.whole_number("num_bins", num_bins, minimum=1)
    checks.whole_number("bin_width_ms", bin_width_ms, minimum=1)
    base_rate = checks.positive("base_rate", base_rate)
    neuron_rng, latent_rng, count_rng = np.random.default_rng(seed).spawn(3)

    embedding = _on_circle(num_classes, neuron_rng.uniform(0, 2 * math.pi))
    static_loadings = draw_loadings(neuron_rng, num_channels)
    dynamic_loadings = draw_loadings(neuron_rng, num_channels)
    noise = latent_rng.standard_normal((num_classes, num_trials, num_bins, LATENT_DIM))
    transition = transition_matrix()
    dynamic = oscillate(transition, noise)  # [class, trial, bin, 2]

    log_base = math.log(base_rate * bin_width_ms / 1000)
    offsets = log_base + embedding @ static_loadings  # [class, channel]
    rates = np.exp(offsets[:, None, None] + dynamic @ dynamic_loadings)
    return as_dataset(
        count_rng.poisson(rates),
        rates,
        num_train,
        bin_width_ms / 1000,
        per_trial={"static": condition_indices(num_classes, num_trials), "dynamic": dynamic},
        attrs={
            "static_embedding": embedding,
            "static_loadings": static_loadings,
            "dynamic_loadings": dynamic_loadings,
            "transition": transition,
        },
    )


def _on_circle(count: int, turn: float) -> np.ndarray:
    """Points on the unit circle at equal distances, the first at the angle `turn`: `[point, 2]`."""
    angle = turn + 2 * math.pi * np.arange(count) / count
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def draw_loadings(rng: np.random.Generator, num_channels: int) -> np.ndarray:
    """Random directions, of random length: `[2, channel]`."""
    angle = rng.uniform(0, 2 * math.pi, size=num_channels)
    return rng.uniform(*STRENGTH, size=num_channels) * np.stack([np.cos(angle), np.sin(angle)])


def transition_matrix() -> np.ndarray:
    """What one bin does to the oscillator: a turn, and a little decay."""
    turn = 2 * math.pi / PERIOD
    rotation = [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    return PERSISTENCE * np.array(rotation)


def oscillate(transition: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Paths `[..., bin, 2]` of the stationary oscillator, from as many standard normal numbers."""
    path = np.empty_like(noise)
    path[..., 0, :] = noise[..., 0, :]
    for step in range(1, noise.shape[-2]):
        fresh = math.sqrt(1 - PERSISTENCE**2) * noise[..., step, :]
        path[..., step, :] = path[..., step - 1, :] @ transition.T + fresh
    return path
