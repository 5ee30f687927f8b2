import math

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from tfp_bvae.metrics import (
    completeness,
    disentanglement,
    matrix_modularity,
    mig,
    modularity,
    mutual_information,
    quantile_bins,
)

DIAGONAL = 5.0 * np.eye(5)
SHARED = 1 - math.log(2) / math.log(10)
# name: matrix [code, factor], disentanglement, completeness, modularity
TOYS = {
    "diagonal": (DIAGONAL, 1, 1, 1),
    "an empty code": (np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), 1, 1, 2 / 3),
    "zero": (np.zeros((10, 10)), 0, 0, 0),
    "redundant codes": (np.vstack([DIAGONAL, DIAGONAL]), 1, SHARED, 1),
    "missed factors": (DIAGONAL[:2], 1, 1, 1),
    "one code, two factors": (np.hstack([DIAGONAL, DIAGONAL]), SHARED, 1, 1 - 1 / 9),
    "all alike": (np.ones((4, 3)), 0, 0, 0),
}


@pytest.mark.parametrize("name", TOYS)
def test_toy_matrices(name):
    matrix, *expected = TOYS[name]
    scores = [score(matrix) for score in (disentanglement, completeness, matrix_modularity)]
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@pytest.mark.parametrize("score", [disentanglement, completeness, matrix_modularity])
def test_toy_scores_do_not_depend_on_unit_or_order(score):
    rng = np.random.default_rng(0)
    matrix = rng.gamma(0.5, size=(6, 4))
    moved = 7 * matrix[rng.permutation(6)][:, rng.permutation(4)]
    assert score(moved) == pytest.approx(score(matrix), rel=1e-12)
    assert 0 < score(matrix) < 1


def test_dci_of_a_matrix_by_hand():
    """Shares (3/4, 1/4) weigh 4 and (0, 1) weigh 2; down the columns (1, 0) and (1/3, 2/3)."""
    matrix = np.array([[3.0, 1.0], [0.0, 2.0]])
    bits = 0.75 * math.log2(4 / 3) + 0.25 * 2
    assert disentanglement(matrix) == pytest.approx((4 * (1 - bits) + 2) / 6, rel=1e-12)
    bits = math.log2(3) / 3 + 2 / 3 * math.log2(1.5)
    assert completeness(matrix) == pytest.approx((3 + 3 * (1 - bits)) / 6, rel=1e-12)
    assert matrix_modularity(matrix) == pytest.approx((1 - 1 / 9 + 1) / 2, rel=1e-12)


@pytest.fixture
def factors():
    """Ten values of each of three factors, 3000 trials."""
    return np.random.default_rng(0).integers(10, size=(3000, 3))


def scrambled(factors):
    """Each trial's factors in an order of its own: every code knows a little of each."""
    rng = np.random.default_rng(1)
    return np.array([rng.permutation(row) for row in factors], dtype=float)


@pytest.mark.parametrize("correction", ["miller_madow", "none"])
def test_mig_and_modularity_of_known_codes(factors, correction):
    def scores(codes):
        return [score(codes, factors, correction=correction) for score in (mig, modularity)]

    assert min(scores(factors)) > 0.98
    assert scores(np.zeros((3000, 3))) == [0, 0]
    doubled = scores(np.hstack([factors, factors]))
    assert doubled[0] == pytest.approx(0, abs=1e-12)
    assert doubled[1] > 0.98
    assert max(scores(scrambled(factors))) < 0.2


def test_the_order_of_codes_and_of_trials_does_not_matter(factors):
    codes = factors + np.random.default_rng(2).normal(size=factors.shape)
    order = np.random.default_rng(3).permutation(3000)
    for score in (mig, modularity):
        assert score(codes[order][:, [2, 0, 1]], factors[order]) == pytest.approx(
            score(codes, factors), rel=1e-12
        )


def test_any_monotone_change_of_a_code_leaves_the_information(factors):
    codes = factors + np.random.default_rng(2).normal(size=factors.shape)
    expected = mutual_information(codes, factors)
    np.testing.assert_allclose(mutual_information(np.exp(codes), factors), expected, rtol=1e-12)


def test_information_against_sklearn(factors):
    codes = factors + np.random.default_rng(2).normal(size=factors.shape)
    cut = [quantile_bins(code, 7) for code in codes.T]
    expected = [[mutual_info_score(code, factor) for factor in factors.T] for code in cut]
    found = mutual_information(codes, factors, bins=7, correction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_miller_madow_by_counting_bins():
    codes = np.array([0, 0, 1, 1, 1, 2.0])
    factors = np.array([0, 0, 1, 1, 0, 1])
    plugin = mutual_info_score(codes, factors)
    expected = plugin + (2 + 1 - 3) / 12  # 3 and 2 values, 4 of 6 pairs
    found = mutual_information(codes[:, None], factors[:, None])
    assert found[0, 0] == pytest.approx(expected, rel=1e-12)


def test_the_correction_takes_the_bias_away():
    """Independent variables: information is (bins - 1)(values - 1) / 2N without it."""
    rng = np.random.default_rng(0)
    codes, factors = rng.normal(size=(1000, 300)), rng.integers(8, size=(1000, 1))
    plugin = mutual_information(codes, factors, correction="none")
    assert plugin.mean() == pytest.approx(9 * 7 / 2000, rel=0.08)
    assert mutual_information(codes, factors).mean() < 0.1 * plugin.mean()


def test_a_code_of_noise_is_not_modular():
    rng = np.random.default_rng(0)
    factors = rng.integers(8, size=(1000, 2))
    noise = rng.normal(size=(1000, 50))
    assert modularity(noise, factors) < 0.05
    assert modularity(noise, factors, floor=0.0) > 0.4  # as published: a high score of nothing


def test_continuous_factors_are_cut_and_whole_ones_are_not():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4000, 2))
    assert mig(values, values) == pytest.approx(1, abs=0.01)
    assert mutual_information(values, values, bins=4)[0, 0] == pytest.approx(math.log(4), abs=1e-3)
    mixed = np.stack([np.arange(4000) % 20, values[:, 0]], axis=-1)
    both = mutual_information(mixed, mixed, bins=20, discrete=[True, False])
    np.testing.assert_allclose(np.diag(both), math.log(20), atol=0.005)
    words = np.array(["left", "right"])[(values > 0).astype(int)]
    assert mig(values, words) > 0.9


def test_quantile_bins_keep_equal_values_together():
    values = np.concatenate([np.zeros(60), np.arange(1, 41)])
    index = quantile_bins(values, 10)
    assert len(set(index[:60])) == 1
    assert index[0] == 0
    assert np.bincount(index).tolist() == [60, 10, 10, 10, 10]
    assert (
        np.bincount(quantile_bins(np.random.default_rng(0).normal(size=1000), 8)).tolist()
        == [125] * 8
    )
    assert quantile_bins([3.0, 3.0], 2).tolist() == [0, 0]


ONES = np.arange(8.0).reshape(4, 2)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"codes": ONES[:, 0]}, ValueError, "codes must have 2 axes"),
        ({"codes": ONES[:3]}, ValueError, "codes and factors must have the same number of trials"),
        ({"codes": ONES[:, :1]}, ValueError, "codes must have at least two columns"),
        ({"codes": ONES * np.nan}, ValueError, "codes must be finite"),
        ({"codes": [["a", "b"]] * 4}, TypeError, "codes must hold numbers"),
        ({"codes": ONES[:, :0]}, ValueError, "codes must not be empty"),
        ({"factors": ONES[:, 0]}, ValueError, "factors must have 2 axes"),
        ({"factors": ONES[:, :0]}, ValueError, "factors must have at least one column"),
        ({"factors": ONES / np.nan}, ValueError, "factor 0 must be finite"),
        ({"factors": np.ones((4, 1), int)}, ValueError, "factor 0 must take at least two values"),
        ({"factors": np.ones((4, 1))}, ValueError, "factor 0 must take at least two values"),
        ({"bins": 1}, ValueError, "bins must be a whole number of at least 2"),
        ({"correction": "half"}, ValueError, "correction must be one of"),
        ({"discrete": "yes"}, TypeError, "discrete must be True or False"),
        ({"discrete": [True]}, ValueError, "discrete and factors must have the same number"),
    ],
)
def test_wrong_arguments_are_named(change, error, message):
    with pytest.raises(error, match=message):
        mig(**{"codes": ONES, "factors": ONES, **change})


@pytest.mark.parametrize("score", [disentanglement, matrix_modularity])
def test_wrong_matrices_are_named(score):
    with pytest.raises(ValueError, match="must be at least 0, got -1"):
        score(-np.eye(2))
    with pytest.raises(ValueError, match="at least two factors"):
        score(np.ones((3, 1)))
    with pytest.raises(ValueError, match="must be finite"):
        score(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="at least two codes"):
        completeness(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"floor must be in \[0"):
        modularity(ONES, ONES, floor=-1)
