"""The scripts that make and cut the motor-cortex recording, on a small file of the same layout."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from scipy.io import savemat

from tfp_bvae.data import hold_out_channels, load, read_m1_trials, split_trials, to_splits

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NUM_BINS, NUM_CHANNELS, NUM_TRIALS = 3000, 8, 40
LABELS = ["trial start time", "outer target time", "go/catch", "trial end time"]


@pytest.fixture
def source():
    rng = np.random.default_rng(0)
    go = 2.0 + 3.5 * np.arange(NUM_TRIALS) + rng.uniform(0, 0.5, size=NUM_TRIALS)
    result = np.where(np.arange(NUM_TRIALS) % 10 == 9, ord("F"), ord("R"))
    target = 1 + np.arange(NUM_TRIALS) % 2
    return {
        "spikeratedata": 20 * rng.poisson(1.0, size=(NUM_BINS, NUM_CHANNELS)),
        "timeframe": 0.05 * np.arange(NUM_BINS),
        "emgdatabin": rng.normal(size=(NUM_BINS, 14)),
        "forcedatabin": rng.normal(size=(NUM_BINS, 2)).astype(np.float32),
        "emgguide": np.array([f"muscle {i}" for i in range(14)], dtype=object),
        "trialtablelabels": np.array([*LABELS, "Result(R,A,I,orN)", "tgt_id"], dtype=object),
        "trialtable": np.stack([go - 0.5, go - 0.001, go, go + 1, result, target], axis=1),
    }


@pytest.fixture
def path(tmp_path, source):
    savemat(tmp_path / "day.mat", {"binnedData": source})
    script = [sys.executable, str(BENCHMARKS / "make_m1_day0.py")]
    subprocess.run(
        [*script, tmp_path / "day.h5", "--mat", tmp_path / "day.mat"], check=True, timeout=120
    )
    return tmp_path / "day.h5"


@pytest.fixture(scope="module")
def recording():
    spec = importlib.util.spec_from_file_location("recording", BENCHMARKS / "recording.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["recording"] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["recording"]


def test_the_file_holds_counts_and_trials(path, source):
    with h5py.File(path) as file:
        assert file["counts"].dtype == np.uint8
        np.testing.assert_array_equal(20 * file["counts"][()].astype(int), source["spikeratedata"])
        np.testing.assert_array_equal(file["trials/go"], source["trialtable"][:, 2])
        assert file["trials/result"][8:10].tolist() == [b"R", b"F"]
        assert file["emg"].attrs["names"][13] == "muscle 13"


def test_trials_channels_and_behaviour_stand_where_they_should(path, source, recording):
    data = recording.make_dataset(path, seed=0)
    order = data.attrs["channel_order"]
    assert order.tolist() == [0, 1, 2, 4, 5, 6, 3, 7]
    assert data.attrs["num_held_in"] == 6
    assert data.train.num_trials + data.valid.num_trials == 36  # the failed four are left out
    np.testing.assert_array_equal(data.train.encod, data.train.recon[..., :6])

    go = source["trialtable"][:, 2][source["trialtable"][:, 4] == ord("R")]
    target = source["trialtable"][:, 5][source["trialtable"][:, 4] == ord("R")]
    behavior = np.concatenate([source["forcedatabin"], source["emgdatabin"]], axis=-1)
    counts = source["spikeratedata"] / 20
    found = []
    for side in ("train", "valid"):
        for trial, recon in enumerate(getattr(data, side).recon):
            for event, label in zip(go, target, strict=True):
                first = int((event - 0.2) / 0.05)
                if np.array_equal(recon, counts[first : first + 32, order]):
                    found.append(event)
                    expected = behavior[first : first + 32].astype(np.float32)
                    np.testing.assert_array_equal(data.attrs[f"{side}_behavior"][trial], expected)
                    assert data.attrs[f"{side}_target"][trial] == label
    assert sorted(found) == sorted(go)


def test_validation_takes_a_fifth_of_each_target(path, recording):
    data = recording.make_dataset(path, seed=1)
    # 20 trials to target 1, all rewarded, and 16 to target 2
    assert np.bincount(data.attrs["valid_target"]).tolist() == [0, 4, 3]


def test_scores_look_at_held_out_channels_only(path, recording):
    data = recording.make_dataset(path, seed=0)
    rates = [np.maximum(side.recon, 0.2) for side in (data.train, data.valid)]
    scores = recording.score(*rates, data)
    assert scores.keys() == {"co_bps", "force_r2", "emg_r2"}
    spoiled = rates[1].copy()
    spoiled[..., :6] = 50.0
    assert recording.co_bps(spoiled, data) == scores["co_bps"] > 0


def test_load_cuts_the_same_trials_of_either_file(path, tmp_path, recording):
    one, other = load(tmp_path / "day.mat"), load(path)
    xr.testing.assert_equal(one.drop_attrs(), other.drop_attrs())
    assert one.attrs["source"].startswith("day.mat: MATLAB v5, isometric task")
    assert one.behavior_channel.values[[0, 1, 2]].tolist() == ["force x", "force y", "emg muscle 0"]
    made = to_splits(hold_out_channels(split_trials(one, seed=0), 4))
    expected = recording.make_dataset(path, seed=0)
    for side in ("train", "valid"):
        np.testing.assert_array_equal(getattr(made, side).recon, getattr(expected, side).recon)
        np.testing.assert_array_equal(getattr(made, side).encod, getattr(expected, side).encod)
        for mine, theirs in (("behavior", "behavior"), ("condition", "target")):
            found = made.attrs[f"{side}_{mine}"]
            np.testing.assert_array_equal(found, expected.attrs[f"{side}_{theirs}"])


def test_it_is_cut_around_other_events_too(path, source):
    data = load(path, align="end", window=(-0.5, 0.5))
    assert dict(data.sizes)["time"] == 20
    rewarded = source["trialtable"][:, 4] == ord("R")
    np.testing.assert_allclose(data.start, source["trialtable"][rewarded, 3] - 0.5)
    assert len(read_m1_trials(path, result=None).trial) == NUM_TRIALS
    with pytest.raises(ValueError, match="align must be one of 'start'"):
        load(path, align="go_cue")
    with pytest.raises(ValueError, match="units must be left out"):
        load(path, units=[1])


def test_another_struct_is_refused(tmp_path):
    savemat(tmp_path / "a.mat", {"binnedData": {"spikeratedata": np.ones([3, 2])}})
    with pytest.raises(ValueError, match=r"must be Day0\.mat, complete and not damaged"):
        load(tmp_path / "a.mat")
