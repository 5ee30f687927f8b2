"""The bases of layers that turn a tensor into a distribution."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd
from tensorflow_probability import layers as tfpl

from tfp_bvae import checks
from tfp_bvae.distributions import Observed
from tfp_bvae.distributions.mean_field import unwrapped
from tfp_bvae.layers.draws import draw
from tfp_bvae.rnn.noise import VALUES, NoiseStream, wants_sample

__all__ = ["DistributionLayer", "LikelihoodLayer"]


class DistributionLayer(checks.TFKerasOnly, tfpl.DistributionLambda):
    """A Keras layer that gives a distribution; it saves and loads, unlike its parent.

    A subclass writes `distribution(inputs)`, a function from tensors to a `tfd.Distribution`,
    and `get_config`. As a tensor, the distribution is one draw in training and its mean at
    inference; all that read the same output see the same draw.

    Args:
        value: `"auto"` (sample in training, mean at inference), `"sample"` or `"mean"` (always).
        seed: of the draws.

    Source: the pattern is that of `tfp.layers.DistributionLambda`, whose configuration is not
    serialisable; here `get_config` and `from_config` are those of a plain Keras layer.
    """

    def __init__(self, value: str = "auto", seed: int | None = None, **kwargs):
        super().__init__(self.distribution, convert_to_tensor_fn=self._as_tensor, **kwargs)
        self.value = checks.one_of("value", value, VALUES)
        self.seed = seed
        self._sampling = False

    def distribution(self, inputs) -> tfd.Distribution:
        """The distribution for these inputs."""
        raise NotImplementedError(f"{type(self).__name__} must define distribution(inputs)")

    def build(self, input_shape):
        if self.value != "mean":
            self.noise = NoiseStream(self, self.seed)
        super().build(input_shape)

    def call(self, inputs, training=None):
        self._sampling = wants_sample(training, self.value)
        return super().call(inputs)

    def _check_variables(self, created_variables, accessed_variables):
        # all weights are tracked, but their copies on several replicas look as if they were not
        super()._check_variables(created_variables, [])

    def _as_tensor(self, distribution: tfd.Distribution) -> tf.Tensor:
        if self._sampling:
            value = draw(unwrapped(distribution), self.noise.seeds(1)[0])
        else:
            value = distribution.mean()
        value.set_shape(distribution.batch_shape.concatenate(distribution.event_shape))
        return tf.cast(value, self.compute_dtype)

    def get_config(self):
        config = tf_keras.layers.Layer.get_config(self)  # past Lambda's, which pickles functions
        return config | {"value": self.value, "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class LikelihoodLayer(DistributionLayer):
    """A distribution over data, `[time, channel]` one event; as a tensor it is its mean.

    Args:
        value: `"mean"`, `"sample"`, or `"auto"` by the training flag.
        seed: of the draws.
        missing: whether data may be NaN, where they were not observed: `log_prob` is then that of
            the others alone, and its gradient knows nothing of them.

    Raises:
        ValueError: if what it is given is not `[batch, time, channel]`, or
            `[S, batch, time, channel]` for S samples of the latents.
    """

    def __init__(
        self, value: str = "mean", seed: int | None = None, missing: bool = False, **kwargs
    ):
        super().__init__(value=value, seed=seed, **kwargs)
        self.missing = checks.boolean("missing", missing)

    def of_entries(self, entries: tfd.Distribution) -> tfd.Independent:
        """One event of time and channels, of entries that are independent of each other."""
        return tfd.Independent(Observed(entries) if self.missing else entries, 2)

    def get_config(self):
        return super().get_config() | {"missing": self.missing}

    def call(self, inputs, training=None):
        shape = tuple(inputs.shape)
        if len(shape) not in (3, 4):
            raise ValueError(
                "inputs must have 3 axes, [batch, time, channel], or 4 with samples of the "
                f"latents in front, got shape {shape}"
            )
        return super().call(inputs, training=training)
