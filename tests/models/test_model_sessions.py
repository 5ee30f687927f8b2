"""Models of several sessions: laws over all four."""

import numpy as np
import pytest
import tf_keras
from zoo import SMALL

from tfp_bvae import data, inference, models, training

CHANNELS = {"a": (4, 6), "b": (3, 4)}  # encoded and predicted
STEPS, TRIALS = 8, (6, 4)
NAMES = list(models.RECIPES)
# LFADS and FHVAE have all that differs; the two forms of DSAE are slow ones.
MOSTLY = [
    pytest.param(name, marks=pytest.mark.slow) if name.startswith("dsae") else name
    for name in NAMES
]


def session(rng, encoded, predicted):
    """Counts of one session, in two conditions."""

    def split(count):
        recon = rng.poisson(1.0, [count, STEPS, predicted]).astype("float32")
        return data.Split(recon[:, :, :encoded], recon)

    attrs = {
        f"{side}_condition": np.arange(n) % 2
        for side, n in zip(("train", "valid"), TRIALS, strict=True)
    }
    return data.SpikeDataset(*map(split, TRIALS), 0.02, attrs)


@pytest.fixture(scope="module")
def joined():
    rng = np.random.default_rng(0)
    return data.join_sessions({name: session(rng, *sizes) for name, sizes in CHANNELS.items()})


def build(name, dataset, arguments=None, **params):
    recipe = models.RECIPES[name]
    if recipe.of_groups:
        dataset = data.with_groups(dataset, by="session")
        params |= {"segment_length": 5, "segment_stride": 3}
    found = training.data_arguments(dataset).replace(arguments or {})
    sizes = SMALL | ({"coordinated_dropout": 0.0} if found.importance_weighted else {})
    mean = training.mean_rates(dataset.train, found.num_sessions)
    model = recipe.build(found, recipe.params(sizes | params), mean_rates=mean)
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    return model, dataset


@pytest.fixture(scope="module", params=MOSTLY)
def built(request, joined):
    return build(request.param, joined)


def test_each_session_has_weights_of_its_own_and_nothing_else_has(built):
    model, dataset = built
    before = inference.posterior_mean(model, dataset.valid)
    layers = [model.get_layer(name) for name in ("input_factors", "log_rate")]
    kept = [layer.get_weights() for layer in layers]
    for layer in layers:
        layer.kernel.assign(layer.kernel * np.array([1.0, 2.0])[:, np.newaxis, np.newaxis])
    after = inference.posterior_mean(model, dataset.valid)
    for layer, weights in zip(layers, kept, strict=True):
        layer.set_weights(weights)
    other = dataset.valid.session == 1
    for x, y in ((before.rates, after.rates), (before.f, after.f)):
        np.testing.assert_array_equal(x[~other], y[~other])
        assert (x[other] != y[other]).any()


def test_all_that_is_inferred_or_made_up_knows_its_session(built):
    model, dataset = built
    split = dataset.valid
    found = inference.posterior_mean(model, split)
    assert np.isfinite(found.rates).all()
    own = inference.swap(model, split, source=np.arange(split.num_trials))
    np.testing.assert_allclose(own.rates, found.rates, rtol=1e-4)
    assert np.isfinite(inference.traverse(model, split, num_steps=2).rates).all()
    averaged = inference.sample_and_average(model, split, num_samples=3)
    assert averaged.rates.shape == found.rates.shape
    assert np.isfinite(inference.log_likelihood(model, split, num_samples=2).elbo).all()
    zero, one = (inference.generate(model, 3, STEPS, session=s).rates for s in (0, 1))
    mixed = inference.generate(model, 3, STEPS, session=np.array([0, 1, 0])).rates
    np.testing.assert_allclose(mixed, np.stack([zero[0], one[1], zero[2]]), rtol=1e-5)
    assert (zero != one).any()


def test_a_session_that_the_model_does_not_know(built):
    model, dataset = built
    with pytest.raises(ValueError, match=r"session must be a number of 0 to 1.*got 2"):
        inference.generate(model, 3, STEPS, session=2)
    with pytest.raises(ValueError, match=r"session must be a number of 0 to 1.*got None"):
        inference.generate(model, 3, STEPS)
    trials = dataset.valid.select([0])
    for session, message in ((np.array([2]), "one of the 2 of the model"), (None, "have sessions")):
        changed = data.Split(trials.encod, trials.recon, group=trials.group, session=session)
        with pytest.raises(ValueError, match=message):
            inference.posterior_mean(model, changed)


def test_the_model_survives_its_file(built, tmp_path):
    model, dataset = built
    model.save(tmp_path / "model.keras")
    again = tf_keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(
        inference.posterior_mean(again, dataset.valid).rates,
        inference.posterior_mean(model, dataset.valid).rates,
        rtol=1e-6,
    )


def test_read_outs_start_at_the_means_of_each_session(joined):
    means = training.mean_rates(joined.train, 2)
    model = models.lfads(training.data_arguments(joined), SMALL, means)
    bias = model.get_layer("log_rate").bias.numpy()
    rows, channels = data.session_part(joined, "train", "b")
    expected = joined.train.recon[rows][:, :, channels].mean((0, 1))
    np.testing.assert_allclose(np.exp(bias[1, channels]), expected, rtol=1e-5)
    one_for_all = models.lfads(training.data_arguments(joined), SMALL, means[0])
    np.testing.assert_array_equal(one_for_all.get_layer("log_rate").bias.numpy()[1], bias[0])
    with pytest.raises(ValueError, match=r"shape \(6,\) or \(2, 6\), got \(3, 6\)"):
        models.lfads(training.data_arguments(joined), SMALL, np.ones([3, 6]))


def test_data_say_how_many_sessions_they_are_of(joined):
    assert training.data_arguments(joined).num_sessions == 2
    alone = data.split_sessions(joined)["a"]
    assert training.data_arguments(alone).num_sessions is None
    placed = data.as_session(alone, 0, 4, 6)
    assert training.data_arguments(placed).num_sessions is None  # one: nothing to tell apart


def test_input_factors_are_as_many_as_factors_unless_told(joined):
    arguments = training.data_arguments(joined)
    for given, found in (({}, 3), ({"input_factors": 7}, 7)):
        model = models.lfads(arguments, SMALL | given)
        assert model.hyperparameters["params"]["input_factors"] == found
        assert model.get_layer("input_factors").kernel.shape == (2, 4, found)


def test_settings_that_do_not_go_together():
    with pytest.raises(ValueError, match="likelihood must be 'poisson' with num_sessions"):
        models.Arguments(num_sessions=2, likelihood="gaussian")
    with pytest.raises(ValueError, match="fixed_sessions must go with num_sessions"):
        models.Arguments(fixed_sessions=1)
    with pytest.raises(ValueError, match=r"fixed_sessions must be in \[0, 1\], got 2"):
        models.Arguments(num_sessions=2, fixed_sessions=2)
