"""Several samples of the latents per trial, and the importance-weighted bound they give."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.distributions import ImportanceWeighted
from tfp_bvae.distributions.mean_field import unwrapped
from tfp_bvae.layers.base import DistributionLayer
from tfp_bvae.layers.kl import divergence
from tfp_bvae.rnn.noise import wants_sample

__all__ = ["ImportanceWeightedLikelihood", "LogRatio", "RepeatSamples", "SplitSamples"]


class _SamplesLayer(checks.TFKerasOnly, tf_keras.layers.Layer):
    """What changes the batch in training, and nothing at inference."""

    def __init__(self, num_samples: int, **kwargs):
        super().__init__(**kwargs)
        self.num_samples = checks.whole_number("num_samples", num_samples, 1)

    def get_config(self):
        return super().get_config() | {"num_samples": self.num_samples}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class RepeatSamples(_SamplesLayer):
    """In training, repeats the whole batch S times, so that S samples are drawn of each trial.

    Put it between what is the same for all samples (an encoder) and the first layer that draws;
    and on all else that joins later: external inputs, sessions, masks.

    Args:
        num_samples: S.

    Call arguments:
        inputs: `[batch, ...]`.

    Returns:
        `[S * batch, ...]`, sample by sample; at inference the input.

    >>> RepeatSamples(2)(tf.constant([[1.0], [2.0]]), training=True).numpy().ravel().tolist()
    [1.0, 2.0, 1.0, 2.0]
    """

    def call(self, inputs, training=None):
        if not training:
            return inputs
        repeats = tf.concat([[self.num_samples], tf.ones([tf.rank(inputs) - 1], tf.int32)], 0)
        repeated = tf.tile(inputs, repeats)
        batch = inputs.shape[0]
        repeated.set_shape([batch and batch * self.num_samples, *inputs.shape[1:]])
        return repeated


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SplitSamples(_SamplesLayer):
    """In training, gives samples that were drawn along the batch an axis of their own.

    Args:
        num_samples: S, as for `RepeatSamples`.

    Call arguments:
        inputs: `[S * batch, ...]`, such as log-rates `[S * batch, time, channel]`.

    Returns:
        `[S, batch, ...]`; at inference the input.

    >>> repeated = RepeatSamples(3)(tf.ones([2, 5, 4]), training=True)
    >>> SplitSamples(3)(repeated, training=True).shape
    TensorShape([3, 2, 5, 4])
    """

    def call(self, inputs, training=None):
        if not training:
            return inputs
        shape = tf.shape(inputs)
        split = tf.concat([[self.num_samples, shape[0] // self.num_samples], shape[1:]], 0)
        samples = tf.reshape(inputs, split)
        batch = inputs.shape[0]
        samples.set_shape(
            [self.num_samples, batch and batch // self.num_samples, *inputs.shape[1:]]
        )
        return samples


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LogRatio(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""How much likelier a sampled latent is under its prior than under its posterior.

    .. math:: \log w = \log p(z) - \log q(z)

    for the very sample that q is as a tensor. It takes the place of `KLDivergence` where
    `ImportanceWeightedLikelihood` puts the bound together: it adds nothing to the loss, and
    reports the mean of `-log w`, an estimate of the KL, in nats per trial.

    At inference, where q is its mean and no sample, it gives minus the KL of each trial instead
    (given that mean), so that the bound reads as the evidence lower bound of one sample.

    Call arguments:
        inputs: `[q, p]` or `[q, p, x]`, where q and p are outputs of distribution layers.
        length: as of `KLDivergence`.

    Returns:
        The sample of q as a tensor, or `x`, unchanged, if it was given; and the ratio, `[batch]`,
        or `[S * batch]` in training behind `RepeatSamples`.

    Raises:
        TypeError: if q or p is not a distribution.

    Source: Burda, Grosse and Salakhutdinov, ICLR 2016.

    >>> from tfp_bvae.layers import LearnableMVNPrior, MVNDiagPosterior
    >>> params = tf.zeros([4, 6])
    >>> q, p = MVNDiagPosterior(3)(params, training=True), LearnableMVNPrior(3)(params)
    >>> z, log_ratio = LogRatio()([q, p], training=True)
    >>> z.shape, log_ratio.shape, bool((abs(log_ratio.numpy()) < 1e-5).all())  # q is p
    (TensorShape([4, 3]), TensorShape([4]), True)
    """

    def call(self, inputs, length=None, training=None):
        q, p, *rest = inputs
        checks.distribution("q", q)
        checks.distribution("p", p)
        value = tf.convert_to_tensor(q)
        method = "sampled" if wants_sample(training) else "path"
        per_trial = divergence(q, p, tf.cast(value, q.dtype), method, length)
        self.add_metric(tf.reduce_mean(per_trial), name=self.name)
        return (rest[0] if rest else value), -per_trial


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class ImportanceWeightedLikelihood(DistributionLayer):
    r"""The likelihood of data under S samples of the latents: a bound tighter than the ELBO.

    .. math::

        \log p(x) \approx \log \frac{1}{S} \sum_s
        \exp\Big(\log p(x \mid z_s) + \sum_i \log w_{is}\Big)

    In expectation below `log p(x)`, and the closer the more samples. Minus its `log_prob` is all
    of the loss: no KL is added to it, and there is no beta.

    Args:
        value: what it is as a tensor: `"mean"` (of the likelihoods of all samples), `"sample"` or
            `"auto"`.
        seed: of the draws.

    Call arguments:
        inputs: `[likelihood, ratio, ...]`: the output of a likelihood layer on
            `[S, batch, time, channel]`, and of each latent the `ratio` that `LogRatio` gives,
            `[S * batch]` or `[S, batch]`. Without the axis S (at inference): one sample.

    Returns:
        An `ImportanceWeighted` distribution, batch shape `[batch]`, event `[time, channel]`.

    Raises:
        ValueError: if there is no ratio.
        TypeError: if the first is not a distribution.

    Source: Burda, Grosse and Salakhutdinov, ICLR 2016.

    >>> from tfp_bvae.layers import PoissonLikelihood
    >>> likelihood = PoissonLikelihood()(tf.zeros([5, 2, 3, 4]))
    >>> bound = ImportanceWeightedLikelihood()([likelihood, tf.zeros([10])])
    >>> bound.log_prob(tf.zeros([2, 3, 4])).numpy().round(3).tolist()
    [-12.0, -12.0]
    """

    def __init__(self, value: str = "mean", seed: int | None = None, **kwargs):
        # a ratio of hundreds of nats wants full precision
        super().__init__(value=value, seed=seed, autocast=False, **kwargs)

    def distribution(self, inputs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"inputs must be [likelihood, ratio, ...], got {inputs!r}")
        likelihood, *ratios = inputs
        likelihood = unwrapped(checks.distribution("likelihood", likelihood))
        shape = likelihood.batch_shape_tensor()
        log_weights = tf.add_n(
            [tf.reshape(tf.cast(ratio, likelihood.dtype), shape) for ratio in ratios]
        )
        log_weights.set_shape(likelihood.batch_shape)
        return ImportanceWeighted(likelihood, log_weights)
