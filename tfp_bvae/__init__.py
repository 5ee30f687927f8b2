"""Probabilistic Keras layers and priors for beta-VAEs of multi-channel spiking data.

The package hands on its sub-packages, and each is imported when it is first touched: so
`import tfp_bvae` costs next to nothing, and data or metrics can be used without TensorFlow.

>>> import tfp_bvae
>>> tfp_bvae.metrics.__name__
'tfp_bvae.metrics'
"""

from __future__ import annotations

import importlib
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "data",
    "distributions",
    "inference",
    "layers",
    "metrics",
    "models",
    "plots",
    "rnn",
    "training",
    "tuning",
]


def __getattr__(name: str) -> ModuleType:
    """Import a sub-package when it is first touched (PEP 562)."""
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List what is there already and the sub-packages that are yet to be touched."""
    return sorted({*globals(), *__all__})
