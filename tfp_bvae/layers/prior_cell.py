"""One step of a learned recurrent prior: a recurrent cell, and a Gaussian read off its state."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.distributions import mvn_diag
from tfp_bvae.layers.posteriors import MVNDiagPosterior
from tfp_bvae.rnn.cells import CELLS
from tfp_bvae.rnn.kernels import forget_bias, gate_bias, scaled_normal
from tfp_bvae.rnn.recurrence import recurrent_scan

__all__ = ["LearnableMVNDiagCell"]

States = tuple[tf.Tensor, ...]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class LearnableMVNDiagCell(checks.TFKerasOnly, tf_keras.layers.Layer):
    r"""From the last sample and a state to the Gaussian of the next sample, and the next state.

    .. math::

        h_t = \mathrm{cell}(z_{t-1}, h_{t-1}), \qquad (m_t, l_t) = h_t W + b, \qquad
        p(z_t \mid z_{<t}) = N(m_t, \mathrm{diag}\, s_t^2), \quad
        s_t = s_{min} + \mathrm{softplus}(l_t + \delta)

    with `z_0 = h_0 = 0`. Fresh from its initial values, the first Gaussian is
    `N(0, init_scale^2)`. `RecurrentMVNPrior` runs such a cell over whole paths.

    Args:
        latent: size of a sample.
        units: size of the state.
        cell_type: `"gru"`, `"clipped_gru"`, `"lstm"` or `"simple_rnn"`.
        init_scale: the standard deviation of the first step, before training.
        min_scale: a floor on the standard deviation.
        clip: bound on the state of the clipped GRU; the others have none.

    Call arguments:
        sample: `[..., latent]`.
        state: as `zero_state` or the cell gave it.

    Returns:
        A `tfd.MultivariateNormalDiag` of batch shape `[...]`, that other layers read as its mean,
        and the next state. It is the caller who draws.

    Raises:
        ValueError, KeyError, TypeError: for a setting out of its range, or an unknown cell.

    Source: the prior cell of Li and Mandt, Disentangled Sequential Autoencoder (2018), an LSTM
    there. Kernels and biases start as in the recurrent layers of the same names.

    >>> cell = LearnableMVNDiagCell(3, 4, cell_type="gru")
    >>> sample, state = cell.zero_state([10, 2])
    >>> gaussian, state = cell(sample, state)
    >>> gaussian.sample(seed=1).shape, gaussian.stddev()[0, 0].numpy().tolist()
    (TensorShape([10, 2, 3]), [1.0, 1.0, 1.0])
    """

    def __init__(
        self,
        latent: int,
        units: int = 32,
        cell_type: str = "gru",
        init_scale: float = 1.0,
        min_scale: float = 1e-3,
        clip: float = 5.0,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)  # a density wants full precision
        self.latent = checks.whole_number("latent", latent, 1)
        self.units = checks.whole_number("units", units, 1)
        self.cell_type = checks.known_key("cell_type", cell_type, CELLS)
        self.init_scale, self.min_scale = init_scale, min_scale
        self.clip = checks.positive("clip", clip)
        self.gaussian = MVNDiagPosterior(
            latent, init_scale, min_scale, value="mean",
            name="gaussian", dtype=self.dtype_policy, autocast=False,
        )  # fmt: skip

    def build(self, input_shape):
        checks.last_dim("sample", input_shape, self.latent)
        width = CELLS[self.cell_type].blocks * self.units
        kernel, recurrent, bias = self._initial_values()
        self.kernel = self._weight("kernel", [self.latent, width], kernel)
        self.recurrent_kernel = self._weight("recurrent_kernel", [self.units, width], recurrent)
        self.bias = self._weight("bias", [width], bias)
        size = 2 * self.latent
        self.output_kernel = self._weight("output_kernel", [self.units, size], "glorot_uniform")
        self.output_bias = self._weight("output_bias", [size], "zeros")
        super().build(input_shape)

    def _initial_values(self):
        if self.cell_type == "clipped_gru":
            stddev = (self.latent + self.units) ** -0.5
            return scaled_normal(stddev), scaled_normal(stddev), gate_bias(self.units)
        bias = forget_bias(self.units) if self.cell_type == "lstm" else "zeros"
        return "glorot_uniform", "orthogonal", bias

    def _weight(self, name, shape, initializer):
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, experimental_autocast=False
        )

    def zero_state(
        self, sample_batch_shape: Sequence[int] | int | tf.Tensor
    ) -> tuple[tf.Tensor, States]:
        """Give the sample and the state before the first step: zeros.

        Args:
            sample_batch_shape: `[...]`, such as `[samples, batch]`; one number is one axis.

        Returns:
            The sample `[..., latent]`, and the state, a tuple of `[..., units]`.
        """
        axes = tf.convert_to_tensor(sample_batch_shape, tf.int32)
        axes = tf.reshape(axes, [1]) if axes.shape.rank == 0 else axes
        dtype = self.variable_dtype
        state = tf.zeros(tf.concat([axes, [self.units]], axis=0), dtype)
        sample = tf.zeros(tf.concat([axes, [self.latent]], axis=0), dtype)
        return sample, (state,) * CELLS[self.cell_type].num_states

    def call(self, sample, state):
        sample = tf.cast(sample, self.variable_dtype)
        leading = sample.shape[:-1]
        shape = tf.shape(sample)[:-1]
        flat = tuple(tf.reshape(tf.cast(s, sample.dtype), [-1, self.units]) for s in state)
        flat = self._next_state(tf.reshape(sample, [-1, self.latent]), flat)
        state = tuple(tf.reshape(s, tf.concat([shape, [self.units]], axis=0)) for s in flat)
        for tensor in state:
            tensor.set_shape(leading.concatenate([self.units]))
        return self.gaussian(self._params(state[0])), state

    def step(self, sample: tf.Tensor, state: States) -> tuple[tf.Tensor, tf.Tensor, States]:
        """Give location, scale and state after one step, of a built cell.

        Args:
            sample: `[batch, latent]`.
            state: a tuple of `[batch, units]`.
        """
        state = self._next_state(sample, state)
        return *self._loc_and_scale(state[0]), state

    def teacher_forced(self, before: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Give location and scale of all steps of paths in one scan, of a built cell.

        Args:
            before: `[..., time, latent]`, the sample before each step: zeros come first.

        Returns:
            Two tensors `[..., time, latent]`.
        """
        shape = tf.shape(before)
        flat = tf.reshape(before, tf.concat([[-1], shape[-2:]], axis=0))
        inputs = tf.tensordot(tf.transpose(flat, [1, 0, 2]), self.kernel, 1) + self.bias
        _, start = self.zero_state(tf.shape(flat)[0])
        kernel = tf.convert_to_tensor(self.recurrent_kernel)
        states = recurrent_scan(self.cell_type, inputs, start, kernel, self.clip)[0]
        states = tf.transpose(states, [1, 0, 2])  # [batch, time, units]
        states = tf.reshape(states, tf.concat([shape[:-1], [self.units]], axis=0))
        states.set_shape(before.shape[:-1].concatenate([self.units]))
        return self._loc_and_scale(states)

    def _next_state(self, sample, state):
        inputs = tf.matmul(sample, self.kernel) + self.bias
        cell, kernel = CELLS[self.cell_type], tf.convert_to_tensor(self.recurrent_kernel)
        return cell.step(cell.split(inputs), tuple(state), cell.split(kernel), self.clip)[0]

    def _params(self, output):
        return tf.tensordot(output, self.output_kernel, 1) + self.output_bias

    def _loc_and_scale(self, output):
        gaussian = mvn_diag(self._params(output), self.latent, self.init_scale, self.min_scale)
        return gaussian.loc, gaussian.stddev()

    def get_config(self):
        return super().get_config() | {
            "latent": self.latent,
            "units": self.units,
            "cell_type": self.cell_type,
            "init_scale": self.init_scale,
            "min_scale": self.min_scale,
            "clip": self.clip,
        }
