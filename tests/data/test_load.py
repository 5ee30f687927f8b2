"""One door for all formats: what is in each comes out labelled."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from scipy.io import savemat

from tfp_bvae.data import (
    load,
    lorenz,
    save,
    split_trials,
    to_splits,
    trials_dataset,
    write_hdf5,
)


@pytest.fixture
def spikes(rng):
    return rng.poisson(1.0, [6, 8, 4]).astype(np.float64)


@pytest.fixture
def trials(spikes, rng):
    coords = {"condition": list("aabbab"), "split": ["train"] * 4 + ["valid"] * 2}
    coords |= {"channel": ["c1", "c2", "c3", "c4"], "held_out": [False, True, False, False]}
    return trials_dataset(spikes, 0.02, behavior=rng.normal(size=[6, 8, 2]), coords=coords)


def test_npz_matlab_and_hdf5_by_the_same_names(tmp_path, spikes):
    arrays = {
        "spikes": spikes,
        "condition": np.array(["a", "bb", "a", "a", "bb", "a"]),
        "behavior": np.repeat(spikes[..., :1], 2, axis=2) / 3,
        "held_out": np.array([0, 0, 1, 0]),
        "bin_width": 0.02,
    }
    np.savez(tmp_path / "a.npz", **arrays)
    savemat(tmp_path / "a.mat", arrays | {"condition": arrays["condition"].astype(object)})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, value in arrays.items():
            file[name] = value.astype("S") if name == "condition" else value
    with h5py.File(tmp_path / "a73.mat", "w", userblock_size=512) as file:
        write_like_matlab(file, arrays)
    stamp(tmp_path / "a73.mat")
    expected = load(tmp_path / "a.npz").drop_attrs()
    assert expected.condition.values.tolist() == ["a", "bb", "a", "a", "bb", "a"]
    assert expected.held_out.values.tolist() == [False, False, True, False]
    for name in ("a.mat", "a73.mat", "a.h5"):
        found = load(tmp_path / name)
        assert found.attrs["bin_width"] == 0.02
        xr.testing.assert_equal(found.drop_attrs(), expected)


def write_like_matlab(file, arrays):
    """What MATLAB writes as v7.3: axes the other way round, words as cells of numbers."""
    references = file.create_group("#refs#")
    for name, value in arrays.items():
        if name == "condition":
            words = [np.frombuffer(w.encode(), np.uint8).astype(np.uint16)[:, None] for w in value]
            found = []
            for index, word in enumerate(words):
                node = references.create_dataset(f"r{index}", data=word)
                node.attrs["MATLAB_class"] = np.bytes_("char")
                found.append(node.ref)
            cell = file.create_dataset(name, (1, len(found)), h5py.ref_dtype)
            cell[0] = found
            cell.attrs["MATLAB_class"] = np.bytes_("cell")
            continue
        file[name] = np.atleast_2d(value).T
        file[name].attrs["MATLAB_class"] = np.bytes_("double")


def stamp(path: Path):
    """The text that MATLAB writes before HDF5 begins."""
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def test_numbers_of_matlab_are_what_they_stand_for(tmp_path, spikes):
    spikes[2, 5:] = np.nan
    length = [8.0, 8.0, 5.0, 8.0, 8.0, 8.0]
    savemat(tmp_path / "a.mat", {"spikes": spikes, "length": length, "forward": [0.0] * 8})
    found = load(tmp_path / "a.mat", 0.02)
    assert found.length.values.tolist() == [8, 8, 5, 8, 8, 8]
    assert found.length.dtype == np.int32 and not found.forward.any()


def test_a_cell_of_trials_is_of_unequal_length(tmp_path, rng):
    parts = [rng.poisson(1.0, [bins, 3]).astype(float) for bins in (5, 7, 6)]
    cell = np.empty(3, object)
    cell[:] = parts
    savemat(tmp_path / "a.mat", {"spikes": cell, "bin_width": 0.1})
    found = load(tmp_path / "a.mat")
    assert found.length.values.tolist() == [5, 7, 6]
    np.testing.assert_array_equal(found.spikes.values[0, :5], parts[0])
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        for index, part in enumerate(parts):
            node = file.create_dataset(f"#refs#/{index}", data=part.T)
            node.attrs["MATLAB_class"] = np.bytes_("double")
        node = file.create_dataset("spikes", (3, 1), h5py.ref_dtype)
        node[:, 0] = [file[f"#refs#/{index}"].ref for index in range(3)]
        node.attrs["MATLAB_class"] = np.bytes_("cell")
    stamp(tmp_path / "b.mat")
    xr.testing.assert_equal(load(tmp_path / "b.mat", 0.1).drop_attrs(), found.drop_attrs())


@pytest.mark.parametrize("name", ["a.nc", "a.zarr", "a.h5"])
def test_what_was_saved_comes_back(tmp_path, trials, name):
    trials.attrs["note"] = "x"
    for _ in range(2):  # the second takes the place of the first
        save(tmp_path / name, trials)
    found = load(tmp_path / name)
    source = found.attrs.pop("source")
    assert source.endswith("6 trials (4 train, 2 valid), 8 bins of 0.02 s, 4 channels")
    xr.testing.assert_identical(found, trials)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_a_zarr_folder_is_replaced(tmp_path, trials):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "thesis.tex").write_text("mine")
    with pytest.raises(FileExistsError, match="must be free, or a zarr folder"):
        save(tmp_path / "a.zarr", trials)
    assert [found.name for found in tmp_path.rglob("*")] == ["a.zarr", "thesis.tex"]
    with pytest.raises(ValueError, match=r"path must end in one of \.h5"):
        save(tmp_path / "a.csv", trials)


@pytest.mark.parametrize("path", [3, None, []])
def test_what_is_no_path(path):
    with pytest.raises(TypeError, match="path must be a path, or a list of paths"):
        load(path)


def test_words_as_bytes_are_words(tmp_path, spikes):
    np.savez(tmp_path / "a.npz", spikes=spikes, split=np.array([b"train"] * 4 + [b"valid"] * 2))
    assert to_splits(load(tmp_path / "a.npz")).train.num_trials == 4
    with pytest.raises(TypeError, match="names must be a mapping"):
        load(tmp_path / "a.npz", names="spikes")


def test_the_name_of_a_file_does_not_matter(tmp_path, trials):
    save(tmp_path / "a.nc", trials)
    (tmp_path / "a.nc").rename(tmp_path / "a.mat")
    assert "netCDF" in load(tmp_path / "a.mat").attrs["source"]
    save(tmp_path / "a.zarr", trials)
    shutil.move(tmp_path / "a.zarr", tmp_path / "data")
    assert "zarr" in load(tmp_path / "data").attrs["source"]


def test_old_netcdf(tmp_path, spikes):
    data = xr.Dataset(
        {"spikes": (("trial", "time", "channel"), spikes)}, {"time": np.arange(8) / 50}
    )
    data.to_netcdf(tmp_path / "a.nc", engine="scipy")
    found = load(tmp_path / "a.nc")
    assert found.attrs["bin_width"] == pytest.approx(0.02)
    np.testing.assert_array_equal(found.spikes, spikes)


@pytest.mark.parametrize(
    ("keys", "family"),
    [
        (("encod_data", "recon_data"), "lfads-torch"),
        (("data",), "lfads-cd or lfads-tf2"),
        (("data", "inds"), "lfads-tf2"),
    ],
)
def test_families_of_lfads(tmp_path, spikes, keys, family):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for side, rows in (("train", slice(0, 4)), ("valid", slice(4, 6))):
            for key in keys:
                file[f"{side}_{key}"] = np.arange(6)[rows] if key == "inds" else spikes[rows]
            file[f"{side}_truth"] = 2 * spikes[rows]
            file[f"{side}_behavior"] = spikes[rows, :, :2]
        file["conversion_factor"] = 2.0
    found = load(tmp_path / "a.h5", 0.02)
    assert f"the keys of {family};" in found.attrs["source"]
    np.testing.assert_array_equal(found.spikes, spikes)
    np.testing.assert_array_equal(found.truth, spikes)
    np.testing.assert_array_equal(found.behavior, spikes[..., :2])
    assert found.split.values.tolist() == ["train"] * 4 + ["valid"] * 2


def test_the_same_keys_in_npz(tmp_path, spikes):
    np.savez(tmp_path / "a.npz", train_data=spikes[:4], valid_data=spikes[4:])
    found = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.spikes, spikes)
    assert found.attrs["bin_width"] == 1.0 and "bin_width_note" in found.attrs


@pytest.mark.parametrize("word", ["spikes", "data"])  # NDT calls it data
def test_neural_latents_benchmark(tmp_path, rng, word):
    shapes = {"heldin": (6, 3), "heldout": (6, 2), "heldin_forward": (2, 3)}
    shapes["heldout_forward"] = (2, 2)
    blocks = {key: rng.poisson(1.0, [9, *shape]) for key, shape in shapes.items()}
    behavior = rng.normal(size=[9, 6, 2])
    with h5py.File(tmp_path / "train.h5", "w") as file:
        for key, block in blocks.items():
            file[f"train_{word}_{key}"] = block[:6]
        file["train_behavior"] = behavior[:6]
    with h5py.File(tmp_path / "eval.h5", "w") as file:
        file[f"eval_{word}_heldin"] = blocks["heldin"][6:]
    found = load(tmp_path / "train.h5", 0.02)
    assert dict(found.sizes) == {"trial": 6, "time": 8, "channel": 5, "behavior_channel": 2}
    np.testing.assert_array_equal(found.spikes[:, :6, :3], blocks["heldin"][:6])
    np.testing.assert_array_equal(found.spikes[:, 6:, 3:], blocks["heldout_forward"][:6])
    np.testing.assert_allclose(found.behavior[:, :6], behavior[:6], rtol=1e-6)
    assert np.isnan(found.behavior[:, 6:]).all()
    assert found.held_out.values.tolist() == [False] * 3 + [True] * 2
    assert found.forward.values.tolist() == [False] * 6 + [True] * 2

    both = load([tmp_path / "train.h5", tmp_path / "eval.h5"], 0.02)
    assert both.split.values.tolist() == ["train"] * 6 + ["test"] * 3
    assert np.isnan(both.spikes.values[6:, :, 3:]).all()
    splits = to_splits(both, valid="test")
    assert splits.valid.encod.shape == (3, 6, 3) and splits.valid.recon.shape == (3, 8, 5)
    assert splits.valid.length is None

    with h5py.File(tmp_path / "target.h5", "w") as file:
        file[f"mc_maze/eval_{word}_heldout"] = blocks["heldout"][6:]
    every = load([tmp_path / f"{n}.h5" for n in ("train", "eval", "target")], 0.02)
    assert every.split.values.tolist() == ["train"] * 6 + ["valid"] * 3
    np.testing.assert_array_equal(every.spikes[6:, :6, 3:], blocks["heldout"][6:])
    with pytest.raises(ValueError, match="each array once"):
        load([tmp_path / "train.h5", tmp_path / "train.h5"])


def test_names_say_what_is_what(tmp_path, spikes):
    np.savez(tmp_path / "a.npz", counts=spikes, rates=spikes / 2, target=[1, 2, 1, 2, 1, 2])
    with pytest.raises(KeyError, match=r"which array it is; got counts \(6,8,4\), rates"):
        load(tmp_path / "a.npz")
    names = {"spikes": "counts", "truth": "rates", "condition": "target"}
    found = load(tmp_path / "a.npz", 0.02, names=names)
    np.testing.assert_array_equal(found.truth, spikes / 2)
    assert found.condition.values.tolist() == [1, 2, 1, 2, 1, 2]
    with pytest.raises(KeyError, match="must hold 'goal', for condition"):
        load(tmp_path / "a.npz", names={"condition": "goal"})


def test_one_array_with_three_axes_is_the_spikes(tmp_path, spikes):
    np.savez(tmp_path / "a.npz", anything=spikes)
    found = load(tmp_path / "a.npz", 0.02)
    assert "anything 6 x 8 x 4" in found.attrs["source"]
    assert to_splits(split_trials(found, 0.3)).train.num_trials == 4


def test_what_load_reads_a_fit_can_take(tmp_path):
    data = lorenz(num_conditions=2, num_channels=5, num_trials=5, num_valid=1)
    write_hdf5(tmp_path / "a.h5", data)
    found = to_splits(load(tmp_path / "a.h5"))
    for side in ("train", "valid"):
        for name in ("encod", "recon", "truth"):
            expected = getattr(getattr(data, side), name)
            np.testing.assert_array_equal(getattr(getattr(found, side), name), expected)
    assert found.bin_width == data.bin_width
