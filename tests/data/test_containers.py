import numpy as np
import pytest

from tfp_bvae.data import SpikeDataset, Split, require_counts


def counts(trials=4, bins=6, channels=3):
    return np.random.default_rng(0).poisson(1.0, size=(trials, bins, channels))


def test_arrays_are_float32_and_the_input_is_left_alone():
    given = counts()
    split = Split(given, given)
    assert split.encod.dtype == split.recon.dtype == np.float32
    assert given.dtype.kind == "i"
    np.testing.assert_array_equal(split.recon, given)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"encod": counts()[0]}, "encod must be"),
        ({"encod": counts()[:0]}, "encod must not be empty"),
        ({"recon": np.full((4, 6, 3), np.inf)}, "recon must be finite, .* 72 of 72"),
        ({"recon": np.full((4, 6, 3), 1e300)}, "recon must be finite"),
        ({"recon": [[[1, 2], [3]]]}, "recon must be a numeric"),
        ({"recon": [[["a"]]]}, "recon must be a numeric"),
        ({"recon": None}, "recon must be"),
        ({"recon": counts(trials=3)}, "same number of trials, got 4 and 3"),
        ({"recon": counts(bins=5)}, "recon must have at least the bins"),
        ({"recon": counts(channels=2)}, "recon must have at least the bins"),
        ({"ext_input": counts(bins=5)}, "ext_input must have the trials and bins of recon"),
        ({"truth": counts(channels=2)}, "truth must have the shape of recon"),
    ],
)
def test_a_wrong_array_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        Split(**{"encod": counts(), "recon": counts(), **fields})


def test_select_takes_the_same_trials_of_every_array():
    array = counts()
    split = Split(array[:, :5, :2], array, ext_input=array[..., :1], truth=array * 0.5)
    chosen = split.select([3, 1])
    for name in ("encod", "recon", "ext_input", "truth"):
        np.testing.assert_array_equal(getattr(chosen, name), getattr(split, name)[[3, 1]])
    assert split.select(np.array([True, False, False, True])).num_trials == 2


def test_sides_must_agree():
    side = Split(counts(), counts())
    with pytest.raises(ValueError, match="agree on the bins and channels of encod"):
        SpikeDataset(side, Split(counts(channels=2), counts()), 0.02)
    with pytest.raises(ValueError, match=r"channels of truth, got \(6, 3\) and None"):
        SpikeDataset(Split(counts(), counts(), truth=counts()), side, 0.02)
    with pytest.raises(TypeError, match="valid must be a Split, got ndarray"):
        SpikeDataset(side, counts(), 0.02)


@pytest.mark.parametrize(
    ("bin_width", "error"),
    [(0, ValueError), (-1.0, ValueError), (np.nan, ValueError), ("5", TypeError)],
)
def test_bin_width_must_be_positive(bin_width, error):
    side = Split(counts(), counts())
    with pytest.raises(error, match="bin_width must be"):
        SpikeDataset(side, side, bin_width)


def test_milliseconds_are_asked_about():
    side = Split(counts(), counts())
    with pytest.warns(UserWarning, match="bin_width is in seconds, got 20: milliseconds are"):
        assert SpikeDataset(side, side, 20).bin_width == 20


def test_attrs_are_a_copy():
    side, attrs = Split(counts(), counts()), {"a": 1}
    dataset = SpikeDataset(side, side, 0.02, attrs)
    attrs["b"] = 2
    assert dataset.attrs == {"a": 1}


@pytest.mark.parametrize("value", [0.25, -1.0])
def test_require_counts_names_the_array_and_an_example(value):
    array = counts().astype(float)
    array[1, 2, 0] = value
    good, bad = Split(counts(), counts()), Split(counts(), array)
    require_counts(SpikeDataset(good, good, 0.02))
    with pytest.raises(
        ValueError, match=f"^recon must hold .* 1 of 72 are not, for example {value:g}"
    ):
        require_counts(bad)
    with pytest.raises(ValueError, match=r"^valid\.recon must hold"):
        require_counts(SpikeDataset(good, bad, 0.02))
    with pytest.raises(TypeError, match="data must be a Split or a SpikeDataset, got ndarray"):
        require_counts(array)
