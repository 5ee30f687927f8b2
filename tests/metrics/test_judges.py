import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier

from tfp_bvae.metrics import fit_class_judge, fit_path_judge


@pytest.fixture(scope="module")
def spikes():
    """Counts, classes and paths of 120 trials: class in the gain, an oscillator in the rates."""
    rng = np.random.default_rng(0)
    static = np.arange(120) % 3
    phase = rng.uniform(0, 2 * np.pi, size=(120, 1)) + 0.3 * np.arange(25)
    path = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    log_rates = 0.5 + path @ rng.normal(size=(2, 20)) * 0.6
    log_rates = log_rates + 0.6 * rng.normal(size=(3, 20))[static][:, None]
    return rng.poisson(np.exp(log_rates)), np.exp(log_rates), static, path


def test_judges_read_counts_and_rates_of_new_trials(spikes):
    counts, rates, static, path = spikes
    class_judge = fit_class_judge(counts[:80], static[:80])
    path_judge = fit_path_judge(counts[:80], path[:80])
    for trials in (counts[80:], rates[80:]):
        assert np.mean(class_judge.predict(trials) == static[80:]) > 0.95
        error = np.mean((path_judge.predict(trials) - path[80:]) ** 2)
        assert 1 - error / path.var() > 0.75


def test_smoothing_helps_counts(spikes):
    counts, _, _, path = spikes
    errors = [
        np.mean(
            (fit_path_judge(counts[:80], path[:80], smooth=sd).predict(counts[80:]) - path[80:])
            ** 2
        )
        for sd in (0.0, 1.5)
    ]
    assert errors[1] < 0.9 * errors[0]


def test_smoothing_against_a_loop():
    rng = np.random.default_rng(0)
    trials, path = rng.normal(size=(6, 5, 2)), rng.normal(size=(6, 5, 1))

    class Same:
        def fit(self, x, y):
            self.seen = x

        def predict(self, x):
            return x

    model = Same()
    judge = fit_path_judge(trials, path, model=model, smooth=1.5)
    expected = np.zeros_like(trials)
    for t in range(5):
        weights = np.array([np.exp(-((t - s) ** 2) / (2 * 1.5**2)) for s in range(5)])
        expected[:, t] = np.einsum("s,nsc->nc", weights / weights.sum(), trials)
    np.testing.assert_allclose(model.seen.reshape(trials.shape), expected, rtol=1e-12)
    np.testing.assert_allclose(judge.predict(trials), expected, rtol=1e-12)


def test_windows_against_slices():
    trials = np.random.default_rng(0).normal(size=(4, 6, 2))
    seen = {}

    class Recorder:
        def fit(self, x, y):
            seen["x"] = x

        def predict(self, x):
            return np.zeros(len(x))

    fit_class_judge(trials, [0, 1, 0, 1], model=Recorder(), windows=2)
    expected = np.hstack([trials[:, :3].mean(axis=1), trials[:, 3:].mean(axis=1)])
    np.testing.assert_allclose(seen["x"], expected)


def test_any_estimator_is_accepted(spikes):
    counts, _, static, path = spikes
    judge = fit_class_judge(counts, static, model=KNeighborsClassifier(3))
    assert np.mean(judge.predict(counts) == static) > 0.9
    judge = fit_path_judge(counts, path, model=LinearRegression())
    assert judge.predict(counts).shape == path.shape


def test_labels_may_be_words_and_a_trial_one_bin(spikes):
    counts, _, static, path = spikes
    words = np.array(["a", "b", "c"])[static]
    judge = fit_class_judge(counts[:, :1], words)
    assert set(judge.predict(counts[:, :1])) <= {"a", "b", "c"}
    assert fit_path_judge(counts[:, :1], path[:, :1]).predict(counts[:, :1]).shape == (120, 1, 2)


def test_wrong_arguments_are_named(spikes):
    counts, _, static, path = spikes
    cases = [
        (lambda: fit_class_judge(counts[0], static), ValueError, "trials must have 3 axes"),
        (lambda: fit_class_judge(counts, static[:9]), ValueError, "labels and trials must have"),
        (lambda: fit_class_judge(counts, 0 * static), ValueError, "at least two values"),
        (lambda: fit_class_judge(counts, static, windows=26), ValueError, "at most the bins, 25"),
        (lambda: fit_class_judge(counts, static, model="svm"), TypeError, "must have a method fit"),
        (lambda: fit_path_judge(counts, path[:9]), ValueError, "the same number of trials"),
        (lambda: fit_path_judge(counts, path[:, :9]), ValueError, "the same number of time bins"),
        (lambda: fit_path_judge(counts[:1], path[:1]), ValueError, "at least two to train"),
        (lambda: fit_path_judge(counts, path, smooth=-1), ValueError, "smooth must be in"),
        (lambda: fit_path_judge(counts / 0.0, path), ValueError, "trials must be finite"),
    ]
    for call, error, message in cases:
        with np.errstate(all="ignore"), pytest.raises(error, match=message):
            call()
    judge = fit_class_judge(counts, static)
    with pytest.raises(ValueError, match="trials must have a last axis of size 20"):
        judge.predict(counts[..., :3])
