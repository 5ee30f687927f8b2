import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfp_bvae.metrics import fit_ridge, ridge_r2


@pytest.fixture
def data():
    """Correlated features of very unequal scale, two outputs of unequal noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 7, 3)) @ rng.normal(size=(3, 6)) + 0.1 * rng.normal(size=(20, 7, 6))
    x = x * np.array([1, 10, 0.1, 1, 100, 1]) + 5
    y = x[..., :2] / [1, 10] + np.array([0.1, 10.0]) * rng.normal(size=(20, 7, 2)) - 3
    return x, y


def sklearn_ridge(x, y, alpha):
    model = make_pipeline(StandardScaler(), Ridge(alpha))
    return model.fit(x.reshape(-1, x.shape[-1]), y.reshape(-1, *y.shape[2:]))


@pytest.mark.parametrize("alpha", [1e-2, 1.0, 1e3])
def test_one_penalty_against_sklearn(data, alpha):
    x, y = data
    decoder = fit_ridge(x, y, alphas=(alpha,))
    expected = sklearn_ridge(x, y, alpha).predict(x.reshape(-1, 6))
    np.testing.assert_allclose(decoder.predict(x).reshape(-1, 2), expected, rtol=1e-9)


def test_penalties_are_chosen_over_trials_as_a_loop_does(data):
    x, y = data
    alphas = (1e-2, 1.0, 10.0, 100.0, 1e4)
    groups = np.array_split(np.random.default_rng(3).permutation(20), 4)
    chosen = []
    for output in range(2):
        errors = []
        for alpha in alphas:
            error = 0.0
            for group in groups:
                fitted = [trial for trial in range(20) if trial not in group]
                model = sklearn_ridge(x[fitted], y[fitted][..., output], alpha)
                predicted = model.predict(x[group].reshape(-1, 6))
                error += np.sum((predicted - y[group][..., output].ravel()) ** 2)
            errors.append(error)
        chosen.append(alphas[int(np.argmin(errors))])
    decoder = fit_ridge(x, y, alphas=alphas, folds=4, seed=3)
    assert decoder.alphas.tolist() == chosen
    assert len(set(chosen)) == 2  # the outputs differ, or this tests little
    for output, alpha in enumerate(chosen):
        expected = sklearn_ridge(x, y[..., output], alpha).predict(x.reshape(-1, 6))
        np.testing.assert_allclose(decoder.predict(x)[..., output].ravel(), expected, rtol=1e-9)


def test_score_is_r2_of_the_validation_trials(data):
    x, y = data
    scores = ridge_r2(x[:15], y[:15], x[15:], y[15:])
    predicted = fit_ridge(x[:15], y[:15]).predict(x[15:]).reshape(-1, 2)
    expected = r2_score(y[15:].reshape(-1, 2), predicted, multioutput="raw_values")
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_noise_is_not_decoded_by_mixing_bins_of_a_trial():
    """Each trial has its own constant in features and behaviour, unrelated across trials."""
    rng = np.random.default_rng(1)
    x = np.repeat(rng.normal(size=(24, 1, 30)), 10, axis=1)
    y = np.repeat(rng.normal(size=(24, 1, 1)), 10, axis=1)
    assert fit_ridge(x, y).alphas[0] >= 100  # folds over bins would choose nearly none


def test_constant_and_more_features_than_bins():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(size=(4, 3, 40)), np.full((4, 3, 1), 0.1)], axis=-1)
    decoder = fit_ridge(x, x[..., :1], folds=2)
    assert np.isfinite(decoder.coef).all()
    assert decoder.coef[-1, 0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"alphas": (0.0,)}, ValueError, "alphas must be above 0"),
        ({"folds": 21}, ValueError, "folds must be at most the number of trials, 20, got 21"),
        ({"folds": 1}, ValueError, "folds must be a whole number of at least 2"),
        ({"folds": 2.5}, TypeError, "folds must be a whole number"),
        ({"x": np.ones((19, 7, 6))}, ValueError, "x and y must have the same number of trials"),
        ({"x": np.ones((20, 6, 6))}, ValueError, "x and y must have the same number of time bins"),
        ({"x": np.ones((20, 7))}, ValueError, "x must have 3 axes"),
        ({"x": np.full((20, 7, 6), np.inf)}, ValueError, "x must be finite"),
        ({"x": np.full((20, 7, 6), np.nan)}, ValueError, "known in 0 of 20 trials"),
    ],
)
def test_wrong_arguments_are_named(data, change, error, message):
    with pytest.raises(error, match=message):
        fit_ridge(**{"x": data[0], "y": data[1], **change})


def test_validation_must_have_the_features_of_training(data):
    x, y = data
    with pytest.raises(ValueError, match="valid_x must have a last axis of size 6"):
        ridge_r2(x, y, x[..., :5], y)
