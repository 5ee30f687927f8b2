"""Writes the golden files of a release: runs and data that all later releases must read.

    python tests/golden/write.py 0.1

Once for each release, from its own code, and never again: `tests/test_golden.py` reads them. A run
is a zip of its folder, because HDF5 files of a few numbers are mostly empty. Data are tiny: 10
trials of 10 bins and 4 channels.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np

from tfp_bvae.cli import main
from tfp_bvae.data import from_splits, read_hdf5, save, static_dynamic, write_hdf5
from tfp_bvae.inference import posterior_mean
from tfp_bvae.training import open_run

HERE = Path(__file__).parent
EPOCHS = 2
SMALL = {
    "f_size": 2,
    "f_encoder_units": 3,
    "z_size": 2,
    "z_encoder_units": 3,
    "generator_units": 4,
    "warm_up": 1,
    "batch_size": 8,
    "jit_compile": "false",
}
MODELS = {
    "lfads": {"factors": 2, "controller_units": 3},
    "dsae-full": {"z_encoder_units2": 3, "z_prior_units": 3},
    "dsae-factorized": {"z_prior_units": 3},
    "fhvae": {"segment_length": 6, "group_by": "static"},
    "tuned": {"factors": 2, "controller_units": 3},
}
SEARCH = ["--population", "2", "--generations", "2", "--epochs-per-generation", "1"]
SEARCH += ["--patience", "none", "--tune", "beta_f", "--tune", "dropout"]


def write(folder: Path) -> None:
    """All files of a release, into a folder that is not there yet."""
    folder.mkdir()
    data = static_dynamic(num_classes=2, num_trials=5, num_valid=2, num_bins=10, num_channels=4)
    write_hdf5(folder / "trials.h5", data)
    labelled = from_splits(data)
    save(folder / "trials.nc", labelled)
    with tempfile.TemporaryDirectory() as temporary:
        beside = Path(temporary)
        save(beside / "trials.zarr", labelled)
        packed(beside / "trials.zarr", folder / "trials.zarr.zip")
        shutil.copy(folder / "trials.h5", beside)
        rates = {name: _run(name, beside, folder) for name in MODELS}
    np.savez_compressed(folder / "rates.npz", **rates)


def _run(name: str, beside: Path, folder: Path) -> np.ndarray:
    """Fit a model, pack its run; the rates of the validation trials at the posterior mean."""
    run, file = beside / name, beside / "trials.h5"
    settings = [f"{key}={value}" for key, value in (SMALL | MODELS[name]).items()]
    words = [word for setting in settings for word in ("--set", setting)]
    if name == "tuned":
        _call("tune", str(file), "--out", str(run), "--quiet", *SEARCH, *words)
        shutil.rmtree(run / "tuning", ignore_errors=True)
    else:
        epochs = ["--epochs", str(EPOCHS), "--model", name]
        _call("fit", str(file), "--out", str(run), "--quiet", *epochs, *words)
    if name == "lfads":
        _call("export", str(run), "--format", "netcdf", "--out", str(folder / "posterior.nc"))
    described = run / "run.json"
    text = described.read_text(encoding="utf-8")
    described.write_text(text.replace(str(beside), "/data"), encoding="utf-8")
    tuning = run / "tuning.json"
    if tuning.exists():
        text = tuning.read_text(encoding="utf-8")
        tuning.write_text(text.replace(str(beside), "/data"), encoding="utf-8")
    shutil.rmtree(run / "tensorboard", ignore_errors=True)  # a picture of the graph, 1 MB
    packed(run, folder / f"{name}.zip")
    return posterior_mean(open_run(run).load_model(), read_hdf5(file).valid).rates


def _call(*words: str) -> None:
    if main(words):
        raise SystemExit(f"failed: {' '.join(words)}")


def packed(folder: Path, archive: Path) -> None:
    """A folder as a zip file."""
    shutil.make_archive(str(archive.with_suffix("")), "zip", folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", help="such as 0.1")
    warnings.simplefilter("ignore")
    write(HERE / parser.parse_args().release)
