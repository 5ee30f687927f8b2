import numpy as np
import pytest
from sklearn.svm import LinearSVC

from tfp_bvae.metrics import explicitness, sap, shuffle_baseline


@pytest.fixture(scope="module")
def classes():
    return np.random.default_rng(0).integers(5, size=(400, 2))


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(0).normal(size=(400, 2))


def test_sap_of_classes(classes):
    assert sap(classes, classes) == pytest.approx(1 - 1 / 5, abs=0.06)
    assert sap(np.zeros((400, 2)), classes) == 0
    assert sap(np.hstack([classes, classes]), classes) == 0


def test_sap_of_continuous_factors(values):
    assert sap(values, values) > 0.98
    assert sap(np.zeros((400, 2)), values) == 0
    assert sap(np.hstack([values, values]), values) == pytest.approx(0, abs=1e-12)
    codes = np.stack([values[:, 0] + 1, -2 * values[:, 0]], axis=-1)
    assert sap(codes, values[:, :1]) == pytest.approx(0, abs=1e-12)
    codes = np.stack([values[:, 0] + 1, values.sum(axis=1)], axis=-1)
    gap = 1 - np.corrcoef(values[:, 0], values.sum(axis=1))[0, 1] ** 2
    assert sap(codes, values[:, :1]) == pytest.approx(gap, rel=1e-12)


def test_sap_finds_a_class_between_two_others(classes):
    """One linear boundary per class, as is often used, does not."""
    svm = LinearSVC(C=0.01, class_weight="balanced").fit(classes[:, :1], classes[:, 0])
    assert svm.score(classes[:, :1], classes[:, 0]) < 0.7
    assert sap(classes, classes) > 0.74


def test_sap_counts_rare_classes_as_much_as_others():
    rare = (np.arange(400) % 20 == 0).astype(int)[:, None]
    noise = np.random.default_rng(1).normal(size=(400, 1))
    gap = sap(np.hstack([noise, rare]), rare)
    assert gap == pytest.approx(0.5, abs=0.15)  # accuracy alone would give 0.05


def test_explicitness(classes):
    one_hot = np.eye(5)[classes].reshape(400, 10)
    assert explicitness(one_hot, classes) == 1
    assert explicitness(np.zeros((400, 3)), classes) == 0.5
    noise = np.random.default_rng(1).normal(size=(400, 3))
    chance = shuffle_baseline(explicitness, noise, classes, permutations=5)
    assert abs(chance.mean - 0.5) < 4 * max(chance.sd, 0.01)
    assert (
        0.6
        < explicitness(one_hot + 1.5 * np.random.default_rng(2).normal(size=(400, 10)), classes)
        < 0.95
    )


def test_explicitness_is_linear():
    """A factor that is the product of the signs of two codes: in the codes, but not linearly."""
    codes = np.random.default_rng(0).normal(size=(400, 2))
    assert explicitness(codes, (codes.prod(axis=1, keepdims=True) > 0).astype(int)) < 0.65


def test_wrong_arguments_are_named(classes, values):
    with pytest.raises(ValueError, match="explicitness needs classes, got floats as factor 0"):
        explicitness(values, values)
    with pytest.raises(ValueError, match="codes must have at least two columns for a gap"):
        sap(values[:, :1], values)
    few = np.arange(400)[:, None] // 3
    for score in (sap, explicitness):
        with pytest.raises(ValueError, match="number of trials of class 133, 1, got 5"):
            score(values, few)
        with pytest.raises(ValueError, match="factor 0 must take at least two values"):
            score(values, 0 * few)
