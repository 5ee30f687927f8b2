"""Layers whose weights belong to a session: recordings of other channels, one shared model."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfp_bvae import checks

__all__ = ["SessionReadIn", "SessionReadOut"]


class _SessionAffine(checks.TFKerasOnly, tf_keras.layers.Layer):
    """`y = x W_s + b_s`, with the weights of the session s of each trial."""

    def __init__(self, num_sessions: int, **kwargs):
        super().__init__(**kwargs)
        self.num_sessions = checks.whole_number("num_sessions", num_sessions, 1)

    def build(self, input_shape):
        x_shape, session_shape = self._two("shapes", input_shape)
        checks.rank("x", x_shape, 3)
        checks.rank("session", session_shape, 1)
        channels, size = checks.last_dim("x", x_shape), self._size()
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.num_sessions, channels, size),
            initializer=tf_keras.initializers.RandomNormal(stddev=channels**-0.5),
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.num_sessions, size), initializer="zeros"
        )
        super().build(input_shape)

    def call(self, inputs):
        x, session = self._two("inputs", inputs)
        chosen = self._chosen(tf.convert_to_tensor(session))
        kernel = tf.tensordot(chosen, self.kernel, 1)  # [batch, channel, size]
        bias = tf.matmul(chosen, self.bias)  # [batch, size]
        return tf.matmul(x, kernel) + bias[:, tf.newaxis, :]

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
        return super().get_config() | {"num_sessions": self.num_sessions}


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class SessionReadIn(_SessionAffine):
    r"""From the channels of each session to features that all sessions share.

    .. math:: y_t = x_t W_s + b_s

    Sessions with fewer channels than the widest are filled up with zeros, which add nothing.
    Weights start as `N(0, 1 / channels)`, biases at zero; `kernel`, `[session, channel,
    features]`, and `bias`, `[session, features]`, can be assigned, say of an alignment by
    principal components, and held with `trainable=False`.

    Args:
        num_sessions: number of sessions.
        features: number of outputs.

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

    def __init__(self, num_sessions: int, features: int, **kwargs):
        super().__init__(num_sessions, **kwargs)
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
    be assigned.

    Args:
        num_sessions: number of sessions.
        channels: number of outputs: channels of the widest session.

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

    def __init__(self, num_sessions: int, channels: int, **kwargs):
        super().__init__(num_sessions, **kwargs)
        self.channels = checks.whole_number("channels", channels, 1)

    def _size(self):
        return self.channels

    def get_config(self):
        return super().get_config() | {"channels": self.channels}
