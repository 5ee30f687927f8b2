"""NWB: written by pynwb, read back, against plain histograms; fitted and exported."""

import numpy as np
import nwb_files
import pytest
import xarray as xr
from nwb_files import BIN, write_nwb

from tfp_bvae.data import hold_out_channels, load, save, split_trials, to_splits


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("nwb") / "session.nwb"
    true = write_nwb(path)
    return path.rename(path.with_suffix(".bin")), true  # the name does not matter


def counted(times, begin, bins):
    edges = begin + BIN * np.arange(bins + 1)
    return np.stack([np.histogram(t, edges)[0] for t in times], axis=-1)


def test_trials_around_an_event(session):
    path, true = session
    with pytest.warns(UserWarning, match=r"set aside 1 trial without a time \(22\)"):
        data = load(path, BIN, align="go_cue", window=(-0.2, 1.0), trials={"result": "R"})
    assert data.attrs["source"].startswith("session.bin: NWB; ")
    assert "1 trial without a time" in data.attrs["set_aside"]
    rewarded = np.flatnonzero(true["result"] == "R")
    rows = rewarded[true["start"][rewarded] <= 44]
    assert data.trial.values.tolist() == rows.tolist()
    assert data.sizes["time"] == 24 and not np.isnan(data.spikes).any()
    assert data.time.values[[0, -1]].tolist() == pytest.approx([-0.2, 0.95])
    for trial, row in zip(data.spikes.values, rows, strict=True):
        begin = true["start"][row] + 0.3 - 0.2
        np.testing.assert_array_equal(trial, counted(true["spike_times"], begin, 24))
    np.testing.assert_allclose(data.start, true["start"][rows] + 0.1)
    np.testing.assert_array_equal(data.target, true["target"][rows])
    assert (data.nwb_channel == 1).all()  # a column whose name is taken


def test_whole_trials_are_of_unequal_length(session):
    path, true = session
    data = load(path, BIN, names={"condition": "target"})
    bins = np.where(true["target"] == 1, 28, 32)
    assert data.length.values.tolist() == bins.tolist()
    for trial, begin, count in zip(data.spikes.values, true["start"], bins, strict=True):
        np.testing.assert_array_equal(trial[:count], counted(true["spike_times"], begin, count))
        assert np.isnan(trial[count:]).all()
    splits = to_splits(split_trials(data))
    assert sorted({*splits.train.length, *splits.valid.length}) == [28, 32]


def test_trials_that_overlap_are_all_there(session):
    path, true = session
    data = load(path, BIN, align="start_time", window=(-0.5, 3.5))
    assert len(data.trial) >= nwb_files.TRIALS - 1
    for trial, begin in zip(data.spikes.values, data.start.values, strict=True):
        np.testing.assert_array_equal(trial, counted(true["spike_times"], begin, 80))


def test_units_are_chosen_by_column_number_or_mask(session):
    path, _ = session
    every = load(path, BIN)
    for units in ({"quality": "good"}, [0, 1, 2, 3, 5], np.arange(6) != 4):
        data = load(path, BIN, units=units)
        assert data.channel.values.tolist() == [0, 1, 2, 3, 5]
        np.testing.assert_array_equal(data.spikes, every.spikes.values[..., [0, 1, 2, 3, 5]])
    assert load(path, BIN, trials={"target": [0]}).target.values.tolist() == [0] * 12
    assert load(path, BIN, trials={"target": "1"}).target.values.tolist() == [1] * 12
    assert load(path, BIN, trials=[3, 5]).trial.values.tolist() == [3, 5]


def test_behaviour_is_averaged_in_the_same_bins(session):
    path, true = session
    data = load(path, BIN, behavior=["hand", "force"])
    assert data.behavior_channel.values.tolist() == ["hand x", "hand y", "force"]
    stamps = np.arange(0, 52, 0.01)
    for trial in (0, 5, 23):
        begin = true["start"][trial]
        for k in (0, 7, 27):
            inside = (stamps >= begin + k * BIN) & (stamps < begin + (k + 1) * BIN)
            expected = [2 * np.sin(stamps[inside]).mean(), 2 * np.cos(stamps[inside]).mean()]
            expected.append(3 * stamps[inside].mean())
            np.testing.assert_allclose(data.behavior[trial, k], expected, rtol=1e-4)
    assert np.isnan(data.behavior.values[1, 28:]).all()


def test_a_unit_that_was_not_observed_is_nan(tmp_path):
    true = write_nwb(tmp_path / "a.nwb", obs_intervals=[[0.0, 20.0]])
    data = load(tmp_path / "a.nwb", BIN, align="start_time", window=(0.0, 1.0))
    absent = true["start"] + 1.0 > 20.0
    np.testing.assert_array_equal(np.isnan(data.spikes[..., 0]).all("time"), absent)
    assert not np.isnan(data.spikes[..., 1:]).any()


BAD = {
    "bin width": ({"bin_width": None}, ValueError, "bin_width must be given for NWB"),
    "align": ({"align": "go_q", "window": (0, 1)}, KeyError, "did you mean 'go_cue'"),
    "words": ({"align": "result", "window": (0, 1)}, KeyError, "align must be one of"),
    "window": ({"align": "go_cue"}, ValueError, "window must be given"),
    "backwards": ({"window": (1, 0)}, ValueError, "window must end after it begins"),
    "short": ({"window": (0, 0.01)}, ValueError, "must last at least a bin of 0.05 s"),
    "far": ({"window": (500, 501)}, ValueError, "must lie in the recording"),
    "column": ({"trials": {"resutl": "R"}}, KeyError, "did you mean 'result'"),
    "nothing": ({"trials": {"result": "X"}}, ValueError, "got none of 24"),
    "unit": ({"units": [0, 77]}, KeyError, "units must be among 0, 1, 2"),
    "mask": ({"units": np.ones(3, bool)}, ValueError, "same number of rows"),
    "series": ({"behavior": "hnad"}, KeyError, "did you mean 'hand'"),
    "names": ({"names": {"condition": "goal"}}, KeyError, "got 'goal'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_argument_is_named(session, case):
    changes, error, message = BAD[case]
    with pytest.raises(error, match=message):
        load(session[0], **{"bin_width": BIN, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"units": False}, "must hold units"), ({"trials": False}, "must hold a table of trials")],
)
def test_a_file_without_what_is_needed(tmp_path, changes, message):
    write_nwb(tmp_path / "a.nwb", **changes)
    with pytest.raises(KeyError, match=message):
        load(tmp_path / "a.nwb", BIN)


def test_a_file_that_is_cut_short(tmp_path, session):
    whole = session[0].read_bytes()
    (tmp_path / "a.nwb").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"a\.nwb must be"):
        load(tmp_path / "a.nwb", BIN)


def test_from_nwb_to_exported_rates(session, tmp_path):
    from tfp_bvae import inference, models, training

    data = load(session[0], BIN, align="start_time", window=(0.0, 1.0), units={"quality": "good"})
    data = hold_out_channels(split_trials(data, by="target"), 5)
    save(tmp_path / "trials.h5", data)
    dataset = to_splits(load(tmp_path / "trials.h5"))
    small = dict(f_size=2, f_encoder_units=4, z_size=1, z_encoder_units=4, controller_units=4)
    arguments = training.data_arguments(dataset)
    model = models.lfads(arguments, small | {"generator_units": 6, "factors": 2})
    fit = {"epochs": 1, "batch_size": 20, "jit_compile": False}
    training.fit(model, dataset, fit, verbose=False)
    posterior = inference.sample_and_average(model, dataset.valid, num_samples=2)
    assert posterior.rates.shape == dataset.valid.recon.shape
    labelled = inference.posterior_dataset(model, {"valid": posterior}, dataset)
    inference.write_netcdf(tmp_path / "rates.nc", labelled)
    back = xr.load_dataset(tmp_path / "rates.nc")
    of = data.isel(trial=np.flatnonzero(data.split == "valid"))
    np.testing.assert_array_equal(back.trial, of.trial)
    np.testing.assert_array_equal(back.target, of.target)
    np.testing.assert_allclose(back.time, of.time, atol=1e-9)
    assert back.channel.values.tolist() == [0, 1, 2, 3, 5]
    np.testing.assert_array_equal(back.rates, posterior.rates)
