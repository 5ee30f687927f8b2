"""The LFADS decoder as Keras layers: with a controller, and a generator alone."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.distributions import softplus_shift
from tfp_bvae.rnn.cells import recurrent_scan
from tfp_bvae.rnn.kernels import L2Penalty, gate_bias, scaled_normal, unit_columns
from tfp_bvae.rnn.lfads_scan import lfads_decoder
from tfp_bvae.rnn.lfads_step import DecoderSequences, DecoderStart, DecoderWeights
from tfp_bvae.rnn.noise import NoiseStream, dropout_mask, standard_normal, wants_sample

__all__ = ["Generator", "LFADSDecoder"]

MIN_SCALE = 1e-3  # floor on the standard deviation of q(u_t)


def _time_first(x: tf.Tensor) -> tf.Tensor:
    return tf.transpose(x, [1, 0, 2])  # and back: it is its own inverse


class _GeneratorLayer(tf_keras.layers.Layer):
    """What both decoders share: the generator's weights, its factors, masks and settings."""

    sequence: str  # the input that must be there beside the initial state

    def __init__(self, generator_units, factors, dropout, clip, generator_l2, seed, **kwargs):
        super().__init__(**kwargs)
        self.generator_units = checks.whole_number("generator_units", generator_units, 1)
        self.factors = checks.whole_number("factors", factors, 1)
        self.dropout = checks.in_interval("dropout", dropout, 0.0, 1.0, include_high=False)
        self.clip = checks.positive("clip", clip)
        self.generator_l2 = checks.in_interval("generator_l2", generator_l2, 0.0)
        self.seed = seed

    def _build_generator(self, shapes: dict, inferred_size: int) -> None:
        for name in shapes:
            checks.known_key("inputs", name, ["initial_state", self.sequence, "ext_input"])
        checks.last_dim("initial_state", shapes["initial_state"], self.generator_units)
        checks.rank(self.sequence, shapes[self.sequence], 3)
        ext_size = shapes["ext_input"][-1] if "ext_input" in shapes else 0
        units = self.generator_units
        stddev = max(ext_size + inferred_size, 1) ** -0.5
        for name, size in (("ext", ext_size), ("inferred", inferred_size)):
            kernel = None
            if size:
                kernel = self._kernel(f"generator_{name}_kernel", size, 3 * units, stddev)
            setattr(self, f"{name}_kernel", kernel)
        self.generator_kernel = self._kernel(
            "generator_recurrent_kernel", units, 3 * units, units**-0.5
        )
        self.generator_bias = self.add_weight(
            name="generator_bias", shape=(3 * units,), initializer=gate_bias(units)
        )
        self.factor_kernel = self._kernel("factor_kernel", units, self.factors, units**-0.5)
        self.generator_penalty = L2Penalty(self, self.generator_l2, "generator_l2")
        self.noise = NoiseStream(self, self.seed)

    def _kernel(self, name: str, rows: int, columns: int, stddev: float) -> tf.Variable:
        return self.add_weight(name=name, shape=(rows, columns), initializer=scaled_normal(stddev))

    def _generator_inputs(self, inputs: dict, steps: tf.Tensor, seed, training) -> tf.Tensor:
        """Bias and projected external input of all `steps` `[time, batch, .]`, `[..., 3 units]`."""
        bias = tf.convert_to_tensor(self.generator_bias)
        if self.ext_kernel is None:
            return bias + tf.zeros_like(steps[..., :1])
        ext_input = _time_first(inputs["ext_input"])
        return (ext_input * self._mask(ext_input, seed, training)) @ self.ext_kernel + bias

    def _mask(self, like: tf.Tensor, seed, training) -> tf.Tensor:
        if training and self.dropout:
            return dropout_mask(tf.shape(like), seed, self.dropout, like.dtype)
        return tf.ones_like(like)

    def get_config(self):
        return super().get_config() | {
            "generator_units": self.generator_units,
            "factors": self.factors,
            "dropout": self.dropout,
            "clip": self.clip,
            "seed": self.seed,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class Generator(_GeneratorLayer):
    r"""A clipped GRU that runs from an initial state, and the factors read from it.

    .. math:: g_t = \mathrm{GRU}(a_t, g_{t-1}), \qquad f_t = (g_t \odot d_t) W_{fac}

    The columns of `W_fac` have unit norm; `d` is a dropout mask; `a` is an external input.
    This is the decoder of LFADS without a controller.

    Args:
        generator_units: size of the state `g`.
        factors: number of factors.
        dropout: rate on the external input and on the states that factors are read from.
        clip: largest absolute value of a state.
        generator_l2: adds `generator_l2 / 2 * ||U||^2` to the loss.
        seed: of the dropout masks.

    Call arguments:
        inputs: a dict of `initial_state` `[batch, generator_units]`, `like` `[batch, time, .]`
            (any tensor: only its number of steps is read), and, if there is one, `ext_input`
            `[batch, time, channel]`.

    Returns:
        A dict of `factors` and `generator`, `[batch, time, .]`.

    >>> generate = Generator(generator_units=8, factors=3)
    >>> out = generate({"initial_state": tf.ones([2, 8]), "like": tf.zeros([2, 5, 1])})
    >>> out["factors"].shape
    TensorShape([2, 5, 3])
    """

    sequence = "like"

    def __init__(
        self,
        generator_units: int,
        factors: int,
        dropout: float = 0.0,
        clip: float = 5.0,
        generator_l2: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(generator_units, factors, dropout, clip, generator_l2, seed, **kwargs)

    def build(self, input_shape):
        self._build_generator(input_shape, inferred_size=0)
        super().build(input_shape)

    def call(self, inputs, training=None):
        seeds = self.noise.seeds(2) if training and self.dropout else (None, None)
        (states,) = recurrent_scan(
            "clipped_gru",
            self._generator_inputs(inputs, _time_first(inputs["like"]), seeds[0], training),
            [inputs["initial_state"]],
            tf.convert_to_tensor(self.generator_kernel),
            self.clip,
        )
        masked = states * self._mask(states, seeds[1], training)
        self.generator_penalty(self.generator_kernel)
        factors = masked @ unit_columns(self.factor_kernel)
        return {"factors": _time_first(factors), "generator": _time_first(states)}

    def get_config(self):
        return super().get_config() | {"generator_l2": self.generator_l2}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LFADSDecoder(_GeneratorLayer):
    r"""The LFADS decoder: controller, inferred input, generator and factors, step by step.

    .. math::

        c_t &= \mathrm{GRU}_{con}([e_t; f_{t-1}], c_{t-1}), \qquad
        u_t \sim q(u_t) = N(m_t, \mathrm{diag}\, s_t^2), \quad (m_t, s_t) \text{ from } c_t, \\
        g_t &= \mathrm{GRU}_{gen}([u_t; a_t], g_{t-1}), \qquad f_t = (g_t \odot d_t) W_{fac}

    `u` is sampled in training and is its mean at inference; see `posterior_values`. External
    inputs `a` go to the generator only. The columns of `W_fac` have unit norm. The controller's
    initial state is trainable; `f_0` is read from `g_0`.

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
        seed: of the noise and of the dropout masks.

    Call arguments:
        inputs: a dict of `initial_state` `g_0` `[batch, generator_units]`, `controller_input`
            `e` `[batch, time, channel]`, and, if there is one, `ext_input` `a`.

    Returns:
        A dict, each `[batch, time, .]`: `factors`, `inferred` (the path `u` that the generator
        was fed), `inferred_loc`, `inferred_scale`, `generator`, `controller`.

    Source: Pandarinath et al., Nature Methods 2018.

    >>> decode = LFADSDecoder(generator_units=8, controller_units=6, factors=3, inferred_inputs=2)
    >>> out = decode({"initial_state": tf.ones([2, 8]), "controller_input": tf.zeros([2, 5, 4])})
    >>> out["factors"].shape, out["inferred"].shape
    (TensorShape([2, 5, 3]), TensorShape([2, 5, 2]))
    """

    sequence = "controller_input"

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
        seed: int | None = None,
        **kwargs,
    ):
        if len(l2) != 2:
            raise ValueError(f"l2 must be two numbers, of generator and controller, got {l2!r}")
        super().__init__(generator_units, factors, dropout, clip, l2[0], seed, **kwargs)
        self.controller_units = checks.whole_number("controller_units", controller_units, 1)
        self.inferred_inputs = checks.whole_number("inferred_inputs", inferred_inputs, 1)
        self.init_scale = checks.positive("init_scale", init_scale)
        self.scale_shift = softplus_shift(self.init_scale, MIN_SCALE)
        self.controller_l2 = checks.in_interval("controller_l2", l2[1], 0.0)

    def build(self, input_shape):
        self._build_generator(input_shape, self.inferred_inputs)
        units, size = self.controller_units, self.inferred_inputs
        encoded = input_shape["controller_input"][-1]
        stddev = (encoded + self.factors) ** -0.5
        self.encoding_kernel = self._kernel(
            "controller_encoding_kernel", encoded, 3 * units, stddev
        )
        self.fed_back_kernel = self._kernel(
            "controller_factor_kernel", self.factors, 3 * units, stddev
        )
        self.controller_kernel = self._kernel(
            "controller_recurrent_kernel", units, 3 * units, units**-0.5
        )
        self.controller_bias = self.add_weight(
            name="controller_bias", shape=(3 * units,), initializer=gate_bias(units)
        )
        self.controller_start = self.add_weight(
            name="controller_initial_state", shape=(units,), initializer="zeros"
        )
        self.posterior_kernel = self._kernel("posterior_kernel", units, 2 * size, units**-0.5)
        self.posterior_bias = self.add_weight(
            name="posterior_bias", shape=(2 * size,), initializer="zeros"
        )
        self.controller_penalty = L2Penalty(self, self.controller_l2, "controller_l2")
        super().build(input_shape)

    def call(self, inputs, training=None):
        encoding = _time_first(inputs["controller_input"])  # [time, batch, channel]
        weights = self._weights()
        sequences = self._sequences(inputs, encoding, training)
        masked_start = inputs["initial_state"] * sequences.generator_mask[0]
        start = DecoderStart(
            tf.tile(self.controller_start[tf.newaxis], [tf.shape(encoding)[1], 1]),
            inputs["initial_state"],
            masked_start @ weights.factor_kernel,
        )
        path = lfads_decoder(weights, sequences, start, self.scale_shift, MIN_SCALE, self.clip)
        self.generator_penalty(self.generator_kernel)
        self.controller_penalty(self.controller_kernel)
        return {name: _time_first(x) for name, x in path._asdict().items()}

    def _weights(self) -> DecoderWeights:
        weights = DecoderWeights(
            controller_factors=self.fed_back_kernel,
            controller_recurrent=self.controller_kernel,
            posterior_kernel=self.posterior_kernel,
            posterior_bias=self.posterior_bias,
            generator_inferred=self.inferred_kernel,
            generator_recurrent=self.generator_kernel,
            factor_kernel=unit_columns(self.factor_kernel),
        )
        return DecoderWeights(*(tf.convert_to_tensor(w) for w in weights))

    def _sequences(self, inputs: dict, encoding: tf.Tensor, training) -> DecoderSequences:
        seeds = [None] * 5
        if training or wants_sample(training):
            seeds = self.noise.seeds(5)
        steps = tf.zeros_like(encoding[..., :1])  # [time, batch, 1]
        encoding *= self._mask(encoding, seeds[0], training)
        noise = tf.tile(steps, [1, 1, self.inferred_inputs])
        if wants_sample(training):
            noise = standard_normal(tf.shape(noise), seeds[1], noise.dtype)
        return DecoderSequences(
            controller=encoding @ self.encoding_kernel + self.controller_bias,
            generator=self._generator_inputs(inputs, steps, seeds[2], training),
            noise=noise,
            factor_mask=self._mask(tf.tile(steps, [1, 1, self.factors]), seeds[3], training),
            generator_mask=self._mask(
                tf.tile(steps, [1, 1, self.generator_units]), seeds[4], training
            ),
        )

    def get_config(self):
        return super().get_config() | {
            "controller_units": self.controller_units,
            "inferred_inputs": self.inferred_inputs,
            "init_scale": self.init_scale,
            "l2": [self.generator_l2, self.controller_l2],
        }
