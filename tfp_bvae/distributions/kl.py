"""How far a posterior over a path is from its prior, in nats per trial, for one sampled path.

Three estimates of the same `KL(q || p)`:

* `path_kl`: each step in closed form, given the sampled past. The default, for every prior.
* `tfd.kl_divergence(q, prior)`: in closed form throughout, where the prior allows it.
* `sampled_kl`: by the sampled path alone, as the references do. More noise, for parity.
"""

from __future__ import annotations

import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions.mean_field import time_marginals, unwrapped
from tfp_bvae.distributions.parameters import check_event_shape

__all__ = ["path_kl", "sampled_kl", "sum_until"]


def path_kl(
    q: tfd.Distribution,
    prior: tfd.Distribution,
    path: tf.Tensor,
    length: tf.Tensor | None = None,
) -> tf.Tensor:
    """Sum over time the divergence of each step from the prior given the sampled past.

    `sum_t KL(q(z_t) || p(z_t | z_{<t}))`, with `z_{<t}` from `path`. Where the path is the draw
    from q that the generator was fed, this is the term of the evidence lower bound, unbiased, also
    where `q(z_t)` was computed from `z_{<t}`. Gradients flow through the path as well.

    Args:
        q: a Gaussian that is independent over time: `tfd.Independent(mvn, 1)` with event shape
            `[time, dim]`, or `mvn` with batch shape `[..., time]`; `mvn` is a
            `MultivariateNormalDiag` or `MultivariateNormalTriL`.
        prior: a distribution with `conditionals(path)`, such as `AR1Process`.
        path: a draw from q, `[..., time, dim]`.
        length: number of steps of each trial that count, `[...]`; None for all.

    Returns:
        Nats, `[...]`: one for each trial, and for each sample of the path where it has several.

    Raises:
        TypeError: if q is another distribution, the prior has no `conditionals`, or dtypes differ.
        ValueError: if shapes do not match.

    >>> from tfp_bvae.distributions import AR1Process
    >>> q = tfd.MultivariateNormalDiag(tf.zeros([8, 50, 2]), 0.1 * tf.ones([2]))
    >>> prior = AR1Process(tau=[10.0, 5.0], innovation_scale=0.1, num_timesteps=50)
    >>> path_kl(q, prior, q.sample(seed=1)).shape
    TensorShape([8])
    """
    marginals = time_marginals(q)
    prior = unwrapped(prior)
    _check_has(prior, "conditionals")
    path = _checked_path(marginals, path)
    with tf.name_scope("path_kl"):
        per_step = tfd.kl_divergence(marginals, prior.conditionals(path))
        return sum_until(per_step, length)


def sampled_kl(
    q: tfd.Distribution,
    prior: tfd.Distribution,
    path: tf.Tensor,
    length: tf.Tensor | None = None,
) -> tf.Tensor:
    """Estimate the divergence from the sampled path alone.

    `log q(path) - log p(path)`.

    Args:
        q: as for `path_kl`.
        prior: a distribution over paths, event shape `[time, dim]`; with a `length` one that has
            `conditionals(path)`.
        path: a draw from q, `[..., time, dim]`.
        length: number of steps of each trial that count, `[...]`; None for all.

    Returns:
        Nats, `[...]`; its expectation is that of `path_kl`, its variance is larger.

    Raises:
        TypeError: if q is another distribution, or dtypes differ.
        ValueError: if shapes do not match.

    >>> from tfp_bvae.distributions import TiledMVNDiag
    >>> q = tfd.MultivariateNormalDiag(tf.zeros([8, 50, 2]), tf.ones([2]))
    >>> prior = TiledMVNDiag(loc=tf.zeros([2]), scale_diag=tf.ones([2]), num_timesteps=50)
    >>> float(tf.reduce_max(tf.abs(sampled_kl(q, prior, q.sample(seed=1))))) < 1e-4
    True
    """
    marginals = time_marginals(q)
    prior = unwrapped(prior)
    _check_has(prior, "log_prob" if length is None else "conditionals")
    path = _checked_path(marginals, path)
    with tf.name_scope("sampled_kl"):
        if length is not None:
            of_prior = prior.conditionals(path).log_prob(path)
            return sum_until(marginals.log_prob(path) - of_prior, length)
        return tf.reduce_sum(marginals.log_prob(path), axis=-1) - prior.log_prob(path)


def sum_until(per_step: tf.Tensor, length: tf.Tensor | None) -> tf.Tensor:
    """Sum over the steps of each trial.

    Args:
        per_step: finite values, `[..., time]`.
        length: number of steps of each trial that count, `[...]`; None for all.

    >>> sum_until(tf.constant([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]]), tf.constant([2, 3])).numpy()
    array([3., 7.], dtype=float32)
    """
    if length is not None:
        inside = tf.sequence_mask(length, tf.shape(per_step)[-1])
        per_step = tf.where(inside, per_step, tf.zeros_like(per_step))
    return tf.reduce_sum(per_step, axis=-1)


def _check_has(prior: tfd.Distribution, method: str) -> None:
    """A prior must be able to answer what it will be asked."""
    if not callable(getattr(prior, method, None)):
        raise TypeError(
            f"prior must have {method}(path), as AR1Process and TiledMVNDiag have, "
            f"got {type(prior).__name__}"
        )


def _checked_path(marginals: tfd.Distribution, path: tf.Tensor) -> tf.Tensor:
    """A tensor of the dtype of q, whose [time, dim] are those of q as far as they are known."""
    path = tf.convert_to_tensor(path, dtype_hint=marginals.dtype, name="path")
    if path.dtype != marginals.dtype:
        raise TypeError(f"path must be {marginals.dtype.name} like q, got {path.dtype.name}")
    event_shape = marginals.batch_shape[-1:].concatenate(marginals.event_shape)
    check_event_shape("path", path.shape, event_shape)
    return path
