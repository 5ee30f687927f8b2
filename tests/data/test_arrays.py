import h5py
import numpy as np
import pytest

from tfp_bvae.data import atomic_file, read_arrays, write_arrays


def test_round_trip_of_every_kind(tmp_path):
    arrays = {
        "rates": np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
        "flags": np.array([True, False]),
        "group/names": np.array(["a", "ü"]),
        "none": np.zeros((0, 3)),
    }
    attrs = {"bin_width": 0.02, "name": "J", "samples": 50, "done": True}
    write_arrays(tmp_path / "a.h5", arrays, attrs)
    back, back_attrs = read_arrays(tmp_path / "a.h5")
    assert back_attrs == attrs
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype.kind == array.dtype.kind


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.h5"
    write_arrays(path, {"x": np.ones(2)})
    with pytest.raises(RuntimeError), atomic_file(path) as beside:
        beside.write_bytes(b"half")
        raise RuntimeError
    with pytest.raises(TypeError, match="y must be an array of numbers or strings, got dict"):
        write_arrays(path, {"x": np.zeros(2), "y": {}})
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]
    np.testing.assert_array_equal(read_arrays(path)[0]["x"], np.ones(2))


def test_where_a_file_cannot_be(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder that exists"):
        write_arrays(tmp_path / "no" / "a.h5", {})
    with pytest.raises(IsADirectoryError, match="must be a file"):
        write_arrays(tmp_path, {})


def test_what_is_no_hdf5_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.h5"):
        read_arrays(tmp_path / "no.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(ValueError, match=r"text\.h5 must be an HDF5 file"):
        read_arrays(tmp_path / "text.h5")


@pytest.mark.parametrize("fraction", [0.3, 0.9])
def test_a_file_cut_short(tmp_path, fraction):
    path = tmp_path / "cut.h5"
    write_arrays(path, {"x": np.random.default_rng(0).normal(size=5000)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(fraction * len(whole))])
    with pytest.raises(ValueError, match=r"cut\.h5"):
        read_arrays(path)


def test_a_damaged_chunk_is_named(tmp_path):
    path = tmp_path / "a.h5"
    write_arrays(path, {"x": np.random.default_rng(0).normal(size=5000)})
    with h5py.File(path) as file:
        chunk = file["x"].id.get_chunk_info(0)
    damaged = bytearray(path.read_bytes())
    for position in range(chunk.byte_offset, chunk.byte_offset + chunk.size):
        damaged[position] = 0
    path.write_bytes(bytes(damaged))
    with pytest.raises(ValueError, match="x cannot be read, the file is damaged"):
        read_arrays(path)


def _external_link(file, folder):
    file["x"] = h5py.ExternalLink("other.h5", "/x")


def _link_in_group(file, folder):
    file.create_group("x")["inner"] = h5py.SoftLink("/y")


def _virtual(file, folder):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(3,))
    file.create_virtual_dataset("x", layout)


def _external_storage(file, folder):
    other = folder / "raw.bin"
    other.write_bytes(b"\0" * 12)
    file.create_dataset("x", shape=(3,), dtype="f4", external=[(str(other), 0, 12)])


def _ragged(file, folder):
    file.create_dataset("x", shape=(2,), dtype=h5py.vlen_dtype(np.int32))


def _empty(file, folder):
    file["x"] = h5py.Empty("f4")


@pytest.mark.parametrize(
    "make", [_external_link, _link_in_group, _virtual, _external_storage, _ragged, _empty]
)
def test_what_is_not_plain_data_is_refused(tmp_path, make):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file, tmp_path)
    with pytest.raises(ValueError, match=r"a\.h5: (x|x/inner) must"):
        read_arrays(tmp_path / "a.h5")
