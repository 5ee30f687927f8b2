"""What a run keeps of its data: the sizes that a model needs, and a fingerprint."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tfp_bvae.data import SpikeDataset, Split, row_blocks
from tfp_bvae.data.doors import require_dataset, require_split
from tfp_bvae.models import Arguments

__all__ = ["data_arguments", "fingerprint", "mean_rates", "require_data_entry"]


def data_arguments(data: SpikeDataset, likelihood: str = "poisson", seed: int = 0) -> Arguments:
    """The `Arguments` of a model for a dataset; with sessions, where it is of more than one.

    `masked` is set where an entry of the data is missing (NaN), or trials differ in length.

    Raises:
        TypeError: if `data` is no `SpikeDataset`.

    >>> from tfp_bvae.data import lorenz
    >>> data_arguments(lorenz(num_conditions=1), seed=3).channels
    30
    """
    split = require_dataset("data", data).train
    sessions = (
        0 if split.session is None else 1 + max(split.session.max(), data.valid.session.max())
    )
    return Arguments(
        channels=split.encod.shape[2],
        outputs=split.recon.shape[2],
        forward_bins=split.recon.shape[1] - split.encod.shape[1],
        ext_inputs=0 if split.ext_input is None else split.ext_input.shape[2],
        num_trials=len(split.encod),
        num_groups=None if split.group is None else int(split.group.max()) + 1,
        num_sessions=int(sessions) if sessions > 1 else None,
        bin_width=data.bin_width,
        likelihood=likelihood,
        masked=data.train.is_masked or data.valid.is_masked,
        seed=seed,
    )


def mean_rates(split: Split, num_sessions: int | None = None) -> np.ndarray:
    """Mean of the data that a model is to explain, for its read-out to begin at.

    Of what was observed; a channel that never was has the mean of the others.

    Args:
        split: trials, in memory or on disk.
        num_sessions: of the model that the means are for.

    Returns:
        Spikes per bin, `[channel]`; with `num_sessions` those of each, `[session, channel]`.

    Raises:
        TypeError: if `split` is no `data.Split`.

    >>> import numpy as np
    >>> mean_rates(Split(np.ones([4, 5, 2]), np.ones([4, 5, 2])))
    array([1., 1.], dtype=float32)
    """
    require_split("split", split)
    if num_sessions is not None:
        trials = [np.flatnonzero(split.session == number) for number in range(num_sessions)]
        return np.stack([mean_rates(split.select(of)) for of in trials])
    recon = split.recon
    total, count = np.zeros([2, recon.shape[2]])
    for rows in row_blocks(recon):
        block = recon[rows]
        total += np.nansum(block, axis=(0, 1), dtype=np.float64)
        count += np.count_nonzero(~np.isnan(block), axis=(0, 1))
    means = total / np.maximum(count, 1)
    others = means[count > 0].mean() if count.any() else 1.0
    return np.where(count > 0, means, others).astype(np.float32)


def fingerprint(data: SpikeDataset) -> str:
    """SHA-256 over all arrays of both splits and their shapes, whatever file they came in.

    >>> from tfp_bvae.data import lorenz
    >>> fingerprint(lorenz(num_conditions=1)) == fingerprint(lorenz(num_conditions=1, seed=1))
    False
    """
    digest = hashlib.sha256(repr(data.bin_width).encode())
    for split in (data.train, data.valid):
        for name in ("encod", "recon", "ext_input", "truth"):
            array = getattr(split, name)
            digest.update(f"{name} {None if array is None else array.shape}".encode())
            if array is not None:
                for rows in row_blocks(array):
                    block = array[rows]
                    block = np.where(np.isnan(block), np.float32(np.nan), block)  # one NaN for all
                    digest.update(np.ascontiguousarray(block, dtype="<f4").data)
        for name in ("group", "length", "session"):
            if getattr(split, name) is not None:
                digest.update(b"" if name == "group" else name.encode())
                digest.update(np.ascontiguousarray(getattr(split, name), dtype="<i4").data)
    return digest.hexdigest()


def require_data_entry(file: Path, entry: Any) -> None:
    """Refuse what `run.json` says of the data, if it is not what a run writes.

    Args:
        file: `run.json`, for the error.
        entry: `path` (text or None), `sha256` and, of joined sessions, `sessions`: two numbers of
            channels by name.

    Raises:
        ValueError: naming what is wrong.

    >>> require_data_entry(Path("run.json"), {"path": None, "sha256": "0" * 64})
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        raise ValueError(f"{file}: data must be a mapping with a sha256, got {str(entry)[:80]}")
    if "path" not in entry or not isinstance(entry["path"], (str, type(None))):
        raise ValueError(f"{file}: path of the data must be text or null")
    sessions = entry.get("sessions", {})
    sizes = sessions.values() if isinstance(sessions, dict) else [None]
    for size in sizes:
        whole = isinstance(size, list) and all(type(number) is int for number in size)
        if not whole or len(size) != 2 or min(size) < 1:
            raise ValueError(f"{file}: sessions must have two numbers of channels by their names")
