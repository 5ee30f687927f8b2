"""No file brings more into memory than it may, whatever it declares."""

import io
import json
import struct
import zipfile
import zlib

import h5py
import numpy as np
import pytest
import xarray as xr
from nwb_files import write_nwb
from scipy.io import savemat

from tfp_bvae.data import (
    load,
    memory_limit,
    open_hdf5,
    read_arrays,
    read_hdf5,
    save,
    trials_dataset,
)
from tfp_bvae.data.limits import claim, reading

ONES = np.ones([4, 6, 3])
HUGE = (10**6, 10**3, 10**3)


def bomb(path, name="spikes", shape=HUGE, **options):
    """A few kB that declare a million times as much."""
    with h5py.File(path, "w") as file:
        options = {"chunks": (1, 100, 100), "compression": "gzip"} | options
        data = file.create_dataset(name, shape, "f4", **options)
        if options["chunks"]:
            data[0, :100, :100] = 0  # one chunk


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzf"},
        {"compression": None},
        {"compression": None, "chunks": None},
        {"chunks": (10**4, 100, 100), "shape": (10**4, 10**3, 10**3)},
    ],
)
def test_a_bomb_of_hdf5_is_refused(tmp_path, options):
    bomb(tmp_path / "a.h5", **options)
    for read in (load, read_arrays):
        with pytest.raises(ValueError, match=r"a\.h5: spikes must .*memory_limit") as caught:
            read(tmp_path / "a.h5")
        assert "TB" in str(caught.value) or "GB" in str(caught.value)
        assert "shape (" in str(caught.value)


def test_a_bomb_is_refused_though_memory_would_do(tmp_path):
    bomb(tmp_path / "a.h5", shape=(30, 1000, 1000))
    with pytest.raises(ValueError, match=r"takes 120 MB, in a file of .* kB"):
        read_arrays(tmp_path / "a.h5")
    with memory_limit(2e8):
        assert read_arrays(tmp_path / "a.h5")[0]["spikes"].shape == (30, 1000, 1000)


def test_trials_that_stay_on_disk_do_not_count(tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, [200, 20, 10])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["train_data"] = file["valid_data"] = counts
    with memory_limit(2e5):
        assert open_hdf5(tmp_path / "a.h5").train.encod.shape == (200, 20, 10)
        with pytest.raises(ValueError, match=r"train_data must fit into memory: shape \(200, 20"):
            read_hdf5(tmp_path / "a.h5")


def test_a_bomb_of_trials_on_disk_is_refused(tmp_path):
    bomb(tmp_path / "a.h5", "train_data")
    with pytest.raises(ValueError, match="must hold what it declares"):
        open_hdf5(tmp_path / "a.h5")


def test_what_is_read_of_one_file_adds_up(tmp_path):
    np.savez(tmp_path / "a.npz", spikes=ONES, behavior=ONES)
    with memory_limit(1000), pytest.raises(ValueError, match=r"behavior must.*\(576 bytes are ta"):
        load(tmp_path / "a.npz")
    with memory_limit(2000):
        load(tmp_path / "a.npz")
    with reading(tmp_path / "a.npz"), memory_limit(100), pytest.raises(ValueError, match="fit"):
        claim("x", [26])


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "much"])
def test_a_limit_is_a_number(limit):
    with pytest.raises((ValueError, TypeError), match="max_bytes must be"), memory_limit(limit):
        pass


def npz_that_declares(path, shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("spikes.npy", header.getvalue() + bytes(80))


def test_a_bomb_of_npz_is_refused(tmp_path):
    npz_that_declares(tmp_path / "a.npz", HUGE)
    with pytest.raises(ValueError, match="spikes must hold what it declares, got shape"):
        load(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("spikes.npy", _npy(np.zeros([100, 1000, 20], np.int8)))
    with memory_limit(1e6), pytest.raises(ValueError, match="spikes must fit into memory"):
        load(tmp_path / "b.npz")


def _npy(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def test_an_npz_with_a_password_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", spikes=ONES)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1  # says that it is encrypted
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="must be npz, complete and not damaged"):
        load(tmp_path / "a.npz")


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(kind, shape, name, content):
    flags = element(6, struct.pack("<II", kind, 0))
    dims = element(5, struct.pack(f"<{len(shape)}I", *shape))
    return element(14, flags + dims + element(1, name) + content)


def mat5(path, *elements):
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    path.write_bytes(head + b"".join(elements))


def test_bombs_of_matlab_are_refused(tmp_path):
    mat5(tmp_path / "a.mat", matrix(1, (2**31 - 1, 2**31 - 1), b"spikes", b""))
    with pytest.raises(ValueError, match="declares 4611686014132420609 parts in 0 bytes"):
        load(tmp_path / "a.mat")
    nested = matrix(6, (1, 1), b"", element(9, bytes(8)))
    for _ in range(5000):
        nested = matrix(1, (1, 1), b"", nested)
    mat5(tmp_path / "b.mat", nested)
    with pytest.raises(ValueError, match="cells are more than 32 inside one another"):
        load(tmp_path / "b.mat")
    mat5(tmp_path / "c.mat", matrix(6, (10**6, 10**6), b"spikes", element(9, bytes(8))))
    with pytest.raises(ValueError, match=r"spikes must .* \(1000000, 1000000\) takes 8 TB"):
        load(tmp_path / "c.mat")
    packed = zlib.compress(matrix(6, (1, 1), b"spikes", element(9, bytes(2**28))))
    mat5(tmp_path / "d.mat", struct.pack("<II", 15, len(packed)) + packed)
    with memory_limit(1e8), pytest.raises(ValueError, match="spikes must fit into memory"):
        load(tmp_path / "d.mat")


def test_what_is_sound_in_matlab_passes(tmp_path):
    savemat(tmp_path / "a.mat", {"spikes": ONES, "s": {"a": [1, {"b": "x"}]}}, do_compression=True)
    with pytest.warns(UserWarning, match="1 MATLAB variable"):
        assert load(tmp_path / "a.mat").sizes["trial"] == 4


def test_a_cell_that_holds_itself(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        cell = file.create_dataset("spikes", (1, 2), h5py.ref_dtype)
        cell[0] = [cell.ref, cell.ref]
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
    with open(tmp_path / "a.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(KeyError, match="must hold 'spikes'"):
        load(tmp_path / "a.mat")


def zarr_metadata(tmp_path, change):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xr.Dataset({"spikes": (("trial", "time", "channel"), ONES)}).to_zarr(
            tmp_path / "a.zarr", zarr_format=2
        )
    for file in tmp_path.rglob(".z*"):
        content = json.loads(file.read_text())
        for found in (content, *content.get("metadata", {}).values()):
            if "shape" in found:
                found.update(change)
        file.write_text(json.dumps(content))
    return tmp_path / "a.zarr"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": HUGE}, r"spikes must fit into memory|chunks"),
        ({"chunks": HUGE}, "a chunk of spikes must"),
        ({"shape": [10**4, 100, 100], "chunks": [1, 1, 1]}, "must hold what it|at most 1000000 ch"),
        ({"filters": [{"id": "\u0070ickle"}]}, "must hold no pickles: they run code"),
        ({"compressor": {"id": "json2"}}, "must be packed as numbers"),
    ],
)
def test_bombs_of_zarr_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        load(zarr_metadata(tmp_path, change))


def test_nothing_outside_a_zarr_folder_is_read(tmp_path):
    path = zarr_metadata(tmp_path, {})
    whole = json.loads((path / ".zmetadata").read_text())
    whole["metadata"]["../b/.zarray"] = whole["metadata"]["spikes/.zarray"]
    (path / ".zmetadata").write_text(json.dumps(whole))
    with pytest.raises(ValueError, match="must be in the folder itself"):
        load(path)
    (path / ".zmetadata").unlink()
    (path / "spikes").rename(tmp_path / "elsewhere")
    (path / "spikes").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="spikes must be in the folder itself, got a link"):
        load(path)


def test_a_netcdf_bomb_is_refused(tmp_path):
    save(tmp_path / "a.nc", trials_dataset(ONES, 0.02))
    with h5py.File(tmp_path / "a.nc", "r+") as file:
        file.create_dataset("further", HUGE, "f4", chunks=True)
    with pytest.raises(ValueError, match="further must hold what it declares"):
        load(tmp_path / "a.nc")


def test_many_words_that_are_one_long_one(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["spikes"] = ONES
        file["names"] = np.array(["x" * 10**6, *[""] * 10**4], dtype=object)
    with pytest.raises(ValueError, match=r"names must .* shape \(10001, 1000000\) takes 40 GB"):
        load(tmp_path / "a.h5")


def test_groups_inside_one_another(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["spikes"] = ONES
        file.create_group("a/b")
        file["a/b/a"] = file["a"]  # a ring
        file["same"] = file["spikes"]
    assert sorted(read_arrays(tmp_path / "a.h5")[0]) == ["same", "spikes"]
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["/".join("a" * 50) + "/spikes"] = ONES
    with pytest.raises(ValueError, match="32 inside one another"):
        read_arrays(tmp_path / "b.h5")


@pytest.mark.filterwarnings("ignore:.*end in '.nwb'")
def test_nwb_that_asks_for_too_much(tmp_path):
    write_nwb(tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        file["intervals/trials/stop_time"][3] = 1e13
        times = file["units/spike_times"]
        times[-1] = 2e13
    with pytest.raises(ValueError, match="windows in bins must fit into memory"):
        load(tmp_path / "a.nwb", 0.05)
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        del file["units/spike_times"]
        file["units/spike_times"] = h5py.ExternalLink("b.h5", "x")
    with pytest.raises(ValueError, match="units/spike_times must be in the file itself"):
        load(tmp_path / "a.nwb", 0.05)
