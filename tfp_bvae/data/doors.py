"""Trials in another form than the one that is asked for: refused, with the way to that form."""

from __future__ import annotations

from typing import Any

from tfp_bvae.data.containers import SpikeDataset, Split

__all__ = ["require_dataset", "require_split"]

FROM_LABELLED = "data.to_splits makes a SpikeDataset of labelled trials"
FROM_ARRAY = f"data.trials_dataset makes labelled trials of an array, {FROM_LABELLED}"


def require_dataset(name: str, value: Any) -> SpikeDataset:
    """Check that `value` is a `SpikeDataset`; hand it back.

    Raises:
        TypeError: if it is not; the message says how to make one.

    >>> require_dataset("data", [1, 2])
    Traceback (most recent call last):
        ...
    TypeError: data must be a SpikeDataset, got list: data.trials_dataset makes labelled trials of
    an array, data.to_splits makes a SpikeDataset of labelled trials
    """
    if isinstance(value, SpikeDataset):
        return value
    labelled = hasattr(value, "data_vars")
    way = FROM_LABELLED if labelled else FROM_ARRAY
    kind = "labelled trials" if labelled else type(value).__name__
    raise TypeError(f"{name} must be a SpikeDataset, got {kind}: {way}")


def require_split(name: str, value: Any) -> Split:
    """Check that `value` is a `Split`; hand it back.

    Raises:
        TypeError: if it is not; the message says how to come by one.

    >>> from tfp_bvae.data import lorenz
    >>> require_split("split", lorenz(num_conditions=1))
    Traceback (most recent call last):
        ...
    TypeError: split must be a Split, got SpikeDataset: its train and valid are Splits
    """
    if isinstance(value, Split):
        return value
    if isinstance(value, SpikeDataset):
        raise TypeError(f"{name} must be a Split, got SpikeDataset: its train and valid are Splits")
    way = "the train and valid of a SpikeDataset are Splits"
    raise TypeError(f"{name} must be a Split, got {type(value).__name__}: {way}")
