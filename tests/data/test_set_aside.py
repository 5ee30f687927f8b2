"""What can be used of a file is used, and what was set aside is counted."""

import numpy as np
import pytest
from nwb_files import write_nwb
from scipy.io import savemat

from tfp_bvae.data import bin_spike_times, drop_silent, load, trials_dataset


def test_silent_channels_and_trials_are_counted(tmp_path, rng):
    spikes = rng.poisson(5.0, [8, 6, 4]).astype(float)
    spikes[..., 2] = 0
    spikes[3] = 0
    spikes[5] = np.nan
    np.savez(tmp_path / "a.npz", spikes=spikes, channel=["a", "b", "c", "d"])
    text = (
        "1 trial without any observed value (5); 1 channel without a spike (c); "
        "1 trial without a spike (3)"
    )
    with pytest.warns(UserWarning) as told:
        data = load(tmp_path / "a.npz")
    assert [str(one.message) for one in told] == [f"a.npz: set aside {text}"]
    assert told[0].filename == __file__
    assert data.attrs["set_aside"] == text
    assert data.channel.values.tolist() == ["a", "b", "d"]
    assert data.trial.values.tolist() == [0, 1, 2, 4, 6, 7]
    with pytest.warns(UserWarning) as told:
        kept = load(tmp_path / "a.npz", silent="keep")
    assert str(told[1].message).endswith(
        "kept 1 channel without a spike (c); 1 trial without a spike (3)"
    )
    assert kept.sizes["channel"] == 4 and kept.sizes["trial"] == 7
    with pytest.raises(ValueError, match="silent must be one of"):
        load(tmp_path / "a.npz", silent="mute")


def test_a_silent_trial_may_be_chance(rng):
    spikes = rng.poisson(0.1, [50, 6, 3]).astype(float)
    spikes[7] = 0
    assert drop_silent(trials_dataset(spikes, 0.02)).sizes["trial"] == 50


def test_what_is_not_understood_is_counted(tmp_path):
    ones = np.ones([4, 5, 3])
    np.savez(tmp_path / "a.npz", spikes=ones, weights=np.ones([7, 7]), note=np.arange(9))
    with pytest.warns(UserWarning, match=r"2 arrays not understood \(note, weights\)"):
        assert load(tmp_path / "a.npz").sizes["trial"] == 4
    savemat(tmp_path / "a.mat", {"spikes": ones, "info": {"who": "J"}})
    with pytest.warns(UserWarning, match=r"1 MATLAB variable that is a struct or an object \(info"):
        assert "info" not in load(tmp_path / "a.mat")


def test_spike_times_that_are_wrong_are_mended_and_counted():
    times = {"a": [0.3, 0.1, 0.2, 0.2], "b": [0.5, np.nan, 0.9, 0.9, 0.9], "c": [0.05, 2.0]}
    with pytest.warns(UserWarning) as told:
        counts, kept = bin_spike_times(times, [[0, 1], [1, 2]], 0.5, support=(0, 2))
    assert str(told[0].message) == (
        "spike_times: set aside 1 spike time not finite, of channels (b); 3 spike times there "
        "twice, of channels (a, b); 1 channel unsorted: sorted, not lost (a)"
    )
    assert counts[0].tolist() == [[3, 0, 1], [0, 2, 0]]
    assert kept.tolist() == [0, 1]


@pytest.mark.parametrize("bin_ms", [1, 5, 20])
def test_spikes_on_the_edges_of_bins_are_in_the_later(rng, bin_ms):
    spikes = [np.unique(rng.integers(0, 9000, 2000)) for _ in range(2)]  # whole ms
    begin = np.sort(rng.choice(np.arange(100, 8000), 40, replace=False))
    windows = np.stack([begin, begin + 10 * bin_ms], axis=1)
    counts, _ = bin_spike_times([s / 1000 for s in spikes], windows / 1000, bin_ms / 1000)
    for channel, times in enumerate(spikes):
        for trial, first in zip(counts[..., channel], begin, strict=True):
            place = (times - first) // bin_ms
            place = place[(place >= 0) & (place < 10)]
            np.testing.assert_array_equal(trial, np.bincount(place, minlength=10))


def test_trials_out_of_range_are_counted(rng):
    times = [np.sort(rng.uniform(10, 20, 200)) for _ in range(3)]
    windows = np.array([[0, 1], [9.5, 10.5], [12, 13], [np.nan, 2], [19, 30], [15, 16]])
    with pytest.warns(UserWarning, match=r"1 trial without a time \(3\); 3 trials out of the rec"):
        counts, kept = bin_spike_times(times, windows, 0.5)
    assert kept.tolist() == [2, 5] and counts.shape == (2, 2, 3)
    with pytest.raises(ValueError, match="got none of 1 that does"):
        bin_spike_times(times, [[0, 1]], 0.5)


def test_unsorted_spikes_of_nwb_are_mended(tmp_path):
    true = write_nwb(tmp_path / "a.nwb")
    times = [np.concatenate([t[::-1], t[:5]]) for t in true["spike_times"]]
    write_nwb(tmp_path / "b.nwb", spike_times=times)
    expected = load(tmp_path / "a.nwb", 0.05)
    with pytest.warns(UserWarning, match=r"30 spike times there twice.*6 channels unsorted"):
        found = load(tmp_path / "b.nwb", 0.05)
    np.testing.assert_array_equal(found.spikes, expected.spikes)
    assert "there twice" in found.attrs["set_aside"]
