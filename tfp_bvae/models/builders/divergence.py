"""What a model is trained on beside the likelihood: the KL terms, or their log-ratios."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tf_keras

from tfp_bvae import layers
from tfp_bvae.models.builders.dynamic import create_z_prior
from tfp_bvae.models.builders.recurrent import of_length
from tfp_bvae.models.hyperparameters import Arguments, Params

__all__ = ["Objective"]


class Objective:
    """Adds each term once, and keeps what has to be done on the way to the model's output.

    * By default the evidence lower bound: `KLDivergence` layers, weighted with the betas.
    * `importance_weighted`: `LogRatio` layers, joined with the likelihood at the end; the betas
      are 1 then, since otherwise it would be no bound.

    Args:
        arguments: number of samples, and which bound.
        params: betas, free bits, and penalties on q(f).
        length: bins of z of each trial, `[batch]`, where they differ.
    """

    def __init__(self, arguments: Arguments, params: Params, length: tf.Tensor | None = None):
        self._arguments, self._params, self._length = arguments, params, length
        self._ratios: list[tf.Tensor] = []
        self.on_the_way_out: list[Callable] = []

    def static(self, q_f, p_f, *samples: tf.Tensor) -> tf.Tensor:
        """The sample of f, with its terms added; `samples` are it, by way of further terms."""
        samples += tuple(penalty(q_f) for penalty in self._penalties())  # each the same sample
        if len(samples) > 1:
            samples = [tf_keras.layers.Average(name="f")([*samples])]
        return self._term("f", [q_f, p_f, *samples])

    def dynamic(self, q_z, p_z) -> tf.Tensor:
        """The sample of z, with its term added."""
        return self._term("z", [q_z, p_z])

    def dynamic_later(self, q_z) -> None:
        """As `dynamic`, for a path that the generator drew: on the way of the log-rates."""

        def add(eta):
            return self._term("z", [q_z, create_z_prior(self._params, eta), eta])

        self.on_the_way_out.append(add)

    def bound(self, likelihood):
        """The model's output: the likelihood, weighted by importance where asked for."""
        if not self._ratios:
            return likelihood
        return layers.ImportanceWeightedLikelihood(name="bound")([likelihood, *self._ratios])

    def _penalties(self) -> list[tf_keras.layers.Layer]:
        params, found = self._params, []
        if params.total_correlation:
            if self._arguments.num_trials is None:
                raise ValueError("num_trials must be given with total_correlation, got None")
            found.append(
                layers.TotalCorrelation(
                    params.total_correlation, self._arguments.num_trials, name="total_correlation_f"
                )
            )
        if params.dip:
            found.append(layers.DIPPenalty(params.dip, params.dip, name="dip_f"))
        return found

    def _term(self, latent: str, inputs: list) -> tf.Tensor:
        name = f"kl_{latent}"
        length = of_length(self._length if latent == "z" else None)
        if not self._arguments.importance_weighted:
            return layers.KLDivergence(
                getattr(self._params, f"beta_{latent}"),
                free_bits=getattr(self._params, f"free_bits_{latent}"),
                capacity=getattr(self._params, f"capacity_{latent}"),
                name=name,
            )(inputs, **length)
        value, ratio = layers.LogRatio(name=name)(inputs, **length)
        self._ratios.append(ratio)
        return value
