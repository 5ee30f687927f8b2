"""From data to what each encoder may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf
import tf_keras

from tfp_bvae import checks, layers
from tfp_bvae.models.arguments import Arguments
from tfp_bvae.models.builders.doors import Settings, as_arguments, as_params, fan_in
from tfp_bvae.models.hyperparameters import Params

__all__ = ["PreparedInputs", "prepare_inputs"]


class PreparedInputs(NamedTuple):
    """What comes of the data on its way to the encoders."""

    f: tf.Tensor  # what the f encoder sees, [batch, time or segment, channel]
    z: tf.Tensor  # what the z encoder sees, [batch, time (- segment), channel]
    taught: tuple[tf.Tensor, ...]  # weights of the gradient, [batch, time - segment, channels]
    f_length: tf.Tensor | None = None  # bins of each trial that the f encoder sees, [batch]
    z_length: tf.Tensor | None = None  # and the z encoder; None where all bins are seen


def prepare_inputs(
    params: Settings,
    inputs: tf.Tensor,
    trial: tf.Tensor | None = None,
    arguments: Arguments | Mapping[str, Any] | None = None,
    session: tf.Tensor | None = None,
    length: tf.Tensor | None = None,
) -> PreparedInputs:
    """What each encoder may see: dropout, the segment of f, masks, and input factors.

    With a `segment` of leading bins the f encoder sees these alone, unmasked, so that nothing
    later can leak into the initial state; the masks act on the rest. A causal z encoder runs
    through the segment as well, and so starts warm.

    With `masked` data may be NaN, in whose place the encoders see a learned value of the channel;
    in a model of sessions zero, as for all that is hidden from them.

    Args:
        params: `Params`, or a plain dict.
        inputs: data `[batch, time, channels]`, a Keras tensor.
        trial: whole numbers that name the trials, `[batch]`; `sample_validation` needs them.
        arguments: `Arguments`, or a plain dict; for `masked`, the `seed` of the sample-validation
            mask, and the sessions.
        session: whole numbers that name the session of each trial, `[batch]`, where there are
            sessions: each has input factors of its own.
        length: bins of each trial, `[batch]`, where they differ.

    Returns:
        A `PreparedInputs`; its `taught` are for `layers.GradientBlock`.

    Raises:
        ValueError: if `sample_validation` is on and there is no `trial`.

    >>> spikes = tf_keras.Input([246, 36])
    >>> seen = prepare_inputs({"segment": 10, "coordinated_dropout": 0.2}, spikes)
    >>> seen.f.shape, seen.z.shape, len(seen.taught)
    (TensorShape([None, 10, 36]), TensorShape([None, 236, 36]), 1)
    """
    arguments = as_arguments(arguments, params)
    params = as_params(params)
    checks.not_keras3("inputs", inputs)
    if arguments.masked:
        # what a session lacks is no lost bin: there is nothing to learn of it
        fill = layers.MissingToZero if session is not None else layers.LearnedFill
        inputs = fill(name="observed")(inputs)
    seen = layers.SeededDropout(params.dropout, name="input_dropout")(inputs)
    head, taught = None, []
    if params.segment:
        head, seen = layers.SplitTime(params.segment, name="segment")(seen)
    if params.sample_validation:
        if trial is None:
            raise ValueError("trial must be given with sample_validation, got None")
        hold_out = layers.SampleValidation(
            params.sample_validation, seed=arguments.seed, name="sample_validation"
        )
        seen, weights = hold_out([seen, trial])
        taught.append(weights)
    if params.coordinated_dropout:
        hide = layers.CoordinatedDropout(
            params.coordinated_dropout, params.coordinated_pass, name="coordinated_dropout"
        )
        seen, weights = hide(seen)
        taught.append(weights)
    if params.input_factors:
        project = _projection(params, arguments, inputs.shape[-1], session)
        seen = project(seen)
        head = None if head is None else project(head)
    if head is None:
        return PreparedInputs(seen, seen, tuple(taught), length, length)
    if params.causal:
        seen = tf_keras.layers.Concatenate(axis=1, name="segment_and_rest")([head, seen])
    elif length is not None:
        length = length - params.segment
    return PreparedInputs(head, seen, tuple(taught), None, length)


def _projection(
    params: Params, arguments: Arguments, channels: int, session: tf.Tensor | None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """The step to the input factors: one for all, or one of each session."""
    if session is None:
        return tf_keras.layers.Dense(
            params.input_factors, kernel_initializer=fan_in(channels), name="input_factors"
        )
    read_in = layers.SessionReadIn(
        arguments.num_sessions,
        params.input_factors,
        fixed=arguments.fixed_sessions,
        name="input_factors",
    )
    return lambda x: read_in([x, session])
