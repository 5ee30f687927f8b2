"""The static latent f: its encoder, its posterior, its prior."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import layers
from tfp_bvae.models.builders.doors import Settings, as_params, fan_in
from tfp_bvae.models.builders.recurrent import make_rnn, of_length
from tfp_bvae.models.hyperparameters import Params

__all__ = ["create_f_encoder", "create_f_prior", "make_f_variational"]

Dense = tf_keras.layers.Dense
MIN_SCALE = 1e-2  # floor on the scale of q(f): its KL stays finite


def create_f_encoder(
    params: Settings, inputs: tf.Tensor, length: tf.Tensor | None = None
) -> tf.Tensor:
    r"""A recurrent encoder of the whole sequence, and the parameters of q(f) it gives.

    .. math:: h = \mathrm{dropout}(\mathrm{RNN}(x_{1:T})), \qquad
        (m, l) = (h W_m + b_m, h W_l + b_l)

    Args:
        params: `Params`, or a plain dict.
        inputs: what the f encoder may see, `[batch, time, channel]`, a Keras tensor.
        length: bins of each trial, `[batch]`, where they differ.

    Returns:
        Parameters of q(f), locations first, `[batch, parameter]`; for `make_f_variational`.

    >>> kit = {"f_encoder_cell": "gru", "f_encoder_units": 128, "f_size": 10}
    >>> x = tf_keras.Input([None, 36])
    >>> model = tf_keras.Model(x, create_f_encoder(kit, x))
    >>> model.get_layer("f_encoder").count_params(), model.get_layer("f_loc").count_params()
    (126720, 2570)
    """
    params = as_params(params)
    encoding = inputs
    for depth in range(params.f_encoder_layers):
        last = depth == params.f_encoder_layers - 1
        encoding = make_rnn(
            params.f_encoder_cell,
            params.f_encoder_units,
            bidirectional=params.f_encoder_bidirectional,
            return_sequences=not last,
            clip=params.clip,
            name="f_encoder" if last else f"f_encoder_{depth}",
        )(encoding, **of_length(length))
    return f_parameters(params, encoding)


def f_parameters(params: Params, encoding: tf.Tensor) -> tf.Tensor:
    """Parameters of q(f) from what an encoder made of a sequence, `[batch, units]`."""
    encoding = layers.SeededDropout(params.dropout, name="f_dropout")(encoding)
    size = posterior_of(params.f_covariance).params_size(params.f_size)
    width = encoding.shape[-1]
    loc = Dense(params.f_size, kernel_initializer=fan_in(width), name="f_loc")(encoding)
    scale = Dense(size - params.f_size, kernel_initializer=fan_in(width), name="f_scale")(encoding)
    return tf_keras.layers.Concatenate(name="f_params")([loc, scale])


def make_f_variational(params: Settings, parameters: tf.Tensor) -> tf.Tensor:
    """The posterior q(f): a Gaussian of diagonal or full covariance.

    Args:
        params: `Params`, or a plain dict.
        parameters: from `create_f_encoder`, `[batch, parameter]`.

    Returns:
        A distribution, event `[f_size]`; as a tensor a sample in training, the mean at inference.
    """
    params = as_params(params)
    return posterior_layer(
        params, params.f_covariance, params.f_size,
        init_scale=params.q_f_scale, min_scale=MIN_SCALE, name="q_f",
    )(parameters)  # fmt: skip


def create_f_prior(params: Settings, like: tf.Tensor) -> tf.Tensor:
    """The prior p(f): a learnable Gaussian, by default of mean 0 and of LFADS' variance kappa.

    Args:
        params: `Params`, or a plain dict.
        like: any Keras tensor of the graph; nothing is read from it.

    Returns:
        A distribution, event `[f_size]`.
    """
    params = as_params(params)
    return layers.LearnableMVNPrior(
        params.f_size,
        scale=params.p_f_scale,
        trainable_loc=params.p_f_trainable_loc,
        trainable_scale=params.p_f_trainable_scale,
        covariance=params.f_covariance,
        name="p_f",
    )(like)


def posterior_of(covariance: str) -> type:
    """The posterior layer of a kind of covariance."""
    return {"diagonal": layers.MVNDiagPosterior, "full": layers.MVNTriLPosterior}[covariance]


def posterior_layer(params: Params, covariance: str, size: int, **settings):
    """A posterior of a kind of covariance, with the rule that gives it its scale."""
    if covariance == "diagonal":
        settings["scale_rule"] = params.scale_rule
    return posterior_of(covariance)(size, **settings)
