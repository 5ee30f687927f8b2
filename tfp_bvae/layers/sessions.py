"""Layers whose weights belong to a session: recordings of other channels, one shared model."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks

__all__ = ["SessionReadIn", "SessionReadOut"]


class _SessionAffine(checks.TFKerasOnly, tf_keras.layers.Layer):
    """`y = x W_s + b_s`, with the weights of the session s of each trial."""

    def __init__(self, num_sessions: int, fixed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.num_sessions = checks.whole_number("num_sessions", num_sessions, 1)
        self.fixed = checks.whole_number("fixed", fixed, 0)
        checks.in_interval("fixed", fixed, 0, num_sessions, include_high=False)

    def build(self, input_shape):
        x_shape, session_shape = self._two("shapes", input_shape)
        checks.rank("x", x_shape, 3)
        checks.rank("session", session_shape, 1)
        channels, size = checks.last_dim("x", x_shape), self._size()
        self.kernel, self.bias = self._affine("", self.num_sessions - self.fixed, channels, size)
        if self.fixed:
            self.fixed_kernel, self.fixed_bias = self._affine("fixed_", self.fixed, channels, size)
        super().build(input_shape)

    def _affine(self, prefix: str, rows: int, channels: int, size: int):
        """A kernel and a bias for some sessions, which train unless they are fixed."""
        normal = tf_keras.initializers.RandomNormal(stddev=channels**-0.5)
        shapes = {"kernel": (rows, channels, size), "bias": (rows, size)}
        return [
            self.add_weight(
                name=prefix + name,
                shape=shape,
                initializer=normal if name == "kernel" else "zeros",
                trainable=not prefix,
            )
            for name, shape in shapes.items()
        ]

    def call(self, inputs):
        x, session = self._two("inputs", inputs)
        chosen = self._chosen(tf.convert_to_tensor(session))
        kernel = tf.tensordot(chosen, self.kernels, 1)  # [batch, channel, size]
        bias = tf.matmul(chosen, self.biases)  # [batch, size]
        return tf.matmul(x, kernel) + bias[:, tf.newaxis, :]

    @property
    def kernels(self) -> tf.Tensor:
        """Those of all sessions, `[session, channel, size]`; fixed ones first."""
        return self._joined("kernel")

    @property
    def biases(self) -> tf.Tensor:
        """Those of all sessions, `[session, size]`; fixed ones first."""
        return self._joined("bias")

    def _joined(self, name: str) -> tf.Tensor:
        parts = [getattr(self, f"fixed_{name}")] if self.fixed else []
        return tf.concat([*parts, getattr(self, name)], axis=0)

    def assign(self, kernels=None, biases=None) -> None:
        """Give all sessions their weights, fixed ones too.

        Args:
            kernels: `[session, channel, size]`; None leaves them.
            biases: `[session, size]`; None leaves them.
        """
        for name, values in (("kernel", kernels), ("bias", biases)):
            if values is None:
                continue
            getattr(self, name).assign(values[self.fixed :])
            if self.fixed:
                getattr(self, f"fixed_{name}").assign(values[: self.fixed])

    def _size(self) -> int:
        """Number of outputs."""
        raise NotImplementedError

    def _two(self, what: str, given):
        if not isinstance(given, (list, tuple)) or len(given) != 2:
            raise ValueError(f"{what} must be those of [x, session], got {given!r}")
        return given

    def _chosen(self, session: tf.Tensor) -> tf.Tensor:
        """One row per trial: 1 at its session; all NaN where there is no such session."""
        if not session.dtype.is_integer:
            raise TypeError(f"session must be whole numbers, got {session.dtype.name}")
        known = tf.get_static_value(session)
        if known is not None and known.size:
            for index in (known.min(), known.max()):
                checks.in_interval("session", int(index), 0, self.num_sessions, include_high=False)
        session = tf.cast(session, tf.int64)
        exists = (session >= 0) & (session < self.num_sessions)
        row = tf.one_hot(session, self.num_sessions, dtype=self.compute_dtype)
        return tf.where(exists[:, tf.newaxis], row, tf.constant(float("nan"), row.dtype))

    def get_config(self):
        return super().get_config() | {"num_sessions": self.num_sessions, "fixed": self.fixed}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SessionReadIn(_SessionAffine):
    r"""From the channels of each session to features that all sessions share.

    .. math:: y_t = x_t W_s + b_s

    Sessions with fewer channels than the widest are filled up with zeros, which add nothing.
    Weights start as `N(0, 1 / channels)`, biases at zero; `kernel`, `[session, channel,
    features]`, and `bias`, `[session, features]`, can be assigned, say of an alignment by
    principal components, and held with `trainable=False`; those of the first `fixed` sessions are
    weights of their own, `fixed_kernel` and `fixed_bias`, that do not train.

    Args:
        num_sessions: number of sessions.
        features: number of outputs.
        fixed: number of sessions, the first ones, whose weights do not train.

    Call arguments:
        inputs: `[x, session]`: `x` `[batch, time, channel]`, and `session` `[batch]`, whole
            numbers from 0 on.

    Returns:
        `[batch, time, features]`. In a graph a session that does not exist gives NaN.

    Raises:
        ValueError: if a session does not exist, or shapes are others.
        TypeError: if `session` is not of whole numbers.

    Source: the stitching of Pandarinath et al., Nature Methods 2018.

    >>> layer = SessionReadIn(num_sessions=3, features=2)
    >>> layer([tf.zeros([4, 5, 7]), tf.constant([0, 2, 2, 1])]).shape
    TensorShape([4, 5, 2])
    """

    def __init__(self, num_sessions: int, features: int, fixed: int = 0, **kwargs):
        super().__init__(num_sessions, fixed, **kwargs)
        self.features = checks.whole_number("features", features, 1)

    def _size(self):
        return self.features

    def get_config(self):
        return super().get_config() | {"features": self.features}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SessionReadOut(_SessionAffine):
    r"""From factors that all sessions share to the channels of each.

    .. math:: \eta_t = f_t W_s + b_s

    Sessions with fewer channels than the widest have channels that mean nothing at the end:
    leave them out of the loss. Weights start as `N(0, 1 / factors)`, biases at zero; `kernel`,
    `[session, factors, channel]`, and `bias`, `[session, channel]` (say, log of mean counts), can
    be assigned; those of the first `fixed` sessions are weights of their own, `fixed_kernel` and
    `fixed_bias`, that do not train.

    Args:
        num_sessions: number of sessions.
        channels: number of outputs: channels of the widest session.
        fixed: number of sessions, the first ones, whose weights do not train.

    Call arguments:
        inputs: `[x, session]`: `x` `[batch, time, factors]`, and `session` `[batch]`, whole
            numbers from 0 on.

    Returns:
        `[batch, time, channels]`. In a graph a session that does not exist gives NaN.

    Raises:
        ValueError: if a session does not exist, or shapes are others.
        TypeError: if `session` is not of whole numbers.

    Source: the stitching of Pandarinath et al., Nature Methods 2018.

    >>> layer = SessionReadOut(num_sessions=2, channels=30)
    >>> layer([tf.zeros([4, 5, 3]), tf.constant([0, 1, 1, 0])]).shape
    TensorShape([4, 5, 30])
    """

    def __init__(self, num_sessions: int, channels: int, fixed: int = 0, **kwargs):
        super().__init__(num_sessions, fixed, **kwargs)
        self.channels = checks.whole_number("channels", channels, 1)

    def _size(self):
        return self.channels

    def get_config(self):
        return super().get_config() | {"channels": self.channels}
