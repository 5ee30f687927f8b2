"""The generator of LFADS: its weights, and the layer that runs it without a controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.rnn.cells import CELLS
from tfp_bvae.rnn.kernels import L2Penalty, scaled_normal, start_bias, unit_columns
from tfp_bvae.rnn.noise import NoiseStream, dropout_mask
from tfp_bvae.rnn.rates import current
from tfp_bvae.rnn.recurrence import recurrent_scan
from tfp_bvae.rnn.scan import project, time_first

__all__ = ["Generator", "GeneratorLayer"]


def mask_like(
    x: tf.Tensor, seed: tf.Tensor | None, rate: float | tf.Tensor, trials: int = 1
) -> tf.Tensor:
    """A dropout mask of the shape of `x`; ones where there is no seed.

    Args:
        x: `[time, batch, channel]`.
        seed: two integers.
        rate: the share of zeros.
        trials: the axis of the batch.
    """
    if seed is None:
        return tf.ones_like(x)
    return dropout_mask(tf.shape(x), seed, rate, x.dtype, trials)


def check_inputs(shapes: Mapping, sequences: Sequence[str], generator_units: int) -> None:
    """Checks the names and shapes of what a decoder is given."""
    for name in shapes:
        checks.known_key("inputs", name, ["initial_state", *sequences, "ext_input"])
    if "initial_state" in shapes:
        checks.last_dim("initial_state", shapes["initial_state"], generator_units)
    for name in (*sequences, "ext_input"):
        if name in shapes:
            checks.rank(name, shapes[name], 3)


class GeneratorLayer(checks.TFKerasOnly, tf_keras.layers.Layer):
    """A base of layers that own a generator: its weights, its factors and its noise."""

    cell = "clipped_gru"

    def __init__(self, generator_units: int, factors: int, clip: float, seed: int | None, **kwargs):
        super().__init__(**kwargs)
        self.generator_units = checks.whole_number("generator_units", generator_units, 1)
        self.factors = checks.whole_number("factors", factors, 1)
        self.clip = checks.positive("clip", clip)
        self.seed = seed

    def _build_generator(self, ext_size: int, inferred_size: int) -> None:
        """Adds the weights; a size of zero has no kernel."""
        units, width = self.generator_units, CELLS[self.cell].blocks * self.generator_units
        stddev = max(ext_size + inferred_size, 1) ** -0.5
        for name, size in (("ext", ext_size), ("inferred", inferred_size)):
            kernel = None
            if size:
                kernel = self._kernel(f"generator_{name}_kernel", size, width, stddev)
            setattr(self, f"{name}_kernel", kernel)
        self.generator_kernel = self._kernel(
            "generator_recurrent_kernel", units, width, units**-0.5
        )
        self.generator_bias = self.add_weight(
            name="generator_bias", shape=(width,), initializer=start_bias(self.cell, units)
        )
        self.factor_kernel = self._kernel("factor_kernel", units, self.factors, units**-0.5)
        self.noise = NoiseStream(self, self.seed)

    def _kernel(self, name: str, rows: int, columns: int, stddev: float) -> tf.Variable:
        return self.add_weight(name=name, shape=(rows, columns), initializer=scaled_normal(stddev))

    def drive(
        self,
        inferred: tf.Tensor | None,
        ext_input: tf.Tensor | None,
        like: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, ...]:
        """What enters the generator, `x W + b` by part, as many as there are of `like`.

        Args:
            inferred: `[..., inferred]`, or None.
            ext_input: `[..., ext]`, or None.
            like: `[..., channel]`, for where there is neither.
        """
        given = [(inferred, self.inferred_kernel), (ext_input, self.ext_kernel)]
        given = [(x, self._parts(k)) for x, k in given if x is not None and k is not None]
        bias = self._parts(self.generator_bias)
        if not given:
            return tuple(b + tf.zeros_like(like[..., :1]) for b in bias)
        return tuple(
            tf.add_n([project(x, kernels[n]) for x, kernels in given]) + b
            for n, b in enumerate(bias)
        )

    def _parts(self, weight: tf.Variable) -> tuple[tf.Tensor, ...]:
        """The parts of a weight, as the cell takes them."""
        return CELLS[self.cell].split(tf.convert_to_tensor(weight))

    def get_config(self):
        return super().get_config() | {
            "generator_units": self.generator_units,
            "factors": self.factors,
            "clip": self.clip,
            "seed": self.seed,
        }


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class Generator(GeneratorLayer):
    r"""A recurrent network that runs from an initial state, and the factors read from it.

    .. math:: g_t = \mathrm{RNN}([z_t; a_t], g_{t-1}), \qquad f_t = (g_t \odot d_t) W_{fac}

    The columns of `W_fac` have unit norm; `d` is a dropout mask; `z` drives it, `a` is an external
    input. With a clipped GRU and no `z` this is the decoder of LFADS without a controller.

    Args:
        generator_units: size of the state `g`.
        factors: number of factors.
        cell: `"clipped_gru"`, `"gru"`, `"lstm"` (whose memory starts at zero) or `"simple_rnn"`.
        dropout: rate on the external input and on the states that factors are read from.
        clip: largest absolute value of a state, of a clipped GRU.
        generator_l2: adds `generator_l2 / 2 * ||U||^2` to the loss, in nats per trial.
        seed: of the dropout masks.

    Call arguments:
        inputs: a dict of any of `initial_state` `[batch, generator_units]` (zeros without it),
            `inputs` `z` `[batch, time, channel]`, `ext_input` `a` `[batch, time, channel]`, and
            `like` `[batch, time, .]`: any tensor, only its number of steps is read. At least one
            that has a time axis.

    Returns:
        A dict of `factors` and `generator`, `[batch, time, .]`.

    Raises:
        KeyError: for an input that is unknown.
        ValueError: for a setting out of its range, an input of another shape, or no sequence.

    Source: Pandarinath et al., Nature Methods 2018.

    >>> generate = Generator(generator_units=8, factors=3)
    >>> out = generate({"initial_state": tf.ones([2, 8]), "like": tf.zeros([2, 5, 1])})
    >>> out["factors"].shape
    TensorShape([2, 5, 3])
    """

    def __init__(
        self,
        generator_units: int,
        factors: int,
        cell: str = "clipped_gru",
        dropout: float = 0.0,
        clip: float = 5.0,
        generator_l2: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(generator_units, factors, clip, seed, **kwargs)
        self.cell = checks.one_of("cell", cell, tuple(CELLS))
        self.dropout = checks.in_interval("dropout", dropout, 0.0, 1.0, include_high=False)
        self.generator_l2 = checks.in_interval("generator_l2", generator_l2, 0.0)

    def build(self, input_shape):
        check_inputs(input_shape, ("inputs", "like"), self.generator_units)
        if not {"inputs", "like", "ext_input"} & set(input_shape):
            raise ValueError(f"inputs must have one with a time axis, got {sorted(input_shape)}")
        sizes = [input_shape[n][-1] if n in input_shape else 0 for n in ("ext_input", "inputs")]
        self._build_generator(*sizes)
        self.generator_penalty = L2Penalty(self, self.generator_l2, "generator_l2")
        super().build(input_shape)

    def call(self, inputs, training=None):
        seeds = self.noise.seeds(2) if training and self.dropout else (None, None)
        rate = current(self.dropout)
        sequences = {n: time_first(x) for n, x in inputs.items() if n != "initial_state"}
        like = next(iter(sequences.values()))
        ext_input = sequences.get("ext_input")
        if ext_input is not None:
            ext_input *= mask_like(ext_input, seeds[0], rate)
        drive = self.drive(sequences.get("inputs"), ext_input, like)
        start = inputs.get("initial_state")
        if start is None:
            start = tf.zeros([tf.shape(like)[1], self.generator_units], like.dtype)
        memory = [tf.zeros_like(start)] * (CELLS[self.cell].num_states - 1)
        kernel = tf.convert_to_tensor(self.generator_kernel)
        states, *_ = recurrent_scan(self.cell, drive, [start, *memory], kernel, self.clip)
        masked = states * mask_like(states, seeds[1], rate)
        self.generator_penalty(self.generator_kernel)
        factors = masked @ unit_columns(self.factor_kernel)
        return {"factors": time_first(factors), "generator": time_first(states)}

    def get_config(self):
        return super().get_config() | {
            "cell": self.cell,
            "dropout": float(self.dropout),
            "generator_l2": self.generator_l2,
        }
