"""A common start for sessions, against scikit-learn and against a known mixing."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from tfp_bvae import data, models, training
from tfp_bvae.data.alignment import filled, log_rates
from tfp_bvae.training.alignment import start_sessions

STEPS, CONDITIONS = 12, 4
SIZES = {
    "f_size": 3, "f_encoder_units": 4, "z_size": 1, "z_encoder_units": 4, "controller_units": 4,
    "generator_units": 6, "factors": 5, "input_factors": 3,
}  # fmt: skip


def sessions(rng, channels=(9, 9), trials=40, noise=True, conditions=None):
    """Sessions that mix the same two paths of each condition otherwise."""
    time = np.linspace(0, 2 * np.pi, STEPS)
    phase = np.arange(CONDITIONS)[:, np.newaxis]
    paths = np.stack([np.sin(time + phase), np.cos(2 * time - phase)], axis=-1)
    found = {}
    for index, width in enumerate(channels):
        rates = np.exp(0.5 * paths @ rng.normal(size=[2, width]))  # [condition, time, channel]
        condition = np.tile(np.arange(CONDITIONS), trials // CONDITIONS)
        condition = condition if conditions is None else conditions[index][condition]
        drawn = rng.poisson(rates[condition % CONDITIONS]) if noise else rates[condition]
        split = data.Split(drawn, drawn)
        attrs = {"train_condition": condition, "valid_condition": condition}
        found["abcd"[index]] = data.SpikeDataset(split, split, 0.02, attrs)
    return found


@pytest.fixture
def joined(rng):
    return data.join_sessions(sessions(rng))


def model_for(dataset, arguments=None, **params):
    found = training.data_arguments(dataset).replace(arguments or {})
    means = training.mean_rates(dataset.train, found.num_sessions)
    return models.lfads(found, SIZES | params, means)


def averages_of(dataset, smoothing=0.0):
    condition = dataset.attrs["train_condition"]
    return data.condition_averages(dataset.train, condition, smoothing)


def test_averages_are_the_means_over_the_trials_of_a_condition(joined):
    labels, averages = averages_of(joined)
    assert labels.tolist() == [0, 1, 2, 3]
    chosen = (joined.train.session == 1) & (joined.attrs["train_condition"] == 2)
    np.testing.assert_allclose(averages[1, 2], joined.train.recon[chosen].mean(0), rtol=1e-6)


def test_smoothing_keeps_what_is_constant_and_spreads_a_pulse():
    recon = np.ones([2, STEPS, 2])
    recon[:, 6, 1] = 13.0
    split = data.Split(recon, recon, session=np.array([0, 1]))
    _, averages = data.condition_averages(split, np.zeros(2), smoothing=1.5)
    np.testing.assert_allclose(averages[0, 0, :, 0], 1.0)
    pulse = averages[0, 0, :, 1] - 1.0
    bins = np.arange(STEPS)
    weights = np.exp(-0.5 * ((bins[:, np.newaxis] - bins) / 1.5) ** 2)
    np.testing.assert_allclose(pulse, 12 * weights[:, 6] / weights.sum(1))


def test_what_was_not_observed_has_no_part_in_an_average(joined, rng):
    recon = joined.train.recon.copy()
    missing = rng.random(recon.shape) < 0.2
    recon[missing] = np.nan
    split = data.Split(recon, recon, session=joined.train.session)
    condition = joined.attrs["train_condition"]
    _, averages = data.condition_averages(split, condition, 0.0)
    chosen = (split.session == 0) & (condition == 1)
    np.testing.assert_allclose(averages[0, 1], np.nanmean(recon[chosen], 0), rtol=1e-6)


def test_conditions_that_a_session_lacks_are_left_out(rng):
    both = sessions(rng, conditions=[np.arange(4), np.array([2, 3, 4, 5])])
    labels, averages = averages_of(data.join_sessions(both))
    assert labels.tolist() == [2, 3] and averages.shape[:2] == (2, 2)


def test_read_ins_are_those_of_scikit_learn(joined):
    _, averages = averages_of(joined)
    alignment = data.principal_component_regression(averages, 9, 3, ridge=1.0)
    flat = [session.reshape(-1, 9) for session in averages]
    scores = PCA(3).fit_transform(np.concatenate(flat, axis=1))
    scores /= np.sqrt(np.mean(scores**2))
    found = alignment.components.reshape(-1, 3)
    signs = np.sign((scores * found).sum(0))
    np.testing.assert_allclose(found, scores * signs, rtol=1e-8, atol=1e-10)
    for x, (kernel, bias) in zip(flat, alignment.read_in, strict=True):
        ridge = Ridge(alpha=1.0).fit(x, found)
        np.testing.assert_allclose(kernel, ridge.coef_.T, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(bias, ridge.intercept_, rtol=1e-8, atol=1e-10)
    unit = found / found.std(0)
    for x, (kernel, _) in zip(flat, alignment.read_out, strict=True):
        ridge = Ridge(alpha=1.0).fit(unit, log_rates(x))
        np.testing.assert_allclose(kernel, ridge.coef_.T, rtol=1e-8, atol=1e-10)


def test_sessions_read_the_same_components_of_the_same_conditions(rng):
    joined = data.join_sessions(sessions(rng, channels=(9, 6), noise=False))
    model = model_for(joined)
    training.align_sessions(model, joined, smoothing=0.0)
    layer = model.get_layer("input_factors")
    _, averages = averages_of(joined)
    read = [
        filled(x.reshape(-1, 9)) @ layer.kernel.numpy()[s] + layer.bias.numpy()[s]
        for s, x in enumerate(averages)
    ]
    same = np.corrcoef(read[0].T, read[1].T)[:3, 3:]
    assert np.diag(same)[:2].min() > 0.97  # of the two paths; the third is what exp makes of them
    assert not np.any(layer.kernel.numpy()[1, 6:])  # channels that the narrow session does not have


def test_read_outs_of_all_sessions_mean_the_same_by_a_factor(rng):
    joined = data.join_sessions(sessions(rng, noise=False))
    model = model_for(joined)
    bias = model.get_layer("log_rate").bias.numpy()
    training.align_sessions(model, joined, smoothing=0.0)
    kernels = model.get_layer("log_rate").kernels.numpy()  # [session, factor, channel]
    np.testing.assert_array_equal(model.get_layer("log_rate").bias, bias)
    # three components of the averages make the log-rates of both sessions, by the same factors
    _, averages = averages_of(joined)
    logs = [log_rates(x.reshape(-1, 9)) for x in averages]
    logs = [x - x.mean(0) for x in logs]
    factors = np.linalg.lstsq(kernels[0].T, logs[0].T, rcond=1e-6)[0].T
    explained = 1 - np.var(logs[1] - factors @ kernels[1]) / np.var(logs[1])
    assert explained > 0.9


def test_few_components_leave_the_rest_as_it_was(rng):
    joined = data.join_sessions(sessions(rng, channels=(2, 2)))
    model = model_for(joined, input_factors=6)
    before = model.get_layer("input_factors").kernel.numpy()
    training.align_sessions(model, joined)
    after = model.get_layer("input_factors").kernel.numpy()
    np.testing.assert_array_equal(before[:, :, 4:], after[:, :, 4:])
    assert (before[:, :, :4] != after[:, :, :4]).all()


FIT = {"epochs": 1, "warm_up": 0, "jit_compile": False}


def test_a_fit_aligns_once_and_by_what_it_is_told(joined):
    model = model_for(joined)
    training.fit(model, joined, FIT, verbose=False)
    assert model.hyperparameters["aligned_by"] == "auto"
    aligned = model_for(joined)
    training.align_sessions(aligned, joined)
    started = aligned.get_layer("input_factors").kernel.numpy()
    fitted = model.get_layer("input_factors").kernel.numpy()
    assert abs(fitted - started).max() < 0.1  # two steps away
    start_sessions(model, joined, training.FitSettings.of(FIT))  # what a second fit begins with
    np.testing.assert_array_equal(model.get_layer("input_factors").kernel, fitted)
    random = model_for(joined)
    before = random.get_layer("input_factors").kernel.numpy()
    start_sessions(random, joined, training.FitSettings(align_by="none"))
    np.testing.assert_array_equal(random.get_layer("input_factors").kernel, before)


def test_sessions_without_conditions_start_at_random_and_say_so(joined):
    bare = data.SpikeDataset(joined.train, joined.valid, joined.bin_width)
    with pytest.warns(UserWarning, match="sessions start at random: data.attrs must have"):
        start_sessions(model_for(bare), bare, training.FitSettings())
    with pytest.raises(KeyError, match="must have train_reach"):
        start_sessions(model_for(bare), bare, training.FitSettings(align_by="reach"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        start_sessions(model_for(bare), bare, training.FitSettings(align_by="none"))


def test_what_cannot_be_aligned(joined, rng):
    with pytest.raises(ValueError, match="model must have sessions"):
        training.align_sessions(models.lfads({"channels": 9}, SIZES), joined)
    apart = sessions(rng, conditions=[np.arange(4), np.arange(4, 8)])
    other = data.join_sessions(apart)
    with pytest.raises(ValueError, match="got 2 sessions and 0 such conditions"):
        training.align_sessions(model_for(other), other)


def test_segments_are_aligned_by_their_place_in_the_trial(joined):
    grouped = data.with_groups(joined, by="session")
    params = {"segment_length": 6, "segment_stride": 3, "input_factors": 3}
    recipe = models.RECIPES["fhvae"]
    arguments = training.data_arguments(grouped)
    model = recipe.build(arguments, recipe.params(params))
    before = model.get_layer("input_factors").kernel.numpy()
    training.align_sessions(model, grouped)
    assert (before != model.get_layer("input_factors").kernel.numpy()).all()
