"""Posteriors with names, times and units, from memory and from files."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from tfp_bvae.data import to_splits, trials_dataset, write_arrays
from tfp_bvae.inference import (
    Posterior,
    label_parts,
    open_posterior,
    posterior_dataset,
    posterior_mean,
    write_posterior,
)
from tfp_bvae.models import Arguments, Params

SIDES = {"train": 3, "valid": 2}
BINS, SEGMENT, CHANNELS = 8, 2, 4


def fitted(likelihood="poisson"):
    """What labels need of a run: no model is built."""
    arguments = {
        "channels": 2,
        "outputs": CHANNELS,
        "forward_bins": 1,
        "bin_width": 0.02,
        "likelihood": likelihood,
    }
    params = Params.of({"segment": SEGMENT})
    return SimpleNamespace(model="lfads", arguments=Arguments.of(arguments), params=params)


@pytest.fixture
def trials(rng):
    """Labelled trials, held-out channels among the others, one trial short."""
    spikes = rng.poisson(1.0, [6, BINS, CHANNELS]).astype(float)
    coords = {
        "trial": [3, 5, 8, 9, 11, 12],
        "split": ["valid", "train", "train", "test", "train", "valid"],
        "condition": ["left", "right", "left", "left", "right", "right"],
        "session": ["monday", "tue", "monday", "tue", "tue", "monday"],
        "time": -0.1 + 0.02 * np.arange(BINS),
        "forward": np.arange(BINS) >= BINS - 1,
        "channel": ["c1", "c2", "c3", "c4"],
        "held_out": [True, False, False, True],
        "start": 1.5 * np.arange(6),
        "unit": [1, 1, 2, 2, 3, 3],  # the name of one of our dims
    }
    return trials_dataset(spikes, 0.02, coords=coords)


def posteriors(rng, inferred=True):
    """Random posteriors, with padded bins at the end of one trial."""
    found = {}
    for side, count in SIDES.items():
        shapes = {"rates": CHANNELS, "factors": 5, "inferred": 1}
        if not inferred:
            del shapes["inferred"]
        arrays = {}
        for name, size in shapes.items():
            for suffix in ("", "_scale"):
                values = rng.random([count, BINS - SEGMENT, size]).astype(np.float32)
                values[1, 4:] = np.nan
                arrays[name + suffix] = values
        for name, size in (("f", 3), ("initial_state", 7)):
            for suffix in ("", "_scale"):
                arrays[name + suffix] = rng.random([count, size]).astype(np.float32)
        found[side] = Posterior(**arrays)
    return found


def test_labels_are_those_of_the_trials(rng, trials):
    given = posteriors(rng)
    found = posterior_dataset(fitted(), given, trials)
    assert found.channel.values.tolist() == ["c2", "c3", "c1", "c4"]  # held out last
    assert found.held_out.values.tolist() == [False, False, True, True]
    np.testing.assert_allclose(found.time, -0.1 + 0.02 * np.arange(SEGMENT, BINS))
    assert found.forward.values.tolist() == [False] * 5 + [True]
    assert found.trial.values.tolist() == [5, 8, 11, 3, 12]
    assert found.split.values.tolist() == ["train"] * 3 + ["valid"] * 2
    assert found.condition.values.tolist() == ["right", "left", "right", "left", "right"]
    assert found.session.values.tolist() == ["tue", "monday", "tue", "monday", "monday"]
    assert found.start.values.tolist() == [1.5, 3.0, 6.0, 0.0, 7.5]
    assert found.trial_unit.values.tolist() == [1, 2, 3, 1, 3]
    xr.testing.assert_identical(found, posterior_dataset(fitted(), given, to_splits(trials)))


def test_values_are_those_of_the_posteriors_and_padded_bins_are_nan(rng, trials):
    given = posteriors(rng)
    found = posterior_dataset(fitted(), given, trials)
    assert set(found.data_vars) == set(given["train"].arrays())
    for name, array in found.data_vars.items():
        both = np.concatenate([getattr(given[side], name) for side in SIDES])
        np.testing.assert_array_equal(array, both)
    for name in ("rates", "factors", "inferred"):
        assert found[name].dims[:2] == ("trial", "time")
        assert np.isnan(found[name].values[1, 4:]).all()
        assert not np.isnan(found[name].values[0]).any()
    assert np.isnan(found["rates_scale"].sel(trial=8).isel(time=-1)).all()


def test_units_and_uncertainty_are_said(rng, trials):
    found = posterior_dataset(fitted(), posteriors(rng), trials)
    assert found.rates.attrs["units"] == found.rates_scale.attrs["units"] == "spikes per bin"
    assert found.factors.attrs["units"] == "1" and found.time.attrs["units"] == "s"
    for name in ("rates", "factors", "inferred", "f", "initial_state"):
        assert found[name].attrs["ancillary_variables"] == f"{name}_scale"
        assert "standard deviation" in found[f"{name}_scale"].attrs["long_name"]
    assert found.attrs["bin_width"] == 0.02 and found.attrs["model"] == "lfads"
    values = posterior_dataset(fitted("gaussian"), posteriors(rng), trials).rates
    assert (values.attrs["units"], values.attrs["long_name"]) == (
        "unit of the data",
        "mean of the data",
    )


def test_without_labels_everything_is_counted(rng):
    found = posterior_dataset(fitted(), posteriors(rng))
    assert found.trial.values.tolist() == [0, 1, 2, 0, 1]
    np.testing.assert_allclose(found.time, 0.02 * np.arange(SEGMENT, BINS))
    assert found.held_out.values.tolist() == [False, False, True, True]
    assert found.forward.values.tolist() == [False] * 5 + [True]
    assert "inferred" not in posterior_dataset(fitted(), posteriors(rng, inferred=False))


def test_parts_are_the_whole(rng, trials):
    given = posteriors(rng)
    rows = [("train", 0, 2), ("train", 2, 3), ("valid", 0, 1), ("valid", 1, 2)]
    parts = []
    for side, first, last in rows:
        arrays = {name: x[first:last] for name, x in given[side].arrays().items()}
        parts.append((side, slice(first, last), Posterior(**arrays)))
    for data in (trials, None):
        whole = posterior_dataset(fitted(), given, data)
        found = xr.concat(list(label_parts(fitted(), parts, data)), "trial", data_vars="minimal")
        xr.testing.assert_identical(found, whole)


def test_other_trials_bins_or_channels_are_refused(rng, trials):
    given = posteriors(rng)
    fewer = {"train": Posterior(**{n: x[:2] for n, x in given["train"].arrays().items()})}
    with pytest.raises(ValueError, match="same number of train trials, got 2 and 3"):
        posterior_dataset(fitted(), fewer, trials)
    with pytest.raises(ValueError, match="must have the 5 times of data, got 6"):
        posterior_dataset(fitted(), given, trials.isel(time=slice(1, None)))
    with pytest.raises(ValueError, match="must have the 3 channels of data, got 4"):
        posterior_dataset(fitted(), given, trials.isel(channel=slice(1, None)))
    with pytest.raises(ValueError, match="split of a posterior must be one of"):
        posterior_dataset(fitted(), {"all": given["train"]}, trials)
    with pytest.raises(ValueError, match="at least one split"):
        posterior_dataset(fitted(), {}, trials)
    with pytest.raises(TypeError, match=r"posteriors must be by split, .* got Posterior"):
        posterior_dataset(fitted(), given["train"], trials)
    with pytest.raises(TypeError, match="model must be a BetaVAE or a Run, got str"):
        posterior_dataset("run", given, trials)


def test_a_model_says_the_same_as_its_run(dataset, make_model):
    model = make_model()
    found = posterior_dataset(model, {"valid": posterior_mean(model, dataset.valid)}, dataset)
    assert found.rates.shape == (8, 10, 6) and found.attrs["bin_width"] == dataset.bin_width
    assert found.condition.values.tolist() == dataset.attrs["valid_cond_idx"].tolist()
    assert "ancillary_variables" not in found.rates.attrs  # no samples, no uncertainty
    assert found.f.attrs["ancillary_variables"] == "f_scale"


def test_a_stored_posterior_is_read_back(rng, tmp_path, monkeypatch):
    given = posteriors(rng)
    write_posterior(tmp_path / "p.h5", given, {"bin_width": 0.02})
    monkeypatch.setattr("tfp_bvae.data.stored.BLOCK", 4 * 6 * CHANNELS * 2)  # two trials at a time
    with open_posterior(tmp_path / "p.h5") as stored:
        assert stored.num_trials == SIDES and stored.attrs["bin_width"] == 0.02
        parts = list(stored.parts())
        whole = stored.whole()
    assert [(side, rows.start, rows.stop) for side, rows, _ in parts] == [
        ("train", 0, 2),
        ("train", 2, 3),
        ("valid", 0, 2),
    ]
    for name, array in given["train"].arrays().items():
        np.testing.assert_array_equal(getattr(whole["train"], name), array)
        both = [getattr(part, name) for side, _, part in parts if side == "train"]
        np.testing.assert_array_equal(np.concatenate(both), array)


def test_what_is_no_posterior_is_refused(rng, tmp_path):
    path = tmp_path / "p.h5"
    write_arrays(path, {"rates": np.ones([4, 2])})
    with pytest.raises(ValueError, match="train_rates, train_factors, train_f, train_f_scale is"):
        open_posterior(path).__enter__()
    arrays = {f"valid_{n}": x for n, x in posteriors(rng)["valid"].arrays().items()}
    write_arrays(path, arrays | {"valid_factors": np.ones([1, 6, 5])})
    with pytest.raises(ValueError, match="valid_factors must have 3 axes and 2 trials"):
        open_posterior(path).__enter__()
    more = {f"train_{n}": x for n, x in posteriors(rng, inferred=False)["train"].arrays().items()}
    write_arrays(path, arrays | more)
    with pytest.raises(ValueError, match="the same of each split"):
        open_posterior(path).__enter__()
    with pytest.raises(FileNotFoundError):
        open_posterior(tmp_path / "none.h5").__enter__()
