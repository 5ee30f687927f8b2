"""One draw from a distribution, the same with and without XLA.

TFP's own samplers leave the choice of the generator to TensorFlow: XLA takes another one, slow on
the CPU, and has none at all for gamma variates. Here all randomness is Philox words (`rnn.noise`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import (
    ImportanceWeighted,
    Observed,
    PathDistribution,
    ZeroInflatedPoisson,
)
from tfp_bvae.rnn.noise import random_words, standard_normal

__all__ = ["draw"]


@functools.singledispatch
def draw(distribution: tfd.Distribution, seed: tf.Tensor) -> tf.Tensor:
    """Give one draw, of the batch shape and the event shape of the distribution.

    Gaussians, counts and the processes of this library are made of Philox words; any other
    distribution draws by its own `sample`.

    Args:
        distribution: what to draw from; not the output of a layer, but what it holds.
        seed: two integers, `[2]`.

    >>> draw(tfd.Poisson(tf.fill([3], 4.0)), tf.constant([1, 2])).shape
    TensorShape([3])
    """
    if hasattr(distribution, "reinterpreted_batch_ndims"):  # tfd.Independent, of either kind
        return draw(distribution.distribution, seed)
    return distribution.sample(seed=seed)


@draw.register
def _(distribution: tfd.Normal, seed):
    return distribution.mean() + distribution.scale * _noise(distribution, seed)


@draw.register
def _(distribution: tfd.MultivariateNormalLinearOperator, seed):
    return distribution.mean() + distribution.scale.matvec(_noise(distribution, seed))


@draw.register
def _(distribution: PathDistribution, seed):
    return distribution.from_noise(_noise(distribution, seed))


@draw.register
def _(distribution: tfd.Poisson, seed):
    rate = tf.cast(distribution.rate_parameter(), tf.float64)
    counts = _first_above(
        _uniform(distribution.batch_shape_tensor(), seed),
        law=tfd.Poisson(rate),
        spread=tf.sqrt(rate),
        longest_tail=tf.ones_like(rate),
        ratio=lambda k: rate / k,
    )
    return tf.cast(counts, distribution.dtype)


@draw.register
def _(distribution: tfd.NegativeBinomial, seed):
    size = tf.cast(distribution.total_count, tf.float64)
    logits = tf.cast(distribution.logits_parameter(), tf.float64)
    law = tfd.NegativeBinomial(size, logits=logits)
    counts = _first_above(
        _uniform(distribution.batch_shape_tensor(), seed),
        law=law,
        spread=law.stddev(),
        longest_tail=1.0 + tf.exp(logits),
        ratio=lambda k: (k - 1.0 + size) / k * tf.sigmoid(logits),
    )
    return tf.cast(counts, distribution.dtype)


@draw.register
def _(distribution: ZeroInflatedPoisson, seed):
    seeds = tf.random.experimental.stateless_split(seed, 2, alg="philox")
    counts = draw(tfd.Poisson(log_rate=distribution.log_rate), seeds[0])
    silent = tf.sigmoid(tf.cast(distribution.logits, tf.float64))
    is_silent = _uniform(distribution.batch_shape_tensor(), seeds[1]) < silent
    return tf.where(is_silent, tf.zeros_like(counts), counts)


@draw.register
def _(distribution: Observed, seed):
    return draw(distribution.distribution, seed)


@draw.register
def _(distribution: ImportanceWeighted, seed):
    """The samples of the latents are draws from one law: the first is as good as any."""
    drawn = draw(distribution.likelihood, seed)
    return drawn[0] if distribution.num_samples is not None else drawn


def _noise(distribution: tfd.Distribution, seed: tf.Tensor) -> tf.Tensor:
    """Standard normal draws of the shape of one sample."""
    trials = 0 if distribution.batch_shape.rank else None
    shape = tf.concat(
        [distribution.batch_shape_tensor(), distribution.event_shape_tensor()], axis=0
    )
    return standard_normal(shape, seed, distribution.dtype, trials)


def _uniform(shape, seed: tf.Tensor) -> tf.Tensor:
    """Draws from the open interval (0, 1), in double precision."""
    return (tf.cast(random_words(shape, seed, 32, trials=0), tf.float64) + 0.5) * 2.0**-32


def _first_above(
    uniform: tf.Tensor,
    law: tfd.Distribution,
    spread: tf.Tensor,
    longest_tail: tf.Tensor,
    ratio: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Invert a distribution function of counts: the least count at which it reaches `uniform`.

    Sums `p(k) = ratio(k) p(k - 1)` upward, from nine standard deviations below the mean on; what
    is left out below is less than a `uniform` can tell from zero. In double precision, so that
    the rounding of XLA and of TensorFlow differs in one draw of some 10^12.
    """
    mean = law.mean()
    count = tf.broadcast_to(tf.floor(tf.maximum(mean - 9.0 * spread, 0.0)), tf.shape(uniform))
    limit = mean + 20.0 * spread + 60.0 * longest_tail
    share = tf.exp(law.log_prob(count))

    def below(count, share, total):
        return (uniform > total) & (count < limit)

    def one_up(count, share, total):
        goes_on = below(count, share, total)
        next_share = share * ratio(count + 1.0)
        return (
            tf.where(goes_on, count + 1.0, count),
            tf.where(goes_on, next_share, share),
            tf.where(goes_on, total + next_share, total),
        )

    found, _, _ = tf.while_loop(
        lambda *state: tf.reduce_any(below(*state)), one_up, (count, share, share)
    )
    return tf.stop_gradient(found)
