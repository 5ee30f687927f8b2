"""Files of other formats: made into trials by `convert`, or taken by `fit` as they are."""

import dataclasses
import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile

from tfp_bvae.data import load, read_arrays, read_hdf5, save, to_splits
from tfp_bvae.data.readers import fetching


@pytest.fixture
def spikes(rng):
    return rng.poisson(2.0, [20, 8, 4])


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """An NWB file of 20 trials and 5 units."""
    from datetime import datetime, timezone

    rng = np.random.default_rng(0)
    file = NWBFile("a test", "s1", datetime(2026, 1, 1, tzinfo=timezone.utc))
    file.add_trial_column("go_cue", "s")
    file.add_trial_column("target", "which")
    file.add_trial_column("result", "R or F")
    for trial in range(20):
        begin, more = 2.0 * trial, {"target": trial % 2, "result": "RRRRF"[trial % 5]}
        file.add_trial(start_time=begin, stop_time=begin + 1.5, go_cue=begin + 0.5, **more)
    for _ in range(5):
        file.add_unit(spike_times=np.sort(rng.uniform(0, 41, 800)))
    path = tmp_path_factory.mktemp("nwb") / "s.nwb"
    with NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def test_nwb_becomes_trials(session, tmp_path, call):
    out = tmp_path / "t.h5"
    words = ["--bin-width", 0.05, "--align", "go_cue", "--window", -0.2, 0.8]
    words += ["--trials", "result=R", "--by", "target", "--hold-out-every", 4, "--seed", 3]
    code, said, err = call("convert", session, "--out", out, *words, "--forward-bins", 2)
    assert (code, err) == (0, "")
    first, last = said.splitlines()
    assert first.startswith("s.nwb: NWB; 16 trials, 20 bins of 0.05 s, 5 channels")
    assert last == f"{out}: 12 train, 4 valid, 1 of 5 channels held out"
    data = read_hdf5(out)
    assert data.train.encod.shape == (12, 18, 4) and data.train.recon.shape == (12, 20, 5)
    assert data.attrs["channel_names"].tolist() == [0, 1, 2, 4, 3]
    assert data.attrs["bin_times"][0] == -0.2
    assert sorted(data.attrs["valid_target"]) == [0, 0, 1, 1]
    again = tmp_path / "u.h5"
    assert call("convert", session, "--out", again, *words, "--forward-bins", 2).code == 0
    np.testing.assert_array_equal(read_hdf5(again).valid.recon, data.valid.recon)


@pytest.mark.parametrize("ending", [".h5", ".nc", ".zarr"])
def test_each_ending_is_written_and_read(spikes, tmp_path, call, ending):
    np.savez(tmp_path / "a.npz", counts=spikes, target=np.arange(20) % 2)
    out = tmp_path / f"t{ending}"
    words = ["convert", tmp_path / "a.npz", "--out", out, "--bin-width", 0.02]
    words += ["--name", "spikes=counts", "--name", "condition=target"]
    assert call(*words).code == 0
    data = load(out)
    assert np.sum(data.split == "valid") == 4
    assert call(*words, "--overwrite").code == 0
    np.testing.assert_array_equal(load(out).spikes, data.spikes)
    assert "exists" in call(*words).err


def test_what_was_set_aside_is_said(spikes, tmp_path, call):
    spikes[..., 1] = 0
    np.savez(tmp_path / "a.npz", spikes=spikes)
    code, _, err = call("convert", tmp_path / "a.npz", "--out", tmp_path / "t.h5")
    assert code == 0
    assert err.splitlines() == [
        "tfp-bvae: note: a.npz: set aside 1 channel without a spike (1)",
        "tfp-bvae: note: the file states no bin width; 1.0 s stands in; --bin-width tells it",
    ]
    assert read_hdf5(tmp_path / "t.h5").train.recon.shape[2] == 3
    words = ["convert", tmp_path / "a.npz", "--out", tmp_path / "u.h5", "--keep-silent"]
    assert "kept 1 channel" in call(*words).err
    assert read_hdf5(tmp_path / "u.h5").train.recon.shape[2] == 4


def test_a_split_that_is_there_is_kept(spikes, tmp_path, call):
    split = ["train"] * 13 + ["valid"] * 5 + ["test"] * 2
    np.savez(tmp_path / "a.npz", spikes=spikes, split=split, bin_width=0.02)
    out = tmp_path / "t.nc"
    assert "13 train, 5 valid" in call("convert", tmp_path / "a.npz", "--out", out).out
    words = ["convert", out, "--out", tmp_path / "u.nc", "--valid-fraction", 0.5]
    assert "9 train, 9 valid" in call(*words).out


BAD = {
    "ending": (["--out", "t.csv"], "TRIALS must end in one of .h5, .hdf5, .nc, .zarr"),
    "pair": (["--out", "t.h5", "--name", "spikes"], "--name must be given NAME=VALUE"),
    "name": (["--out", "t.h5", "--name", "spikes=x"], "must hold 'x', for spikes"),
    "nwb": (["--out", "t.h5", "--align", "go"], "align must be left out: npz of numpy"),
    "by": (["--out", "t.h5", "--by", "targte"], "did you mean 'target'?"),
    "held": (["--out", "t.h5", "--hold-out-every", 9], "got 0 of 4 held out"),
    "forward": (["--out", "t.h5", "--forward-bins", 8], "bins must leave bins"),
    "share": (["--out", "t.h5", "--valid-fraction", 1.5], "valid_fraction must be in (0, 1)"),
    "width": (["--out", "t.h5", "--bin-width", 0.05], "must have bins of 0.05 s, got bins of 0.02"),
    "folder": (["--out", "gone/t.h5"], "folder that exists"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_words_are_refused(case, spikes, tmp_path, refused, monkeypatch):
    np.savez(tmp_path / "a.npz", spikes=spikes, target=np.arange(20) % 2, bin_width=0.02)
    monkeypatch.chdir(tmp_path)
    words, message = BAD[case]
    assert message in refused("convert", "a.npz", *words)


def test_nwb_and_pickles_are_refused_where_they_stand(session, tmp_path, refused):
    assert "bin_width must be given" in refused("convert", session, "--out", tmp_path / "t.h5")
    assert "tfp-bvae convert makes trials" in refused("fit", session, "--out", tmp_path / "run")
    path = tmp_path / "a.npz"
    np.savez(path, spikes=np.array([np.ones([2, 3]), None], dtype=object))
    assert "a pickle of Python objects" in refused("fit", path, "--out", tmp_path / "run")
    assert "must be a file of data that exists" in refused(
        "convert", tmp_path / "gone", "--out", tmp_path / "t.h5"
    )


def test_what_cannot_be_streamed_is_said(spikes, tmp_path, refused):
    np.savez(tmp_path / "a.npz", spikes=spikes)
    said = refused("fit", tmp_path / "a.npz", "--out", tmp_path / "run", "--stream")
    assert "--stream must be given HDF5 with the keys of lfads-torch, got npz" in said


def test_fit_takes_npz_and_zarr_as_they_are(spikes, tmp_path, call, settings):
    coords = {"condition": np.arange(20) % 2, "bin_width": 0.02}
    np.savez(tmp_path / "a.npz", spikes=spikes, **coords)
    run = tmp_path / "run"
    code, _, err = call("fit", tmp_path / "a.npz", "--out", run, "--epochs", 1, *settings)
    assert code == 0
    notes = [line for line in err.splitlines() if line.startswith("tfp-bvae: note: ")]
    assert "a.npz: npz of numpy, spikes 20 x 8 x 4; 20 trials, 8 bins" in notes[0]
    assert "20% are drawn for validation" in notes[1]
    scores = json.loads((run / "metrics.json").read_text())
    assert "bits_per_spike" in scores["valid"]
    save(tmp_path / "b.zarr", load(tmp_path / "a.npz"))
    words = ["--out", tmp_path / "p.h5", "--samples", 2]
    code, _, err = call("infer", run, tmp_path / "b.zarr", *words)
    assert code == 0 and "20% are drawn for validation" in err
    assert read_arrays(tmp_path / "p.h5")[0]["valid_rates"].shape == (4, 8, 4)
    np.savez(tmp_path / "c.npz", spikes=spikes[..., :3], **coords)
    code, _, err = call("infer", run, tmp_path / "c.npz", "--out", tmp_path / "q.h5")
    assert code == 2 and "channels" in err and not (tmp_path / "q.h5").exists()


def test_fetch_writes_what_came(tmp_path, call, refused, monkeypatch):
    served = tmp_path / "served"
    served.mkdir()
    (served / "Day0.mat").write_bytes(b"spikes" * 1000)
    handler = partial(Quiet, directory=str(served))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    name, home = "m1-isometric-day0", f"http://127.0.0.1:{server.server_address[1]}/Day0.mat"
    sha256 = hashlib.sha256(b"spikes" * 1000).hexdigest()
    moved = dataclasses.replace(fetching.RECORDINGS[name], url=home, sha256=sha256)
    monkeypatch.setitem(fetching.RECORDINGS, name, moved)
    words = ["--out", tmp_path / "f.mat", "--cache", tmp_path / "cache"]
    try:
        code, out, _ = call("fetch", name, *words)
        assert code == 0 and "cite them" in out
        assert (tmp_path / "f.mat").read_bytes() == b"spikes" * 1000
        monkeypatch.setitem(
            fetching.RECORDINGS, name, dataclasses.replace(moved, sha256="0" * 64, file="g")
        )
        code, _, err = call("fetch", name, "--out", tmp_path / "g.mat", *words[2:])
        assert code == 2 and "nothing was kept" in err.splitlines()[-1]
        assert not (tmp_path / "g.mat").exists() and not (tmp_path / "cache" / "g").exists()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "did you mean 'm1-isometric-day0'" in refused(
        "fetch", "m1-day0", "--out", tmp_path / "x"
    )


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_):
        pass


def test_an_older_family_still_goes_the_fast_way(spikes, tmp_path, call):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["train_data"], file["valid_data"] = spikes[:15], spikes[15:]
    out = tmp_path / "t.h5"
    code, said, _ = call("convert", tmp_path / "a.h5", "--out", out, "--bin-width", 0.01)
    assert code == 0 and "the keys of lfads-cd or lfads-tf2; 20 trials" in said
    np.testing.assert_array_equal(to_splits(load(out)).valid.recon, spikes[15:])
