"""The LFADS decoder as a Keras layer: all steps of an `LFADSCell` in one fast scan."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.generator import check_inputs, mask_like
from tfp_bvae.rnn.kernels import L2Penalty, unit_columns
from tfp_bvae.rnn.lfads_cell import LFADSCell
from tfp_bvae.rnn.lfads_scan import lfads_decoder
from tfp_bvae.rnn.lfads_step import DecoderSequences, DecoderStart
from tfp_bvae.rnn.noise import standard_normal, wants_sample
from tfp_bvae.rnn.rates import current
from tfp_bvae.rnn.recurrence import recurrent_scan
from tfp_bvae.rnn.scan import time_first

__all__ = ["LFADSDecoder"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LFADSDecoder(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""The LFADS decoder: controller, inferred input, generator and factors, step by step.

    .. math::

        c_t &= \mathrm{GRU}_{con}([e_t; f_{t-1}], c_{t-1}), \qquad
        u_t \sim q(u_t) = N(m_t, \mathrm{diag}\, s_t^2), \quad (m_t, s_t) \text{ from } c_t, \\
        g_t &= \mathrm{GRU}_{gen}([u_t; a_t], g_{t-1}), \qquad f_t = (g_t \odot d_t) W_{fac}

    `u` is sampled in training and is its mean at inference; see `posterior_values`. The columns
    of `W_fac` have unit norm. The controller's initial state is trainable; `f_0` is read from
    `g_0`, through a dropout mask of its own. The weights are those of `cell`, an `LFADSCell`.

    Args:
        generator_units: size of `g`.
        controller_units: size of `c`.
        factors: number of factors `f`.
        inferred_inputs: number of inferred inputs `u`.
        init_scale: the standard deviation of q(u) that zero parameters mean.
        dropout: rate on what enters the controller, on the external input, and on the states
            that factors are read from.
        clip: largest absolute value of a state.
        l2: weights of the L2 penalties on the recurrent kernels of generator and controller,
            `l2 / 2 * ||U||^2`, in nats per trial.
        inject_ext_input_to_gen: whether an external input `a` goes to the generator, or, if
            False, to the controller beside `e`.
        seed: of the noise and of the dropout masks.
        scale_rule: how `s` comes of its parameter; as of `LFADSCell`.

    Call arguments:
        inputs: a dict of `initial_state` `g_0` `[batch, generator_units]`, `controller_input`
            `e` `[batch, time, channel]`, and, if there is one, `ext_input` `a`.

    Returns:
        A dict, each `[batch, time, .]`: `factors`, `inferred` (the path `u` that the generator
        was fed), `inferred_loc`, `inferred_scale`, `generator`, `controller`.

    Raises:
        KeyError: for an input that is missing or unknown.
        ValueError: for a setting out of its range, or an input of another shape.

    Source: Pandarinath et al., Nature Methods 2018.

    >>> decode = LFADSDecoder(generator_units=8, controller_units=6, factors=3, inferred_inputs=2)
    >>> out = decode({"initial_state": tf.ones([2, 8]), "controller_input": tf.zeros([2, 5, 4])})
    >>> out["factors"].shape, out["inferred"].shape
    (TensorShape([2, 5, 3]), TensorShape([2, 5, 2]))
    """

    def __init__(
        self,
        generator_units: int,
        controller_units: int,
        factors: int,
        inferred_inputs: int,
        init_scale: float = 0.1,
        dropout: float = 0.0,
        clip: float = 5.0,
        l2: tuple[float, float] = (0.0, 0.0),
        inject_ext_input_to_gen: bool = True,
        seed: int | None = None,
        scale_rule: str = "softplus",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if len(l2) != 2:
            raise ValueError(f"l2 must be two numbers, of generator and controller, got {l2!r}")
        self.dropout = checks.in_interval("dropout", dropout, 0.0, 1.0, include_high=False)
        self.generator_l2 = checks.in_interval("generator_l2", l2[0], 0.0)
        self.controller_l2 = checks.in_interval("controller_l2", l2[1], 0.0)
        self.cell = LFADSCell(
            generator_units, controller_units, factors, inferred_inputs, init_scale, clip,
            inject_ext_input_to_gen, seed, scale_rule, name=f"{self.name}_cell",
            dtype=self.dtype_policy,
        )  # fmt: skip

    def build(self, input_shape):
        check_inputs(input_shape, ("controller_input",), self.cell.generator_units)
        for name in ("initial_state", "controller_input"):
            if name not in input_shape:
                raise KeyError(f"inputs must have {name!r}, got {sorted(input_shape)}")
        steps = {k: [s[0], s[-1]] for k, s in input_shape.items() if k != "initial_state"}
        self.cell.build(steps)
        self.generator_penalty = L2Penalty(self, self.generator_l2, "generator_l2")
        self.controller_penalty = L2Penalty(self, self.controller_l2, "controller_l2")
        super().build(input_shape)

    def call(self, inputs, training=None):
        cell, seeds = self.cell, [None] * 6
        if training or wants_sample(training):
            seeds = tf.unstack(cell.noise.seeds(6))
        masked = seeds if training and self.dropout else [None] * 6
        g_0 = inputs["initial_state"]
        start = cell.start(g_0, mask_like(g_0, masked[5], current(self.dropout), trials=0))
        path = lfads_decoder(
            cell.loop_weights(),
            self._sequences(inputs, masked, seeds[1] if wants_sample(training) else None),
            DecoderStart(start.controller, start.generator, start.factors),
            cell.scale_shift, cell.min_scale, cell.clip, cell.scale_rule,
        )  # fmt: skip
        self.generator_penalty(cell.generator_kernel)
        self.controller_penalty(cell.controller_kernel)
        return {name: time_first(x) for name, x in path._asdict().items()}

    def generate(
        self, initial_state: tf.Tensor, inferred: tf.Tensor, ext_input: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Runs the generator on given inputs, without its controller and without dropout.

        Args:
            initial_state: `g_0`, `[batch, generator_units]`.
            inferred: `u`, `[batch, time, inferred_inputs]`.
            ext_input: `a`, `[batch, time, channel]`, where the model has one.

        Returns:
            A dict of `factors` and `generator`, `[batch, time, .]`.
        """
        cell, inferred = self.cell, time_first(inferred)
        ext_input = None if ext_input is None else time_first(ext_input)
        drive = cell.drive(inferred, ext_input)
        kernel = tf.convert_to_tensor(cell.generator_kernel)
        (states,) = recurrent_scan(cell.cell, drive, [initial_state], kernel, cell.clip)
        factors = states @ unit_columns(cell.factor_kernel)
        return {"factors": time_first(factors), "generator": time_first(states)}

    def _sequences(self, inputs: dict, masked: list, noise_seed) -> DecoderSequences:
        """All that is ready before the loop; masks of ones, no noise, where a seed is None."""
        cell, rate = self.cell, current(self.dropout)
        encoding = time_first(inputs["controller_input"])  # [time, batch, channel]
        if masked[0] is not None:
            encoding *= mask_like(encoding, masked[0], rate)
        ext_input = None
        if "ext_input" in inputs:
            ext_input = time_first(inputs["ext_input"])
            ext_input *= mask_like(ext_input, masked[2], rate)
        noise = _like(encoding, cell.inferred_inputs)
        if noise_seed is not None:
            noise = standard_normal(tf.shape(noise), noise_seed, noise.dtype, trials=1)
        return DecoderSequences(
            *cell.projected(encoding, ext_input),
            noise=noise,
            factor_mask=_mask(encoding, cell.factors, masked[3], rate),
            generator_mask=_mask(encoding, cell.generator_units, masked[4], rate),
        )

    def get_config(self):
        settings = self.cell.get_config()
        names = (
            "generator_units", "controller_units", "factors", "inferred_inputs", "init_scale",
            "clip", "inject_ext_input_to_gen", "seed", "scale_rule",
        )  # fmt: skip
        own = {"dropout": float(self.dropout), "l2": [self.generator_l2, self.controller_l2]}
        return super().get_config() | {name: settings[name] for name in names} | own


def _like(sequence: tf.Tensor, size: int) -> tf.Tensor:
    """Zeros, as many as there are steps and trials, `[time, batch, size]`."""
    return tf.tile(tf.zeros_like(sequence[..., :1]), [1, 1, size])


def _mask(sequence: tf.Tensor, size: int, seed: tf.Tensor | None, rate) -> tf.Tensor:
    """A dropout mask `[time, batch, size]`; one `[time, 1, 1]` of ones where there is no seed."""
    if seed is None:
        return tf.ones_like(sequence[:, :1, :1])
    return mask_like(_like(sequence, size), seed, rate)
