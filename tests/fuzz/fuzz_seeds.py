"""Small sound inputs of each kind, as bytes; a folder is the zip file of it."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
import zipfile
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import h5py
import numpy as np

from tfp_bvae import data

GOLDEN = Path(__file__).parents[1] / "golden" / "0.1"
COUNTS = np.arange(6 * 5 * 3).reshape(6, 5, 3) % 3
SIDES = np.array(["train", "valid"] * 3)


def folder_of(path: Path) -> bytes:
    """A folder as a zip file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(path).as_posix())
    return written.getvalue()


def _written(write) -> bytes:
    """What a function writes to a path, file or folder."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "x")
        found = write(path) or path
        return folder_of(found) if found.is_dir() else found.read_bytes()


def _hdf5(**arrays) -> bytes:
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        for name, value in arrays.items():
            file[name] = value
    return written.getvalue()


def _labelled():
    coords = {"split": SIDES, "condition": [f"c{i % 2}" for i in range(6)]}
    behavior = np.ones([6, 5, 2])
    return data.trials_dataset(COUNTS, 0.02, behavior=behavior, coords=coords)


@cache
def npz() -> tuple[bytes, ...]:
    written = io.BytesIO()
    np.savez(written, spikes=COUNTS, bin_width=0.02, split=SIDES, condition=np.arange(6))
    whole = io.BytesIO()
    np.savez(whole, train_data=COUNTS, valid_data=COUNTS, train_inds=np.arange(6))
    return written.getvalue(), whole.getvalue()


@cache
def splits() -> tuple[bytes, ...]:
    first, second = COUNTS[:4], COUNTS[4:]
    torch = _hdf5(
        train_encod_data=first, train_recon_data=first, valid_encod_data=second,
        valid_recon_data=second, train_truth=first * 1.0, valid_truth=second * 1.0,
        train_length=np.full(4, 5), valid_length=np.full(2, 5), conversion_factor=2.0,
        bin_width=0.02, train_condition=np.arange(4) % 2, valid_condition=np.arange(2),
    )  # fmt: skip
    return torch, _hdf5(train_data=first, valid_data=second, train_inds=np.arange(4))


@cache
def arrays() -> tuple[bytes, ...]:
    named = _hdf5(spikes=COUNTS, bin_width=0.02, split=SIDES.astype("S5"), channel=np.arange(3))
    nlb = _hdf5(
        train_spikes_heldin=COUNTS, train_spikes_heldout=COUNTS[..., :2],
        train_spikes_heldin_forward=COUNTS[:, :2], eval_spikes_heldin=COUNTS,
        train_behavior=np.ones([6, 5, 2]),
    )  # fmt: skip
    target = _hdf5(**{"mc_maze/eval_spikes_heldout": COUNTS[..., :2], "mc_maze/psth": np.ones(3)})
    return named, nlb, target


@cache
def netcdf() -> tuple[bytes, ...]:
    old = _labelled().drop_vars(["split", "condition"]).astype("f4")
    for name in old.coords:
        if old[name].dtype.kind not in "iuf":
            old = old.assign_coords({name: (old[name].dims, np.arange(old[name].size))})
    old = old.drop_vars([n for n in ("held_out", "forward", "split") if n in old.variables])
    old.attrs = {"bin_width": 0.02}
    new = _written(lambda path: data.save(path.with_suffix(".nc"), _labelled()) or _of(path, ".nc"))
    return new, _written(lambda path: old.to_netcdf(path, engine="scipy") and None)


def _of(path: Path, suffix: str) -> Path:
    return path.with_suffix(suffix)


@cache
def mat5() -> tuple[bytes, ...]:
    from scipy.io import savemat

    cell = np.empty(2, object)
    cell[:] = [np.ones([4, 3]), np.ones([5, 3])]
    variables = {"spikes": COUNTS * 1.0, "bin_width": 0.02, "split": SIDES, "s": {"a": [1, "b"]}}
    return tuple(
        _written(lambda path, v=v, packed=packed: savemat(path, v, do_compression=packed))
        for v in (variables, {"spikes": cell, "f": np.eye(3)})
        for packed in (False, True)
    )


@cache
def mat73() -> tuple[bytes, ...]:
    def write(path):
        with h5py.File(path, "w", userblock_size=512) as file:
            file["spikes"] = COUNTS.T * 1.0
            file["spikes"].attrs["MATLAB_class"] = np.bytes_("double")
            file["#refs#/a"], file["#refs#/b"] = np.ones([3, 4]), np.ones([3, 5])
            cell = file.create_dataset("other", (2, 1), h5py.ref_dtype)
            cell[:, 0] = [file["#refs#/a"].ref, file["#refs#/b"].ref]
            cell.attrs["MATLAB_class"] = np.bytes_("cell")
            file["word"] = np.array([[116], [114]], "u2")
            file["word"].attrs["MATLAB_class"] = np.bytes_("char")
        with open(path, "r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")

    return (_written(write),)


@cache
def zarr() -> tuple[bytes, ...]:
    def write(path, version):
        _labelled().to_zarr(path, mode="w", zarr_format=version)

    return tuple(_written(lambda path, v=v: write(path, v)) for v in (2, 3))


@cache
def nwb() -> tuple[bytes, ...]:
    from pynwb import NWBHDF5IO, NWBFile, TimeSeries

    def write(path):
        file = NWBFile("a test", "s", datetime(2026, 1, 1, tzinfo=timezone.utc))
        file.add_trial_column("target", "which")
        for start in (0.0, 1.0, 2.0):
            file.add_trial(start_time=start, stop_time=start + 0.5, target=start)
        for _ in range(2):
            file.add_unit(spike_times=[0.1, 0.2, 1.1, 2.3], obs_intervals=[[0.0, 3.0]])
        file.add_acquisition(TimeSeries(name="force", data=np.ones(30), unit="N", rate=10.0))
        with NWBHDF5IO(str(path), "w") as io_:
            io_.write(file, cache_spec=False)

    return (_written(write),)


@cache
def posterior() -> tuple[bytes, ...]:
    from tfp_bvae.inference import Posterior, write_posterior

    found = Posterior(*np.ones([2, 4, 5, 3]), *np.ones([2, 4, 1]))
    return (_written(lambda path: write_posterior(path, {"train": found, "valid": found})),)


@cache
def recording() -> tuple[bytes, ...]:
    return (_hdf5(spikes=COUNTS.reshape(-1, 3), bin_width=0.02),)


@cache
def run() -> tuple[bytes, ...]:
    """Runs of the golden files, without what is large."""
    found = []
    for name in ("lfads", "tuned"):
        with zipfile.ZipFile(GOLDEN / f"{name}.zip") as archive:
            names = [n for n in archive.namelist() if n.endswith((".json", ".csv"))]
            written = io.BytesIO()
            with zipfile.ZipFile(written, "w") as few:
                for one in names:
                    few.writestr(one, archive.read(one))
        found.append(written.getvalue())
    return tuple(found)


@cache
def model() -> tuple[bytes, ...]:
    with zipfile.ZipFile(GOLDEN / "lfads.zip") as archive:
        return (archive.read("model.keras"),)


@cache
def checkpoint() -> tuple[bytes, ...]:
    with zipfile.ZipFile(GOLDEN / "lfads.zip") as archive:
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as few:
            for name in archive.namelist():
                if name.startswith("checkpoints/") and not name.endswith("/"):
                    few.writestr(name, archive.read(name))
    return (written.getvalue(),)


@cache
def yaml() -> tuple[bytes, ...]:
    return (
        b"factors: 20\ntau: 1e1\ncausal: true\nf_prior: null\nbeta_f: 0.1\n",
        b"{generator_units: 8, dropout: 0.1}",
        json.dumps({"z_size": 2, "l2_generator": 1.5}).encode(),
    )


@cache
def words() -> tuple[bytes, ...]:
    lines = (
        "factors=20\0tau=10.0\0patience=none",
        "likelihood=gaussian\0bin_width=0.02\0epochs=3",
        "causal=true\0dropout=0.1\0jit_compile=false",
    )
    return tuple(line.encode() for line in lines)


@cache
def calls() -> tuple[bytes, ...]:
    lines = (
        "fit trials.h5 --out run --set factors=3 --epochs 2 --seed 1 --quiet",
        "fit trials.h5 spikes.npz --model lfads --out run",
        "convert spikes.npz --out new.h5 --bin-width 0.02 --valid-fraction 0.3 --by split --seed 1",
        "convert trials.nc --out new.nc --hold-out-every 2 --forward-bins 1 --overwrite",
        "chop recording.h5 --out new.h5 --window 4 --overlap 2 --block 8 --key spikes",
        "infer there trials.h5 --out p.h5 --samples 2",
        "infer there recording.h5 --out p.h5 --window 4 --overlap 1",
        "evaluate there --samples 3",
        "export there --format csv --out rates.csv",
        "tune trials.h5 --out run --search random --population 2 --tune dropout=0.1:0.2",
        "report there --no-floors",
        "settings --model dsae-full",
        "--max-memory 0.5 convert spikes.npz --out new.zarr",
        "--version",
    )
    return tuple("\0".join(line.split()).encode() for line in lines)
