import importlib

import numpy as np
import pytest

from tfp_bvae import metrics
from tfp_bvae.metrics.factors import class_labels, trial_folds


def test_a_baseline_by_hand():
    codes, factors = np.arange(30.0)[:, None], np.arange(30)[:, None] ** 2
    found = metrics.shuffle_baseline(
        lambda x, y: float(x[:, 0] @ y[:, 0]), codes, factors, permutations=7, seed=3
    )
    rng = np.random.default_rng(3)
    by_hand = [float(rng.permutation(30) @ factors[:, 0]) for _ in range(7)]
    np.testing.assert_allclose(found.values, by_hand)
    assert found.mean == pytest.approx(np.mean(by_hand))
    assert found.sd == pytest.approx(np.std(by_hand, ddof=1))


def test_a_baseline_moves_whole_trials_and_leaves_its_input():
    codes = np.stack([np.arange(20), 10 * np.arange(20)], axis=-1)
    kept = codes.copy()

    def together(x, y):
        assert (x[:, 1] == 10 * x[:, 0]).all()
        assert sorted(x[:, 0]) == list(range(20))
        assert (y == kept).all()
        return x[0, 0]

    found = metrics.shuffle_baseline(together, codes, codes)
    assert len(set(found.values)) > 5
    assert (codes == kept).all()


def test_a_baseline_of_several_scores():
    factors = np.random.default_rng(0).integers(3, size=(60, 2))
    found = metrics.shuffle_baseline(
        lambda x, y: metrics.dci(x, y, model="forest"), factors, factors, permutations=2
    )
    assert found.mean.shape == found.sd.shape == (3,)
    assert found.mean[2] < 0.6


def test_wrong_arguments_of_a_baseline():
    x = np.zeros((4, 1))
    with pytest.raises(TypeError, match="score must be a function"):
        metrics.shuffle_baseline("mig", x, x)
    with pytest.raises(ValueError, match="codes and factors must have the same number of trials"):
        metrics.shuffle_baseline(metrics.mig, x, x[:3])
    with pytest.raises(ValueError, match="permutations must be a whole number of at least 2"):
        metrics.shuffle_baseline(metrics.mig, x, x, permutations=1)


@pytest.mark.parametrize("labels", [None, np.repeat([0, 1, 2], [23, 9, 5]), np.array(["a"] * 37)])
def test_folds_are_a_shuffled_partition_with_every_class(labels):
    groups = trial_folds(37, 4, 0, labels)
    assert sorted(np.concatenate(groups)) == list(range(37))
    assert [g.tolist() for g in groups] != [list(range(i, 37, 4)) for i in range(4)]
    for value in np.unique(labels) if labels is not None else []:
        counts = [np.sum(labels[group] == value) for group in groups]
        assert max(counts) - min(counts) <= 1
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_labels():
    assert class_labels("static", ["a", "b"]).tolist() == ["a", "b"]
    assert class_labels("static", [0.0, 1.0]).tolist() == [0, 1]
    with pytest.raises(ValueError, match="static must hold class labels"):
        class_labels("static", [0.5, 1.0])
    with pytest.raises(ValueError, match=r"static must take at least two values, got \[1\] only"):
        class_labels("static", [1, 1])
    with pytest.raises(ValueError, match="static must have 1 axis"):
        class_labels("static", [[1, 2]])


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    real = importlib.import_module

    def missing(name, *rest):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    x = np.stack([np.arange(6) % 2, np.arange(6) // 3], axis=-1)
    for call in (
        lambda: metrics.dci(x, x, folds=2),
        lambda: metrics.sap(x, x, folds=2),
        lambda: metrics.explicitness(x, x, folds=2),
        lambda: metrics.fit_class_judge(x[:, None], x[:, 0]),
        lambda: metrics.cross_probes(x, x[:, None], x[:, 0], x[:, None], folds=2),
    ):
        with pytest.raises(ImportError, match=r'pip install "tfp_bvae\[metrics\]"'):
            call()
    assert 0 <= metrics.mig(x, x) <= 1  # needs numpy only
