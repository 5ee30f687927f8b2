"""Labelled trials: made, checked, turned into splits and back."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from tfp_bvae.data import (
    from_splits,
    join_sessions,
    lorenz,
    read_hdf5,
    require_trials,
    split_coords,
    to_splits,
    trials_dataset,
    write_hdf5,
)

SPLIT = ["valid", "train", "train", "test", "train", "valid"]


def make(rng, forward=True, **changes):
    """Six trials of two sessions, 8 bins, 4 channels, with everything that there can be."""
    spikes = rng.poisson(1.0, [6, 8, 4]).astype(float)
    coords = {
        "trial": [3, 5, 8, 9, 11, 12],
        "split": SPLIT,
        "condition": ["a", "b", "a", "a", "b", "b"],
        "session": ["mon", "tue", "mon", "tue", "tue", "mon"],
        "start": 1.5 * np.arange(6),
        "target": np.arange(6) % 3,
        "time": -0.1 + 0.02 * np.arange(8),
        "forward": np.arange(8) >= (6 if forward else 8),
        "channel": ["c1", "c2", "c3", "c4"],
        "held_out": [True, False, False, True],
        "behavior_channel": ["x", "y"],
        "ext_channel": ["light"],
    }
    return trials_dataset(
        spikes,
        0.02,
        behavior=rng.normal(size=[6, 8, 2]),
        ext_input=rng.normal(size=[6, 8, 1]),
        truth=rng.uniform(size=[6, 8, 4]),
        coords=coords | changes,
        attrs={"source": "a test", "set_aside": "nothing"},
    )


def test_splits_have_held_out_channels_and_forward_bins_last(rng):
    data = make(rng)
    splits = to_splits(data)
    assert splits.train.encod.shape == (3, 6, 2) and splits.train.recon.shape == (3, 8, 4)
    rows = [1, 2, 4]
    order = [1, 2, 0, 3]
    np.testing.assert_array_equal(splits.train.recon, data.spikes.values[rows][..., order])
    np.testing.assert_array_equal(splits.train.encod, data.spikes.values[rows, :6, 1:3])
    np.testing.assert_array_equal(splits.train.truth, data.truth.values[rows][..., order])
    np.testing.assert_array_equal(splits.train.ext_input, data.ext_input.values[rows])
    np.testing.assert_array_equal(splits.attrs["train_behavior"], data.behavior.values[rows])
    assert splits.attrs["train_condition"].tolist() == ["b", "a", "b"]
    assert splits.attrs["valid_target"].tolist() == [0, 2]
    assert splits.attrs["channel_names"].tolist() == ["c2", "c3", "c1", "c4"]
    assert splits.attrs["session_names"].tolist() == ["mon", "tue"]
    assert splits.train.session.tolist() == [1, 0, 1] and splits.train.length is None


def test_there_and_back(rng, tmp_path):
    data = make(rng)
    used = data.isel(trial=np.flatnonzero(data.split != "test"))
    splits = to_splits(data)
    xr.testing.assert_identical(from_splits(splits), used)
    write_hdf5(tmp_path / "a.h5", splits)
    xr.testing.assert_identical(from_splits(read_hdf5(tmp_path / "a.h5")), used)


def test_further_arrays_of_trials_come_back(rng):
    data = make(rng)
    data["mask"] = (("trial", "time"), rng.integers(0, 2, [6, 8]))
    data["kinematics"] = (("trial", "sample"), rng.normal(size=[6, 20]))
    data["psth"] = (("kind", "time", "channel"), rng.uniform(size=[3, 8, 4]))
    splits = to_splits(data)
    np.testing.assert_array_equal(splits.attrs["psth"], data.psth)
    back = from_splits(splits)
    np.testing.assert_array_equal(back.psth, data.psth)
    np.testing.assert_array_equal(back.mask, data.mask[[0, 1, 2, 4, 5]])
    assert back.mask.dims == ("trial", "time")
    np.testing.assert_array_equal(back.kinematics, data.kinematics[[0, 1, 2, 4, 5]])


def test_arrays_whose_names_are_taken_do_no_harm():
    data = lorenz(num_conditions=2, num_channels=5, num_trials=5, num_valid=1)
    odd = {"train_time": np.arange(8), "valid_time": np.arange(2), "channel": np.ones(3)}
    odd |= {"train_behavior": np.ones([8, 7, 2]), "valid_behavior": np.ones([2, 7, 2])}
    odd |= {"train_channel": np.ones([8, 2]), "valid_channel": np.ones([2, 2])}
    made = from_splits(dataclasses.replace(data, attrs=data.attrs | odd))
    assert made.time.shape == (50,) and made.channel.values.tolist() == list(range(5))
    assert made.behavior.dims == ("trial", "behavior_1", "behavior_2")


def test_labels_are_in_the_order_of_the_arrays(rng):
    data = make(rng)
    splits = to_splits(data)
    for side in ("train", "valid"):
        coords = split_coords(splits, side)
        dims = ("trial", "time", "channel")
        labels = {name: label for name, label in coords.items() if label[0] in dims}
        labelled = xr.DataArray(getattr(splits, side).recon, labels, dims)
        expected = data.spikes.isel(trial=np.flatnonzero(data.split == side))
        xr.testing.assert_identical(
            labelled.sel(channel=data.channel.values).reset_coords(drop=True),
            expected.reset_coords(drop=True).rename(None),
        )


def test_data_without_labels_are_counted():
    data = lorenz(num_conditions=2, num_channels=5, num_trials=5, num_valid=1)
    made = from_splits(data)
    assert made.split.values.tolist() == ["train"] * 8 + ["valid"] * 2
    np.testing.assert_array_equal(made.truth.values[:8], data.train.truth)
    again = to_splits(made)
    np.testing.assert_array_equal(again.valid.recon, data.valid.recon)
    np.testing.assert_array_equal(again.attrs["valid_cond_idx"], data.attrs["valid_cond_idx"])


def test_trials_of_unequal_length_are_padded(rng):
    trials = [rng.poisson(1.0, [bins, 3]) for bins in (4, 6, 5)]
    data = trials_dataset(trials, 0.1, coords={"split": ["train", "train", "valid"]})
    assert np.isnan(data.spikes.values[0, 4:]).all()
    assert data.length.values.tolist() == [4, 6, 5]
    splits = to_splits(data)
    assert splits.train.length.tolist() == [4, 6] and splits.valid.length.tolist() == [5]
    xr.testing.assert_identical(from_splits(splits), data)
    without = to_splits(data.drop_vars("length"))
    assert without.train.length.tolist() == [4, 6]


def test_truth_ends_with_its_trial(rng):
    trials = [rng.poisson(1.0, [bins, 3]) for bins in (4, 6)]
    coords = {"split": ["train", "valid"]}
    data = trials_dataset(trials, 0.1, truth=np.ones([2, 6, 3]), coords=coords)
    truth = to_splits(data).train.truth
    assert np.isnan(truth[0, 4:]).all() and (truth[0, :4] == 1).all()


def test_joined_sessions_come_back_with_their_names(rng):
    parts = {name: to_splits(make(rng, session=[name] * 6)) for name in ("mon", "tue")}
    joined = from_splits(join_sessions(parts))
    assert joined.session.values.tolist() == ["mon"] * 3 + ["tue"] * 3 + ["mon"] * 2 + ["tue"] * 2
    for name, part in parts.items():
        of = joined.isel(trial=np.flatnonzero(joined.session == name))
        np.testing.assert_array_equal(of.spikes[:3], part.train.recon)
        assert of.condition.values.tolist()[:3] == part.attrs["train_condition"].tolist()


def test_what_is_not_observed_at_the_end_is_no_padding_where_it_is_forward(rng):
    data = make(rng)
    data.spikes[0, 6:] = np.nan  # a trial whose later bins are kept back
    assert to_splits(data).valid.length is None


def test_test_trials_can_stand_for_validation(rng):
    data = make(rng)
    splits = to_splits(data, valid="test")
    np.testing.assert_array_equal(splits.valid.recon[0, :, 2], data.spikes.values[3, :, 0])
    with pytest.raises(ValueError, match="split 'test', got 2 of 'none'"):
        to_splits(make(rng, split=["train", "none"] * 2 + ["train", "valid"]), valid="test")


def test_one_session_is_known_by_name_alone(rng):
    splits = to_splits(make(rng, session=["mon"] * 6))
    assert splits.train.session is None
    assert from_splits(splits).session.values.tolist() == ["mon"] * 5


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda d: d.drop_vars("spikes"), KeyError, "the variable 'spikes'.*got 'behavior'"),
        (lambda d: d.drop_vars("held_out"), KeyError, "the coordinate 'held_out' on channel"),
        (lambda d: d.transpose("time", ...), ValueError, "dims .trial, time, channel."),
        (lambda d: d.assign_attrs(bin_width=0.05), ValueError, "bin_width=0.05 s.*step of 0.02"),
        (lambda d: d.assign_attrs(bin_width=-1.0), ValueError, "bin_width must be above 0"),
        (lambda d: d.assign(spikes=-d.spikes - 1), ValueError, "spikes must be at least 0"),
        (lambda d: d.assign(spikes=d.spikes / 0), ValueError, "must not be infinite"),
        (lambda d: d.assign(spikes=d.spikes.astype(str)), TypeError, "spikes must be numbers"),
        (lambda d: d.assign_coords(channel=list("aabc")), ValueError, "got a twice"),
        (lambda d: d.isel(time=slice(None, None, -1)), ValueError, "step of -0.02"),
        (lambda d: d.assign_coords(split=d.split.str.upper()), ValueError, "got TEST, TRAIN"),
        (
            lambda d: d.assign_coords(forward=("time", np.arange(8) < 2)),
            ValueError,
            "forward bins must come after",
        ),
        (
            lambda d: d.assign_coords(held_out=("channel", np.ones(4, bool))),
            ValueError,
            "held_out must leave channels",
        ),
        (
            lambda d: d.assign_coords(held_out=("channel", np.ones(4))),
            ValueError,
            "held_out must be True or False",
        ),
        (lambda d: d.spikes, TypeError, "must be an xarray.Dataset, got DataArray"),
    ],
)
def test_what_is_wrong_is_named(rng, spoil, error, message):
    with pytest.raises(error, match=message), np.errstate(all="ignore"):
        require_trials(spoil(make(rng)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"spikes": np.ones([4, 3])}, ValueError, "spikes must have 3 axes"),
        ({"spikes": [np.ones([4, 3]), np.ones([4, 2])]}, ValueError, r"spikes\[1\] must have a la"),
        ({"spikes": []}, ValueError, "at least one trial"),
        ({"spikes": [["a"]]}, TypeError, r"spikes\[0\] must be numbers"),
        ({"behavior": np.ones([2, 4, 1])}, ValueError, "must agree in size"),
        ({"coords": {"channel": ["a"]}}, ValueError, "must agree in size"),
        ({"coords": {"condition": [[1]]}}, ValueError, "must have 1 axis"),
        ({"bin_width": 0}, ValueError, "bin_width must be above 0"),
        ({"spikes": 3}, TypeError, "spikes must be an array, or a list of trials, got int"),
        ({"coords": {"length": [0, 1, 9]}}, ValueError, "length must be whole numbers from 1 to 4"),
        ({"coords": {"time": list("abcd")}}, TypeError, "time must be numbers"),
        ({"coords": {"held_out": [0, 1]}}, ValueError, "held_out must be True or False"),
    ],
)
def test_what_cannot_be_trials_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        trials_dataset(**{"spikes": np.ones([3, 4, 2]), "bin_width": 0.1, **arguments})
