"""What a split says of values that are not there, and what it refuses."""

import dataclasses

import numpy as np
import pytest

from tfp_bvae.data import (
    SpikeDataset,
    Split,
    StoredArray,
    open_hdf5,
    read_hdf5,
    require_counts,
    write_hdf5,
)
from tfp_bvae.training import fingerprint, mean_rates

LENGTH = np.array([6, 4, 5, 6])


def ragged(seed=0, **changes):
    """Counts of four trials of unequal length, with a missing bin and a missing entry."""
    counts = np.random.default_rng(seed).poisson(1.0, (4, 6, 3)).astype("float32")
    counts[0, 2] = np.nan
    counts[3, 5, 1] = np.nan
    for trial, length in enumerate(LENGTH):
        counts[trial, length:] = np.nan
    fields = {"encod": counts[..., :2], "recon": counts, "length": LENGTH}
    return Split(**fields | {"session": [0, 1, 0, 1]} | changes)


def test_what_is_missing_is_counted_inside_the_trials():
    split = ragged()
    assert split.missing == 3 + 1
    assert split.is_masked and split.length.dtype == split.session.dtype == np.int32
    assert split.bins.tolist() == LENGTH.tolist()
    assert repr(split) == "Split(4 trials, encod 6 x 2, recon 6 x 3, length, session)"
    whole = Split(np.ones((2, 3, 1)), np.ones((2, 3, 1)))
    assert not whole.is_masked and whole.missing == 0 and whole.bins.tolist() == [3, 3]
    require_counts(split)


def test_select_takes_lengths_and_sessions_along():
    chosen = ragged().select([2, 1])
    assert chosen.length.tolist() == [5, 4] and chosen.session.tolist() == [0, 1]


def put(value, *where):
    """Counts of `ragged` with a value at a place."""
    counts = ragged().recon.copy()
    counts[where] = value
    return counts


FINITE = np.ones((4, 6, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recon": put(np.inf, 0, 0, 0)}, "recon must be finite, or NaN .* 1 of 72"),
        (
            {"recon": put(np.nan, 1), "encod": put(np.nan, 1)[..., :2]},
            r"encod or recon must have an observed entry .* in trial 1 \(1 such\)",
        ),
        ({"recon": put(1.0, 1, 5)}, "recon must be NaN from .* bin 5 of trial 1, of length 4"),
        ({"encod": put(1.0, 2, 5, 0)[..., :2]}, "encod must be NaN from .* trial 2, of length 5"),
        ({"truth": np.ones((4, 6, 3))}, "truth must be NaN from bin length on"),
        ({"ext_input": put(np.nan, 1)[..., :1]}, "ext_input must be finite .* bin 2 of trial 0"),
        ({"length": [6, 4, 5]}, r"length must have shape \(4,\), got \(3,\)"),
        ({"length": [6, 0, 5, 6]}, "length must hold whole numbers from 1 to 6"),
        ({"length": [6, 4, 5, 7]}, "length must hold whole numbers from 1 to 6"),
        ({"length": [6.0, 4.0, 5.0, 6.0]}, "length must hold whole numbers"),
        ({"encod": ragged().encod[:, :3]}, r"length must be all 6 bins .* \(forward prediction\)"),
        ({"session": [0, -1, 0, 0]}, "session must hold whole numbers of at least 0"),
        ({"session": [0, 1]}, r"session must have shape \(4,\)"),
    ],
)
def test_what_cannot_be_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        ragged(**changes)


def test_what_is_after_the_end_of_a_trial_is_free_in_ext_input():
    ext_input = np.where(np.isnan(put(0.0, slice(None))), np.nan, 1.0)[..., :1]
    ext_input[1, 4:] = np.nan
    assert ragged(ext_input=ext_input).ext_input.shape == (4, 6, 1)


def test_held_out_entries_may_be_all_that_a_trial_has():
    counts = np.ones((1, 4, 2))
    assert Split(np.full((1, 4, 2), np.nan), counts).is_masked


def dataset():
    return SpikeDataset(ragged(), ragged(1), 0.02)


def test_a_file_keeps_it(tmp_path):
    write_hdf5(tmp_path / "a.h5", dataset())
    for read in (read_hdf5, open_hdf5):
        found = read(tmp_path / "a.h5")
        for side in ("train", "valid"):
            split, given = getattr(found, side), getattr(dataset(), side)
            np.testing.assert_array_equal(np.asarray(split.recon), given.recon)
            np.testing.assert_array_equal(np.asarray(split.encod), given.encod)
            assert split.length.tolist() == LENGTH.tolist() and split.missing == given.missing
            assert split.session.tolist() == [0, 1, 0, 1]
        assert fingerprint(found) == fingerprint(dataset()) and not found.attrs
        np.testing.assert_array_equal(mean_rates(found.train), mean_rates(ragged()))


def test_a_length_or_session_changes_the_fingerprint():
    data = dataset()
    for name, value in (("length", None), ("session", None)):
        sides = {s: dataclasses.replace(getattr(data, s), **{name: value}) for s in ("train",)}
        other = SpikeDataset(sides["train"], sides["train"], 0.02)
        same = SpikeDataset(data.train, data.train, 0.02)
        assert fingerprint(other) != fingerprint(same)


def test_an_array_on_disk_is_refused_for_the_same():
    stored = StoredArray(put(1.0, 1, 5))
    with pytest.raises(ValueError, match=r"recon must be NaN from .* trial 1, of length 4"):
        ragged(recon=stored)
    assert StoredArray(ragged().recon).not_counts == (0, None)
    assert StoredArray(ragged().recon)[:, 1:].observed.until.tolist() == [5, 3, 4, 5]


def test_mean_rates_are_of_what_was_observed():
    counts = np.full((2, 3, 3), np.nan)
    counts[0, :2, 0] = [1.0, 3.0]
    counts[1, :, 1] = 4.0
    np.testing.assert_allclose(mean_rates(Split(counts, counts)), [2.0, 4.0, 3.0])
