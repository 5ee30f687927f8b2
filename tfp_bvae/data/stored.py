"""Trials that stay on disk, and are read when they are indexed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .as_arrays import require_no_infinity, require_trials_shape
from .observed import Observed, observed

__all__ = ["StoredArray", "row_blocks"]

BLOCK = 2**25  # bytes of float32 that are looked at at a time


class StoredArray:
    """A `[trial, time, channel]` array on disk: `array[trials]` reads those, as float32.

    It takes the place of a numpy array in a `Split`. Trials are read in the order in which they are
    stored and handed out in the order asked for. `array[:, bins]`, `select` and `segments` read
    nothing: they are further arrays on disk. `numpy.asarray(array)` reads all of it.

    Where it is made, the values are looked at once, a block at a time: whether one is infinite,
    which are NaN (not observed), and whether the others are counts. Nothing is copied, so the file
    must stay as it is.

    Args:
        source: a dataset of h5py or zarr, a `numpy.memmap`, or what else has a shape and a dtype
            and can be cut by slices; numbers `[trial, time, channel]`.
        name: how to call it in an error.
        divisor: what its values are divided by.

    Raises:
        ValueError: not three-dimensional, empty, not numbers, or infinite.

    >>> array = StoredArray(np.arange(24).reshape(4, 3, 2))
    >>> array.shape, array[[3, 0]].tolist()
    ((4, 3, 2), [[[18.0, 19.0], [20.0, 21.0], [22.0, 23.0]], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]])
    >>> array[:, 2:]
    StoredArray(4 x 1 x 2)
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, source: Any, name: str = "array", divisor: float = 1.0):
        if np.dtype(source.dtype).kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {source.dtype}")
        require_trials_shape(name, tuple(source.shape))
        trials, self._length, self._channels = source.shape
        self._source, self._divisor = source, divisor
        # row i is `length` bins of trial[i] of the source, from first[i] on
        self._trial, self._first = np.arange(trials), np.zeros(trials, np.int64)
        #: Of the source as a whole, the number of values that are no counts, and one of them.
        self.not_counts: tuple[int, float | None] = (0, None)
        self._found: Observed = self._survey(name)  # of the trials of the source

    @property
    def shape(self) -> tuple[int, int, int]:
        """Trials, bins, channels."""
        return len(self._trial), self._length, self._channels

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def observed(self) -> Observed:
        """Where values are, of each trial, and of some bins of trials as far as is known unread."""
        missing, whole, until = (x[self._trial] for x in self._found)
        inside = (np.clip(bins - self._first, 0, self._length) for bins in (whole, until))
        return Observed(missing, *inside)

    def __len__(self) -> int:
        return len(self._trial)

    def __repr__(self) -> str:
        return "StoredArray({} x {} x {})".format(*self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("copy must not be False: the array is on disk")
        return self[np.arange(len(self))].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, key: Any) -> np.ndarray | StoredArray:
        """Some trials, read; or some bins of all trials, on disk.

        Raises:
            IndexError: a trial or channels that there are not, or channels of all trials at once.
        """
        rows, *rest = key if isinstance(key, tuple) else (key,)
        if rows is Ellipsis or len(rest) > 2:
            raise IndexError(f"array must be indexed by trials, bins, channels, got {key}")
        if isinstance(rows, slice) and rows == slice(None):
            if len(rest) == 1 and isinstance(rest[0], slice) and rest[0].step in (None, 1):
                first, last, _ = rest[0].indices(self._length)
                return self._view(self._trial, self._first + first, max(last - first, 0))
            raise IndexError(f"array must be read by trials, such as array[:10], got {key}")
        read = self._read(np.arange(len(self))[rows])
        return read[(slice(None),) * (read.ndim - 2) + tuple(rest)] if rest else read

    def select(self, trials: np.ndarray) -> StoredArray:
        """Some of the trials, in the order given; none is read."""
        trials = np.asarray(trials)
        return self._view(self._trial[trials], self._first[trials], self._length)

    def segments(self, where: np.ndarray, length: int) -> StoredArray:
        """Segments as trials; none is read.

        Args:
            where: trial and first bin of each, `[segment, 2]`.
            length: bins of a segment.
        """
        trial, first = np.asarray(where).T
        return self._view(self._trial[trial], self._first[trial] + first, length)

    def _view(self, trial: np.ndarray, first: np.ndarray, length: int) -> StoredArray:
        view = object.__new__(StoredArray)
        view.__dict__ |= self.__dict__ | {"_trial": trial, "_first": first, "_length": length}
        return view

    def _read(self, rows: np.ndarray) -> np.ndarray:
        """Those rows as float32: each trial is read once, neighbours together."""
        flat = rows.reshape(-1)
        found = np.empty([len(flat), self._length, self._channels], np.float32)
        if not found.size:
            return found.reshape(*rows.shape, *found.shape[1:])
        trial, first = self._trial[flat], self._first[flat]
        low, high = int(first.min()), int(first.max()) + self._length
        order = np.argsort(trial, kind="stable")
        with np.errstate(over="ignore"):
            for part in np.split(order, np.flatnonzero(np.diff(trial[order]) > 1) + 1):
                begin = int(trial[part[0]])
                read = self._source[begin : int(trial[part[-1]]) + 1, low:high]
                for row in part:
                    start = first[row] - low
                    found[row] = read[trial[row] - begin, start : start + self._length]
        if self._divisor != 1.0:
            found /= self._divisor
        return found.reshape(*rows.shape, *found.shape[1:])

    def _survey(self, name: str) -> Observed:
        """Look at all values once, a block at a time."""
        infinite, wrong, example, found = 0, 0, None, []
        for rows in row_blocks(self):
            block = self[rows]
            infinite += np.count_nonzero(np.isinf(block))
            no_count = (block < 0) | (block > np.floor(block))
            if example is None and no_count.any():
                example = float(block[no_count][0])
            wrong += np.count_nonzero(no_count)
            found.append(observed(block))
        require_no_infinity(name, infinite, self.size)
        self.not_counts = wrong, example
        return Observed(*map(np.concatenate, zip(*found, strict=True)))


def row_blocks(array: np.ndarray | StoredArray) -> Iterator[slice]:
    """Slices of the first axis, one after the other, that are not large in memory.

    Args:
        array: anything with a shape.

    >>> [rows.stop - rows.start for rows in row_blocks(np.zeros([5, 2, 3]))]
    [5]
    """
    count = array.shape[0]
    size = max(1, BLOCK // (4 * max(1, int(np.prod(array.shape[1:], dtype=np.int64)))))
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))
