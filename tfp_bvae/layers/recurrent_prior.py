"""The prior of a latent path that a recurrent network learns."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae.distributions import RecurrentMVNDiag
from tfp_bvae.distributions.mean_field import unwrapped
from tfp_bvae.layers.prior_base import PriorLayer, num_steps
from tfp_bvae.layers.prior_cell import LearnableMVNDiagCell

__all__ = ["RecurrentMVNPrior"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class RecurrentMVNPrior(PriorLayer):
    r"""Steps that are diagonal Gaussians, which a recurrent network reads off all steps before.

    .. math:: p(z_{1:T}) = \prod_t N(z_t; m_t(z_{<t}), \mathrm{diag}\, s_t(z_{<t})^2)

    with `m` and `s` those of a `LearnableMVNDiagCell`. Densities feed the network the very path
    that they are of (teacher forcing), in one scan; samples feed it what was sampled. There is
    no closed form of the mean: as a tensor it is the path without noise, `z_t = m_t(z_{<t})`.
    The covariance is diagonal given the past; dimensions depend on each other through the past.

    Args:
        event_size: size of the latent at one step.
        units: size of the state of the network.
        cell: `"gru"`, `"clipped_gru"`, `"lstm"` or `"simple_rnn"`.
        init_scale: the standard deviation of the first step, before training.
        min_scale: a floor on the standard deviation.
        clip: bound on the state of the clipped GRU; the others have none.
        value: what it is as a tensor: `"mean"` (without noise), `"sample"`, or `"auto"` by the
            training flag.
        seed: of the draws.

    Call arguments:
        inputs: any tensor `[batch, time, ...]`; only its number of steps is read.

    Returns:
        A `RecurrentMVNDiag`, event shape `[time, event_size]`.

    Raises:
        ValueError, KeyError, TypeError: for a setting out of its range, or an unknown cell.

    Source: Li and Mandt, Disentangled Sequential Autoencoder (2018). Their sequence of steps is
    conditioned on the posterior's sample, as here; code in circulation rolls the prior on its own
    samples instead, and then learns no dynamics (benchmarks/priors.py shows both).

    >>> prior = RecurrentMVNPrior(3, units=8)(tf.zeros([4, 50, 1]))
    >>> prior.event_shape, prior.log_prob(tf.zeros([4, 50, 3])).shape
    (TensorShape([50, 3]), TensorShape([4]))
    """

    def __init__(
        self,
        event_size: int,
        units: int = 32,
        cell: str = "gru",
        init_scale: float = 1.0,
        min_scale: float = 1e-3,
        clip: float = 5.0,
        value: str = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(event_size, value=value, seed=seed, **kwargs)
        self.cell = LearnableMVNDiagCell(
            event_size, units, cell, init_scale, min_scale, clip,
            name="cell", dtype=self.dtype_policy,
        )  # fmt: skip

    def build(self, input_shape):
        self.cell.build([None, self.event_size])
        super().build(input_shape)

    def distribution(self, inputs):
        return RecurrentMVNDiag(
            self.cell.teacher_forced,
            self.cell.step,
            lambda batch: self.cell.zero_state(batch)[1],
            self.event_size,
            num_steps(inputs),
            dtype=self.variable_dtype,
        )

    def _as_tensor(self, distribution):
        if self._sampling:
            return super()._as_tensor(distribution)
        no_noise = tf.zeros(distribution.event_shape_tensor(), self.variable_dtype)
        no_noise.set_shape(distribution.event_shape)
        return tf.cast(unwrapped(distribution).from_noise(no_noise), self.compute_dtype)

    def get_config(self):
        own = self.cell.get_config()
        names = ("units", "init_scale", "min_scale", "clip")
        return super().get_config() | {n: own[n] for n in names} | {"cell": own["cell_type"]}
