"""A session more for a fitted model: what stays, and what is learned."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from zoo import SMALL

from tfp_bvae import data, inference, models, training

STEPS, TRIALS = 6, 8
OLD = {"a": (4, 6), "b": (3, 4)}  # channels encoded and predicted


def session(rng, encoded, predicted):
    recon = rng.poisson(1.0, [TRIALS, STEPS, predicted]).astype("float32")
    split = data.Split(recon[:, :, :encoded], recon)
    condition = np.arange(TRIALS) % 2
    attrs = {"train_condition": condition, "valid_condition": condition}
    return data.SpikeDataset(split, split, 0.02, attrs)


@pytest.fixture(scope="module")
def sessions():
    rng = np.random.default_rng(0)
    return {name: session(rng, *sizes) for name, sizes in (OLD | {"new": (5, 9)}).items()}


def disturbed(name, dataset):
    """A model whose weights are anywhere, as those of a fitted one."""
    recipe = models.RECIPES[name]
    model = recipe.build(
        training.data_arguments(dataset), recipe.params(SMALL | {"input_factors": 3})
    )
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if weight.dtype.is_floating:
            weight.assign(weight + 0.2 * rng.uniform(size=weight.shape))
    return model


def grouped(name, dataset):
    of_groups = models.RECIPES[name].of_groups
    return data.with_groups(dataset, by="session") if of_groups else dataset


def three_of(name, sessions):
    two = grouped(name, data.join_sessions({key: sessions[key] for key in OLD}))
    three = grouped(name, data.join_sessions(sessions))
    model = disturbed(name, two)
    means = training.mean_rates(three.train, 3)
    return model, models.add_session(model, training.data_arguments(three), means), two, three


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name.startswith("dsae") else name
        for name in models.RECIPES
    ],
)
def test_old_sessions_are_what_they_were(name, sessions):
    model, wider, two, three = three_of(name, sessions)
    for number, key in enumerate(OLD):
        rates = []
        for fitted, dataset in ((model, two), (wider, three)):
            found = inference.posterior_mean(fitted, dataset.valid)
            rows, channels = data.session_part(dataset, "valid", number)
            rates.append(found.rates[rows][:, :, channels])
        np.testing.assert_allclose(*rates, rtol=1e-4, err_msg=key)
    trained = {weight.name.split(":")[0] for weight in wider.trainable_weights}
    ends = ("input_factors", "log_rate")
    assert trained == {f"{end}/{name}" for end in ends for name in ("kernel", "bias")}


def test_a_fit_moves_the_new_rows_alone_whatever_decays(sessions):
    params = {"l2_generator": 1.0, "l2_controller": 1.0}
    two = data.join_sessions({key: sessions[key] for key in OLD})
    model = models.lfads(training.data_arguments(two), SMALL | params)
    three = data.join_sessions(sessions)
    means = training.mean_rates(three.train, 3)
    wider = models.add_session(model, training.data_arguments(three), means)
    layers = [wider.get_layer(name) for name in ("input_factors", "log_rate")]
    training.align_sessions(wider, three)
    new = {layer.name: layer.kernel.numpy() for layer in layers}
    kept = {
        f"{layer.name} {index}": weight.numpy()
        for layer in wider.layers
        for index, weight in enumerate(layer.weights)
        if not any(weight is trained for trained in wider.trainable_weights)
        and weight.dtype.is_floating
        and "beta" not in weight.name
    }
    settings = {"epochs": 3, "warm_up": 0, "weight_decay": 0.1, "jit_compile": False}
    training.fit(wider, three, settings, verbose=False)
    for layer in wider.layers:
        for index, weight in enumerate(layer.weights):
            before = kept.get(f"{layer.name} {index}")
            if before is not None:
                np.testing.assert_array_equal(before, weight.numpy(), err_msg=weight.name)
    assert len(kept) > 20
    for layer in layers:
        assert (layer.kernel.numpy() != new[layer.name]).any()


def test_a_new_session_starts_where_the_fitted_model_is(sessions):
    """Its read-in finds what old ones read; its read-out is a regression on the old factors."""
    rng = np.random.default_rng(2)
    rates = 5.0 * np.exp(0.5 * rng.normal(size=[2, STEPS, 5]))
    condition = np.arange(400) % 2
    split = data.Split(*[rng.poisson(rates[condition]).astype("float32")] * 2)
    attrs = {"train_condition": condition, "valid_condition": condition}
    same = data.SpikeDataset(split, split, 0.02, attrs)
    two = data.join_sessions({"a": same, "b": same})
    model = disturbed("lfads", two)
    three = data.join_sessions({"a": same, "b": same, "c": same})
    wider = models.add_session(model, training.data_arguments(three))
    training.align_sessions(wider, three, smoothing=0.0)
    layer = wider.get_layer("input_factors")
    kernels, biases = layer.kernels.numpy(), layer.biases.numpy()
    mean = rates.reshape(-1, 5)
    old = np.mean([mean @ kernels[s] + biases[s] for s in (0, 1)], axis=0)
    assert np.var(mean @ kernels[2] + biases[2] - old) < 0.02 * np.var(old)

    factors = inference.posterior_mean(model, two.train).factors
    means = [factors[two.attrs["train_condition"] == c].mean(0) for c in (0, 1)]
    counts = [split.recon[condition == c].mean(0) for c in (0, 1)]
    ridge = Ridge(alpha=1.0).fit(np.concatenate(means), np.log(np.concatenate(counts)))
    layer = wider.get_layer("log_rate")
    np.testing.assert_allclose(layer.kernels[2], ridge.coef_.T, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(layer.biases[2], ridge.intercept_, rtol=1e-3)


def test_two_sessions_can_follow_and_then_one_more(sessions):
    dataset = data.join_sessions({"a": sessions["a"]})
    arguments = training.data_arguments(dataset).replace({"num_sessions": 1})
    model = models.lfads(arguments, SMALL)
    three = data.join_sessions({key: sessions[key] for key in ("a", "b", "new")})
    wider = models.add_session(model, training.data_arguments(three))
    assert wider.get_layer("log_rate").kernel.shape[0] == 2
    four = data.join_sessions(sessions | {"again": sessions["a"]})
    widest = models.add_session(wider, training.data_arguments(four))
    assert widest.get_layer("log_rate").fixed_kernel.shape[0] == 3
    np.testing.assert_array_equal(
        widest.get_layer("input_factors").kernels[1:3],
        wider.get_layer("input_factors").kernel,
    )


def test_without_old_trials_a_new_session_starts_at_random(sessions):
    _, wider, _, _ = three_of("lfads", sessions)
    alone = data.as_session(sessions["new"], 2, 5, 9)
    settings = {"epochs": 1, "warm_up": 0, "jit_compile": False}
    with pytest.warns(UserWarning, match="at random: data must have trials of 3 sessions"):
        training.fit(wider, alone, settings, verbose=False)
    old = data.as_session(sessions["a"], 0, 5, 9)
    with pytest.raises(ValueError, match="train must have trials of session 2 or later, got none"):
        training.fit(wider, old, settings, verbose=False)


def test_what_does_not_go_together(sessions):
    arguments = {"channels": 4, "outputs": 6, "num_sessions": 2}
    model = models.lfads(arguments, SMALL)
    for change, message in (
        ({"num_sessions": 2}, "num_sessions must be in"),
        ({"num_sessions": 3, "channels": 3}, "channels must be in"),
        ({"num_sessions": 3, "outputs": 5}, "outputs that are not encoded must be in"),
        ({"num_sessions": 3, "forward_bins": 1}, "forward_bins must be that of the model, 0"),
        ({"num_sessions": 3, "num_groups": 2}, "num_groups must be given for a model of groups"),
    ):
        with pytest.raises(ValueError, match=message):
            models.add_session(model, arguments | change)
    with pytest.raises(ValueError, match="model must have sessions"):
        models.add_session(models.lfads({"channels": 4}, SMALL), arguments)
