"""Weights of lfads-torch: those of its own modules, with what these put out, and random ones.

`models/lfads_torch_arrays.npz` is made by `models/write_lfads_torch_arrays.py`.
"""

import json
from pathlib import Path

import numpy as np

from tfp_bvae.models import lfads_torch_shapes

with np.load(Path(__file__).parent / "models" / "lfads_torch_arrays.npz") as stored:
    ARRAYS = {name: stored[name] for name in stored}
CASES = sorted({name.split("/")[0] for name in ARRAYS})


def weights_of(case: str) -> dict:
    first = f"{case}/weights/"
    return {n.removeprefix(first): x for n, x in ARRAYS.items() if n.startswith(first)}


def config_of(case: str) -> dict:
    return json.loads(ARRAYS[f"{case}/config"].item())


def sessions_of(case: str) -> int:
    return sum(name.startswith(f"{case}/encod_data/") for name in ARRAYS)


SIZES = {
    "ic_enc_dim": 5, "ci_enc_dim": 4, "con_dim": 4, "co_dim": 1, "ic_dim": 3, "gen_dim": 6,
    "fac_dim": 3,
}  # fmt: skip


def random_weights(*channels, **sizes) -> dict[str, np.ndarray]:
    """A small `state_dict` of which nothing is fitted."""
    rng = np.random.default_rng(0)
    shapes = lfads_torch_shapes(*channels, **SIZES, **sizes)
    return {key: 0.3 * rng.normal(size=shape) for key, shape in shapes.items()}
