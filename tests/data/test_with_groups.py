"""Trials that know their groups: which labels make groups, and what is refused."""

import numpy as np
import pytest

from tfp_bvae.data import SpikeDataset, Split, read_hdf5, with_groups, write_hdf5


def dataset(train, valid, **attrs):
    """Trials that have these values of `day`."""
    rng = np.random.default_rng(0)
    sides = []
    for values in (train, valid):
        counts = rng.poisson(1.0, size=(len(values), 6, 3))
        sides.append(Split(counts, counts))
    attrs = {"train_day": np.asarray(train), "valid_day": np.asarray(valid)} | attrs
    return SpikeDataset(*sides, bin_width=0.02, attrs=attrs)


@pytest.mark.parametrize(
    ("train", "valid", "labels"),
    [
        ([7, 3, 7, 5], [5, 7], [3, 5, 7]),
        ([0.5, -1.0, 0.5, 0.0], [0.0, 0.5], [-1.0, 0.0, 0.5]),
        (["may", "april", "may", "june"], ["june", "may"], ["april", "june", "may"]),
        ([True, False, True, False], [False, True], [False, True]),
        ([4, 4, 4, 4], [4, 4], [4]),
    ],
)
def test_trials_of_one_value_are_a_group(train, valid, labels):
    data = with_groups(dataset(train, valid), "day")
    assert data.attrs["group_labels"].tolist() == labels
    for split, values in ((data.train, train), (data.valid, valid)):
        assert split.group.dtype == np.int32
        assert [labels[group] for group in split.group] == list(values)


@pytest.mark.parametrize(
    ("train", "valid", "groups"),
    [
        ([2, 4, 4, 8], [1, 2, 3, 4, 8, 9], [-1, 0, -1, 1, 2, -1]),
        (["b", "d", "b", "d"], ["a", "b", "c", "d", "e", "bb"], [-1, 0, -1, 1, -1, -1]),
        ([2, 4, 4, 8], [1, 9], [-1, -1]),
    ],
)
def test_validation_trials_of_a_value_that_no_training_trial_has(train, valid, groups):
    data = with_groups(dataset(train, valid), "day")
    assert data.valid.group.tolist() == groups
    assert data.train.group.min() == 0


def test_each_training_trial_a_group_of_its_own():
    data = with_groups(dataset([1, 1, 1], [1, 1]))
    assert data.train.group.tolist() == data.attrs["group_labels"].tolist() == [0, 1, 2]
    assert data.valid.group.tolist() == [-1, -1]


def test_only_the_groups_are_new():
    before = dataset([1, 2], [2], subject="J")
    after = with_groups(before, "day")
    assert before.train.group is None and "group_labels" not in before.attrs
    assert after.train.encod is before.train.encod and after.bin_width == before.bin_width
    assert after.attrs.keys() - before.attrs.keys() == {"group_labels"}
    assert after.attrs["subject"] == "J"
    other = with_groups(after, "trial")
    assert other.train.group.tolist() == [0, 1] and other.valid.group.tolist() == [-1]


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    given = dataset([1, 2], [2], train_cond_idx=np.arange(2), valid_cond_idx=np.arange(1))
    with pytest.raises(KeyError, match=r"'sesion'.*\['train_cond_idx', 'train_day', 'valid_"):
        with_groups(given, "sesion")
    path = dataset([1, 2], [2], train_path=np.ones((2, 6)), valid_path=np.ones((1, 6)))
    with pytest.raises(KeyError) as error:
        with_groups(path, "pth")
    assert "path'" not in str(error.value).split("among")[1]  # not a value for each trial


def test_a_name_that_one_side_lacks():
    with pytest.raises(KeyError, match="valid_block is not among"):
        with_groups(dataset([1, 2], [2], train_block=np.arange(2)), "block")


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (np.arange(3), r"int64 of shape \(3,\)"),
        (np.ones((2, 2)), r"float64 of shape \(2, 2\)"),
        (1, r"int64 of shape \(\)"),
        (np.array([1j, 2j]), r"complex128 of shape \(2,\)"),
        (np.array([None, "a"]), r"object of shape \(2,\)"),
    ],
)
def test_values_that_do_not_suit_the_trials(values, got):
    given = dataset([1, 2], [2], train_block=values, valid_block=np.arange(1))
    message = f"train_block must hold a number or a string for each of 2 trials, got {got}"
    with pytest.raises(ValueError, match=message):
        with_groups(given, "block")


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ([0, 1, 0], r"group must have shape \(2,\), got \(3,\)"),
        ([[0, 1]], r"group must have shape \(2,\), got \(1, 2\)"),
        ([0, -2], "group must hold whole numbers of at least -1"),
        ([0.0, 1.0], "group must hold whole numbers"),
        (["a", "b"], "group must hold whole numbers"),
    ],
)
def test_groups_of_a_split_are_whole_numbers(group, message):
    counts = np.ones((2, 6, 3))
    with pytest.raises(ValueError, match=message):
        Split(counts, counts, group=np.array(group))


def test_select_and_repr_know_of_groups():
    split = with_groups(dataset([5, 6, 5], [6]), "day").train
    assert split.select([2, 1]).group.tolist() == [0, 1]
    assert repr(split) == "Split(3 trials, encod 6 x 3, recon 6 x 3, group)"


def test_one_side_alone_cannot_have_groups():
    data = with_groups(dataset([1, 2], [2]), "day")
    ungrouped = Split(data.valid.encod, data.valid.recon)
    with pytest.raises(ValueError, match=r"train and valid must agree .* of group"):
        SpikeDataset(data.train, ungrouped, 0.02)


@pytest.mark.parametrize(
    ("train", "valid"), [([7, 3, 7], [3, 4]), (["may", "april", "µ"], ["june", "µ"])]
)
def test_round_trip_through_a_file(tmp_path, train, valid):
    data = with_groups(dataset(train, valid), "day")
    write_hdf5(tmp_path / "a.h5", data)
    read = read_hdf5(tmp_path / "a.h5")
    np.testing.assert_array_equal(read.attrs["group_labels"], data.attrs["group_labels"])
    for by in ("group", "day"):
        back = with_groups(read, by)
        np.testing.assert_array_equal(back.train.group, data.train.group)
        np.testing.assert_array_equal(back.valid.group, data.valid.group)
    np.testing.assert_array_equal(back.attrs["group_labels"], data.attrs["group_labels"])
    write_hdf5(tmp_path / "b.h5", back)  # what was read can be written again
    again = with_groups(read_hdf5(tmp_path / "b.h5"), "group")
    np.testing.assert_array_equal(again.valid.group, data.valid.group)


def test_groups_that_were_not_known_stay_so_in_a_file(tmp_path):
    data = dataset([3, 3, 4, 4], [4, 5])
    data = with_groups(data, "day")
    unknown = SpikeDataset(
        Split(data.train.encod, data.train.recon, group=[0, -1, 1, 1]), data.valid, 0.02
    )
    write_hdf5(tmp_path / "a.h5", unknown)
    again = with_groups(read_hdf5(tmp_path / "a.h5"), "group")
    assert again.train.group.tolist() == [0, -1, 1, 1]
    assert again.valid.group.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("train", "valid", "said"),
    [
        ([1, 2], ["1", "2"], "must both be numbers, or both strings"),
        (["1", "2"], [1, 2], "must both be numbers, or both strings"),
        ([1.0, np.nan], [1.0, 1.0], "train_day must hold a value for each trial, got NaN"),
    ],
)
def test_labels_that_mean_nothing_are_refused(train, valid, said):
    with pytest.raises(ValueError, match=said):
        with_groups(dataset(train, valid), "day")
