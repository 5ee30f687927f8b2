"""The factorized hierarchical variational autoencoder: one f and one z for each segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks, layers
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders import (
    create_output_distribution,
    make_f_variational,
    make_z_variational,
    prepare_inputs,
)
from tfp_bvae.models.builders.divergence import Objective
from tfp_bvae.models.builders.model import session_input, with_read_in, with_settings
from tfp_bvae.models.builders.recurrent import stack_two, two_last_states
from tfp_bvae.models.builders.static import f_parameters
from tfp_bvae.models.hyperparameters import CELLS, Arguments, Params

__all__ = ["fhvae", "fhvae_params"]

# what makes it this model, and cannot be had otherwise
FIXED = {
    "f_encoder_layers": 2,
    "f_encoder_bidirectional": False,
    "f_covariance": "diagonal",
    "segment": 0,
    "f_joins": "first",
    "z_encoder_units2": 0,
    "lag": 0,
    "causal": False,
    "z_covariance": "diagonal",
    "z_prior": "standard_normal",
    "f_enters": "inputs",
    "l2_generator": 0.0,
    "sample_validation": 0.0,
}
FIXED_ARGUMENTS = {"forward_bins": 0, "ext_inputs": 0, "num_samples": 1}
FHVAE_PARAMS = FIXED | {
    "f_size": 32,
    "f_encoder_cell": "lstm",
    "q_f_scale": 0.5,
    "p_f_scale": 0.5,
    "z_size": 32,
    "z_encoder_cell": "lstm",
    "q_z_scale": 1.0,
    "generator_cell": "lstm",
    "beta_f": 1.0,
    "beta_z": 1.0,
    "discrimination": 1.0,
    "learning_rate": 1e-3,
    "dropout": 0.0,
    "coordinated_dropout": 0.0,
}


def fhvae_params(params: Params | Mapping[str, Any] | None = None) -> Params:
    """Settings of FHVAE: its own defaults, and over them what a plain dict says.

    Args:
        params: a plain dict; a `Params` is taken as it is.

    >>> fhvae_params({"z_size": 4}).p_f_scale
    0.5
    """
    if isinstance(params, Params):
        return params
    return Params.of(FHVAE_PARAMS | dict(params or {}))


def fhvae(
    arguments: Arguments | Mapping[str, Any],
    params: Params | Mapping[str, Any] | None = None,
    mean_rates: np.ndarray | None = None,
) -> BetaVAE:
    r"""Factorized hierarchical variational autoencoder of segments that belong to groups.

    .. math::

        \mu_i &\sim N(0, I), \quad f \sim N(\mu_i, s^2 I), \quad z \sim N(0, I), \quad
        x_t \sim p(\cdot \mid \mathrm{RNN}_t([z; f])) \\
        L &= -\log p(x \mid z, f) + \beta_f \mathrm{KL}(q(f \mid x) \| N(\mu_i, s^2 I))
             + \beta_z \mathrm{KL}(q(z \mid x, f) \| N(0, I)) \\
          &\quad - \frac{1}{n_i} \log p(\mu_i) - \alpha \log p(i \mid \bar f)

    for a segment of group i (a recording, a condition, a trial), which has `n_i` segments. What a
    group has in common goes to f (the paper's z2), the rest to z (its z1), one vector each for a
    segment. Each encoder is two recurrent layers, read at the last bin, that of z on data and a
    sample of f; so is the generator, from zeros. s is `p_f_scale`, alpha is `discrimination`.

    Latents and rates do not depend on `group`, the loss does. A group that was not in the fit has
    no row in the table, and no loss (it is NaN): see `inference.estimate_group_means`.

    `training.fit` and `inference` take trials: they cut them into segments of `segment_length` bins
    (`model_segments`) and put what comes of them together again. With `groups_at_once` the table
    has so many rows, which stand for other groups in each epoch: hierarchical sampling. After the
    fit they are those of some groups; the means of groups are what `inference` estimates.

    Args:
        arguments: what follows from the data, `num_groups` among it; an `Arguments` or a dict.
        params: tunable settings; a plain dict over the defaults of `fhvae_params`, or a `Params`.
        mean_rates: mean of each predicted channel, spikes per bin, `[outputs]`.

    Returns:
        A `BetaVAE`. Inputs, by name: `spikes` `[batch, time, channels]`, `group` `[batch]` (whole
        numbers below `num_groups`) and `count` `[batch]` (segments of that group), and `session`
        `[batch]` with `num_sessions`. Output: the
        likelihood, event `[time, outputs]`.

    Raises:
        KeyError: for an unknown setting.
        ValueError: for a value out of its range or that FHVAE cannot have, or no `num_groups`.

    Source: Hsu, Zhang and Glass, NeurIPS 2017.

    >>> model = fhvae({"channels": 30, "num_groups": 5}, {"z_size": 4})
    >>> sorted(model.input_names), model.output_shape
    (['count', 'group', 'spikes'], (None, None, 30))
    """
    arguments, params = Arguments.of(arguments), fhvae_params(params)
    _check(arguments, params)
    params = with_read_in(arguments, params)
    tf_keras.utils.set_random_seed(arguments.seed)
    inputs = {
        "spikes": tf_keras.Input([None, arguments.channels], name="spikes"),
        "group": tf_keras.Input([], dtype="int32", name="group"),
        "count": tf_keras.Input([], name="count"),
    }
    if arguments.num_sessions is not None:
        inputs["session"] = session_input()
    session = inputs.get("session")
    seen = prepare_inputs(params, inputs["spikes"], None, arguments, session)
    objective = Objective(arguments, params)
    f = _static(seen.f, inputs["group"], inputs["count"], arguments, params, objective)
    z = _dynamic(seen.z, f, params, objective)
    factors = _generate(seen.z, f, z, params)
    likelihood = create_output_distribution(
        params, factors, arguments, seen.taught, session=session
    )
    model = BetaVAE(inputs=inputs, outputs=objective.bound(likelihood), name="fhvae")
    return with_settings(model, arguments, params, mean_rates)


def _check(arguments: Arguments, params: Params) -> None:
    if arguments.num_groups is None:
        raise ValueError("num_groups must be given for fhvae, got None")
    checks.whole_number("z_size of fhvae", params.z_size, 1)
    for settings, fixed in ((arguments, FIXED_ARGUMENTS), (params, FIXED)):
        for name, value in fixed.items():
            checks.one_of(f"{name} of fhvae", getattr(settings, name), (value,))
    if (params.groups_at_once or 1) > arguments.num_groups:
        raise ValueError(
            f"groups_at_once must be at most the {arguments.num_groups} groups that there are, "
            f"got {params.groups_at_once}"
        )
    if params.segment_stride is not None and params.segment_length is None:
        raise ValueError(
            f"segment_stride must go with a segment_length, got {params.segment_stride} alone"
        )
    for name in ("f_encoder_cell", "z_encoder_cell", "generator_cell"):
        checks.one_of(f"{name} of fhvae", getattr(params, name), CELLS)


def _static(seen, group, count, arguments: Arguments, params: Params, objective) -> tf.Tensor:
    """The sample of f, held against the mean of its segment's group."""
    states = two_last_states(
        params.f_encoder_cell, params.f_encoder_units, seen, params.clip, "f_encoder"
    )
    q_f = make_f_variational(params, f_parameters(params, states))
    rows = params.groups_at_once or arguments.num_groups
    means, table = layers.GroupMeans(rows, params.f_size, name="group_means")([group, count])
    p_f = layers.GroupMVNPrior(params.p_f_scale, name="p_f")(means)
    told = layers.GroupDiscrimination(
        params.discrimination, params.p_f_scale, name="discrimination"
    )([q_f, group, table])
    return objective.static(q_f, p_f, told)


def _dynamic(seen, f: tf.Tensor, params: Params, objective: Objective) -> tf.Tensor:
    """The sample of z, one vector for the segment."""
    seen = layers.JoinOverTime(name="z_inputs_and_f")([seen, f])
    states = two_last_states(
        params.z_encoder_cell, params.z_encoder_units, seen, params.clip, "z_encoder"
    )
    p_z = layers.LearnableMVNPrior(
        params.z_size, trainable_loc=False, trainable_scale=False, name="p_z"
    )(states)
    return objective.dynamic(make_z_variational(params, states), p_z)


def _generate(like, f: tf.Tensor, z: tf.Tensor, params: Params) -> tf.Tensor:
    """States of the generator, `[batch, time, generator_units]`."""
    latents = tf_keras.layers.Concatenate(name="latents")([z, f])
    drive = layers.JoinOverTime(keep=False, name="generator_inputs")([like, latents])
    _, states = stack_two(
        params.generator_cell, params.generator_units, drive, params.clip, "generator"
    )
    return layers.SeededDropout(params.dropout, name="generator_dropout")(states)
