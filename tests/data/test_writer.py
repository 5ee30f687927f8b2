"""Files written some rows at a time."""

import shutil

import numpy as np
import pytest

from tfp_bvae.data import read_arrays, row_file


def test_rows_in_any_order_make_the_array(tmp_path, rng):
    x, y = rng.normal(size=(7, 3, 2)).astype("float32"), rng.normal(size=7)
    with row_file(tmp_path / "a.h5", {"unit": "spikes"}) as file:
        for rows in (slice(4, 7), slice(0, 4)):
            file.write(rows, {"x": x[rows], "deep/y": y[rows]}, count=7)
    arrays, attrs = read_arrays(tmp_path / "a.h5")
    np.testing.assert_array_equal(arrays["x"], x)
    np.testing.assert_array_equal(arrays["deep/y"], y)
    assert arrays["x"].dtype == np.float32 and attrs == {"unit": "spikes"}


def test_a_file_that_is_not_finished_leaves_what_was_there(tmp_path):
    (tmp_path / "a.h5").write_text("before")
    with pytest.raises(KeyboardInterrupt), row_file(tmp_path / "a.h5") as file:
        file.write(slice(0, 1), {"x": np.ones([1, 2])}, count=5)
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]
    assert (tmp_path / "a.h5").read_text() == "before"


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("tfp_bvae.data.writer.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match="No space left"), row_file(tmp_path / "a.h5") as file:
        file.write(slice(0, 10), {"x": np.ones([10, 10])}, count=100)
    assert list(tmp_path.iterdir()) == []
