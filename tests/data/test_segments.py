"""Segments cut from trials or recordings, and put together again."""

import itertools

import numpy as np
import pytest

from tfp_bvae.data import cut_segments, stitch_segments

SIZES = [(1, 1), (4, 4), (4, 1), (5, 3), (7, 7), (20, 6), (20, 20)]


@pytest.mark.parametrize("length, stride", SIZES)
def test_trials_come_back(length, stride, rng):
    trials = rng.normal(size=[3, 20, 2]).astype("float32")
    segments, where = cut_segments(trials, length, stride)
    back = stitch_segments(segments, where, 20)
    assert back.dtype == trials.dtype
    np.testing.assert_array_equal(back, trials)


@pytest.mark.parametrize("length, stride", SIZES)
def test_recordings_of_several_lengths_come_back(length, stride, rng):
    recordings = [rng.poisson(2.0, size=[time, 3]) for time in (53, 20, 31)]
    segments, where = cut_segments(recordings, length, stride)
    assert segments.dtype == recordings[0].dtype
    back = stitch_segments(segments, where, [53, 20, 31])
    for a, b in zip(back, recordings, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=0)


def test_segments_against_a_loop(rng):
    trials = rng.normal(size=[4, 23, 2])
    segments, where = cut_segments(trials, 6, 4)
    for segment, (trial, start) in zip(segments, where, strict=True):
        np.testing.assert_array_equal(segment, trials[trial, start : start + 6])
    assert where[:6].tolist() == [[0, 0], [0, 4], [0, 8], [0, 12], [0, 16], [0, 17]]
    assert np.bincount(where[:, 0]).tolist() == [6] * 4


def test_overlaps_are_a_mean_with_the_window(rng):
    values = rng.normal(size=[5, 6, 2])
    where = np.array([[0, 0], [0, 2], [0, 4], [1, 0], [1, 4]])
    window = np.sin(np.pi * (np.arange(6) + 0.5) / 6) ** 2
    expected = np.empty([2, 10, 2])
    for trial in range(2):
        for t in range(10):
            here = [(n, t - a) for n, (i, a) in enumerate(where) if i == trial and 0 <= t - a < 6]
            weights = [window[k] for _, k in here]
            expected[trial, t] = np.average([values[n, k] for n, k in here], 0, weights)
    np.testing.assert_allclose(stitch_segments(values, where, 10), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (([np.zeros([10, 2])], 11, 1), "length must be at most the 10 bins of trial 0, got 11"),
        (([np.zeros([10, 2])], 4, 5), "stride must be at most length=4, got 5"),
        (([np.zeros([10, 2])], 0, 1), "length must be"),
        (([np.zeros([10, 2])], 4, 0), "stride must be"),
        ((np.zeros([10, 2]), 4, 4), "trial 0 must have 2 axes"),
        (([], 4, 4), "at least one trial, got none"),
        (([np.zeros([10, 2]), np.zeros([10, 3])], 4, 4), "trial 1 must have a last axis of size 2"),
    ],
)
def test_what_cannot_be_cut(arguments, said):
    with pytest.raises(ValueError) as error:
        cut_segments(*arguments)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "where, num_bins, said",
    [
        ([[0, 0], [0, 5]], 9, "got none with bin 4 of trial 0"),
        ([[0, 0], [2, 0]], 4, "got none with bin 0 of trial 1"),
        ([[0, 0], [0, 4]], 7, "got trial 0, first bin 4 for segment 1"),
        ([[0, 0], [0, -1]], 7, "first bin -1 for segment 1"),
        ([[0, 0], [-1, 0]], 4, "got trial -1"),
        ([[0, 0], [1, 0]], [4], "got trial 1"),
        ([[0, 0], [1, 0]], [], "got trial 0"),
        ([[0, 0]], 4, "same number of segments, got 2 and 1"),
        ([0, 0], 4, "where must have 2 axes"),
        ([[0, 0], [0, 4]], 0, "num_bins must be"),
    ],
)
def test_what_cannot_be_stitched(where, num_bins, said):
    with pytest.raises(ValueError) as error:
        stitch_segments(np.ones([2, 4, 1]), where, num_bins)
    assert said in str(error.value)


def merged_as_lfads_tf2(segments, overlap):
    """Written down from what lfads-tf2 says it does: blend each overlap, keep the middles."""
    length = segments.shape[1]
    x = np.linspace(1 / overlap, 1 - 1 / overlap, overlap)[:, None]
    out = [segments[0, : length - overlap]]
    for earlier, later in itertools.pairwise(segments):
        out.append((1 - x**2) * earlier[length - overlap :] + x**2 * later[:overlap])
        out.append(later[overlap : length - overlap])
    return np.concatenate([*out, segments[-1, length - overlap :]])


@pytest.mark.parametrize("overlap", [1, 2, 5])
def test_power_weights_are_those_of_lfads_tf2(rng, overlap):
    _, where = cut_segments([np.zeros([10 + 4 * (10 - overlap), 2])], 10, 10 - overlap)
    segments = rng.normal(size=[5, 10, 2])
    (found,) = stitch_segments(segments, where, [10 + 4 * (10 - overlap)], weights="power")
    np.testing.assert_allclose(found, merged_as_lfads_tf2(segments, overlap), rtol=1e-12)


@pytest.mark.parametrize("length, stride", SIZES)
def test_recordings_come_back_with_power_weights(length, stride, rng):
    recordings = [rng.poisson(2.0, size=[time, 3]) for time in (53, 20, 31)]
    segments, where = cut_segments(recordings, length, stride)
    order = rng.permutation(len(segments))
    back = stitch_segments(segments[order], where[order], [53, 20, 31], weights="power")
    for a, b in zip(back, recordings, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=0)
    with pytest.raises(ValueError, match="weights must be one of 'sine', 'power'"):
        stitch_segments(segments, where, [53, 20, 31], weights="linear")
