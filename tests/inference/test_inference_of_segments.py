"""FHVAE: its segments are inferred one by one, and trials are put together of them."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from zoo_graphs import disturb

from tfp_bvae import data, inference, models
from tfp_bvae.inference.segments import Cut, infer_latents
from tfp_bvae.rnn import posterior_values

TRIALS, BINS, SEEN, OUTPUTS, LENGTH = 5, 7, 4, 6, 4
STARTS = [0, 2, 3]  # of the segments of a trial
SMALL = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 3, "z_encoder_units": 4, "generator_units": 5,
}  # fmt: skip


def make(**params):
    arguments = {"channels": SEEN, "outputs": OUTPUTS, "num_groups": 3}
    model = models.fhvae(arguments, SMALL | params)
    disturb(model)
    for weight in model.get_layer("p_z").weights:  # which stay at 0 in any fit
        weight.assign(tf.zeros_like(weight))
    return model


@pytest.fixture(scope="module")
def model():
    return make(segment_length=LENGTH, beta_f=0.5)


@pytest.fixture(scope="module")
def whole():
    """A model of whole trials."""
    return make()


@pytest.fixture(scope="module")
def split():
    counts = np.random.default_rng(1).poisson(1.0, [TRIALS, BINS, OUTPUTS])
    return data.Split(counts[..., :SEEN], counts, group=[0, 2, 2, 0, 7])


@pytest.fixture(scope="module")
def found(model, split):
    return inference.posterior_mean(model, split, batch_size=4)


def by_segment(model, split, start):
    """What the model itself makes of the segments that begin at one bin."""
    layers = {name: model.get_layer(name).output for name in ("f_params", "generator")}
    z = tf.nest.flatten(model.get_layer("kl_z").output)[0]
    inputs = {
        "spikes": tf.constant(split.encod[:, start : start + LENGTH]),
        "group": tf.zeros([TRIALS], tf.int32),
        "count": tf.ones([TRIALS]),
    }
    out = tf_keras.Model(model.input, layers | {"z": z})(inputs, training=False)
    q_f = model.get_layer("q_f").distribution(out["f_params"])
    return {
        "rates": model(inputs, training=False).mean().numpy(),
        "factors": out["generator"].numpy(),
        "f": q_f.mean().numpy(),
        "f_scale": q_f.stddev().numpy(),
        "z": out["z"].numpy(),
    }


def stitched(parts):
    """Overlap-add of one array for each of STARTS, bin by bin."""
    rows = []
    for t in range(BINS):
        near = [(t - start, part) for start, part in zip(STARTS, parts, strict=True)]
        near = [(k, part) for k, part in near if 0 <= k < LENGTH]
        weights = [np.sin(np.pi * (k + 0.5) / LENGTH) ** 2 for k, _ in near]
        total = sum(w * part[:, k] for w, (k, part) in zip(weights, near, strict=True))
        rows.append(total / sum(weights))
    return np.stack(rows, axis=1)


# The posterior.


def test_a_trial_is_its_segments_put_together_by_hand(model, split, found):
    parts = [by_segment(model, split, start) for start in STARTS]
    over_time = [np.repeat(part["z"][:, None], LENGTH, axis=1) for part in parts]
    expected = {
        "rates": stitched([part["rates"] for part in parts]),
        "factors": stitched([part["factors"] for part in parts]),
        "inferred": stitched(over_time),
        "f": np.mean([part["f"] for part in parts], axis=0),
        "f_scale": np.mean([part["f_scale"] ** 2 for part in parts], axis=0) ** 0.5,
    }
    assert set(found.arrays()) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(getattr(found, name), array, rtol=1e-4, atol=1e-5, err_msg=name)


def test_what_overlapping_segments_agree_on_comes_back(rng):
    trials = rng.normal(size=[3, 9, 2]).astype("float32")
    constant = rng.normal(size=[3, 2]).astype("float32")
    segments, where = data.cut_segments(trials, 4, 2)
    cut = Cut(num_trials=3, bins=9, length=4, where=where)
    of_segments = constant[where[:, 0]]
    put = cut.per_trial(
        {"rates": segments, "rates_scale": abs(segments), "inferred": of_segments,
         "f": of_segments, "f_scale": abs(of_segments)}
    )  # fmt: skip
    np.testing.assert_allclose(put["rates"], trials, rtol=1e-5)
    np.testing.assert_allclose(put["rates_scale"], abs(trials), rtol=1e-5)
    np.testing.assert_allclose(put["inferred"], np.repeat(constant[:, None], 9, 1), rtol=1e-5)
    np.testing.assert_allclose(put["f"], constant, rtol=1e-5)
    np.testing.assert_allclose(put["f_scale"], abs(constant), rtol=1e-5)


def test_groups_do_not_change_it_and_may_be_absent(model, split, found):
    unknown = inference.posterior_mean(model, data.Split(split.encod, split.recon), batch_size=4)
    for name, array in found.arrays().items():
        np.testing.assert_array_equal(unknown.arrays()[name], array, err_msg=name)


def test_sample_average_is_that_of_samples_drawn_one_by_one(model, split):
    @tf.function
    def draw(spikes):
        with posterior_values("sample"):
            inputs = {"spikes": spikes, "group": tf.zeros([TRIALS], tf.int32)}
            return model(inputs | {"count": tf.ones([TRIALS])}, training=False).mean()

    count = 300
    cuts = [tf.constant(split.encod[:, start : start + LENGTH]) for start in STARTS]
    samples = [np.stack([draw(cut).numpy() for _ in range(count)]) for cut in cuts]
    mean = stitched([sample.mean(axis=0) for sample in samples])
    scale = stitched([sample.var(axis=0, ddof=1) for sample in samples]) ** 0.5
    average = inference.sample_and_average(model, split, count, samples_at_once=100)
    z = (average.rates - mean) / (scale * np.sqrt(2 / count))
    assert scale.min() > 1e-3 and np.abs(z).max() < 5.5 and z.std() < 1.3
    np.testing.assert_allclose(average.rates_scale, scale, rtol=0.5)
    assert (average.inferred_scale > 0).all() and (average.factors_scale > 0).all()
    assert average.initial_state is None


def test_whole_trials_are_what_predict_gives(whole, split):
    found = inference.posterior_mean(whole, split)
    inputs, _ = models.model_arrays(whole, split)
    rates = whole.predict(inputs, verbose=0)
    np.testing.assert_allclose(found.rates, rates, rtol=1e-4)
    np.testing.assert_array_equal(found.inferred, np.repeat(found.inferred[:, :1], BINS, axis=1))
    one = data.Split(split.encod[:, :1], split.recon[:, :1])
    assert inference.posterior_mean(whole, one).rates.shape == (TRIALS, 1, OUTPUTS)


def test_scores_and_files_are_of_whole_trials(model, split, found, tmp_path):
    scores = inference.score(model, split, found.rates)
    assert set(scores) == {"bits_per_spike", "bits_per_spike_held_out"}
    assert scores["bits_per_spike"] == data_bits(found.rates, split.recon)
    inference.write_posterior(tmp_path / "p.h5", {"valid": found})
    arrays, _ = data.read_arrays(tmp_path / "p.h5")
    np.testing.assert_array_equal(arrays["valid_inferred"], found.inferred)


def data_bits(rates, spikes):
    mean = spikes.mean(axis=(0, 1))
    gain = (spikes * np.log(rates / mean) - rates + mean).sum() / np.log(2)
    return pytest.approx(gain / spikes.sum(), rel=1e-4)


# Trials that it makes up.


@pytest.mark.parametrize(
    "f, z, bins, said",
    [
        (np.zeros([2, 4]), np.zeros([2, 3]), 4, r"f must have shape \[any, 2\], got shape \(2, 4"),
        (np.zeros([2, 2]), np.zeros([2, 4, 3]), 4, r"z must have shape \[2, 3\], got shape \(2, 4"),
        (np.zeros([2, 2]), np.zeros([3, 3]), 4, r"z must have shape \[2, 3\]"),
        (np.zeros([2, 2]), None, 4, r"z must have shape \[2, 3\], got None"),
        (np.zeros([2, 2]), np.zeros([2, 3]), None, "num_timesteps must be given for a model of"),
        (np.zeros([2, 2]), np.zeros([2, 3]), 0, "num_timesteps must be a whole number of at"),
    ],
)
def test_decoding_refuses_what_is_no_segment(model, f, z, bins, said):
    with pytest.raises(ValueError, match=said):
        inference.decode(model, f, z, bins)


def test_swapping_goes_segment_by_segment(model, split, found):
    unchanged = inference.swap(model, split, source=np.arange(TRIALS), batch_size=4)
    np.testing.assert_allclose(unchanged.rates, found.rates, rtol=1e-4)
    swapped = inference.swap(model, split, batch_size=4)
    assert (swapped.source != np.arange(TRIALS)).all()
    np.testing.assert_array_equal(swapped.f, found.f)
    np.testing.assert_allclose(swapped.z, found.inferred[swapped.source], rtol=1e-5, atol=1e-6)
    parts = [by_segment(model, split, start) for start in STARTS]
    decoded = [
        inference.decode(model, part["f"], part["z"][swapped.source], LENGTH) for part in parts
    ]
    np.testing.assert_allclose(swapped.rates, stitched(decoded), rtol=1e-4)


def test_traversal_moves_all_segments_over_the_prior_of_any_group(model, split):
    moved = inference.traverse(model, split, num_steps=3, batch_size=4)
    np.testing.assert_allclose(moved.values, [[-2 * 1.25**0.5, 0, 2 * 1.25**0.5]] * 2, rtol=1e-5)
    assert moved.rates.shape == (2, 3, TRIALS, BINS, OUTPUTS) and (moved.effect > 0).all()
    parts = [by_segment(model, split, start) for start in STARTS]
    f = [np.stack([part["f"][:, 0], np.full(TRIALS, 2 * 1.25**0.5)], axis=1) for part in parts]
    decoded = [
        inference.decode(model, moved_f, part["z"], LENGTH)
        for moved_f, part in zip(f, parts, strict=True)
    ]
    np.testing.assert_allclose(moved.rates[1, 2], stitched(decoded), rtol=1e-4)


def test_generated_trials_are_each_a_group_of_their_own(model):
    one, again = (inference.generate(model, 500, 6, seed=3) for _ in range(2))
    other = inference.generate(model, 500, 6, seed=4)
    np.testing.assert_array_equal(one.rates, again.rates)
    assert (one.f != other.f).all() and (one.z != other.z).all()
    assert one.z.shape == (500, 6, 3) and one.rates.shape == (500, 6, OUTPUTS)
    for x, scale in ((one.f, 1.25**0.5), (one.z[:, 0], 1.0)):
        assert (np.abs(x.mean(0)) < 4 * scale / 500**0.5).all()
        np.testing.assert_allclose(x.std(0), scale, rtol=4 / (2 * 500) ** 0.5)
    np.testing.assert_array_equal(one.z, np.repeat(one.z[:, :1], 6, axis=1))
    np.testing.assert_allclose(inference.decode(model, one.f, one.z[:, 0], 6), one.rates, rtol=1e-5)


# Groups.


def test_group_means_are_those_of_the_formula(model, split):
    f = np.stack([by_segment(model, split, start)["f"] for start in STARTS], axis=1)
    groups, means = inference.group_means(model, split, batch_size=4)
    assert groups.tolist() == [0, 2, 7]
    for group, mean in zip(groups, means, strict=True):
        members = f[split.group == group].reshape(-1, 2)
        shrunk = members.sum(axis=0) / (len(members) + 0.5**2 / 0.5)  # s^2 / beta_f
        np.testing.assert_allclose(mean, shrunk, rtol=1e-4, atol=1e-6)
    partly = data.Split(split.encod, split.recon, group=[-1, 2, 2, -1, 7])
    some, same = inference.group_means(model, partly, batch_size=4)
    assert some.tolist() == [2, 7]
    np.testing.assert_allclose(same, means[1:], rtol=1e-5)


def test_translation_moves_f_by_the_difference_and_nothing_else(model, split, found):
    home = inference.translate(model, split, split.group, batch_size=4)
    np.testing.assert_allclose(home.rates, found.rates, rtol=1e-4)
    groups, means = inference.group_means(model, split, batch_size=4)
    own = means[np.searchsorted(groups, split.group)]
    away = inference.translate(model, split, 7, batch_size=4)
    np.testing.assert_allclose(away.f - found.f, means[2] - own, atol=1e-5)
    np.testing.assert_array_equal(away.z, found.inferred)
    parts = [by_segment(model, split, start) for start in STARTS]
    decoded = [
        inference.decode(model, part["f"] + means[2] - own, part["z"], LENGTH) for part in parts
    ]
    np.testing.assert_allclose(away.rates, stitched(decoded), rtol=1e-4)
    each = inference.translate(model, split, np.array([7, 7, 0, 0, 2]), batch_size=4)
    np.testing.assert_allclose(each.rates[:2], away.rates[:2], rtol=1e-5)


def test_a_reference_may_hold_groups_that_the_trials_are_not_of(model, split, found):
    here, there = split.select([0, 3]), split.select([1, 2])
    moved = inference.translate(model, here, 2, reference=there, batch_size=4)
    (_, own), (_, target) = (inference.group_means(model, x, 4) for x in (here, there))
    np.testing.assert_allclose(moved.f - found.f[[0, 3]], np.repeat(target - own, 2, 0), atol=1e-5)


def test_what_has_no_group_is_refused(model, split, make_model):
    none = data.Split(split.encod, split.recon)
    unknown = data.Split(split.encod, split.recon, group=[0, 1, -1, 0, 1])
    for said, act in (
        ("split must have groups", lambda: inference.group_means(model, none)),
        ("split must have groups", lambda: inference.translate(model, none, 0)),
        ("reference must have groups", lambda: inference.translate(model, split, 0, none)),
        ("model must have groups", lambda: inference.group_means(make_model(), split)),
        ("a known group, got 1 of", lambda: inference.group_means(model, unknown.select([2]))),
        ("got -1 for trial 2: number its group", lambda: inference.translate(model, unknown, 0)),
        ("one of the 3 groups .* got 5: give a", lambda: inference.translate(model, split, 5)),
        ("target must be the number of a gr", lambda: inference.translate(model, split, [0, 2])),
        ("target must be the number of a gr", lambda: inference.translate(model, split, 0.5)),
    ):
        with pytest.raises(ValueError, match=said):
            act()
    with pytest.raises(ValueError, match="beta_f of the model must be above 0"):
        inference.group_means(make(beta_f=0.0), split)


def test_the_latents_of_segments_are_in_the_order_of_trials(model, split):
    latents = infer_latents(model, split, batch_size=4)
    assert latents.cut.where.tolist() == [[i, start] for i in range(TRIALS) for start in STARTS]
    assert latents.cut.rows(np.array([2, 0])).tolist() == [6, 7, 8, 0, 1, 2]
    assert latents.cut.trial_of().tolist() == np.repeat(np.arange(TRIALS), 3).tolist()
    for place, start in enumerate(STARTS):
        part = by_segment(model, split, start)
        np.testing.assert_allclose(latents.f[place::3], part["f"], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(latents.z[place::3], part["z"], rtol=1e-4, atol=1e-5)
