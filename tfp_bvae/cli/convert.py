"""`tfp-bvae convert`."""

from __future__ import annotations

import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfp_bvae.data import hold_out_channels, load, mark_forward, save, split_trials
from tfp_bvae.data.readers.labelled_files import ENDINGS

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write the trials of a file of any format as a file that `fit` takes."""
    if Path(options.out).suffix not in ENDINGS:
        raise ValueError(f"TRIALS must end in one of {', '.join(ENDINGS)}, got {options.out}")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        data = _load(options)
    for note in (str(one.message) for one in told if one.category is UserWarning):
        print(f"tfp-bvae: note: {note}", file=sys.stderr)
    if "bin_width_note" in data.attrs:
        note = data.attrs["bin_width_note"]
        print(f"tfp-bvae: note: {note}; --bin-width tells it", file=sys.stderr)
    data = _marked(data, options)
    save(options.out, data)
    print(data.attrs["source"])
    counts = ", ".join(f"{int((data.split == s).sum())} {s}" for s in ("train", "valid"))
    held_out = int(data.held_out.sum())
    print(f"{options.out}: {counts}, {held_out} of {data.sizes['channel']} channels held out")


def _load(options: Namespace) -> xr.Dataset:
    return load(
        options.files if len(options.files) > 1 else options.files[0],
        options.bin_width,
        align=options.align,
        window=None if options.window is None else tuple(options.window),
        trials=_pairs("--trials", options.trials) or None,
        units=_pairs("--units", options.units) or None,
        behavior=options.behavior or None,
        names={ours: given[-1] for ours, given in _pairs("--name", options.name).items()},
        counts=not options.not_counts,
        silent="keep" if options.keep_silent else "drop",
    )


def _pairs(option: str, words: Sequence[str]) -> dict[str, list[str]]:
    """Words NAME=VALUE, by their name."""
    found: dict[str, list[str]] = {}
    for word in words:
        name, is_there, value = word.partition("=")
        if not name or not is_there or not value:
            raise ValueError(f"{option} must be given NAME=VALUE, got {word!r}")
        found.setdefault(name, []).append(value)
    return found


def _marked(data: xr.Dataset, options: Namespace) -> xr.Dataset:
    """The trials, with what they and the channels are for."""
    parted = {"train", "valid"} <= set(data.split.values.tolist())
    if not parted or options.valid_fraction is not None or options.by is not None:
        fraction = 0.2 if options.valid_fraction is None else options.valid_fraction
        data = split_trials(data, fraction, options.by, options.seed)
    if options.hold_out_every is not None:
        data = hold_out_channels(data, options.hold_out_every)
    if options.forward_bins is not None:
        data = mark_forward(data, options.forward_bins)
    return data
