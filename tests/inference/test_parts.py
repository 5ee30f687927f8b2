"""What is inferred some trials at a time, and of recordings."""

from __future__ import annotations

import numpy as np
import pytest

from tfp_bvae import data, inference


@pytest.fixture(scope="module")
def model():
    """Small."""
    from tfp_bvae import models

    small = {"f_size": 4, "f_encoder_units": 6, "z_encoder_units": 5, "z_size": 1}
    small |= {"controller_units": 5, "generator_units": 8, "factors": 3}
    return models.lfads({"channels": 6, "seed": 3}, small)


def test_parts_together_are_all(model, dataset):
    parts = list(inference.posterior_parts(model, dataset.valid, 200, batch_size=3))
    assert [(rows.start, rows.stop) for rows, _ in parts] == [(0, 3), (3, 6), (6, 8)]
    whole = inference.sample_and_average(model, dataset.valid, 200, batch_size=3).arrays()
    joined = {n: np.concatenate([getattr(part, n) for _, part in parts]) for n in whole}
    np.testing.assert_allclose(joined["f"], whole["f"], rtol=1e-5, atol=1e-6)
    for name in ("rates", "factors", "inferred", "initial_state"):
        error = np.abs(joined[name] - whole[name])
        assert (error <= 6 * whole[f"{name}_scale"] * np.sqrt(2 / 200) + 1e-4).all(), name


def test_parts_have_noise_of_their_own_and_the_seed_decides(model, dataset):
    twice = dataset.valid.select([0, 0])
    one, same, other = (
        [p.rates_scale for _, p in inference.posterior_parts(model, twice, 3, 1, seed=seed)]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one[0] != one[1]).any() and (one[0] != other[0]).any()


def test_scores_of_parts_are_those_of_all(model, dataset):
    split = dataset.valid
    rates = split.truth * np.float32(1.1)
    whole, scores = inference.score(model, split, rates), inference.Scores(model, split)
    for rows in (slice(0, 3), slice(3, 8)):
        scores.add(rows, rates[rows])
    assert scores.result() == pytest.approx(whole, rel=1e-9)
    with pytest.raises(ValueError, match="same number of trials"):
        inference.score(model, split, rates[:-1])


def on_disk(split):
    stored = {name: data.StoredArray(getattr(split, name)) for name in ("encod", "recon", "truth")}
    return data.Split(**stored)


def test_all_that_takes_trials_takes_those_on_disk(model, dataset):
    """The very numbers of trials in memory."""
    split, stored = dataset.valid, on_disk(dataset.valid)
    for ask in (
        lambda trials: inference.sample_and_average(model, trials, 2, batch_size=3).rates,
        lambda trials: inference.posterior_mean(model, trials, batch_size=3).factors,
        lambda trials: inference.log_likelihood(model, trials, 2, batch_size=3).elbo,
        lambda trials: inference.swap(model, trials, batch_size=3).rates,
    ):
        np.testing.assert_array_equal(ask(split), ask(stored))
    rates = split.truth * 2
    assert inference.score(model, stored, rates) == inference.score(model, split, rates)


def test_a_recording_is_merged_from_its_windows(model, rng):
    recordings = [rng.poisson(1.0, (bins, 6)) for bins in (47, 20)]
    found = inference.infer_recordings(model, recordings, 12, 5, num_samples=2)
    for recording, arrays in zip(recordings, found, strict=True):
        windows, where = data.cut_segments([recording], 12, 7)
        each = inference.sample_and_average(model, data.Split(windows, windows), 2)
        for name in ("rates", "factors", "inferred"):
            expected = data.stitch_segments(getattr(each, name), where, [len(recording)])[0]
            np.testing.assert_allclose(arrays[name], expected, rtol=1e-5)
        scale = data.stitch_segments(each.rates_scale**2, where, [len(recording)])[0]
        np.testing.assert_allclose(arrays["rates_scale"] ** 2, scale, rtol=1e-4)
        assert arrays.keys() == {
            f"{n}{end}" for n in ("rates", "factors", "inferred") for end in ("", "_scale")
        }


@pytest.mark.parametrize(
    "change, said",
    [
        ({"overlap": 12}, "overlap must be below window=12, got 12"),
        ({"window": 31}, "length must be at most the 30 bins"),
        ({"recordings": np.ones([30, 5])}, "6 channels that the model predicts, got 5"),
        ({"ext_input": [np.ones([30, 2])] * 2}, "same number of recordings"),
        ({"ext_input": np.ones([29, 2])}, "same number of bins"),
    ],
)
def test_what_is_no_recording_for_the_model(model, change, said):
    given = {"recordings": np.ones([30, 6]), "window": 12, "overlap": 5} | change
    with pytest.raises(ValueError, match=said):
        inference.infer_recordings(model, **given)
