"""Fits that go wrong in a known way are told by their own figures."""

import pytest

from tfp_bvae import metrics, training


@pytest.fixture
def diagnosed(make_model, dataset):
    """A function that fits a tiny LFADS and says what is to be mended."""

    def fit(params, **settings):
        settings = {"batch_size": 16, "warm_up": 0, "jit_compile": False} | settings
        history = training.fit(make_model(**params), dataset, settings, verbose=False)
        best = max(history, key=lambda row: row["val_heldout"])["epoch"]
        figures = metrics.FitFigures(
            history, best, betas={"f": params.get("beta_f", 0.1), "z": params.get("beta_z", 0.1)},
            reached=history[-1]["val_heldout"], reachable=1.0,
        )  # fmt: skip
        return {f.about: f for f in metrics.diagnose_fit(figures) if f.level == "act"}

    return fit


def test_a_beta_of_100_is_found_out(diagnosed):
    found = diagnosed({"beta_f": 100.0, "beta_z": 100.0}, epochs=40, learning_rate=0.02)
    assert {"collapse of f", "beta"} <= set(found)
    assert "Lower beta_f (it is 100)" in found["collapse of f"].advice
    assert "Beta is too strong" in found["beta"].says


def test_a_fit_that_is_cut_short_is_found_out(diagnosed):
    found = diagnosed({}, epochs=6, learning_rate=2e-3, final_rate=1.0)
    assert "still getting better" in found["convergence"].says
    assert "collapse of f" not in found
