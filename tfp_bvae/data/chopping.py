"""A continuous recording as trials that overlap, and their rates as one recording again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import checks
from .containers import SpikeDataset, Split
from .segments import cut_segments, stitch_segments

__all__ = ["chop", "merge"]

WINDOWS, BINS = "{}_window", "recording_bins"  # what `attrs` knows of where windows lie
BLOCK = 5  # windows of a block


def chop(
    recordings: np.ndarray | Sequence[np.ndarray],
    window: int,
    overlap: int,
    bin_width: float,
    valid_fraction: float = 0.2,
    block: int | None = None,
    truth: np.ndarray | Sequence[np.ndarray] | None = None,
    ext_input: np.ndarray | Sequence[np.ndarray] | None = None,
    seed: int = 0,
) -> SpikeDataset:
    r"""Cut continuous recordings into windows that overlap, as trials to fit a model to.

    Each recording is parted into blocks of bins one after the other, the last of which may be
    up to twice as long; a recording shorter than that is one block. Of each run of about
    `1 / valid_fraction` blocks one, drawn at random, is for validation, which is then spread over
    recordings that drift. Windows are cut by `cut_segments` within what blocks of one side lie
    together: no bin of a validation window is in a training window, and each bin is in a window. A
    fit then takes the memory of a batch of windows, however long a recording is.

    Args:
        recordings: spikes per bin, `[time, channel]`; or a list of them, each as long as it is.
        window: length of a window, bins.
        overlap: bins that a window has in common with the next; below `window`. A quarter of it
            leaves no window alone near its ends, where a model knows least.
        bin_width: width of a bin, s.
        valid_fraction: share of the blocks, between 0 and 1; at least one block is for each side.
        block: length of a block, bins; five windows without. Bins are much alike within the time
            constants of behaviour and drift: shorter blocks make validation easier than it is.
        truth: true rates, spikes per bin, shaped as `recordings`.
        ext_input: known inputs, `[time, ext]`, or a list of them.
        seed: of the blocks that are drawn.

    Returns:
        The windows as trials. Where they lie is in `attrs`, which files keep: `train_window`,
        `valid_window` `[window, 2]` (number of the recording, first bin), `recording_bins`
        `[recording]`. `merge` goes back.

    Raises:
        ValueError: if a recording is shorter than a window, there are fewer than two blocks, or
            shapes are wrong.

    >>> data = chop(np.ones([1000, 3]), window=50, overlap=10, bin_width=0.02)
    >>> data.train, data.attrs["valid_window"].tolist()[:3]
    (Split(19 trials, encod 50 x 3, recon 50 x 3), [[0, 750], [0, 790], [0, 830]])
    """
    window = checks.whole_number("window", window, 1)
    overlap = checks.whole_number("overlap", overlap, 0)
    if overlap >= window:
        raise ValueError(f"overlap must be below window={window}, got {overlap}")
    block = BLOCK * window if block is None else checks.whole_number("block", block, window)
    checks.in_interval(
        "valid_fraction", valid_fraction, 0, 1, include_low=False, include_high=False
    )
    arrays = {
        name: _recordings(name, given)
        for name, given in (("recordings", recordings), ("truth", truth), ("ext_input", ext_input))
        if given is not None
    }
    bins = [len(recording) for recording in arrays["recordings"]]
    if min(bins) < window:
        raise ValueError(
            f"window must be at most the {min(bins)} bins of recording {np.argmin(bins)}, "
            f"got {window}"
        )
    for name, found in arrays.items():
        checks.same_length(["recordings", name], [len(bins), len(found)], "recordings")
        for index, (array, time) in enumerate(zip(found, bins, strict=True)):
            checks.same_length([f"recording {index}", name], [time, len(array)], "bins")
    sides = _stretches(bins, block, valid_fraction, seed)
    cut = {
        side: {name: _cut(a, stretches, window, overlap) for name, a in arrays.items()}
        for side, stretches in sides.items()
    }
    splits = {side: _split({n: x for n, (x, _) in found.items()}) for side, found in cut.items()}
    attrs = {WINDOWS.format(side): found["recordings"][1] for side, found in cut.items()}
    return SpikeDataset(**splits, bin_width=bin_width, attrs=attrs | {BINS: np.array(bins)})


def merge(
    data: SpikeDataset, train: np.ndarray, valid: np.ndarray, weights: str = "sine"
) -> list[np.ndarray]:
    r"""Put together what a model says of the windows of `chop`, by `stitch_segments`.

    Training and validation windows have no bin in common: at the borders of blocks nothing is
    averaged. For rates that run on there too, infer the whole of a recording anew, with
    `inference.infer_recordings`.

    Args:
        data: what `chop` made, or a file of it that was read again.
        train: of each training window, `[window, time, channel]`, such as `Posterior.rates`.
        valid: of each validation window.
        weights: of windows that overlap: "sine", or "power" for those of lfads-tf2.

    Returns:
        An array `[time, channel]` for each recording.

    Raises:
        KeyError: if `data` does not know where its windows lie.
        ValueError: if there are not as many windows, or their length is another.

    >>> recording = np.arange(1000.0).reshape(1000, 1)
    >>> data = chop(recording, window=50, overlap=10, bin_width=0.02)
    >>> bool((merge(data, data.train.recon, data.valid.recon)[0] == recording).all())
    True
    """
    where, windows = [], []
    for side, given in (("train", train), ("valid", valid)):
        key = WINDOWS.format(side)
        if key not in data.attrs or BINS not in data.attrs:
            raise KeyError(f"data must be of data.chop, with attrs {key!r} and {BINS!r}")
        given, length = np.asarray(given), getattr(data, side).recon.shape[1]
        checks.rank(side, given.shape, 3)
        checks.same_length([side, key], [len(given), len(data.attrs[key])], "windows")
        if given.shape[1] != length:
            raise ValueError(f"{side} must have the {length} bins of a window, got {given.shape}")
        where.append(data.attrs[key])
        windows.append(given)
    bins = list(data.attrs[BINS])
    return stitch_segments(np.concatenate(windows), np.concatenate(where), bins, weights)


def _recordings(name: str, given: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    """A list of recordings, of one or of several."""
    if not len(given):
        raise ValueError(f"{name} must hold at least one recording, got none")
    found = [given] if np.ndim(given[0]) < 2 else list(given)
    found = [np.asarray(array) for array in found]
    for index, array in enumerate(found):
        checks.rank(f"{name} {index}", array.shape, 2)
        checks.last_dim(f"{name} {index}", array.shape, found[0].shape[-1])
    return found


def _stretches(bins: list[int], block: int, valid_fraction: float, seed: int) -> dict:
    """Of each side the stretches that its blocks make: recording, first bin, one past the last."""
    edges = []
    for index, time in enumerate(bins):
        starts = np.arange(max(1, time // block)) * block
        edges += [(index, *pair) for pair in zip(starts, [*starts[1:], time], strict=True)]
    if len(edges) < 2:
        raise ValueError(
            f"block must leave at least two blocks of the {bins[0]} bins, got {block}: one is for "
            "validation"
        )
    num_valid = min(max(round(valid_fraction * len(edges)), 1), len(edges) - 1)
    rng = np.random.default_rng(seed)
    drawn = {int(rng.choice(part)) for part in np.array_split(np.arange(len(edges)), num_valid)}
    sides: dict[str, list[tuple[int, int, int]]] = {"train": [], "valid": []}
    for number, (index, first, last) in enumerate(edges):
        found = sides["valid" if number in drawn else "train"]
        if found and found[-1][0] == index and found[-1][2] == first:
            first = found.pop()[1]
        found.append((index, int(first), int(last)))
    return sides


def _cut(
    recordings: list[np.ndarray], stretches: list[tuple[int, int, int]], window: int, overlap: int
) -> tuple[np.ndarray, np.ndarray]:
    """Windows of some stretches, and where they lie."""
    parts = [recordings[index][first:last] for index, first, last in stretches]
    windows, where = cut_segments(parts, window, window - overlap)
    index, first, _ = np.array(stretches)[where[:, 0]].T
    return windows, np.stack([index, first + where[:, 1]], axis=1)


def _split(windows: dict[str, np.ndarray]) -> Split:
    spikes = windows.pop("recordings")
    return Split(encod=spikes, recon=spikes, **windows)
