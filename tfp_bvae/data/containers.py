"""The two containers every reader, simulator and trainer speaks: `Split` and `SpikeDataset`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import checks
from .as_arrays import as_groups, as_trials
from .stored import StoredArray


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """The trials of one side of a train/validation split.

    `encod` is what the encoders may see and `recon` is what the model must explain. With held-out
    channels or forward prediction, `recon` is larger: its first channels and first bins are those
    of `encod`, in the same order.

    Every array is kept as float32 and must be finite; a `StoredArray` stays on disk. Whether the
    values are *counts* depends on the likelihood; `require_counts` asks that question before a
    Poisson model is trained.

    Args:
        encod: observations for the encoders, `[trial, time, channel_in]`, spikes per bin.
        recon: observations to reconstruct, `[trial, time_out, channel_out]`, spikes per bin.
        ext_input: known inputs to the generator, `[trial, time_out, ext]`, any unit; or None.
        truth: true rates where they are known, shape of `recon`, expected spikes per bin; or None.
        group: the group of each trial (its recording, its condition), `[trial]`: numbers from 0
            on, -1 for one that is not known; or None. `with_groups` makes them.

    Raises:
        ValueError: an array is not three-dimensional, is empty or ragged, holds NaN or infinity,
            or does not match the others; a group is no whole number of at least -1.

    >>> import numpy as np
    >>> counts = np.ones((4, 10, 3))
    >>> Split(encod=counts[:, :8, :2], recon=counts)
    Split(4 trials, encod 8 x 2, recon 10 x 3)
    """

    encod: np.ndarray | StoredArray
    recon: np.ndarray | StoredArray
    ext_input: np.ndarray | StoredArray | None = None
    truth: np.ndarray | StoredArray | None = None
    group: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("encod", "recon", "ext_input", "truth"):
            value = getattr(self, name)
            if isinstance(value, StoredArray):  # looked at already
                continue
            if value is not None or name in ("encod", "recon"):
                object.__setattr__(self, name, as_trials(name, value))
        self._check_shapes()
        if self.group is not None:
            object.__setattr__(self, "group", as_groups(self.group, self.num_trials))

    def _check_shapes(self) -> None:
        encod, recon = self.encod.shape, self.recon.shape
        checks.same_length(["encod", "recon"], [encod[0], recon[0]], "trials")
        if recon[1] < encod[1] or recon[2] < encod[2]:
            raise ValueError(
                "recon must have at least the bins and channels of encod, "
                f"{encod[1]} x {encod[2]}; got {recon[1]} x {recon[2]}"
            )
        if self.ext_input is not None and self.ext_input.shape[:2] != recon[:2]:
            raise ValueError(
                f"ext_input must have the trials and bins of recon, {recon[0]} x {recon[1]}; "
                f"got {self.ext_input.shape[0]} x {self.ext_input.shape[1]}"
            )
        if self.truth is not None and self.truth.shape != recon:
            raise ValueError(f"truth must have the shape of recon, {recon}; got {self.truth.shape}")

    def __repr__(self) -> str:
        parts = [f"{self.num_trials} trials"]
        for name in ("encod", "recon"):
            parts.append("{} {} x {}".format(name, *getattr(self, name).shape[1:]))
        parts += [n for n in ("ext_input", "truth", "group") if getattr(self, n) is not None]
        return f"Split({', '.join(parts)})"

    @property
    def num_trials(self) -> int:
        """Number of trials, the first axis of every array."""
        return self.encod.shape[0]

    def select(self, indices: np.ndarray) -> Split:
        """The chosen trials, in the order given; those that are on disk stay there.

        Args:
            indices: trial numbers or a boolean mask over trials.

        Returns:
            A new `Split` of those trials.

        >>> import numpy as np
        >>> counts = np.ones((4, 10, 3))
        >>> Split(counts, counts).select([0, 2]).num_trials
        2
        """
        indices = np.asarray(indices)
        arrays = (self.encod, self.recon, self.ext_input, self.truth, self.group)
        return Split(*(_rows(array, indices) for array in arrays))


@dataclass(frozen=True, eq=False, repr=False)
class SpikeDataset:
    """Training and validation trials of one recording session, with the width of their bins.

    Args:
        train: trials to learn from.
        valid: trials to score on; same bins and channels as `train`.
        bin_width: width of a time bin, s.
        attrs: everything else worth keeping, by name: condition indices, behaviour, provenance.

    Raises:
        TypeError: `train` or `valid` is not a `Split`.
        ValueError: the two sides differ in bins, channels or in what they hold, or `bin_width` is
            not positive.

    >>> import numpy as np
    >>> side = Split(np.ones((4, 10, 3)), np.ones((4, 10, 3)))
    >>> SpikeDataset(train=side, valid=side.select([0, 1]), bin_width=0.02)
    SpikeDataset(bin_width=0.02 s,
      train=Split(4 trials, encod 10 x 3, recon 10 x 3),
      valid=Split(2 trials, encod 10 x 3, recon 10 x 3))
    """

    train: Split
    valid: Split
    bin_width: float
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("train", "valid"):
            if not isinstance(getattr(self, name), Split):
                raise TypeError(f"{name} must be a Split, got {type(getattr(self, name)).__name__}")
        for name in ("encod", "recon", "ext_input", "truth", "group"):
            train, valid = (_inner_shape(getattr(side, name)) for side in (self.train, self.valid))
            if train != valid:
                raise ValueError(
                    f"train and valid must agree on the bins and channels of {name}, "
                    f"got {train} and {valid}"
                )
        object.__setattr__(self, "bin_width", checks.positive("bin_width", self.bin_width))
        object.__setattr__(self, "attrs", dict(self.attrs))

    def __repr__(self) -> str:
        sides = f"train={self.train},\n  valid={self.valid}"
        return f"SpikeDataset(bin_width={self.bin_width:g} s,\n  {sides})"


def _rows(array: np.ndarray | StoredArray | None, indices: np.ndarray):
    if array is None:
        return None
    return array.select(indices) if isinstance(array, StoredArray) else array[indices]


def _inner_shape(array: np.ndarray | None) -> tuple[int, ...] | None:
    return None if array is None else array.shape[1:]


def require_counts(data: Split | SpikeDataset, name: str = "") -> None:
    """Refuse data that no Poisson model can explain: negative or non-integer values.

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
    wrong = (array < 0) | (array != np.floor(array))
    return np.count_nonzero(wrong), array[wrong][0] if wrong.any() else None
