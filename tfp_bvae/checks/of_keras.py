"""That nothing of Keras 3 comes in: it cannot be joined to what is of `tf_keras`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

__all__ = [
    "TFKerasOnly",
    "not_keras3",
]

T = TypeVar("T")
NO_AUTOGRAPH = ("tfp_bvae.layers.", "tfp_bvae.rnn.")  # no branch or loop of Python's on a tensor


def not_keras3(name: str, value: T) -> T:
    """Check that nothing of Keras 3 is in `value`; hand it back.

    Keras 3 (`import keras`, and `tf.keras` of TensorFlow 2.16 and later) has tensors, layers and
    models of its own, which cannot be joined to those of `tf_keras` in one graph.

    Args:
        name: what the caller calls it.
        value: anything; lists, tuples and dicts are looked into.

    Raises:
        TypeError: if there is a tensor, layer, model or anything else of Keras 3.

    >>> not_keras3("the input of TimeLag", [1.0, {"x": 2.0}])
    [1.0, {'x': 2.0}]
    """
    if isinstance(value, Mapping):
        _ = [not_keras3(name, part) for part in value.values()]
    elif isinstance(value, (list, tuple)):
        _ = [not_keras3(name, part) for part in value]
    elif any(kind.__module__.partition(".")[0] == "keras" for kind in type(value).__mro__):
        raise TypeError(
            f"{name} must be of tf_keras, got a {type(value).__name__} of Keras 3: build all of "
            "the model with `import tf_keras` in place of `import keras` or `tf.keras`, "
            "say tf_keras.Input, tf_keras.layers.Dense, tf_keras.Model"
        )
    return value


class TFKerasOnly:
    """A base, before that of Keras, of layers and models that refuse what is of Keras 3.

    AutoGraph leaves the layers of the package as they are: they have no branch or loop on a tensor
    that it would have to rewrite, and looking for one took a fifth of the time of a first step.
    Layers that others derive from them, or put into a model, are rewritten as ever.

    Raises:
        TypeError: at the call, if an argument is a tensor, layer or model of Keras 3.

    >>> class Twice(TFKerasOnly, type("Base", (), {"__call__": lambda self, x: 2 * x})):
    ...     pass
    >>> Twice()(4)
    8
    """

    def __call__(self, *args, **kwargs):
        """Call the layer, once its arguments have been looked at."""
        not_keras3(f"the input of {type(self).__name__}", [args, kwargs])
        call = super().__call__
        if type(self).__module__.startswith(NO_AUTOGRAPH):
            import tensorflow as tf  # not above: data and metrics stand without it

            call = tf.autograph.experimental.do_not_convert(call)
        return call(*args, **kwargs)
