"""Small files of text; and what is no file at all."""

import os
import re

import numpy as np
import pytest

from tfp_bvae.data import load, read_hdf5
from tfp_bvae.data.plain_files import read_json, read_small_text
from tfp_bvae.data.readers.zarr_check import require_zarr


@pytest.fixture
def pipe(tmp_path):
    """A pipe: who opens it to read waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/stdin"])
def test_a_device_is_no_file(device, tmp_path):
    (tmp_path / "a.h5").symlink_to(device)
    for read in (load, read_hdf5):
        with pytest.raises((FileNotFoundError, ValueError)):
            read(tmp_path / "a.h5")
    with pytest.raises(ValueError, match="must be a file, got a folder, a pipe or a device"):
        read_json("/dev/zero")


def test_a_pipe_is_refused_at_once(pipe):
    with pytest.raises(FileNotFoundError, match="which is a pipe or a device"):
        load(pipe)
    with pytest.raises(ValueError, match="must be a file"):
        read_small_text(pipe)


def test_a_pipe_in_a_zarr_folder_is_refused(tmp_path):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    os.mkfifo(folder / ".zarray")
    with pytest.raises(ValueError, match=r"\.zarray must be a file, got a pipe or a device"):
        require_zarr(folder)


def test_text_is_small_and_utf_8(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert read_small_text(tmp_path / "a", 3) == "abc"
    with pytest.raises(ValueError, match="must have at most 2 bytes"):
        read_small_text(tmp_path / "a", 2)
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="must be text"):
        read_small_text(tmp_path / "a")


def test_json_is_json(tmp_path):
    for text in ("{", "[" * 100_000, "1" * 5000):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(ValueError, match=re.escape(f"{tmp_path}/a.json must be JSON")):
            read_json(tmp_path / "a.json")


def test_what_a_zip_file_says_of_itself(tmp_path):
    """A version that there is not yet: found by the fuzzing."""
    np.savez(tmp_path / "a.npz", spikes=np.ones([2, 3, 4]))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.rindex(b"PK\x01\x02") + 6] = 255
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz"):
        load(tmp_path / "a.npz")
