"""Masks: what the encoders may see, and which entries teach."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.noise import NoiseStream, bernoulli, dropout_mask, random_words
from tfp_bvae.rnn.rates import current

__all__ = [
    "CoordinatedDropout",
    "GradientBlock",
    "SampleValidation",
    "SeededDropout",
]

WEYL = 2654435769  # 2^32 over the golden ratio


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class CoordinatedDropout(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Hides entries from the encoders, and lets only the hidden ones teach the decoder.

    .. math:: M \sim \mathrm{Bernoulli}(1 - r), \qquad
        \tilde x = \frac{x \odot M}{1 - r}, \qquad G = (1 - M) + M \odot B_{pass}

    In training an entry reaches the encoders or the loss, not both, so that copying the input
    gains nothing. `G` goes to `GradientBlock`. At inference nothing is hidden.

    `G` is divided by its expectation `r + (1 - r) pass`: without that the reconstruction would
    teach with a share `r` of its weight and the KL with all of its own, that is, beta would
    silently be `beta / r`.

    Args:
        rate: `r`, the share of entries that are hidden, in [0, 1).
        pass_rate: the chance that a visible entry teaches nevertheless.
        seed: of the masks.

    Call arguments:
        inputs: `[batch, time, channel]`.

    Returns:
        The masked inputs, and the weights `G` of the gradients, both `[batch, time, channel]`.

    Source: Keshtkaran and Pandarinath, NeurIPS 2019. The division is ours.

    >>> x, weights = CoordinatedDropout(0.5, seed=1)(tf.ones([1, 2, 2]), training=True)
    >>> bool((x * weights).numpy().any())  # an entry is seen, or teaches
    False
    """

    def __init__(self, rate: float, pass_rate: float = 0.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.rate = checks.in_interval("rate", rate, 0.0, 1.0, include_high=False)
        self.pass_rate = checks.in_interval("pass_rate", pass_rate, 0.0, 1.0)
        self.seed = seed

    def build(self, input_shape):
        self.noise = NoiseStream(self, self.seed)
        super().build(input_shape)

    def call(self, inputs, training=None):
        ones = tf.ones_like(inputs)
        if not training or not self.rate:
            return inputs, ones
        seeds, rate = self.noise.seeds(2), current(self.rate)
        hidden = bernoulli(tf.shape(inputs), seeds[0], rate, trials=0)
        teaches = hidden
        if self.pass_rate:
            teaches |= bernoulli(tf.shape(inputs), seeds[1], self.pass_rate, trials=0)
        share, kept = rate + (1.0 - rate) * self.pass_rate, 1.0 - rate
        if isinstance(rate, tf.Tensor):
            share, kept = tf.cast(share, inputs.dtype), tf.cast(kept, inputs.dtype)
        visible = tf.where(hidden, tf.zeros_like(inputs), inputs / kept)
        return visible, tf.cast(teaches, inputs.dtype) / share

    def get_config(self):
        return super().get_config() | {
            "rate": float(self.rate),
            "pass_rate": self.pass_rate,
            "seed": self.seed,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SampleValidation(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""Keeps a fixed share of entries of every trial out of a fit, to validate on them.

    .. math:: \tilde x = \frac{x \odot K}{1 - r}, \qquad K \sim \mathrm{Bernoulli}(1 - r)

    The mask of a trial is a function of the seed and of the trial's `index`, the same in each
    epoch; it holds in training and at inference. `K / (1 - r)`
    weighs the gradient, so that no held-out entry teaches.

    Args:
        rate: `r`, the share of entries held out, in [0, 1).
        seed: of the mask.

    Call arguments:
        inputs: `[x, index]`: `x` `[batch, time, channel]`, and `index` `[batch]`, whole numbers
            that name the trials.

    Returns:
        The masked inputs, and the weights `K / (1 - r)`, both `[batch, time, channel]`.

    Source: Keshtkaran and Pandarinath, NeurIPS 2019.

    >>> x, kept = SampleValidation(0.5, seed=1)([tf.ones([2, 3, 2]), tf.constant([7, 7])])
    >>> bool(tf.reduce_all(x[0] == x[1]))  # the same trial, the same mask
    True
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.rate = checks.in_interval("rate", rate, 0.0, 1.0, include_high=False)
        self.seed = checks.whole_number("seed", seed)

    def call(self, inputs):
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            raise ValueError(f"inputs must be [x, index], got {inputs!r}")
        x, index = inputs
        if not self.rate:
            return x, tf.ones_like(x)
        # One field of random words, shifted for each trial by a Weyl sequence (modulo 2^32):
        # within a trial the entries are independent, and each is held out as often as any other.
        field = random_words(tf.shape(x)[1:], tf.constant([self.seed, 0]), bits=32)
        shift = tf.cast(tf.reshape(index, [-1, 1, 1]), tf.uint32) * tf.constant(WEYL, tf.uint32)
        held = field + shift < tf.constant(int(self.rate * 2**32), tf.uint32)
        weight = tf.cast(~held, x.dtype) / (1.0 - self.rate)
        return x * weight, weight

    def get_config(self):
        return super().get_config() | {"rate": self.rate, "seed": self.seed}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class GradientBlock(checks.TFKerasOnly, tf_keras.layers.Layer):
    """Passes its input on unchanged, and its gradient weighted entry by entry.

    `y = x` forward, `dL/dx = w * dL/dy` backward. The value of the loss stays that of all
    entries; what is learned comes from those with a weight. Entries outside the mask (held-out
    channels, forward bins) have weight 1.

    Call arguments:
        inputs: `[x, weights]`: `x` `[batch, time, channel]`; `weights` of the same shape, or
            with fewer steps and channels.

    Raises:
        ValueError: if the weights are known to have more.

    >>> x = tf.constant([[[1.0, 2.0]]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = tf.reduce_sum(GradientBlock()([x, tf.constant([[[0.0]]])]))
    >>> float(y), tape.gradient(y, x).numpy().ravel().tolist()
    (3.0, [0.0, 1.0])
    """

    def call(self, inputs):
        x, weights = inputs
        for wide, narrow in zip(x.shape[1:], weights.shape[1:], strict=True):
            if None not in (wide, narrow) and narrow > wide:
                raise ValueError(
                    f"weights must have no more time bins and channels than {x.shape}, "
                    f"got {weights.shape}"
                )
        missing = tf.shape(x) - tf.shape(weights)
        padding = tf.stack([tf.zeros_like(missing), missing], axis=1)
        weights = tf.pad(weights, padding, constant_values=1)
        return tf.stop_gradient(x) + weights * (x - tf.stop_gradient(x))


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SeededDropout(checks.TFKerasOnly, tf_keras.layers.Layer):
    """Dropout whose masks continue after a checkpoint, and are quick to draw under XLA.

    Like `tf_keras.layers.Dropout`, but for its stream of random numbers, which is a weight.

    Args:
        rate: share of entries set to zero in training; the others are divided by `1 - rate`.
        seed: of the masks.

    Call arguments:
        inputs: any floating tensor.

    >>> SeededDropout(0.5)(tf.ones([2]), training=False).numpy().tolist()
    [1.0, 1.0]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.rate = checks.in_interval("rate", rate, 0.0, 1.0, include_high=False)
        self.seed = seed

    def build(self, input_shape):
        self.noise = NoiseStream(self, self.seed)
        super().build(input_shape)

    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        seed = self.noise.seeds(1)[0]
        rate = current(self.rate)
        return inputs * dropout_mask(tf.shape(inputs), seed, rate, inputs.dtype, trials=0)

    def get_config(self):
        return super().get_config() | {"rate": float(self.rate), "seed": self.seed}
