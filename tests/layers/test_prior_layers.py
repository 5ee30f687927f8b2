"""Prior layers: their weights, and the distributions these mean."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from tfp_bvae.distributions import AR1Process, AR1ProcessTriL, TiledMVNDiag, TiledMVNTriL
from tfp_bvae.layers import AR1Prior, LearnableMVNPrior, StandardNormalPrior, TiledMVNPrior

SIZE, STEPS = 2, 5


@pytest.fixture
def x():
    return tf.zeros([3, STEPS, 1], tf.float64)


def weights(layer):
    return {weight.name.split("/")[-1].split(":")[0]: weight for weight in layer.weights}


def test_an_ar1_prior_is_the_process_of_its_weights(x, rng):
    layer = AR1Prior(SIZE, tau=7.0, innovation_scale=0.2, dtype="float64")
    path = rng.normal(size=[3, STEPS, SIZE])
    expected = AR1Process(np.array([7.0, 7.0]), np.array([0.2, 0.2]), STEPS)
    np.testing.assert_allclose(layer(x).log_prob(path), expected.log_prob(path), rtol=1e-10)
    weights(layer)["log_tau"].assign(np.log([3.0, 30.0]))
    weights(layer)["log_innovation_scale"].assign(np.log([0.5, 1.5]))
    expected = AR1Process(np.array([3.0, 30.0]), np.array([0.5, 1.5]), STEPS)
    np.testing.assert_allclose(layer(x).log_prob(path), expected.log_prob(path), rtol=1e-10)


@pytest.mark.parametrize("make, shape", [(LearnableMVNPrior, []), (TiledMVNPrior, [STEPS])])
def test_a_gaussian_prior_is_that_of_its_weights(make, shape, x, rng):
    layer = make(SIZE, scale=0.3, dtype="float64")
    assert layer(x).event_shape == [*shape, SIZE]
    np.testing.assert_allclose(layer(x).stddev(), np.full([*shape, SIZE], 0.3), rtol=1e-12)
    assert not np.any(layer(x).mean())
    weights(layer)["loc"].assign([1.0, -2.0])
    weights(layer)["log_scale"].assign(np.log([0.1, 0.9]))
    np.testing.assert_allclose(layer(x).mean(), np.broadcast_to([1.0, -2.0], [*shape, SIZE]))
    np.testing.assert_allclose(
        layer(x).stddev(), np.broadcast_to([0.1, 0.9], [*shape, SIZE]), rtol=1e-12
    )


BELOW, LOG_SCALE = np.array([0.3, -0.2, 0.5]), np.log([0.1, 0.9, 2.0])
FACTOR = np.exp(LOG_SCALE)[:, None] * np.array([[1, 0, 0], [0.3, 1, 0], [-0.2, 0.5, 1]])


@pytest.mark.parametrize(
    "make, kind, expected",
    [
        (LearnableMVNPrior, tfd.MultivariateNormalTriL,
         lambda: tfd.MultivariateNormalTriL(np.zeros(3), FACTOR)),
        (TiledMVNPrior, TiledMVNTriL, lambda: TiledMVNTriL(np.zeros(3), FACTOR, STEPS)),
        (AR1Prior, AR1ProcessTriL, lambda: AR1ProcessTriL(np.full(3, 10.0), FACTOR, STEPS)),
    ],
)  # fmt: skip
def test_a_full_covariance_is_that_of_its_weights(make, kind, expected, x, rng):
    layer = make(3, covariance="full", dtype="float64")
    simple = make(3, dtype="float64")
    path = rng.normal(size=[3, *layer(x).event_shape])
    assert isinstance(layer(x).tensor_distribution, kind)
    np.testing.assert_allclose(layer(x).log_prob(path), simple(x).log_prob(path), rtol=1e-10)
    weights(layer)["below"].assign(BELOW)
    name = "log_innovation_scale" if make is AR1Prior else "log_scale"
    weights(layer)[name].assign(LOG_SCALE)
    np.testing.assert_allclose(layer(x).log_prob(path), expected().log_prob(path), rtol=1e-10)


@pytest.mark.parametrize("make", [AR1Prior, LearnableMVNPrior, TiledMVNPrior])
def test_a_full_covariance_trains_with_its_scale(make, x):
    for trains in (True, False):
        layer = make(SIZE, covariance="full", trainable_scale=trains)
        layer(x)
        assert weights(layer)["below"].trainable == trains
        assert weights(layer)["below"].shape == (1,)
    assert make(1, covariance="full")(x).event_shape[-1] == 1  # there is nothing below


def test_the_standard_normal_is_one_at_every_step_and_learns_nothing(x, rng):
    layer = StandardNormalPrior(SIZE, dtype="float64")
    path = rng.normal(size=[3, STEPS, SIZE])
    expected = (-0.5 * path**2 - 0.5 * np.log(2 * np.pi)).sum((1, 2))
    np.testing.assert_allclose(layer(x).log_prob(path), expected, rtol=1e-12)
    assert layer.weights == [] and layer(x).event_shape == (STEPS, SIZE)
    with pytest.raises(TypeError, match="covariance"):
        StandardNormalPrior(SIZE, covariance="full")


def test_the_tiled_prior_is_one_of_tiled_paths(x):
    assert isinstance(TiledMVNPrior(SIZE)(x).tensor_distribution, TiledMVNDiag)


@pytest.mark.parametrize(
    "make, flags",
    [
        (AR1Prior, {"log_tau": "trainable_tau", "log_innovation_scale": "trainable_scale"}),
        (LearnableMVNPrior, {"loc": "trainable_loc", "log_scale": "trainable_scale"}),
        (TiledMVNPrior, {"loc": "trainable_loc", "log_scale": "trainable_scale"}),
    ],
)
@pytest.mark.parametrize("free", [(True, True), (True, False), (False, True), (False, False)])
def test_what_trains_is_what_was_said(make, flags, free, x):
    layer = make(SIZE, **dict(zip(flags.values(), free, strict=True)))
    layer(x)
    assert set(weights(layer)) == set(flags)
    expected = {name for name, trains in zip(flags, free, strict=True) if trains}
    assert {w.name.split("/")[-1].split(":")[0] for w in layer.trainable_weights} == expected


@pytest.mark.parametrize("make", [AR1Prior, LearnableMVNPrior, StandardNormalPrior, TiledMVNPrior])
def test_no_value_of_the_input_is_read(make):
    layer = make(SIZE)
    x = tf.random.normal([3, STEPS, 4])
    with tf.GradientTape() as tape:
        tape.watch(x)
        prior = layer(x)
        value = prior.log_prob(tf.ones(prior.event_shape))
    assert tape.gradient(value, x) is None


@pytest.mark.parametrize(
    "make, arguments, error, message",
    [
        (AR1Prior, {"event_size": 0}, ValueError, "event_size must be a whole number of at least"),
        (AR1Prior, {"tau": 0.0}, ValueError, r"tau must be above 0, got 0\.0"),
        (AR1Prior, {"innovation_scale": -0.1}, ValueError, "innovation_scale must be above 0"),
        (AR1Prior, {"trainable_tau": 1}, TypeError, "trainable_tau must be True or False, got 1"),
        (TiledMVNPrior, {"scale": 0.0}, ValueError, r"scale must be above 0, got 0\.0"),
        (LearnableMVNPrior, {"scale": "one"}, TypeError, "scale must be a real number"),
        (LearnableMVNPrior, {"trainable_loc": "no"}, TypeError, "trainable_loc must be True or"),
        (TiledMVNPrior, {"covariance": "diag"}, ValueError, "covariance must be one of 'diagonal'"),
        (LearnableMVNPrior, {"value": "mode"}, ValueError, "value must be one of"),
    ],
)
def test_wrong_settings_are_refused(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**({"event_size": 2} | arguments))


@pytest.mark.parametrize("make", [AR1Prior, StandardNormalPrior, TiledMVNPrior])
def test_a_prior_of_paths_needs_a_time_axis(make):
    with pytest.raises(ValueError, match="inputs must have at least 2 axes, got shape"):
        make(SIZE)(tf.zeros([3]))
