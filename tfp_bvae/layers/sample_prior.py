"""Paths drawn from a prior, with the distribution that each step was drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae import checks
from tfp_bvae.distributions.mean_field import unwrapped
from tfp_bvae.layers.base import DistributionLayer
from tfp_bvae.rnn.noise import standard_normal

__all__ = ["sample_z_prior"]


def sample_z_prior(
    prior_layer: DistributionLayer,
    num_timesteps: int | tf.Tensor,
    samples: int = 1,
    batches: int | tf.Tensor = 1,
    fixed: bool = False,
    seed: Sequence[int] | tf.Tensor | None = None,
) -> tuple[tf.Tensor, tfd.MultivariateNormalLinearOperator]:
    """Draw paths from a prior layer: many samples, many trials, or one path for all trials.

    `z_t ~ p(z_t | z_{<t})`, from `z_0 = 0`, on the prior's own samples: this is generation, and
    no objective to train a prior with (`KLDivergence` conditions on the posterior's sample).

    Args:
        prior_layer: a prior over paths, such as `AR1Prior` or `RecurrentMVNPrior`.
        num_timesteps: T, the number of steps, in bins.
        samples: S, the number of paths of each trial.
        batches: B, the number of trials.
        fixed: whether all trials share their S paths.
        seed: two integers that fix the draws, the same with and without XLA; None for
            TensorFlow's global generator.

    Returns:
        The paths `[S, B, T, D]`, and the distribution of each step given the steps before it,
        batch shape `[S, B, T]` and event shape `[D]`.

    Raises:
        TypeError: if the layer is no prior over paths, or `samples` is no whole number.
        ValueError: if a number is below one.

    Source: `sample_dynamic_prior` of the example disentangled_vae of TensorFlow Probability.

    >>> from tfp_bvae.layers import AR1Prior
    >>> path, steps = sample_z_prior(AR1Prior(2), num_timesteps=50, samples=4, batches=3)
    >>> path.shape, steps.batch_shape
    (TensorShape([4, 3, 50, 2]), TensorShape([4, 3, 50]))
    """
    samples = checks.whole_number("samples", samples, 1)
    if not tf.is_tensor(num_timesteps):
        checks.whole_number("num_timesteps", num_timesteps, 1)
    if not tf.is_tensor(batches):
        checks.whole_number("batches", batches, 1)
    checks.boolean("fixed", fixed)
    prior = _prior_of_paths(prior_layer, num_timesteps)
    if seed is None:
        seed = tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32)
    drawn = 1 if fixed else batches
    shape = tf.stack([samples, drawn, num_timesteps, prior_layer.event_size])
    path = prior.from_noise(standard_normal(shape, seed, prior.dtype))
    if fixed:
        path = tf.tile(path, tf.stack([1, batches, 1, 1]))
    return path, prior.conditionals(path)


def _prior_of_paths(prior_layer: DistributionLayer, num_timesteps: int | tf.Tensor):
    """The distribution of a layer for paths of this length."""
    if not isinstance(prior_layer, DistributionLayer):
        raise TypeError(f"prior_layer must be a prior layer, got {type(prior_layer).__name__}")
    prior = unwrapped(prior_layer(tf.zeros(tf.stack([1, num_timesteps, 1]))))
    if not hasattr(prior, "from_noise"):
        raise TypeError(
            "prior_layer must be a prior over paths, such as AR1Prior, RecurrentMVNPrior, "
            f"StandardNormalPrior or TiledMVNPrior, got {type(prior_layer).__name__}"
        )
    return prior
