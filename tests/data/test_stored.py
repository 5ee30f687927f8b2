"""Arrays on disk: the very numbers, read by trials; nothing read that was not asked for."""

import h5py
import numpy as np
import pytest

from tfp_bvae.data import (
    Split,
    StoredArray,
    cut_segments,
    open_hdf5,
    read_hdf5,
    require_counts,
    row_blocks,
    write_hdf5,
)

SHAPE = (17, 9, 4)
LAYOUTS = {
    "contiguous": {},
    "chunks of trials": {"chunks": (3, 9, 4), "compression": "gzip"},
    "chunks across": {"chunks": (5, 2, 3)},
}


@pytest.fixture(params=LAYOUTS)
def source(request, tmp_path, rng):
    """A dataset in a file, with what it holds."""
    values = rng.normal(size=SHAPE)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=values, **LAYOUTS[request.param])
    return h5py.File(tmp_path / "a.h5")["x"], values.astype("float32")


def test_a_memory_map_is_a_source_too(tmp_path, rng):
    values = rng.poisson(1.0, SHAPE).astype("u1")
    np.save(tmp_path / "a.npy", values)
    stored = StoredArray(np.load(tmp_path / "a.npy", mmap_mode="r"))
    np.testing.assert_array_equal(stored[[4, 2]], values[[4, 2]])
    assert stored.not_counts == (0, None)


KEYS = {
    "one": 3,
    "from the end": -1,
    "some": slice(2, 11, 3),
    "in any order, again": [5, 0, 16, 5, 6, 4],
    "mask": np.arange(17) % 3 == 1,
    "none": slice(4, 4),
    "bins too": (slice(3, 6), slice(1, 5)),
    "bins of one": (2, slice(None, -1), slice(0, 2)),
    "all three": ([1, 9], slice(2, 4), slice(1, None)),
}


@pytest.mark.parametrize("key", KEYS)
def test_what_is_read_is_what_numpy_gives(source, key):
    stored = StoredArray(source[0])
    read = stored[KEYS[key]]
    expected = source[1][KEYS[key]]
    assert read.dtype == np.float32 and read.flags.writeable
    np.testing.assert_array_equal(read, expected)


def test_it_has_the_face_of_an_array(source):
    stored = StoredArray(source[0])
    assert (stored.shape, stored.size, stored.ndim, len(stored)) == (SHAPE, 612, 3, 17)
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(stored), source[1])
    assert np.asarray(stored, dtype="float64").dtype == np.float64


def test_bins_trials_and_segments_of_it_are_on_disk_too(source):
    stored, values = StoredArray(source[0]), source[1]
    later = stored[:, 2:-1]
    assert isinstance(later, StoredArray) and later.shape == (17, 6, 4)
    np.testing.assert_array_equal(later[[3, 1]], values[[3, 1], 2:-1])
    chosen = later.select([16, 2, 2])
    assert isinstance(chosen, StoredArray)
    np.testing.assert_array_equal(chosen, values[[16, 2, 2], 2:-1])
    np.testing.assert_array_equal(stored.select(values[:, 0, 0] > 0), values[values[:, 0, 0] > 0])
    segments, where = cut_segments(chosen, 4, 1)
    expected, same = cut_segments(np.asarray(chosen), 4, 1)
    assert isinstance(segments, StoredArray)
    np.testing.assert_array_equal(where, same)
    np.testing.assert_array_equal(segments, expected)
    np.testing.assert_array_equal(segments[[7, 0, 5]], expected[[7, 0, 5]])


class Watched:
    """A source that says which trials were read."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.read = []

    def __getitem__(self, key):
        self.read += range(*key[0].indices(len(self.values)))
        return self.values[key]


def test_only_what_is_asked_for_is_read_and_once(rng):
    source = Watched(rng.normal(size=SHAPE))
    stored = StoredArray(source)
    assert sorted(source.read) == list(range(17))  # at the door
    source.read.clear()
    view = stored[:, 1:].select([8, 3, 4, 8, 3])
    assert source.read == []
    assert view[[0, 1, 2, 3]].shape == (4, 8, 4)
    assert source.read == [3, 4, 8]


@pytest.mark.parametrize(
    "key", [np.s_[:, :, 0], np.s_[:, [1, 2]], np.s_[:, ::2], np.s_[...], np.s_[..., 0], 17, [3, 17]]
)
def test_what_would_read_all_or_is_not_there_is_refused(rng, key):
    with pytest.raises(IndexError):
        StoredArray(rng.normal(size=SHAPE))[key]


@pytest.mark.parametrize(
    "values, said",
    [
        (np.ones([2, 3]), "x must be [trial, time, channel], got shape (2, 3)"),
        (np.ones([0, 3, 2]), "x must not be empty"),
        (np.array([[["a"]]]), "x must hold numbers, got <U1"),
        (
            np.full([2, 2, 2], np.inf),
            "observed; 8 of 8 values are infinite",
        ),
        (
            np.full([2, 2, 2], 1e300),
            "observed; 8 of 8 values are infinite",
        ),
    ],
)
def test_the_door(values, said):
    with pytest.raises(ValueError) as error:
        StoredArray(values, "x")
    assert said in str(error.value)


def test_blocks_are_bounded_and_hold_all(monkeypatch):
    monkeypatch.setattr("tfp_bvae.data.stored.BLOCK", 4 * 36 * 5)
    blocks = list(row_blocks(np.zeros(SHAPE)))
    assert [block.stop - block.start for block in blocks] == [5, 5, 5, 2]
    values = np.ones(SHAPE)
    values[[0, 16], 0, 0] = -0.5
    stored = StoredArray(values)
    assert stored.not_counts == (2, -0.5)


def test_a_split_keeps_it_on_disk_and_asks_whether_it_counts():
    counts, halves = StoredArray(np.ones(SHAPE)), StoredArray(np.full(SHAPE, 0.5))
    split = Split(counts, halves)
    assert split.encod is counts
    assert repr(split) == "Split(17 trials, encod 9 x 4, recon 9 x 4)"
    assert isinstance(split.select([1, 2]).recon, StoredArray)
    require_counts(Split(counts, counts))
    with pytest.raises(ValueError, match=r"recon must hold whole numbers.*612 of 612.*0\.5"):
        require_counts(split)


def test_an_open_file_is_as_a_read_one(tmp_path, dataset):
    write_hdf5(tmp_path / "a.h5", dataset)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["conversion_factor"]
        file["conversion_factor"] = 3.0
    read, opened = read_hdf5(tmp_path / "a.h5"), open_hdf5(tmp_path / "a.h5")
    for side in ("train", "valid"):
        for name in ("encod", "recon", "truth"):
            array = getattr(getattr(opened, side), name)
            assert isinstance(array, StoredArray)
            np.testing.assert_array_equal(array, getattr(getattr(read, side), name))
    assert opened.bin_width == read.bin_width
    assert opened.attrs.keys() == read.attrs.keys()


@pytest.mark.parametrize(
    "changes, error, said",
    [
        (
            {"train_encod_data": np.full((4, 6, 3), np.inf)},
            ValueError,
            "train_encod_data must be f",
        ),
        ({"train_encod_data": np.full((4, 6, 3), 0.5)}, ValueError, "encod must hold whole"),
        ({"valid_recon_data": None}, KeyError, "valid_recon_data"),
        ({"train_encod_data": np.ones((4, 6))}, ValueError, "train_encod_data must be [trial"),
        ({"train_encod_data": [[["a"]]]}, ValueError, "train_encod_data must hold numbers"),
    ],
)
def test_the_door_of_a_file_is_the_same(tmp_path, changes, error, said):
    arrays = {
        f"{side}_{name}_data": np.ones((4, 6, 3))
        for side in ("train", "valid")
        for name in ("encod", "recon")
    }
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        for name, value in (arrays | changes).items():
            if value is not None:
                file[name] = value
    for door in (read_hdf5, open_hdf5):
        with pytest.raises(error) as caught:
            door(tmp_path / "bad.h5")
        assert "bad.h5" in str(caught.value)
    assert said in str(caught.value)


def test_what_is_no_file_or_no_hdf5(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_hdf5(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(ValueError, match="must be an HDF5 file"):
        open_hdf5(tmp_path / "text.h5")


def test_files_are_written_in_whole_trials(tmp_path, rng):
    from tfp_bvae.data import SpikeDataset

    counts = rng.poisson(1.0, size=(200, 50, 30))
    side = Split(counts, counts)
    write_hdf5(tmp_path / "a.h5", SpikeDataset(side, side, 0.02))
    with h5py.File(tmp_path / "a.h5") as file:
        rows, *rest = file["train_encod_data"].chunks
    assert rest == [50, 30] and 1 < rows < 30
