"""One step of the LFADS decoder as a recurrent cell of Keras, with named states."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.distributions.scale_rules import scale_shift
from tfp_bvae.rnn.cells import CELLS
from tfp_bvae.rnn.generator import GeneratorLayer
from tfp_bvae.rnn.kernels import gate_bias, unit_columns
from tfp_bvae.rnn.lfads_step import (
    DecoderPath,
    DecoderSequences,
    DecoderStart,
    DecoderWeights,
    LFADSState,
    lfads_step,
)
from tfp_bvae.rnn.noise import standard_normal, wants_sample
from tfp_bvae.rnn.scan import project

__all__ = ["LFADSCell"]

# floor on the standard deviation of q(u_t); the packages whose rule is the second have none
MIN_SCALE = {"softplus": 1e-3, "log_variance": 0.0}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LFADSCell(GeneratorLayer):
    r"""The LFADS decoder's step, for `tf_keras.layers.RNN(cell, return_sequences=True)`.

    .. math::

        c_t &= \mathrm{GRU}_{con}([e_t; f_{t-1}], c_{t-1}), \qquad
        u_t \sim q(u_t) = N(m_t, \mathrm{diag}\, s_t^2), \quad (m_t, s_t) \text{ from } c_t, \\
        g_t &= \mathrm{GRU}_{gen}([u_t; a_t], g_{t-1}), \qquad f_t = g_t W_{fac}

    `u` is sampled in training and is its mean at inference; see `posterior_values`. The columns
    of `W_fac` have unit norm. `LFADSDecoder` owns such a cell and runs it several times faster,
    with dropout and penalties; take the cell alone to put steps of your own around it.

    Args:
        generator_units: size of `g`.
        controller_units: size of `c`.
        factors: number of factors `f`.
        inferred_inputs: number of inferred inputs `u`.
        init_scale: the standard deviation of q(u) that zero parameters mean.
        clip: largest absolute value of a state of either GRU.
        inject_ext_input_to_gen: whether an external input `a` goes to the generator, or, if
            False, to the controller beside `e`.
        seed: of the noise.
        scale_rule: how `s` comes of its parameter: `"softplus"`, or `"log_variance"`, as other
            packages of LFADS have it: `s = init_scale exp(l / 2)`, without a floor.

    Call arguments:
        inputs: a dict of `controller_input` `e` `[batch, channel]` and, if there is one,
            `ext_input` `a` `[batch, channel]`; or `e` alone.
        states: an `LFADSState`, or its parts in that order.

    Returns:
        A dict of `controller`, `factors`, `generator`, `inferred`, `inferred_loc` and
        `inferred_scale`, `[batch, .]`, and the next `LFADSState`. Without an `initial_state` the
        generator starts at zeros and the controller at a trainable vector; `start` makes a state
        of a given one of the generator.

    Raises:
        KeyError: for an input that is missing or unknown.
        ValueError: for a setting out of its range.

    Source: Pandarinath et al., Nature Methods 2018.

    >>> cell = LFADSCell(generator_units=8, controller_units=6, factors=3, inferred_inputs=2)
    >>> decode = tf_keras.layers.RNN(cell, return_sequences=True)
    >>> decode({"controller_input": tf.zeros([2, 5, 4])})["factors"].shape
    TensorShape([2, 5, 3])
    >>> start = cell.start(tf.ones([2, 8]))
    >>> out, state = cell({"controller_input": tf.zeros([2, 4])}, start)
    >>> state.generator.shape, state.step.numpy().tolist()
    (TensorShape([2, 8]), [[1], [1]])
    """

    def __init__(
        self,
        generator_units: int,
        controller_units: int,
        factors: int,
        inferred_inputs: int,
        init_scale: float = 0.1,
        clip: float = 5.0,
        inject_ext_input_to_gen: bool = True,
        seed: int | None = None,
        scale_rule: str = "softplus",
        **kwargs,
    ):
        super().__init__(generator_units, factors, clip, seed, **kwargs)
        self.controller_units = checks.whole_number("controller_units", controller_units, 1)
        self.inferred_inputs = checks.whole_number("inferred_inputs", inferred_inputs, 1)
        self.init_scale = checks.positive("init_scale", init_scale)
        self.scale_rule = checks.one_of("scale_rule", scale_rule, tuple(MIN_SCALE))
        self.min_scale = MIN_SCALE[scale_rule]
        self.scale_shift = scale_shift(self.init_scale, self.min_scale, scale_rule)
        self.inject_ext_input_to_gen = checks.boolean(
            "inject_ext_input_to_gen", inject_ext_input_to_gen
        )

    @property
    def state_size(self) -> LFADSState:
        """Sizes of the states."""
        return LFADSState(self.controller_units, self.generator_units, self.factors, 1)

    @property
    def output_size(self) -> dict[str, int]:
        """Sizes of the outputs, by name."""
        u = self.inferred_inputs
        sizes = DecoderPath(self.controller_units, u, u, u, self.generator_units, self.factors)
        return sizes._asdict()

    def build(self, input_shape):
        shapes = _by_name(input_shape)
        for name in shapes:
            checks.known_key("inputs", name, ["controller_input", "ext_input"])
        encoded = checks.last_dim("controller_input", shapes["controller_input"])
        ext = checks.last_dim("ext_input", shapes["ext_input"]) if "ext_input" in shapes else 0
        to_generator = ext if self.inject_ext_input_to_gen else 0
        to_controller = ext - to_generator
        self._build_generator(to_generator, self.inferred_inputs)
        units, size = self.controller_units, self.inferred_inputs
        stddev = (encoded + self.factors + to_controller) ** -0.5
        kernel, width = self._kernel, 3 * units
        self.encoding_kernel = kernel("controller_encoding_kernel", encoded, width, stddev)
        self.fed_back_kernel = kernel("controller_factor_kernel", self.factors, width, stddev)
        self.controller_ext_kernel = None
        if to_controller:
            self.controller_ext_kernel = kernel("controller_ext_kernel", ext, width, stddev)
        self.controller_kernel = kernel("controller_recurrent_kernel", units, width, units**-0.5)
        self.controller_bias = self.add_weight(
            name="controller_bias", shape=(width,), initializer=gate_bias(units)
        )
        self.controller_start = self.add_weight(
            name="controller_initial_state", shape=(units,), initializer="zeros"
        )
        self.posterior_kernel = kernel("posterior_kernel", units, 2 * size, units**-0.5)
        self.posterior_bias = self.add_weight(
            name="posterior_bias", shape=(2 * size,), initializer="zeros"
        )
        super().build(input_shape)

    def loop_weights(self) -> DecoderWeights:
        """The weights that a step needs once its inputs are projected."""
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

    def projected(
        self, encoding: tf.Tensor, ext_input: tf.Tensor | None
    ) -> tuple[tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        """What enters controller and generator from outside by part, `[..., .]`, of any steps."""
        seen = encoding
        kernel = tf.convert_to_tensor(self.encoding_kernel)
        if self.controller_ext_kernel is not None:
            seen = tf.concat([encoding, ext_input], axis=-1)
            kernel = tf.concat([kernel, self.controller_ext_kernel], axis=0)
        weights = zip(
            CELLS[self.cell].split(kernel), self._parts(self.controller_bias), strict=True
        )
        controller = tuple(project(seen, k) + b for k, b in weights)
        steps = encoding[:, :1]  # without an external input all trials share those of the bias
        return controller, self.drive(None, ext_input, steps)

    def start(self, generator: tf.Tensor, mask: tf.Tensor | None = None) -> LFADSState:
        """The state before the first step, once the cell is built.

        Args:
            generator: `g_0`, `[batch, generator_units]`.
            mask: on what factors see of it, of the same shape.
        """
        batch = tf.shape(generator)[0]
        seen = generator if mask is None else generator * mask
        return LFADSState(
            tf.tile(tf.convert_to_tensor(self.controller_start)[tf.newaxis], [batch, 1]),
            generator,
            seen @ unit_columns(self.factor_kernel),
            tf.zeros([batch, 1], tf.int32),
        )

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None) -> LFADSState:
        """The state of `start` for a generator at zeros, once the cell is built."""
        if not self.built:
            raise ValueError(
                "the cell must be built before it has an initial state: "
                "call the layer around it once"
            )
        if inputs is not None:
            batch_size = tf.shape(tf.nest.flatten(inputs)[0])[0]
        return self.start(tf.zeros([batch_size, self.generator_units], self.compute_dtype))

    def call(self, inputs, states, training=None):
        inputs, state = _by_name(inputs), LFADSState(*states)
        encoding = inputs["controller_input"]
        noise = tf.zeros_like(tf.tile(encoding[:, :1], [1, self.inferred_inputs]))
        if wants_sample(training):
            seed = self.noise.seeds(1, step=tf.reduce_max(state.step))[0]
            noise = standard_normal(tf.shape(noise), seed, noise.dtype, trials=0)
        step = DecoderSequences(
            *self.projected(encoding, inputs.get("ext_input")),
            noise=noise,
            factor_mask=tf.ones_like(state.factors),
            generator_mask=tf.ones_like(state.generator),
        )
        path, _ = lfads_step(
            self.loop_weights(), step, DecoderStart(*state[:3]),
            self.scale_shift, self.min_scale, self.clip, self.scale_rule,
        )  # fmt: skip
        next_state = LFADSState(path.controller, path.generator, path.factors, state.step + 1)
        return path._asdict(), next_state

    def get_config(self):
        return super().get_config() | {
            "controller_units": self.controller_units,
            "inferred_inputs": self.inferred_inputs,
            "init_scale": self.init_scale,
            "inject_ext_input_to_gen": self.inject_ext_input_to_gen,
            "scale_rule": self.scale_rule,
        }


def _by_name(inputs):
    """Inputs, or their shapes, as a dict; the controller's alone need no name."""
    return inputs if isinstance(inputs, Mapping) else {"controller_input": inputs}
