"""Which trials, channels and bins are for what."""

import numpy as np
import pytest

from tfp_bvae.data import (
    append_forward_bins,
    hold_out_channels,
    mark_forward,
    split_trials,
    to_splits,
    trials_dataset,
)


@pytest.fixture
def data(rng):
    coords = {"condition": np.repeat(["a", "b"], [30, 10]), "channel": list("pqrstuvw")}
    return trials_dataset(rng.poisson(1.0, [40, 6, 8]), 0.1, coords=coords)


def test_each_condition_gives_its_share(data):
    drawn = split_trials(data, 0.2, seed=1)
    for name, count in (("a", 6), ("b", 2)):
        assert np.sum((drawn.split == "valid") & (drawn.condition == name)) == count
    again = split_trials(drawn, 0.2, seed=1)
    np.testing.assert_array_equal(drawn.split, again.split)
    assert (split_trials(data, 0.2, seed=2).split != drawn.split).any()
    assert (data.split == "none").all()


def test_each_session_gives_its_share(data):
    sessions = data.assign_coords(session=("trial", np.tile(["x", "y"], 20)))
    drawn = split_trials(sessions, 0.2)
    for name in ("x", "y"):
        of = drawn.session == name
        assert np.sum(of & (drawn.split == "valid") & (drawn.condition == "a")) == 3
        assert np.sum(of & (drawn.split == "valid") & (drawn.condition == "b")) == 1


def test_by_another_label_or_none(data):
    labelled = data.assign_coords(target=("trial", np.arange(40) % 4))
    drawn = split_trials(labelled, 0.2, by="target")
    assert np.bincount(drawn.target[drawn.split == "valid"]).tolist() == [2] * 4
    assert np.sum(split_trials(data.drop_vars("condition"), 0.1).split == "valid") == 4
    with pytest.raises(KeyError, match="did you mean 'target'"):
        split_trials(labelled, by="tagret")


def test_test_trials_stay(data):
    split = np.where(np.arange(40) < 5, "test", "none")
    drawn = split_trials(data.assign_coords(split=("trial", split)), 0.2)
    assert (drawn.split[:5] == "test").all() and np.sum(drawn.split == "test") == 5
    assert np.sum(drawn.split == "valid") == 7


def test_channels_by_number_name_or_share(data):
    assert hold_out_channels(data, 4).channel[
        hold_out_channels(data, 4).held_out
    ].values.tolist() == [
        "s",
        "w",
    ]
    named = hold_out_channels(data, names=["q", "w"])
    assert named.held_out.values.nonzero()[0].tolist() == [1, 7]
    drawn = hold_out_channels(data, fraction=0.25, seed=3)
    assert drawn.held_out.values.sum() == 2
    assert (hold_out_channels(data, fraction=0.25, seed=3).held_out == drawn.held_out).all()
    splits = to_splits(split_trials(drawn))
    assert splits.train.encod.shape[2] == 6 and splits.train.recon.shape[2] == 8


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "one of every, names and fraction must be given, got none"),
        ({"every": 4, "fraction": 0.2}, ValueError, r"got \['every', 'fraction'\]"),
        ({"every": 1}, ValueError, "every must be a whole number of at least 2"),
        ({"every": 9}, ValueError, "every must leave channels on both sides, got 0 of 8"),
        ({"names": ["x"]}, KeyError, "channel must be one of 'p'"),
        ({"names": list("pqrstuvw")}, ValueError, "got 8 of 8 held out"),
        ({"fraction": 1.0}, ValueError, r"fraction must be in \(0"),
    ],
)
def test_what_cannot_be_held_out(data, arguments, error, message):
    with pytest.raises(error, match=message):
        hold_out_channels(data, **arguments)


def test_forward_bins(data):
    marked = mark_forward(data, 2)
    splits = to_splits(split_trials(marked))
    assert splits.train.encod.shape[1] == 4 and splits.train.recon.shape[1] == 6
    assert not mark_forward(marked, 0).forward.any()
    with pytest.raises(ValueError, match="bins must leave bins for the encoders, got 6 of 6"):
        mark_forward(data, 6)


def test_bins_after_the_end(data):
    longer = append_forward_bins(split_trials(data), 3)
    np.testing.assert_array_equal(longer.spikes[:, :6], data.spikes)
    assert np.isnan(longer.spikes[:, 6:]).all()
    assert longer.bin_width == 0.1 and longer.condition.values.tolist()[0] == "a"
    splits = to_splits(longer)
    assert splits.train.encod.shape[1] == 6 and splits.train.recon.shape[1] == 9
    assert splits.train.length is None
    with_input = data.assign(ext_input=(("trial", "time", "ext_channel"), np.ones([40, 6, 1])))
    with pytest.raises(ValueError, match="must have no ext_input"):
        append_forward_bins(with_input, 1)
    ragged = trials_dataset([np.ones([4, 2]), np.ones([5, 2])], 0.1)
    with pytest.raises(ValueError, match="trials of one length"):
        append_forward_bins(ragged, 1)
