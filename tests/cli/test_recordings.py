"""A continuous recording from file to rates, and trials that stay on disk."""

import h5py
import numpy as np
import pytest

from tfp_bvae.data import StoredArray, merge, read_arrays, read_hdf5


@pytest.fixture
def recording(tmp_path, rng):
    """A file with 400 bins of 6 channels."""
    path = tmp_path / "recording.h5"
    with h5py.File(path, "w") as file:
        file["spikes"] = rng.poisson(1.0, (400, 6)).astype("u1")
        file["bin_width"] = 0.02
    return path


WINDOWS = ["--window", 10, "--overlap", 4]


def test_chop_writes_windows_that_can_be_merged(recording, tmp_path, call):
    out = tmp_path / "windows.h5"
    code, said, _ = call("chop", recording, "--out", out, *WINDOWS, "--block", 40)
    assert code == 0 and "trials" in said
    data = read_hdf5(out)
    assert data.bin_width == 0.02 and data.train.encod.shape[1:] == (10, 6)
    with h5py.File(recording) as file:
        back = merge(data, data.train.recon, data.valid.recon)[0]
        np.testing.assert_array_equal(back, file["spikes"])


def test_infer_of_a_recording_gives_every_bin_its_rate(fitted, recording, tmp_path, call):
    out = tmp_path / "rates.h5"
    words = ["infer", fitted, recording, "--out", out, "--samples", 3]
    assert call(*words, *WINDOWS).code == 0
    arrays, attrs = read_arrays(out)
    assert arrays["rates"].shape == arrays["rates_scale"].shape == (400, 6)
    assert arrays["factors"].shape == (400, 3) and arrays["inferred"].shape == (400, 1)
    assert (arrays["rates"] > 0).all()
    assert attrs["bin_width"] == 0.02


def test_what_cannot_be_chopped_is_said(recording, tmp_path, refused):
    words = ["chop", recording, "--out", tmp_path / "w.h5"]
    assert "--window" in refused(*words)
    assert "overlap must be below" in refused(*words, "--window", 10, "--overlap", 10)
    assert "window must be at most the 400 bins" in refused(*words, "--window", 401)
    assert "one of ['bin_width', 'spikes'], got 'x'" in refused(*words, *WINDOWS, "--key", "x")
    with h5py.File(recording, "a") as file:
        file["other"] = np.ones((3, 2))
    assert "other, spikes" in refused(*words, *WINDOWS)
    with h5py.File(recording, "a") as file:
        del file["other"], file["bin_width"]
    assert "--bin-width must be given" in refused(*words, *WINDOWS)


def test_a_stream_gives_what_memory_gives(fitted, data_file, tmp_path, call, monkeypatch):
    read, found = StoredArray._read, []

    def watched(self, rows):
        found.append(rows)
        return read(self, rows)

    monkeypatch.setattr(StoredArray, "_read", watched)
    outs = tmp_path / "a.h5", tmp_path / "b.h5"
    assert call("infer", fitted, data_file, "--out", outs[0], "--samples", 3).code == 0
    assert not found
    assert call("infer", fitted, data_file, "--out", outs[1], "--samples", 3, "--stream").code == 0
    assert found
    one, other = (read_arrays(out)[0] for out in outs)
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])


@pytest.mark.slow
def test_fit_and_evaluate_of_a_stream(data_file, tmp_path, call, settings):
    out = {}
    for name, words in (("a", []), ("b", ["--stream"])):
        run = tmp_path / name
        fit = ["fit", data_file, "--out", run, "--epochs", 2, "--quiet", *settings, *words]
        assert call(*fit).code == 0
        assert call(*fit, "--resume").code == 0
        out[name] = call("evaluate", run, *words).out.replace(str(run), "")
    assert out["a"] == out["b"]
