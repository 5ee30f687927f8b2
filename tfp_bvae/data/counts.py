"""Whether data are counts."""

from __future__ import annotations

import numpy as np

from .containers import SpikeDataset, Split
from .stored import StoredArray

__all__ = ["require_counts"]


def require_counts(data: Split | SpikeDataset, name: str = "") -> None:
    """Refuse data that no Poisson model can explain: negative or non-integer values.

    NaN, what was not observed, is no such value.

    Args:
        data: a `Split`, or a `SpikeDataset` (both its sides are checked).
        name: prefix for the name of the array in the error.

    Raises:
        TypeError: `data` is neither.
        ValueError: naming the array, how many values are not counts, and one of them.

    >>> import numpy as np
    >>> require_counts(Split(np.ones((1, 2, 2)), np.full((1, 2, 2), 0.5)))
    Traceback (most recent call last):
    ...
    ValueError: recon must hold whole numbers of at least 0; 4 of 4 are not, for example 0.5
    """
    if isinstance(data, SpikeDataset):
        require_counts(data.train, "train.")
        require_counts(data.valid, "valid.")
        return
    if not isinstance(data, Split):
        raise TypeError(f"data must be a Split or a SpikeDataset, got {type(data).__name__}")
    for field_name in ("encod", "recon"):
        array = getattr(data, field_name)
        count, example = _not_counts(array)
        if count:
            raise ValueError(
                f"{name}{field_name} must hold whole numbers of at least 0; "
                f"{count} of {array.size} are not, for example {example:g}"
            )


def _not_counts(array: np.ndarray | StoredArray) -> tuple[int, float | None]:
    """Number of values that are no counts, and one of them."""
    if isinstance(array, StoredArray):
        return array.not_counts
    wrong = (array < 0) | (array > np.floor(array))  # NaN is neither
    return np.count_nonzero(wrong), array[wrong][0] if wrong.any() else None
