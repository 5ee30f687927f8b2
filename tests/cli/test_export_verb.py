"""`tfp-bvae export`: what a run inferred, in the forms of other tools."""

import csv
import importlib.util
import shutil

import numpy as np
import pytest
import xarray as xr

from tfp_bvae.cli.parser_export import FORMATS
from tfp_bvae.data import read_arrays, trials_dataset, write_hdf5


@pytest.fixture
def copied(fitted, tmp_path):
    """A copy of the fitted run, to do something to."""
    return shutil.copytree(fitted, tmp_path / "run")


def test_netcdf_and_zarr_hold_the_posterior_with_the_labels_of_the_data(
    fitted, dataset, tmp_path, call
):
    arrays, _ = read_arrays(fitted / "posterior.h5")
    for kind, load in (("netcdf", xr.load_dataset), ("zarr", xr.open_zarr)):
        out = tmp_path / kind
        code, said, err = call("export", fitted, "--out", out, "--format", kind)
        assert (code, said, err) == (0, f"{out}: 32 train, 8 valid trials\n", "")
        found = load(out)
        valid = found.isel(trial=np.flatnonzero(found.split == "valid"))
        for name in ("rates", "rates_scale", "factors", "inferred", "f", "f_scale"):
            np.testing.assert_array_equal(valid[name], arrays[f"valid_{name}"])
        assert valid.condition.values.tolist() == dataset.attrs["valid_cond_idx"].tolist()
        np.testing.assert_allclose(found.time, 0.02 * np.arange(10))
        assert found.rates.attrs["units"] == "spikes per bin"
        assert found.attrs["model"] == "lfads"


def test_trials_of_unequal_length_keep_their_labels_and_end_in_nan(rng, tmp_path, call, settings):
    lengths = np.append(rng.integers(6, 12, 19), 12)
    trials = trials_dataset(
        [rng.poisson(1.0, [bins, 4]) for bins in lengths],
        0.02,
        coords={
            "split": ["train"] * 14 + ["valid"] * 6,
            "condition": ["left", "right"] * 10,
            "channel": ["a", "b", "c", "d"],
            "held_out": [True, False, False, False],
            "time": -0.1 + 0.02 * np.arange(12),
        },
    )
    trials.to_netcdf(tmp_path / "trials.nc", engine="h5netcdf")
    run = tmp_path / "run"
    words = ("fit", tmp_path / "trials.nc", "--out", run, "--epochs", 3, "--quiet", *settings)
    assert call(*words).code == 0
    for kind in ("netcdf", "zarr", "csv"):
        code, _, err = call("export", run, "--out", tmp_path / kind, "--format", kind)
        assert (code, err) == (0, "")
    found = xr.load_dataset(tmp_path / "netcdf")
    assert found.channel.values.tolist() == ["b", "c", "d", "a"]
    assert found.condition.values.tolist() == ["left", "right"] * 10
    assert found.length.values.tolist() == lengths.tolist()
    np.testing.assert_allclose(found.time, -0.1 + 0.02 * np.arange(12))
    ended = np.arange(12) >= lengths[:, np.newaxis]
    for name in ("rates", "rates_scale", "factors", "inferred", "inferred_scale"):
        np.testing.assert_array_equal(np.isnan(found[name].values).all(axis=2), ended)
        np.testing.assert_array_equal(np.isnan(found[name].values).any(axis=2), ended)
    with xr.open_zarr(tmp_path / "zarr") as stored:
        xr.testing.assert_equal(stored.load(), found)
    assert len((tmp_path / "csv").read_text().splitlines()) == 1 + lengths.sum()


def test_csv_and_the_names_of_lfads_torch(fitted, dataset, tmp_path, call):
    out = tmp_path / "a.csv"
    code, said, _ = call("export", fitted, "--out", out, "--format", "csv")
    assert code == 0 and "no time axis is left out" in said
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40 * 10
    out = tmp_path / "a.h5"
    code, said, _ = call("export", fitted, "--out", out, "--format", "lfads-torch")
    assert code == 0 and said.endswith("; without gen_states, con_states\n")
    arrays, _ = read_arrays(out)
    np.testing.assert_array_equal(arrays["train_recon_data"], dataset.train.recon)
    assert arrays["valid_output_params"].shape == (8, 10, 6)


def test_a_posterior_of_other_trials_has_no_labels_of_the_run(fitted, dataset, tmp_path, call):
    write_hdf5(tmp_path / "other.h5", dataset)
    assert call("infer", fitted, tmp_path / "other.h5", "--out", tmp_path / "p.h5").code == 0
    given = ("export", fitted, "--posterior", tmp_path / "p.h5", "--out")
    assert call(*given, tmp_path / "a.nc").code == 0
    assert "condition" not in xr.load_dataset(tmp_path / "a.nc").coords
    labelled = call(*given, tmp_path / "b.nc", "--data", tmp_path / "other.h5")
    assert labelled.code == 0
    assert "condition" in xr.load_dataset(tmp_path / "b.nc").coords


def test_data_that_are_gone_leave_their_labels(copied, data_file, tmp_path, call):
    text = (copied / "run.json").read_text()
    (copied / "run.json").write_text(text.replace(str(data_file), str(tmp_path / "gone.h5")))
    code, _, err = call("export", copied, "--out", tmp_path / "a.nc")
    assert code == 0 and "gone.h5 is not there; trials, bins and channels are counted" in err
    code, _, err = call("export", copied, "--out", tmp_path / "b.nc", "--data", data_file)
    assert (code, err) == (0, "")


def test_data_that_changed_since_are_not_taken_for_those_of_the_run(
    copied, data_file, dataset, tmp_path, call
):
    other = tmp_path / "other.h5"
    write_hdf5(other, type(dataset)(dataset.valid, dataset.train, dataset.bin_width))
    text = (copied / "run.json").read_text()
    (copied / "run.json").write_text(text.replace(str(data_file), str(other)))
    code, _, err = call("export", copied, "--out", tmp_path / "a.nc")
    assert code == 0 and "the data are not those of" in err and err.count("\n") == 1
    assert "condition" not in xr.load_dataset(tmp_path / "a.nc").coords
    other.write_text("no HDF5")
    assert call("export", copied, "--out", tmp_path / "b.nc").code == 0


def test_an_output_that_is_there_stays_without_overwrite(fitted, tmp_path, call, refused):
    (tmp_path / "a.nc").write_text("mine")
    said = refused("export", fitted, "--out", tmp_path / "a.nc")
    assert "--overwrite replaces it" in said
    assert call("export", fitted, "--out", tmp_path / "a.nc", "--overwrite").code == 0
    assert "rates" in xr.load_dataset(tmp_path / "a.nc")
    (tmp_path / "folder").mkdir()
    for kind, said in (("netcdf", "must be a file"), ("zarr", "is not a zarr store")):
        words = ("--out", tmp_path / "folder", "--format", kind, "--overwrite")
        assert said in refused("export", fitted, *words)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_folder_that_refuses_leaves_nothing(kind, fitted, tmp_path, refused, monkeypatch):
    name = ("--name", "mc_maze") if kind == "nlb" else ()
    out = tmp_path / "none" / "a"
    said = refused("export", fitted, "--out", out, "--format", kind, *name)
    wanted = "held-out channels" if kind == "nlb" else "must be in a folder that exists"
    assert wanted in said


@pytest.mark.parametrize("suffix, first", [("nc", "netCDF"), ("CSV", "table"), ("zarr", "zarr")])
def test_the_name_of_the_file_says_the_format(suffix, first, fitted, tmp_path, call):
    out = tmp_path / f"a.{suffix}"
    assert call("export", fitted, "--out", out).code == 0
    if suffix == "zarr":
        assert "rates" in xr.open_zarr(out)
    else:
        assert out.read_bytes().startswith({"netCDF": b"\x89HDF", "table": b"trial"}[first])


@pytest.mark.parametrize("name", ["a.h5", "a.mat", "a"])
def test_a_name_that_says_no_format_is_refused(name, fitted, tmp_path, refused):
    said = refused("export", fitted, "--out", tmp_path / name)
    assert "--format must be given for a file that is not .nc, .zarr, .csv, got" in said


def test_what_cannot_be_exported_is_said(fitted, copied, dataset, tmp_path, refused, call):
    out = ("--out", tmp_path / "a.h5")
    assert "--name must go with" in refused("export", fitted, *out, "--format", "nlb")
    assert "--name must go with" in refused("export", fitted, *out, "--name", "mc_maze")
    nlb = (*out, "--format", "nlb", "--name", "mc_maze")
    assert "held-out channels" in refused("export", fitted, *nlb)
    out = ("--out", tmp_path / "a.nc")
    assert "p.h5 must be" in refused("export", fitted, *out, "--posterior", tmp_path / "p.h5")
    other = tmp_path / "other.h5"
    write_hdf5(other, type(dataset)(dataset.valid, dataset.train, dataset.bin_width))
    assert "not those of" in refused("export", fitted, *out, "--data", other)
    write_hdf5(copied / "posterior.h5", dataset)
    assert "posterior of trials" in refused("export", copied, *out)
    (copied / "posterior.h5").unlink()
    assert "the fit is not finished" in refused("export", copied, *out)


def test_a_fit_leaves_a_log_for_tensorboard_where_it_is_installed(fitted, epochs):
    events = list(fitted.glob("tensorboard/**/events.out.tfevents.*"))
    assert bool(events) == (importlib.util.find_spec("tensorboard") is not None)


def test_a_fit_leaves_its_history_as_csv(fitted, epochs):
    with open(fitted / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == epochs
    assert {"epoch", "loss", "kl_f", "kl_z", "val_heldout", "skipped_steps"} <= set(rows[0])
    values = [[float(value) for value in row.values()] for row in rows]
    assert np.isfinite(values).all()
    assert values[-1] != values[0]
