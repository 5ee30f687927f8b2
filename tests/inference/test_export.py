"""Posteriors in files that other tools read: whole, or not there at all."""

from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tfp_bvae.data import SpikeDataset, Split, read_arrays, read_hdf5
from tfp_bvae.inference import (
    Posterior,
    label_parts,
    posterior_dataset,
    write_csv,
    write_lfads_torch,
    write_netcdf,
    write_nlb,
    write_zarr,
)
from tfp_bvae.models import Arguments, Params

COUNTS = {"train": 5, "valid": 3}
BINS, FORWARD, SEEN, CHANNELS = 7, 2, 3, 4


def fitted(**arguments):
    """What exports need of a run: no model is built."""
    sizes = {"channels": SEEN, "outputs": CHANNELS, "forward_bins": FORWARD, "bin_width": 0.02}
    return SimpleNamespace(
        model="lfads", arguments=Arguments.of(sizes | arguments), params=Params.of({})
    )


@pytest.fixture
def data(rng):
    """Trials with conditions and sessions of names, a known input and true rates."""
    splits = {}
    for side, count in COUNTS.items():
        recon = rng.poisson(1.0, [count, BINS, CHANNELS])
        ext, truth = rng.random([count, BINS, 2]), rng.random([count, BINS, CHANNELS])
        splits[side] = Split(recon[:, : BINS - FORWARD, :SEEN], recon, ext, truth)
    names = np.array(["a", "much longer", "b", "c", "d"])
    attrs = {"channel_names": np.array(["c1", "c2", "c3", "c4"])}
    attrs |= {f"{side}_condition": names[:count] for side, count in COUNTS.items()}
    attrs |= {f"{side}_trial": 10 * np.arange(count) for side, count in COUNTS.items()}
    return SpikeDataset(**splits, bin_width=0.02, attrs=attrs)


@pytest.fixture
def posteriors(rng):
    found = {}
    for side, count in COUNTS.items():
        arrays = {}
        for suffix in ("", "_scale"):
            for name, size in (("rates", CHANNELS), ("factors", 2), ("inferred", 1)):
                arrays[name + suffix] = rng.random([count, BINS, size]).astype(np.float32)
            for name, size in (("f", 3), ("initial_state", 6)):
                arrays[name + suffix] = rng.random([count, size]).astype(np.float32)
        found[side] = Posterior(**arrays)
    return found


@pytest.fixture
def padded(posteriors):
    """The same, one trial shorter."""
    for name in ("rates", "rates_scale", "factors", "factors_scale", "inferred", "inferred_scale"):
        getattr(posteriors["train"], name)[1, 4:] = np.nan
    return posteriors


def parts_of(posteriors, size=2):
    """Two trials at a time."""
    for side, found in posteriors.items():
        for first in range(0, COUNTS[side], size):
            rows = slice(first, min(first + size, COUNTS[side]))
            yield side, rows, Posterior(**{n: x[rows] for n, x in found.arrays().items()})


def same(found, expected):
    """Identical, but for the kind of a string; files know others than memory."""
    for name in expected.variables:
        kinds = found[name].dtype.kind, expected[name].dtype.kind
        assert kinds[0] == kinds[1] or set(kinds) <= set("OUT"), name
    xr.testing.assert_equal(found, expected)
    for name in (*expected.data_vars, "time"):
        assert found[name].attrs == expected[name].attrs
    assert found.attrs == expected.attrs


def test_netcdf_there_and_back(padded, data, tmp_path):
    expected = posterior_dataset(fitted(), padded, data)
    write_netcdf(tmp_path / "a.nc", expected)
    same(xr.load_dataset(tmp_path / "a.nc"), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]
    with h5py.File(tmp_path / "a.nc") as file:  # readable without us
        assert file["rates"].attrs["units"] == "spikes per bin"


def test_zarr_part_by_part_there_and_back(padded, data, tmp_path):
    expected = posterior_dataset(fitted(), padded, data)
    write_zarr(tmp_path / "a.zarr", label_parts(fitted(), parts_of(padded), data))
    with xr.open_zarr(tmp_path / "a.zarr") as found:
        same(found.load(), expected)
        assert found.rates.encoding["chunks"][1:] == (BINS, CHANNELS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_zarr_takes_the_place_of_zarr_and_of_nothing_else(posteriors, tmp_path):
    path = tmp_path / "a.zarr"
    write_zarr(path, label_parts(fitted(), parts_of(posteriors)))
    write_zarr(path, label_parts(fitted(), parts_of({"valid": posteriors["valid"]})))
    with xr.open_zarr(path) as found:
        assert found.sizes["trial"] == COUNTS["valid"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zarr"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="is not a zarr store"):
        write_zarr(tmp_path / "mine", label_parts(fitted(), parts_of(posteriors)))
    assert (tmp_path / "mine" / "work.txt").read_text() == "precious"


def test_csv_has_a_row_for_each_bin_that_there_is(padded, data, tmp_path):
    write_csv(tmp_path / "a.csv", label_parts(fitted(), parts_of(padded), data))
    found = pd.read_csv(tmp_path / "a.csv")
    assert len(found) == sum(COUNTS.values()) * BINS - 3
    row = found[(found.split == "train") & (found.trial == 10)].iloc[2]
    assert row.condition == "much longer" and row.time == pytest.approx(0.04)
    assert row.rates_c3 == pytest.approx(padded["train"].rates[1, 2, 2], rel=1e-6)
    assert row.rates_scale_c3 == pytest.approx(padded["train"].rates_scale[1, 2, 2], rel=1e-6)
    assert row.inferred_0 == pytest.approx(padded["train"].inferred[1, 2, 0], rel=1e-6)
    assert not [name for name in found if name.startswith(("f_", "initial_state"))]


def test_the_names_of_lfads_torch(posteriors, data, tmp_path):
    run = fitted(ext_inputs=2)
    absent = write_lfads_torch(tmp_path / "a.h5", run, parts_of(posteriors), COUNTS, data)
    assert absent == ["gen_states", "con_states"]
    arrays, attrs = read_arrays(tmp_path / "a.h5")
    names = {
        "output_params": "rates",
        "factors": "factors",
        "ic_mean": "f",
        "ic_std": "f_scale",
        "co_means": "inferred",
        "co_stds": "inferred_scale",
        "gen_init": "initial_state",
    }
    for side, found in posteriors.items():
        for theirs, ours in names.items():
            np.testing.assert_array_equal(arrays[f"{side}_{theirs}"], getattr(found, ours))
        inputs = np.concatenate([found.inferred, getattr(data, side).ext_input], axis=-1)
        np.testing.assert_array_equal(arrays[f"{side}_gen_inputs"], inputs)
    assert attrs["bin_width"] == 0.02
    back = read_hdf5(tmp_path / "a.h5")  # the data stand in it too
    np.testing.assert_array_equal(back.valid.recon, data.valid.recon)
    np.testing.assert_array_equal(back.train.encod, data.train.encod)
    np.testing.assert_array_equal(back.train.truth, data.train.truth)
    assert back.attrs["train_trial"].tolist() == [0, 10, 20, 30, 40]


def test_what_lfads_torch_would_have_and_a_model_has_not_is_said(posteriors, tmp_path):
    arrays = posteriors["valid"].arrays()
    few = {name: arrays[name] for name in ("rates", "factors", "f", "f_scale")}
    parts = [("valid", slice(0, 3), Posterior(**few))]
    absent = write_lfads_torch(tmp_path / "a.h5", fitted(), parts, {"valid": 3})
    expected = ["co_means", "co_stds", "gen_states", "gen_init", "gen_inputs", "con_states"]
    assert absent == expected
    run = fitted(ext_inputs=2)  # the known inputs are not at hand
    absent = write_lfads_torch(tmp_path / "a.h5", run, parts_of(posteriors), COUNTS)
    assert absent == ["gen_states", "gen_inputs", "con_states"]


def test_other_trials_are_refused(posteriors, data, tmp_path):
    with pytest.raises(ValueError, match="same number of train trials, got 4 and 5"):
        counts = {"train": 4, "valid": 3}
        write_lfads_torch(tmp_path / "a.h5", fitted(), parts_of(posteriors), counts, data)
    assert not list(tmp_path.iterdir())


def test_the_names_of_a_submission(posteriors, tmp_path):
    write_nlb(tmp_path / "a.h5", "mc_maze_20", fitted(), parts_of(posteriors), COUNTS)
    seen = BINS - FORWARD
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file) == ["mc_maze_20"]
        found = {name: x[()] for name, x in file["mc_maze_20"].items()}
    train, valid = posteriors["train"].rates, posteriors["valid"].rates
    expected = {
        "train_rates_heldin": train[:, :seen, :SEEN],
        "train_rates_heldout": train[:, :seen, SEEN:],
        "eval_rates_heldin": valid[:, :seen, :SEEN],
        "eval_rates_heldout": valid[:, :seen, SEEN:],
        "eval_rates_heldin_forward": valid[:, seen:, :SEEN],
        "eval_rates_heldout_forward": valid[:, seen:, SEEN:],
    }
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_what_is_no_submission_is_refused(padded, tmp_path):
    def write(run, name="mc_maze"):
        write_nlb(tmp_path / "a.h5", name, run, parts_of(padded), COUNTS)

    with pytest.raises(ValueError, match="model must have held-out channels"):
        write(fitted(channels=CHANNELS))
    with pytest.raises(ValueError, match="rates must be finite in all bins, got NaN in train"):
        write(fitted())
    with pytest.raises(ValueError, match="or no counts"):
        write(fitted(likelihood="gaussian"))
    with pytest.raises(ValueError, match="name must be a string that is not empty"):
        write(fitted(), "")
    assert not list(tmp_path.iterdir())


class Full(OSError):
    """The disk, in the middle of it."""


def interrupted(parts):
    """Some parts, and then the disk is full."""
    yield next(iter(parts))
    raise Full(28, "No space left on device")


@pytest.mark.parametrize("kind", ["zarr", "csv", "lfads-torch", "nlb"])
@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_half_written(kind, there, posteriors, tmp_path):
    run, path = fitted(), tmp_path / "out"

    def write(around):
        parts = around(parts_of(posteriors))
        if kind == "zarr":
            write_zarr(path, label_parts(run, parts))
        elif kind == "csv":
            write_csv(path, label_parts(run, parts))
        elif kind == "nlb":
            write_nlb(path, "mc_maze", run, parts, COUNTS)
        else:
            write_lfads_torch(path, run, parts, COUNTS)

    def content():
        return {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}

    if there:
        write(iter)
    before = content()
    with pytest.raises(Full):
        write(interrupted)
    assert content() == before
    assert len(list(tmp_path.iterdir())) == there


def test_a_disk_without_room_is_refused_before_netcdf_begins(posteriors, tmp_path, monkeypatch):
    found = posterior_dataset(fitted(), posteriors)
    room = SimpleNamespace(free=1000)
    monkeypatch.setattr("tfp_bvae.inference.export_files.shutil.disk_usage", lambda _: room)
    with pytest.raises(OSError, match="No space left"):
        write_netcdf(tmp_path / "a.nc", found)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["nc", "zarr", "csv"])
def test_a_folder_that_is_not_there_is_named(kind, posteriors, tmp_path):
    path = tmp_path / "none" / "out"
    with pytest.raises(FileNotFoundError, match="path must be in a folder that exists"):
        if kind == "nc":
            write_netcdf(path, posterior_dataset(fitted(), posteriors))
        else:
            write = write_zarr if kind == "zarr" else write_csv
            write(path, label_parts(fitted(), parts_of(posteriors)))


def test_zarr_that_is_not_installed_is_named(posteriors, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(ImportError, match=r"tfp_bvae\[data\]"):
        write_zarr(tmp_path / "a.zarr", label_parts(fitted(), parts_of(posteriors)))
