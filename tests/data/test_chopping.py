"""A recording in windows: nothing of the validation bins in training, and the way back."""

import numpy as np
import pytest

from tfp_bvae.data import chop, merge, read_hdf5, stitch_segments, write_hdf5

CASES = [
    # bins of the recordings, window, overlap, block, share for validation
    ([1000], 50, 10, None, 0.2),
    ([997], 20, 19, 33, 0.3),
    ([300, 55, 20, 181], 20, 5, 40, 0.25),
    ([100], 50, 49, 50, 0.01),
    ([120], 7, 0, 7, 0.9),
]


def bins_of(where, window, bins):
    """How many windows each bin is in, one recording after the other."""
    count = [np.zeros(time, int) for time in bins]
    for index, first in where:
        count[index][first : first + window] += 1
        assert first >= 0 and first + window <= bins[index]
    return np.concatenate(count)


@pytest.mark.parametrize("bins, window, overlap, block, share", CASES)
def test_each_bin_is_on_one_side_and_in_a_window(bins, window, overlap, block, share, rng):
    recordings = [rng.poisson(2.0, (time, 2)) for time in bins]
    data = chop(recordings, window, overlap, 0.02, share, block)
    train, valid = (bins_of(data.attrs[f"{s}_window"], window, bins) for s in ("train", "valid"))
    assert ((train > 0) ^ (valid > 0)).all()
    assert train.any() and valid.any()
    for side in ("train", "valid"):
        for trial, (index, first) in zip(
            getattr(data, side).recon, data.attrs[f"{side}_window"], strict=True
        ):
            np.testing.assert_array_equal(trial, recordings[index][first : first + window])


@pytest.mark.parametrize("bins, window, overlap, block, share", CASES)
def test_what_windows_agree_on_comes_back(bins, window, overlap, block, share, rng):
    recordings = [rng.normal(size=(time, 3)).astype("float32") for time in bins]
    data = chop(recordings, window, overlap, 0.02, share, block)
    back = merge(data, data.train.recon, data.valid.recon)
    for one, other in zip(back, recordings, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_validation_is_the_share_that_was_asked_for_and_spread(share):
    data = chop(np.zeros([10000, 1]), 20, 0, 0.02, share, block=100)
    first = np.unique(data.attrs["valid_window"][:, 1] // 100)
    assert len(first) == 100 * share
    assert len(np.unique((first * share).astype(int))) == 100 * share  # one of each run


def test_the_seed_decides():
    one, same, other = (chop(np.zeros([900, 1]), 9, 3, 0.02, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.attrs["valid_window"], same.attrs["valid_window"])
    assert set(one.attrs["valid_window"][:, 1]) != set(other.attrs["valid_window"][:, 1])


def test_windows_of_neighbouring_blocks_of_one_side_overlap():
    """Blocks make no borders but those between the sides."""
    data = chop(np.zeros([1000, 1]), 50, 25, 0.02, 0.1, block=100)
    starts = np.sort(data.attrs["train_window"][:, 1])
    (gaps,) = np.nonzero(np.diff(starts) > 25)
    assert len(gaps) <= 1


def test_truth_and_inputs_go_with_their_bins(rng):
    recording = np.arange(400)[:, np.newaxis] * np.ones(3)
    data = chop(
        recording, 20, 5, 0.02, truth=recording + 0.5, ext_input=recording[:, :2] * 10, block=40
    )
    for split in (data.train, data.valid):
        np.testing.assert_array_equal(split.truth, split.recon + 0.5)
        np.testing.assert_array_equal(split.ext_input, split.recon[..., :2] * 10)


def test_windows_find_their_way_back_through_a_file(tmp_path, rng):
    recordings = [rng.poisson(1.0, (time, 4)) for time in (300, 211)]
    write_hdf5(tmp_path / "a.h5", chop(recordings, 20, 7, 0.02, block=50))
    data = read_hdf5(tmp_path / "a.h5")
    back = merge(data, data.train.recon, data.valid.recon)
    for one, other in zip(back, recordings, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_a_bin_are_one_together_and_run_without_a_jump():
    """The share of one window in a mean with its neighbours, which say zero."""
    window, overlap = 40, 10
    where = np.array([[0, 0], [0, 30], [0, 60]])
    shares = np.stack(
        [
            stitch_segments(np.eye(3)[n][:, np.newaxis, np.newaxis] * np.ones([3, window, 1]),
                            where, 100)[0, :, 0]
            for n in range(3)
        ]
    )  # fmt: skip
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-6)
    steps = np.abs(np.diff(shares, axis=1))
    assert steps.max() < 2.0 / overlap  # of a smooth step over the overlap
    assert shares[1, 30] < 0.02 and shares[1, 69] < 0.02  # where it begins and ends
    assert (shares[1, 40:60] == 1.0).all()


@pytest.mark.parametrize(
    "change, error, said",
    [
        ({"window": 0}, ValueError, "window must be"),
        ({"window": 101, "block": 101}, ValueError, "at most the 100 bins of recording 0"),
        ({"overlap": 20}, ValueError, "overlap must be below window=20, got 20"),
        ({"overlap": -1}, ValueError, "overlap must be"),
        ({"block": 19}, ValueError, "block must be"),
        ({"block": 51}, ValueError, "at least two blocks of the 100 bins, got 51"),
        ({"valid_fraction": 1.0}, ValueError, "valid_fraction must be"),
        ({"bin_width": 0.0}, ValueError, "bin_width must be"),
        ({"truth": np.zeros([99, 2])}, ValueError, "same number of bins, got 100 and 99"),
        ({"truth": [np.zeros([100, 2])] * 2}, ValueError, "same number of recordings, got 1 and 2"),
        ({"recordings": np.zeros(100)}, ValueError, "recordings 0 must have 2 axes"),
        ({"recordings": np.zeros([2, 2, 2, 2])}, ValueError, "recordings 0 must have 2 axes"),
        ({"recordings": []}, ValueError, "at least one"),
        ({"recordings": np.full([100, 2], np.inf)}, ValueError, "finite"),
    ],
)
def test_what_cannot_be_chopped(change, error, said):
    given = {"recordings": np.zeros([100, 2]), "window": 20, "overlap": 5, "bin_width": 0.02}
    with pytest.raises(error) as caught:
        chop(**given | {"block": 20} | change)
    assert said in str(caught.value)


def test_what_cannot_be_merged(dataset):
    data = chop(np.zeros([100, 2]), 20, 5, 0.02, block=20)
    train, valid = data.train.recon, data.valid.recon
    with pytest.raises(KeyError, match=r"data must be of data\.chop"):
        merge(dataset, train, valid)
    with pytest.raises(ValueError, match="same number of windows"):
        merge(data, train[1:], valid)
    with pytest.raises(ValueError, match="valid must have the 20 bins of a window"):
        merge(data, train, valid[:, 1:])
