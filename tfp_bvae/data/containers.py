"""The two containers every reader, simulator and trainer speaks: `Split` and `SpikeDataset`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import checks
from .as_arrays import as_numbers, as_trials
from .observed import Observed, as_lengths, observed, require_all, require_observed, require_padding
from .stored import StoredArray

ARRAYS = ("encod", "recon", "ext_input", "truth")
OF_TRIALS = ("group", "length", "session")
LONGEST_BIN = 1.0  # s; more is likely to be meant in milliseconds


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """The trials of one side of a train/validation split.

    `encod` is what the encoders may see and `recon` is what the model must explain. With held-out
    channels or forward prediction, `recon` is larger: its first channels and first bins are those
    of `encod`, in the same order.

    Every array is kept as float32; a `StoredArray` stays on disk. NaN in `encod`, `recon` or
    `truth` is an entry that was not observed: a missing bin, a channel that a trial lacks.
    Infinity is refused. Whether the values are *counts* depends on the likelihood;
    `require_counts` asks that question before a Poisson model is trained.

    Trials of unequal length are padded at their end with NaN to a common number of bins, and
    `length` tells how many bins each has. NaN before that is a gap, which a model fills.

    Args:
        encod: observations for the encoders, `[trial, time, channel_in]`, spikes per bin.
        recon: observations to reconstruct, `[trial, time_out, channel_out]`, spikes per bin.
        ext_input: known inputs to the generator, `[trial, time_out, ext]`, any unit; or None.
        truth: true rates where they are known, shape of `recon`, expected spikes per bin; or None.
        group: the group of each trial (its recording, its condition), `[trial]`: numbers from 0
            on, -1 for one that is not known; or None. `with_groups` makes them.
        length: bins of each trial, `[trial]`, from 1 to all; or None, for all of them. From there
            on encod, recon and truth are NaN. Less than all only without forward prediction.
        session: number of the session of each trial, `[trial]`, from 0 on; or None.

    Raises:
        ValueError: an array is not three-dimensional, is empty or ragged, holds infinity, or does
            not match the others; a trial has no observed entry, or values after its end;
            `ext_input` is NaN before it; a group, length or session is no such number.

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
    length: np.ndarray | None = None
    session: np.ndarray | None = None

    def __post_init__(self) -> None:
        same = self.recon is self.encod
        for name in ARRAYS:
            value = getattr(self, name)
            if isinstance(value, StoredArray):  # looked at already
                continue
            if value is not None or name in ("encod", "recon"):
                self._set(name, self.encod if same and name == "recon" else as_trials(name, value))
        self._check_shapes()
        for name, minimum in (("group", -1), ("session", 0)):
            if getattr(self, name) is not None:
                numbers = as_numbers(name, getattr(self, name), self.num_trials, minimum)
                self._set(name, numbers)
        if self.length is not None:
            self._set("length", as_lengths(self.length, self.num_trials, self.recon.shape[1]))
        self._check_observed()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_observed(self) -> None:
        arrays = {name: getattr(self, name) for name in ARRAYS}
        found = {name: _observed(array) for name, array in arrays.items() if array is not None}
        require_observed({name: found[name] for name in ("encod", "recon")})
        length = self.bins
        if length.min() < self.recon.shape[1] > self.encod.shape[1]:
            raise ValueError(
                f"length must be all {self.recon.shape[1]} bins of recon where it has more bins "
                f"than encod (forward prediction), got {length.min()} for trial {length.argmin()}"
            )
        for name, where in found.items():
            (require_all if name == "ext_input" else require_padding)(name, where, length)

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
        others = ("ext_input", "truth", *OF_TRIALS)
        parts += [name for name in others if getattr(self, name) is not None]
        return f"Split({', '.join(parts)})"

    @property
    def num_trials(self) -> int:
        """Number of trials, the first axis of every array."""
        return self.encod.shape[0]

    @property
    def bins(self) -> np.ndarray:
        """Bins of each trial, those of `recon` where there is no `length`, `[trial]`."""
        if self.length is not None:
            return self.length
        return np.full(self.num_trials, self.recon.shape[1], np.int32)

    @property
    def missing(self) -> int:
        """Entries of `recon` inside the trials that were not observed."""
        after = (self.recon.shape[1] - self.bins).sum(dtype=np.int64) * self.recon.shape[2]
        return int(_observed(self.recon).missing.sum(dtype=np.int64) - after)

    @property
    def is_masked(self) -> bool:
        """Whether an entry of `encod` or `recon` is NaN, missing or after the end of its trial."""
        return self.lacks("encod") or self.lacks("recon")

    def lacks(self, name: str) -> bool:
        """Whether an entry of an array, `"encod"` or `"recon"`, is NaN."""
        return bool(_observed(getattr(self, name)).missing.any())

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
        names = (*ARRAYS, *OF_TRIALS)
        return self._as_checked({name: _rows(getattr(self, name), indices) for name in names})

    @classmethod
    def _as_checked(cls, fields: Mapping[str, Any]) -> Split:
        """A split of what is known to be right: parts of one that was looked at."""
        split = object.__new__(cls)
        for name in (*ARRAYS, *OF_TRIALS):
            split._set(name, fields.get(name))
        return split


@dataclass(frozen=True, eq=False, repr=False)
class SpikeDataset:
    """Training and validation trials of one recording session, with the width of their bins.

    Args:
        train: trials to learn from.
        valid: trials to score on; same bins and channels as `train`.
        bin_width: width of a time bin, s; more than one second is taken, with a warning.
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
        for name in (*ARRAYS, "group", "session"):
            train, valid = (_inner_shape(getattr(side, name)) for side in (self.train, self.valid))
            if train != valid:
                raise ValueError(
                    f"train and valid must agree on the bins and channels of {name}, "
                    f"got {train} and {valid}"
                )
        object.__setattr__(self, "bin_width", checks.positive("bin_width", self.bin_width))
        if self.bin_width > LONGEST_BIN:
            warnings.warn(
                f"bin_width is in seconds, got {self.bin_width:g}: milliseconds are to be divided "
                "by 1000",
                stacklevel=3,
            )
        object.__setattr__(self, "attrs", dict(self.attrs))

    def __repr__(self) -> str:
        sides = f"train={self.train},\n  valid={self.valid}"
        return f"SpikeDataset(bin_width={self.bin_width:g} s,\n  {sides})"


def _rows(array: np.ndarray | StoredArray | None, indices: np.ndarray):
    if array is None:
        return None
    return array.select(indices) if isinstance(array, StoredArray) else array[indices]


def _observed(array: np.ndarray | StoredArray) -> Observed:
    return array.observed if isinstance(array, StoredArray) else observed(array)


def _inner_shape(array: np.ndarray | None) -> tuple[int, ...] | None:
    return None if array is None else array.shape[1:]
