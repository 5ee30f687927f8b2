"""Files of an earlier release are read, go on, and give the rates that they gave.

`golden/0.1` is what the first release writes; there is no earlier one. `golden/write.py` made it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tfp_bvae import data
from tfp_bvae.cli import main
from tfp_bvae.inference import open_posterior, posterior_mean
from tfp_bvae.training import fit, open_run

GOLDEN = Path(__file__).parent / "golden"
RELEASES = sorted(folder.name for folder in GOLDEN.iterdir() if (folder / "rates.npz").exists())
RUNS = ("lfads", "dsae-full", "dsae-factorized", "fhvae", "tuned")
EPOCHS = 2  # of each run that is no search


@pytest.fixture(params=RELEASES)
def golden(request) -> Path:
    """The folder of a release."""
    return GOLDEN / request.param


def unpacked(golden: Path, name: str, folder: Path) -> Path:
    """A run of a release, with the file of its data where it says that this is."""
    run = folder / name
    shutil.unpack_archive(golden / f"{name}.zip", run)
    described = json.loads((run / "run.json").read_text())
    described["data"]["path"] = str(golden / "trials.h5")
    (run / "run.json").write_text(json.dumps(described))
    return run


def trials(golden: Path, name: str) -> data.SpikeDataset:
    """What a run was fitted to."""
    found = data.read_hdf5(golden / "trials.h5")
    return data.with_groups(found, "static") if name == "fhvae" else found


def test_there_are_files_of_a_release():
    assert "0.1" in RELEASES
    assert sum(file.stat().st_size for file in GOLDEN.rglob("*")) < 500_000


@pytest.mark.parametrize("name", RUNS)
def test_a_run_gives_the_rates_that_it_gave(golden, name, tmp_path):
    run = open_run(unpacked(golden, name, tmp_path))
    found = trials(golden, name)
    run.require_same(found)
    rates = posterior_mean(run.load_model(), found.valid).rates
    with np.load(golden / "rates.npz") as expected:
        np.testing.assert_allclose(rates, expected[name], rtol=1e-5)
    with open_posterior(run.posterior_file) as stored:
        assert stored.num_trials == {"train": 6, "valid": 4}
    assert {row["epoch"] for row in run.history()} == {1, 2}
    assert json.loads(run.metrics_file.read_text())["fit"]["best_epoch"] in (1, 2)


@pytest.mark.parametrize("name", RUNS[:-1])
def test_a_run_goes_on_from_its_checkpoint(golden, name, tmp_path):
    run = open_run(unpacked(golden, name, tmp_path))
    assert run.epochs() == EPOCHS and run.best_epoch() in (1, 2)
    found = trials(golden, name)
    model = run.build_model(found)
    settings = run.fit.replace({"epochs": EPOCHS + 1})
    fit(model, found, settings, run=run.path, resume=True, verbose=False)
    assert run.epochs() == EPOCHS + 1
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]


def test_a_report_is_made_of_a_run_and_of_a_search(golden, tmp_path, capsys):
    for name in ("lfads", "tuned"):
        run = unpacked(golden, name, tmp_path)
        assert main(["report", str(run), "--no-floors"]) == 0, capsys.readouterr().err
        page = (run / "report.html").read_text(encoding="utf-8")
        assert "What is missing" not in page
        assert "bits/spike" in page


def test_trials_are_what_they_were(golden, tmp_path):
    shutil.unpack_archive(golden / "trials.zarr.zip", tmp_path / "trials.zarr")
    splits = data.from_splits(data.read_hdf5(golden / "trials.h5"))
    for path in (golden / "trials.h5", golden / "trials.nc", tmp_path / "trials.zarr"):
        found = data.load(path)
        np.testing.assert_array_equal(found.spikes, splits.spikes)
        assert found.attrs["bin_width"] == splits.attrs["bin_width"]
        assert found.split.values.tolist() == splits.split.values.tolist()


def test_a_posterior_for_other_tools_is_read(golden):
    with xr.open_dataset(golden / "posterior.nc", engine="h5netcdf") as found:
        assert found.rates.dims == ("trial", "time", "channel")
        assert found.sizes["trial"] == 10
