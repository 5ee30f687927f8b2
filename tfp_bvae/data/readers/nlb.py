"""Files of the Neural Latents Benchmark, and of NDT, which renames their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ... import checks
from ..container import trials_dataset
from ..container_checks import numeric
from ..set_aside import SetAside
from .formats import NLB_KEY

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["nlb_trials"]

SIDES = ("train", "eval")


def nlb_trials(
    path: str,
    arrays: dict[str, Any],
    attrs: dict[str, Any],
    bin_width: float | None,
    aside: SetAside,
) -> xr.Dataset:
    """Labelled trials of `train_spikes_heldin`, `eval_spikes_heldout_forward` and their like.

    Held-in channels come first, then held-out ones; bins that are to be predicted come last. What
    a side does not have, such as held-out channels of trials that are kept secret, is NaN. `eval`
    is the split "valid" where its held-out channels are there, else "test".

    Args:
        path: of the file, for errors.
        arrays: by name, of one file or of several.
        attrs: single values beside.
        bin_width: s; files do not say.
        aside: takes names that are not understood.

    Raises:
        KeyError: no held-in spikes.
        ValueError: shapes do not match.
    """
    blocks = {
        (match[1], match[3], bool(match[4])): numeric(f"{path}: {key}", arrays[key])
        for key in arrays
        if (match := NLB_KEY.fullmatch(key))
    }
    for (side, part, forward), block in blocks.items():
        checks.rank(f"{path}: {side} {part}{' forward' * forward}", block.shape, 3)
    sizes = _sizes(path, blocks)
    sides = [side for side in SIDES if (side, "heldin", False) in blocks]
    if not sides:
        raise KeyError(f"{path} must hold the spikes of held-in channels, got {sorted(arrays)}")
    spikes = np.concatenate([_side(path, side, blocks, sizes) for side in sides])
    count = {side: len(blocks[side, "heldin", False]) for side in sides}
    evaluated = "valid" if ("eval", "heldout", False) in blocks else "test"
    coords = {
        "split": np.repeat(
            ["train" if s == "train" else evaluated for s in sides], [*count.values()]
        ),
        "forward": np.arange(spikes.shape[1]) >= sizes["seen"],
        "held_out": np.arange(spikes.shape[2]) >= sizes["heldin"],
    }
    behavior = _behavior(arrays, sides, count, spikes.shape[1])
    used = {f"{side}_behavior" for side in SIDES if behavior is not None}
    left = sorted(key for key in arrays if not NLB_KEY.fullmatch(key) and key not in used)
    aside.add(len(left), "array", "not understood", left)
    stated = attrs.get("bin_width", bin_width)
    note = {"bin_width_note": "the file states no bin width; 1.0 s stands in"}
    return trials_dataset(
        spikes,
        1.0 if stated is None else stated,
        behavior=behavior,
        coords=coords,
        attrs=note if stated is None else {},
    )


def _sizes(path: str, blocks: dict[tuple[str, str, bool], np.ndarray]) -> dict[str, int]:
    """Bins and channels, on which all blocks must agree."""
    sizes: dict[str, int] = {}
    for (side, part, forward), block in blocks.items():
        for name, size in (
            ("ahead" if forward else "seen", block.shape[1]),
            (part, block.shape[2]),
        ):
            if sizes.setdefault(name, size) != size:
                what = "bins" if name in ("ahead", "seen") else "channels"
                raise ValueError(
                    f"{path}: {side} {part}{' forward' * forward} must have {sizes[name]} {what} "
                    f"as the others have, got shape {block.shape}"
                )
    return {"ahead": 0, "heldin": 0, "heldout": 0, **sizes}


def _side(
    path: str, side: str, blocks: dict[tuple[str, str, bool], np.ndarray], sizes: dict[str, int]
) -> np.ndarray:
    """All channels and bins of a side, NaN where there is no block."""
    trials = len(blocks[side, "heldin", False])
    shape = [trials, sizes["seen"] + sizes["ahead"], sizes["heldin"] + sizes["heldout"]]
    spikes = np.full(shape, np.nan, np.float32)
    for (of, part, forward), block in blocks.items():
        if of != side:
            continue
        checks.same_length([f"{path}: {side} heldin", part], [trials, len(block)], "trials")
        time = slice(sizes["seen"], None) if forward else slice(0, sizes["seen"])
        channel = slice(0, sizes["heldin"]) if part == "heldin" else slice(sizes["heldin"], None)
        spikes[:, time, channel] = block
    return spikes


def _behavior(
    arrays: dict[str, Any], sides: list[str], count: dict[str, int], bins: int
) -> np.ndarray | None:
    """Behaviour of all trials, NaN where there is none."""
    found = {side: np.asarray(arrays.get(f"{side}_behavior")) for side in sides}
    found = {side: x for side, x in found.items() if x.ndim == 3 and len(x) == count[side]}
    if not found:
        return None
    width = next(iter(found.values())).shape[2]
    parts = []
    for side in sides:
        part = np.full([count[side], bins, width], np.nan, np.float32)
        if side in found and found[side].shape[2] == width:
            length = min(bins, found[side].shape[1])
            part[:, :length] = found[side][:, :length]
        parts.append(part)
    return np.concatenate(parts)
