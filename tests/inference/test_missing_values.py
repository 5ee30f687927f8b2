"""What is said of trials that are padded, or of which some was not observed."""

import dataclasses

import numpy as np
import pytest

from tfp_bvae import data, inference, models, training
from tfp_bvae.data import SpikeDataset, Split
from tfp_bvae.training.validation import HeldOut

LENGTH = np.array([8, 5, 6, 8])
SMALL = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 2, "z_encoder_units": 3, "controller_units": 3,
    "generator_units": 5, "factors": 3,
}  # fmt: skip
SEGMENTS = SMALL | {"segment_length": 4, "segment_stride": 2}


def ragged(**changes):
    counts = np.random.default_rng(0).poisson(1.0, (4, 8, 4)).astype("float32")
    counts[0, 2] = counts[3, 4, 1] = np.nan
    for trial, length in enumerate(LENGTH):
        counts[trial, length:] = np.nan
    return Split(counts, counts, length=LENGTH, **changes)


def alone(split, trial):
    counts = split.recon[trial : trial + 1, : split.length[trial]]
    return Split(counts, counts)


def model_of(kind):
    arguments = {"channels": 4, "masked": True}
    if kind == "fhvae":
        return models.fhvae(arguments | {"num_groups": 2}, SEGMENTS)
    return getattr(models, kind)(arguments, SMALL)


@pytest.mark.parametrize("kind", ["lfads", pytest.param("dsae", marks=pytest.mark.slow), "fhvae"])
def test_a_posterior_is_that_of_each_trial_alone_and_nan_after_its_end(kind):
    model, split = model_of(kind), ragged()
    found = inference.posterior_mean(model, split).arrays()
    sampled = inference.sample_and_average(model, split, num_samples=2).arrays()
    after = np.arange(8) >= LENGTH[:, np.newaxis]
    for trial in (0, 1):
        own = inference.posterior_mean(model, alone(split, trial)).arrays()
        for name, x in own.items():
            of_trial = found[name][trial, : LENGTH[trial]] if x.ndim == 3 else found[name][trial]
            np.testing.assert_allclose(of_trial, x[0], rtol=1e-5, atol=1e-7)
    for name, x in (found | sampled).items():
        expected = np.broadcast_to(after[..., np.newaxis], x.shape) if x.ndim == 3 else False
        np.testing.assert_array_equal(np.isnan(x), np.broadcast_to(expected, x.shape), name)
    scores = inference.score(model, split, sampled["rates"])
    assert np.isfinite(scores["bits_per_spike"])


def test_trials_that_go_on_as_others_end_as_these():
    split, source = ragged(), np.array([1, 0, 3, 2])
    swapped = inference.swap(model_of("lfads"), split, source)
    after = np.arange(8) >= LENGTH[source][:, np.newaxis]
    np.testing.assert_array_equal(np.isnan(swapped.rates).any(axis=2), after)
    np.testing.assert_array_equal(np.isnan(swapped.z).all(axis=2), after)
    with pytest.raises(ValueError, match="same length for a model of segments, got 5 bins"):
        inference.swap(model_of("fhvae"), split, source)


def test_a_bound_knows_nothing_of_padding():
    """Without z the draws do not depend on the number of bins."""
    model = models.lfads({"channels": 4, "masked": True}, SMALL | {"z_size": 0})
    counts = np.random.default_rng(0).poisson(1.0, (3, 5, 4)).astype("float32")
    counts[0, 2] = np.nan
    padded = np.concatenate([counts, np.full((3, 3, 4), np.nan, "float32")], axis=1)
    whole = inference.log_likelihood(model, Split(counts, counts), num_samples=4)
    split = Split(padded, padded, length=[5, 5, 5])
    found = inference.log_likelihood(model, split, num_samples=4)
    np.testing.assert_allclose(found.elbo, whole.elbo, rtol=1e-5)
    np.testing.assert_allclose(found.importance_weighted, whole.importance_weighted, rtol=1e-5)


def test_a_bound_of_trials_of_unequal_length_is_finite():
    assert np.isfinite(inference.log_likelihood(model_of("dsae"), ragged(), 3).elbo).all()


def test_a_gap_longer_than_a_window_is_filled():
    recording = np.random.default_rng(0).poisson(1.0, (60, 4)).astype("float32")
    recording[20:45] = np.nan
    model = model_of("lfads")
    (found,) = inference.infer_recordings(model, recording, 10, 4, num_samples=2)
    assert all(np.isfinite(x).all() and len(x) == 60 for x in found.values())
    with pytest.raises(ValueError, match="recon must have an observed entry"):
        inference.infer_recordings(model, recording * np.nan, 10, 4)


def test_a_model_without_masks_refuses_them():
    plain = models.lfads({"channels": 4}, SMALL)
    with pytest.raises(ValueError, match="encod must hold no NaN for a model without masked=True"):
        inference.posterior_mean(plain, ragged())
    whole = np.ones((4, 8, 4))
    hidden = Split(whole, np.where(np.arange(4) == 1, np.nan, whole))
    inputs, _ = models.model_arrays(plain, hidden)  # the encoders see it all
    assert "length" not in inputs
    with pytest.raises(ValueError, match="recon must hold no NaN"):
        training.fit(plain, SpikeDataset(hidden, hidden, 0.02), verbose=False)
    with pytest.raises(ValueError, match="recon must hold no NaN"):
        inference.log_likelihood(plain, hidden)


def test_segments_are_cut_within_each_trial():
    with pytest.raises(ValueError, match="segment_length must be given for trials of unequal"):
        models.model_segments(models.fhvae({"channels": 4, "num_groups": 1}, SMALL), ragged())
    model = models.fhvae({"channels": 4, "num_groups": 1}, SMALL | {"segment_length": 6})
    with pytest.raises(ValueError, match="segment_length must be at most the 5 bins"):
        models.model_segments(model, ragged())
    found = models.model_segments(model_of("fhvae"), ragged(group=[0, 1, 1, 0]))
    assert found.where.tolist()[3:7] == [[1, 0], [1, 1], [2, 0], [2, 2]]
    assert found.split.group.tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    segment = models.lfads({"channels": 4, "masked": True}, SMALL | {"segment": 5})
    with pytest.raises(ValueError, match="segment must be shorter than the trials of 5 bins"):
        models.model_arrays(segment, ragged())


@pytest.mark.parametrize("bits", [True, False])
def test_only_what_was_observed_is_validated(bits):
    held = HeldOut(model_of("lfads"), ragged(), batch_size=4)
    if not bits:
        counts = ragged().recon
        model = models.lfads({"channels": 3, "outputs": 4, "masked": True}, SMALL)
        held = HeldOut(model, Split(counts[..., :3], counts, length=LENGTH), batch_size=4)
    _, targets, scored = held.batch(np.arange(4))
    assert scored.any() and not np.isnan(targets[scored]).any()


@pytest.mark.parametrize(
    ("kind", "more", "params"),
    [
        ("lfads", {}, {"coordinated_dropout": 0.3, "sample_validation": 0.2}),
        pytest.param(
            "lfads",
            {"num_samples": 2, "importance_weighted": True},
            {"coordinated_dropout": 0.0},
            marks=pytest.mark.slow,
        ),
        pytest.param("fhvae", {}, {}, marks=pytest.mark.slow),
    ],
)
def test_a_fit_takes_every_step(kind, more, params):
    dataset = SpikeDataset(ragged(), ragged(), 0.02)
    if kind == "fhvae":
        dataset = data.with_groups(dataset)
    arguments = training.data_arguments(dataset).replace(more)
    assert arguments.masked
    model = getattr(models, kind)(arguments, (SEGMENTS if kind == "fhvae" else SMALL) | params)
    rows = training.fit(model, dataset, {"epochs": 2, "warm_up": 1}, verbose=False)
    assert all(row["skipped_steps"] == 0.0 and np.isfinite(row["loss"]) for row in rows)
    assert np.isfinite(rows[-1]["val_heldout"])


def test_the_command_line_says_how_much_is_missing(capsys):
    from tfp_bvae.cli.fit import _note_what_is_missing

    _note_what_is_missing(SpikeDataset(ragged(), ragged(), 0.02))
    (line,) = capsys.readouterr().err.splitlines()
    assert "10 of 216 entries (4.6%) were not observed; 4 of 8 trials are shorter than 8" in line
    whole = dataclasses.replace(ragged(), encod=FULL, recon=FULL, length=None)
    _note_what_is_missing(SpikeDataset(whole, whole, 0.02))
    assert not capsys.readouterr().err


FULL = np.ones((4, 8, 4))
