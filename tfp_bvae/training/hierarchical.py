"""Hierarchical sampling: a table of a few groups, which are others in each epoch."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae.models import BetaVAE, equal_batches
from tfp_bvae.models.group_means import estimate_group_means, f_means
from tfp_bvae.training.batches import GroupBatches

__all__ = ["HierarchicalSampling"]


class HierarchicalSampling(tf_keras.callbacks.Callback):
    r"""Gives the rows of FHVAE's table to the groups that are drawn for an epoch.

    .. math:: \mu_i = \frac{\sum_n \bar f_n}{N_i + s^2 / (\beta_f r^2)}

    over all `N_i` segments of group i, with :math:`\bar f_n` the mean of q(f) as the encoder is
    when the epoch begins, and the `beta_f` that the warm-up ends at. Where a row goes to another
    group, what the optimiser remembers of it (Adam's two moments) is set to zero. Within an
    epoch the rows are trained as other weights are.

    Args:
        model: of `models.fhvae`, with `groups_at_once`.
        batches: that the model is fitted to.
        jit_compile: compile the pass through the encoder with XLA.

    Raises:
        ValueError: if the `beta_f` of the model is 0: it has no such means.

    Source: Hsu and Glass, Interspeech 2018; they keep the moments.

    >>> from tfp_bvae import models
    >>> model = models.fhvae({"channels": 3, "num_groups": 9}, {"groups_at_once": 2})
    >>> segments = {"spikes": np.ones([9, 5, 3], "float32"), "group": np.arange(9)}
    >>> batches = GroupBatches(segments, segments["spikes"], batch_size=2, groups_at_once=2)
    >>> sampling = HierarchicalSampling(model, batches, jit_compile=False)
    >>> model.compile()
    >>> sampling.set_model(model)
    >>> sampling.on_epoch_begin(0)
    >>> float(np.ptp(sampling.table, axis=0).max())  # groups of the same data: one mean
    0.0
    """

    def __init__(self, model: BetaVAE, batches: GroupBatches, jit_compile: bool = True):
        super().__init__()
        params = model.hyperparameters["params"]
        if not params["beta_f"]:
            raise ValueError(
                "beta_f must be above 0 with groups_at_once, got 0.0: no mean of a group follows"
            )
        means = model.get_layer("group_means")
        self.batches, self.table = batches, means.table
        self.scale = params["p_f_scale"] / math.sqrt(params["beta_f"])
        self.prior_scale = means.scale
        self._encode = f_means(model, jit_compile)

    def on_epoch_begin(self, epoch, logs=None):
        segments = self.batches.members(epoch)
        _, means = estimate_group_means(
            self._f_of(segments),
            self.batches.inputs["group"][segments],
            self.scale,
            self.prior_scale,
        )
        self.table.assign(means.astype(self.table.dtype.as_numpy_dtype))
        self._forget(self._reassigned(epoch))

    def _f_of(self, segments: np.ndarray) -> np.ndarray:
        """Means of q(f) of some segments, `[segment, f_size]`."""
        inputs, parts = self.batches.inputs, []
        for part in equal_batches(len(segments), self.batches.batch_size):
            batch = {name: tf.constant(x[segments[part]]) for name, x in inputs.items()}
            parts.append(self._encode(batch))
        return np.concatenate(parts)[: len(segments)]

    def _reassigned(self, epoch: int) -> np.ndarray:
        """Which rows are of another group than in the epoch before; in the first, all."""
        drawn = self.batches.drawn(epoch)
        return drawn != self.batches.drawn(epoch - 1) if epoch else np.ones(len(drawn), bool)

    def _forget(self, rows: np.ndarray) -> None:
        """Sets to zero what the optimiser remembers of some rows of the table."""
        for slot in self.model.optimizer.variables:
            if slot.name.partition("/")[2] == self.table.name:  # "m/" and "v/" before it
                slot.assign(tf.where(rows[:, np.newaxis], tf.zeros_like(slot), slot))
