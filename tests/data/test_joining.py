"""Sessions joined into one dataset, and parted again."""

import dataclasses

import numpy as np
import pytest

from tfp_bvae import data
from tfp_bvae.data import SpikeDataset, Split


def session(rng, encoded=3, held_out=0, trials=(4, 2), bins=5, forward=0, ext=0, **attrs):
    """A small session of counts, with what is known of each trial."""

    def split(count):
        recon = rng.poisson(1.0, [count, bins + forward, encoded + held_out]).astype("float32")
        known = rng.normal(size=[count, bins + forward, ext]) if ext else None
        return Split(recon[:, :bins, :encoded], recon, known, truth=recon + 0.5)

    train, valid = map(split, trials)
    for side, count in zip(("train", "valid"), trials, strict=True):
        attrs[f"{side}_condition"] = np.arange(count) % 2
        attrs[f"{side}_behavior"] = rng.normal(size=[count, bins, 2])
    return SpikeDataset(train, valid, 0.02, attrs)


@pytest.fixture
def three(rng):
    return {
        "a": session(rng, 3, 2),
        "b": session(rng, 5, 1, trials=(7, 3)),
        "c": session(rng, 4, 4, trials=(2, 1)),
    }


def test_channels_stand_at_their_places_and_all_else_is_not_observed(three):
    joined = data.join_sessions(three)
    encod, recon = joined.train.encod, joined.train.recon
    assert encod.shape == (13, 5, 5) and recon.shape == (13, 5, 9)
    np.testing.assert_array_equal(encod[:4, :, :3], three["a"].train.encod)
    np.testing.assert_array_equal(recon[:4, :, [0, 1, 2, 5, 6]], three["a"].train.recon)
    assert np.isnan(encod[:4, :, 3:]).all() and np.isnan(recon[:4][:, :, [3, 4, 7, 8]]).all()
    np.testing.assert_array_equal(recon[11:, :, [0, 1, 2, 3, 5, 6, 7, 8]], three["c"].train.recon)
    assert np.isnan(recon[11:, :, 4]).all()
    np.testing.assert_array_equal(joined.train.session, np.repeat([0, 1, 2], [4, 7, 2]))
    np.testing.assert_array_equal(joined.valid.session, np.repeat([0, 1, 2], [2, 3, 1]))


def test_what_the_encoders_see_comes_first_in_what_is_predicted(three):
    for side in ("train", "valid"):
        split = getattr(data.join_sessions(three), side)
        np.testing.assert_array_equal(split.encod, split.recon[:, :, : split.encod.shape[2]])


def test_what_is_known_of_each_trial_is_joined_where_all_know_it(three):
    three["b"].attrs["train_weather"] = three["b"].attrs["valid_weather"] = "rain"
    attrs = data.join_sessions(three).attrs
    np.testing.assert_array_equal(attrs["valid_condition"], [0, 1, 0, 1, 0, 0])
    assert attrs["train_behavior"].shape == (13, 5, 2)
    assert attrs["train_session"].tolist() == ["a"] * 4 + ["b"] * 7 + ["c"] * 2
    assert attrs["session_names"].tolist() == ["a", "b", "c"]
    assert attrs["session_channels"].tolist() == [[3, 5], [5, 6], [4, 8]]
    assert "train_weather" not in attrs


def test_parted_again_they_are_what_they_were(three):
    for name, again in data.split_sessions(data.join_sessions(three)).items():
        for side in ("train", "valid"):
            split, before = getattr(again, side), getattr(three[name], side)
            for field in ("encod", "recon", "truth"):
                np.testing.assert_array_equal(getattr(split, field), getattr(before, field))
            assert split.session is None and split.length is None
            np.testing.assert_array_equal(
                again.attrs[f"{side}_behavior"], three[name].attrs[f"{side}_behavior"]
            )
        assert again.attrs.keys() == three[name].attrs.keys()


def test_rates_of_the_whole_are_parted_by_rows_and_channels(three):
    joined = data.join_sessions(three)
    for name in three:
        rows, channels = data.session_part(joined, "valid", name)
        part = joined.valid.recon[rows][:, :, channels]
        np.testing.assert_array_equal(part, three[name].valid.recon)


def test_channels_of_a_session_are_those_observed_where_nothing_else_tells(three):
    joined = data.join_sessions(three)
    counted = data.split_sessions(joined)
    del joined.attrs["session_channels"], joined.attrs["session_names"]
    observed = data.split_sessions(joined)
    assert list(observed) == ["0", "1", "2"]
    for one, other in zip(counted.values(), observed.values(), strict=True):
        np.testing.assert_array_equal(one.train.encod, other.train.encod)
        np.testing.assert_array_equal(one.valid.recon, other.valid.recon)


def test_shorter_trials_are_filled_up_and_say_how_long_they_are(rng):
    sessions = {"long": session(rng, bins=8, ext=1), "short": session(rng, bins=5, ext=1)}
    joined = data.join_sessions(sessions)
    np.testing.assert_array_equal(joined.train.length, [8] * 4 + [5] * 4)
    assert np.isnan(joined.train.recon[4:, 5:]).all()
    assert "train_behavior" not in joined.attrs  # of other numbers of bins
    for name, again in data.split_sessions(joined).items():
        before = sessions[name].train
        np.testing.assert_array_equal(again.train.recon, before.recon)
        np.testing.assert_array_equal(again.train.ext_input, before.ext_input)


def test_lengths_of_a_session_stay(rng):
    ragged = session(rng)
    recon = ragged.train.recon.copy()
    recon[1, 3:] = np.nan
    train = Split(recon, recon, length=[5, 3, 5, 5])
    ragged = dataclasses.replace(ragged, train=train, valid=train.select([0, 1]))
    joined = data.join_sessions({"a": session(rng), "b": ragged})
    np.testing.assert_array_equal(joined.train.length, [5] * 4 + [5, 3, 5, 5])
    again = data.split_sessions(joined)["b"].train
    np.testing.assert_array_equal(again.recon, recon)
    np.testing.assert_array_equal(again.length, [5, 3, 5, 5])


def test_forward_bins_go_along(rng):
    sessions = {"a": session(rng, forward=2), "b": session(rng, 4, forward=2)}
    joined = data.join_sessions(sessions)
    assert joined.train.encod.shape == (8, 5, 4) and joined.train.recon.shape == (8, 7, 4)
    again = data.split_sessions(joined)["a"]
    np.testing.assert_array_equal(again.valid.encod, sessions["a"].valid.encod)


def test_truth_is_kept_where_all_have_it(three):
    without = dataclasses.replace(three["a"].train, truth=None)
    valid = dataclasses.replace(three["a"].valid, truth=None)
    three["a"] = dataclasses.replace(three["a"], train=without, valid=valid)
    assert data.join_sessions(three).train.truth is None


def test_sessions_can_be_the_groups(three):
    grouped = data.with_groups(data.join_sessions(three), by="session")
    np.testing.assert_array_equal(grouped.train.group, grouped.train.session)


def test_one_session_alone_has_a_place_too(rng):
    dataset = session(rng, 2, 1)
    placed = data.as_session(dataset, 4, channels=3, outputs=5)
    np.testing.assert_array_equal(placed.train.session, 4)
    np.testing.assert_array_equal(placed.train.recon[:, :, [0, 1, 3]], dataset.train.recon)
    for wrong, message in (
        ({"channels": 1, "outputs": 5}, "at most 1 channels, got 2"),
        ({"channels": 3, "outputs": 3}, "at most 0 outputs after the encoded ones, got 1"),
        ({"channels": 3, "outputs": 5, "bins": 4}, "at most 4 bins, got 5"),
    ):
        with pytest.raises(ValueError, match=message):
            data.as_session(dataset, 0, **wrong)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"forward": 1}, "bins after the encoded ones, got 0 in a and 1 in b"),
        ({"ext": 2}, "external inputs, got 0 in a and 2 in b"),
    ],
)
def test_sessions_that_do_not_go_together(rng, other, message):
    with pytest.raises(ValueError, match=message):
        data.join_sessions({"a": session(rng), "b": session(rng, **other)})


def test_other_bad_input(rng, three):
    wider = dataclasses.replace(three["b"], bin_width=0.05)
    with pytest.raises(ValueError, match=r"one width, got 0\.02 s in a and 0\.05 s in b"):
        data.join_sessions(three | {"b": wider})
    with pytest.raises(ValueError, match=r"one length where bins are predicted .* got 6 bins in a"):
        data.join_sessions({"a": session(rng, forward=1), "b": session(rng, bins=6, forward=1)})
    with pytest.raises(ValueError, match="at least one session"):
        data.join_sessions({})
    with pytest.raises(TypeError, match="SpikeDatasets by name"):
        data.join_sessions(list(three.values()))
    with pytest.raises(ValueError, match="a must be of one session, got 3"):
        data.join_sessions({"a": data.join_sessions(three)})
    with pytest.raises(ValueError, match="must be of sessions"):
        data.split_sessions(three["a"])
    with pytest.raises(KeyError, match="session must be one of"):
        data.session_part(data.join_sessions(three), "train", "d")
