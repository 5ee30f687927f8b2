import h5py
import numpy as np
import pytest

from tfp_bvae.data import SpikeDataset, Split, lorenz, read_hdf5, write_hdf5


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    sides = []
    for trials in (6, 2):
        recon = rng.poisson(1.0, size=(trials, 8, 5))
        sides.append(
            Split(
                encod=recon[:, :6, :3],
                recon=recon,
                ext_input=rng.normal(size=(trials, 8, 2)),
                truth=rng.uniform(size=recon.shape),
            )
        )
    attrs = {
        "train_behavior": rng.normal(size=(6, 8, 2)),
        "valid_cond_idx": np.array([0, 1]),
        "names": np.array(["FCRr", "µV"]),
        "subject": "J",
        "session": 3,
        "ok": True,
    }
    return SpikeDataset(*sides, bin_width=0.05, attrs=attrs)


def write_keys(path, **changes):
    """The four mandatory keys by plain h5py; None leaves one out."""
    shape = {"train": (4, 6, 3), "valid": (2, 6, 3)}
    arrays = {f"{s}_{k}_data": np.ones(shape[s]) for s in shape for k in ("encod", "recon")}
    with h5py.File(path, "w") as file:
        for key, value in {**arrays, **changes}.items():
            if value is not None:
                file[key] = value
    return path


def test_round_trip(tmp_path, dataset):
    write_hdf5(tmp_path / "a.h5", dataset)
    back = read_hdf5(tmp_path / "a.h5")
    for side in ("train", "valid"):
        for name in ("encod", "recon", "ext_input", "truth"):
            expected = getattr(getattr(dataset, side), name)
            np.testing.assert_array_equal(getattr(getattr(back, side), name), expected)
    assert back.bin_width == 0.05
    assert back.attrs.keys() == dataset.attrs.keys()
    for key, value in dataset.attrs.items():
        np.testing.assert_array_equal(back.attrs[key], value)
    write_hdf5(tmp_path / "b.h5", back)
    assert read_hdf5(tmp_path / "b.h5").attrs.keys() == dataset.attrs.keys()


def test_keys_and_dtypes_in_the_file(tmp_path, dataset):
    write_hdf5(tmp_path / "a.h5", dataset)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["train_encod_data"].dtype == np.uint8
        assert file["valid_recon_data"].shape == (2, 8, 5)
        assert file["train_truth"].dtype == np.float32
        assert file["conversion_factor"][()] == 1.0
        assert file.attrs["bin_width"] == 0.05


@pytest.mark.parametrize(("largest", "dtype"), [(255, "u1"), (256, "u2"), (70000, "u4")])
def test_counts_are_kept_small(tmp_path, largest, dtype):
    side = Split(np.full((1, 2, 1), largest), np.full((1, 2, 1), largest))
    write_hdf5(tmp_path / "a.h5", SpikeDataset(side, side, 0.02))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["train_encod_data"].dtype == np.dtype(dtype)
    assert read_hdf5(tmp_path / "a.h5").train.encod.max() == largest


def test_truth_is_divided_by_the_conversion_factor(tmp_path):
    truth = {f"{side}_truth": np.full((n, 6, 3), 3.0) for side, n in (("train", 4), ("valid", 2))}
    path = write_keys(tmp_path / "a.h5", conversion_factor=2.0, **truth)
    assert np.all(read_hdf5(path).train.truth == 1.5)
    assert "conversion_factor" not in read_hdf5(path).attrs


def test_bin_width_from_the_file_the_caller_or_nowhere(tmp_path):
    path = write_keys(tmp_path / "a.h5")
    assert read_hdf5(path, default_bin_width=0.01).bin_width == 0.01
    silent = read_hdf5(path)
    assert silent.bin_width == 1.0
    assert "no bin width" in silent.attrs["bin_width_note"]
    stated = write_keys(tmp_path / "b.h5", bin_width=0.02)
    assert read_hdf5(stated, default_bin_width=0.01).bin_width == 0.02
    assert read_hdf5(stated).attrs == {}


def test_older_names(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["train_data"], file["valid_data"] = np.ones((4, 6, 3)), np.ones((2, 6, 3))
    back = read_hdf5(tmp_path / "a.h5")
    assert back.train.encod.shape == back.train.recon.shape == (4, 6, 3)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"valid_recon_data": None}, KeyError, r"'valid_recon_data', got \['train_encod_data'"),
        (
            {"train_encod_data": np.full((4, 6, 3), np.inf)},
            ValueError,
            "train_encod_data must be f",
        ),
        (
            {"train_encod_data": -np.ones((4, 6, 3))},
            ValueError,
            "train_encod_data.*encod must hold",
        ),
        (
            {"valid_recon_data": np.full((2, 6, 3), 0.5)},
            ValueError,
            "valid_recon_data.*example 0.5",
        ),
        ({"train_encod_data": np.ones((4, 6))}, ValueError, "train_encod_data must be .trial"),
        (
            {"train_encod_data": np.ones((0, 6, 3))},
            ValueError,
            "train_encod_data must not be empty",
        ),
        (
            {"train_encod_data": np.ones((3, 6, 3))},
            ValueError,
            "train_encod_data.*trials, got 3 and",
        ),
        ({"train_encod_data": np.ones((4, 6, 2))}, ValueError, "train and valid must agree"),
        ({"train_truth": np.ones((4, 6, 2))}, ValueError, "train_truth.*truth must have the shape"),
        ({"conversion_factor": 0.0}, ValueError, "conversion_factor must be above 0"),
        ({"bin_width": [0.1, 0.2]}, ValueError, "bin_width must be one number"),
    ],
)
def test_a_bad_key_is_named(tmp_path, changes, error, message):
    path = write_keys(tmp_path / "bad.h5", **changes)
    with pytest.raises(error, match=message) as caught:
        read_hdf5(path)
    assert "bad.h5" in str(caught.value)


def test_gaussian_data_needs_no_counts(tmp_path):
    side = Split(np.full((2, 3, 1), -0.5), np.full((2, 3, 1), -0.5))
    write_hdf5(tmp_path / "a.h5", SpikeDataset(side, side, 0.02))
    assert read_hdf5(tmp_path / "a.h5", counts=False).train.recon.max() == -0.5


@pytest.mark.parametrize(
    ("attrs", "error", "message"),
    [
        ({"train_truth": np.ones(3)}, ValueError, "keys of the file, got .'train_truth'"),
        ({"nested": {"a": 1}}, TypeError, "attrs.'nested'. must be a number or a string, got dict"),
        ({"ragged": [[1], [1, 2]]}, TypeError, "ragged must be an array"),
    ],
)
def test_attrs_that_cannot_be_stored_leave_no_file(tmp_path, dataset, attrs, error, message):
    with pytest.raises(error, match=message):
        write_hdf5(tmp_path / "a.h5", SpikeDataset(dataset.train, dataset.valid, 0.02, attrs))
    assert list(tmp_path.iterdir()) == []


def test_only_a_dataset_is_written(tmp_path):
    with pytest.raises(TypeError, match="dataset must be a SpikeDataset, got Split"):
        write_hdf5(tmp_path / "a.h5", lorenz(num_conditions=1).train)
