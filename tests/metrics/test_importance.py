import math

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from tfp_bvae.metrics import completeness, dci, disentanglement, importance_matrix


@pytest.fixture(scope="module")
def factors():
    return np.random.default_rng(0).integers(5, size=(500, 3))


def test_the_factors_themselves(factors):
    assert min(dci(factors, factors)) > 0.98


def test_codes_twice_are_disentangled_but_not_complete(factors):
    scores = dci(np.hstack([factors, factors]), factors)
    assert scores.disentanglement > 0.98
    assert scores.completeness == pytest.approx(1 - math.log(2) / math.log(6), abs=0.1)


def test_scrambled_codes(factors):
    rng = np.random.default_rng(1)
    codes = np.array([rng.permutation(row) for row in factors])
    assert max(dci(codes, factors)[:2]) < 0.2


@pytest.mark.parametrize("model", ["boosting", "forest"])
def test_codes_that_are_constant(factors, model):
    importance, accuracy = importance_matrix(np.zeros((500, 2)), factors, model=model)
    assert importance.tolist() == np.zeros((2, 3)).tolist()
    assert disentanglement(importance) == completeness(importance) == 0
    assert (accuracy < 0.35).all()


def test_continuous_factors_are_regressed():
    codes = np.random.default_rng(0).normal(size=(300, 3))
    importance, r2 = importance_matrix(codes, np.stack([codes[:, 1], codes[:, 2] ** 3], axis=-1))
    assert importance.argmax(axis=0).tolist() == [1, 2]
    assert (r2 > 0.8).all()
    assert np.allclose(importance.sum(axis=0), 1)
    _, r2 = importance_matrix(codes, np.random.default_rng(1).normal(size=(300, 1)))
    assert r2[0] < 0.1


def test_the_score_is_of_trials_left_out(factors):
    """Codes of noise: trees know the trials they have seen by heart."""
    noise = np.random.default_rng(2).normal(size=(500, 4))
    _, accuracy = importance_matrix(noise, factors, model="forest")
    seen = RandomForestClassifier(random_state=0).fit(noise, factors[:, 0])
    assert seen.score(noise, factors[:, 0]) == 1
    assert (accuracy < 0.35).all()


def test_the_split_shuffles_trials():
    """All trials of a class lie together in time; the part left out must have every class."""
    classes = np.repeat(np.arange(4), 30)[:, None]
    _, accuracy = importance_matrix(np.hstack([classes, classes]), classes, model="forest")
    assert accuracy.tolist() == [1]


def test_same_seed_same_scores(factors):
    codes = factors + np.random.default_rng(3).normal(size=factors.shape)
    first, again, other = (dci(codes, factors, model="forest", seed=s) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros((6, 1))}, "codes must have at least two columns for DCI, got 1"),
        ({"factors": np.zeros((6, 1))}, "factors must have at least two columns for DCI, got 1"),
        ({"factors": np.zeros(6)}, "factors must have 2 axes"),
        ({"model": "lasso"}, "model must be one of 'boosting', 'forest'"),
        ({"folds": 4}, "folds must be at most the number of trials of class 0, 3, got 4"),
        ({"folds": 1}, "folds must be a whole number of at least 2"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    good = {"codes": np.eye(6)[:, :2], "factors": np.arange(12).reshape(6, 2) // 2 % 2}
    with pytest.raises(ValueError, match=message):
        dci(**{**good, **change})
