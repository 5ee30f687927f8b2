"""Judges: read-outs trained on real trials, which say what a made-up trial looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checks
from .decoding import fit_ridge
from .factors import class_labels, finite, logistic_regression


@dataclass(frozen=True, eq=False)
class ClassJudge:
    """Reads a class of the trial from its rates or counts; `fit_class_judge` makes one.

    Args:
        model: fitted, with `predict(features [trial, feature]) -> labels [trial]`.
        windows: windows of time in which each channel is averaged.
        channels: channels of the trials.
    """

    model: Any
    windows: int
    channels: int

    def predict(self, trials: np.ndarray) -> np.ndarray:
        """Say the class of each trial.

        Args:
            trials: rates or counts per bin, `[trial, time, channel]`.

        Returns:
            Labels `[trial]`.
        """
        trials = finite("trials", trials, 3)
        checks.last_dim("trials", trials.shape, self.channels)
        return np.asarray(self.model.predict(_window_means(trials, self.windows)))


@dataclass(frozen=True, eq=False)
class PathJudge:
    """Reads a path in time from the rates or counts of a trial; `fit_path_judge` makes one.

    Args:
        model: fitted, with `predict(features [..., feature]) -> [..., dim]`.
        smooth: standard deviation of the Gaussian that smooths each channel, in bins.
        channels: channels of the trials.
    """

    model: Any
    smooth: float
    channels: int

    def predict(self, trials: np.ndarray) -> np.ndarray:
        """Say where each bin of each trial is.

        Args:
            trials: rates or counts per bin, `[trial, time, channel]`.

        Returns:
            `[trial, time, dim]`.
        """
        trials = finite("trials", trials, 3)
        checks.last_dim("trials", trials.shape, self.channels)
        features = _smoothed(trials, self.smooth).reshape(-1, self.channels)
        return np.asarray(self.model.predict(features)).reshape(*trials.shape[:2], -1)


def fit_class_judge(
    trials: np.ndarray, labels: np.ndarray, *, model: Any = None, windows: int = 1
) -> ClassJudge:
    r"""Train a judge of a class of the trial, from the mean rates of the channels.

    $$P(c \mid x) \propto \exp(b_c + w_c \cdot \bar x), \qquad
      \bar x = \text{mean of } x_t \text{ in each window}$$

    Args:
        trials: real trials to train on, rates or counts per bin, `[trial, time, channel]`; not
            those that are judged later.
        labels: class of each trial, `[trial]`.
        model: any object with `fit(features, labels)` and `predict(features)`, features
            `[trial, window * channel]`; fitted in place. None: logistic regression of
            scikit-learn on standardised features.
        windows: cut the trial into as many windows of about equal length (1: its mean only, so
            that the judge of a static class cannot look at dynamics).

    Raises:
        ValueError: shapes do not match, a value is not finite, there is one class only, or more
            windows than bins.
        TypeError: the model cannot be fitted or does not predict.
        ImportError: no model is given, and scikit-learn is not installed.

    After Li and Mandt (2018), "Disentangled sequential autoencoder".

    >>> labels = np.arange(40) % 2
    >>> trials = np.random.default_rng(0).poisson(1 + 4 * labels[:, None, None], (40, 10, 3))
    >>> judge = fit_class_judge(trials[:30], labels[:30])
    >>> float(np.mean(judge.predict(trials[30:]) == labels[30:]))
    1.0
    """
    trials = finite("trials", trials, 3)
    labels = class_labels("labels", labels, len(trials))
    checks.whole_number("windows", windows, minimum=1)
    if windows > trials.shape[1]:
        raise ValueError(f"windows must be at most the bins, {trials.shape[1]}, got {windows}")
    model = logistic_regression() if model is None else _estimator(model)
    model.fit(_window_means(trials, windows), labels)
    return ClassJudge(model, windows, trials.shape[-1])


def fit_path_judge(
    trials: np.ndarray, path: np.ndarray, *, model: Any = None, smooth: float = 2.0
) -> PathJudge:
    r"""Train a judge of a path in time, which reads each bin from smoothed rates or counts.

    $$\hat y_t = b + W \sum_s k_{ts} x_s, \qquad k_{ts} \propto e^{-(t - s)^2 / 2 \sigma^2}$$

    The weights of a bin sum to one, at the ends of the trial as well. The same smoothing is
    applied to what is judged.

    Args:
        trials: real trials to train on, rates or counts per bin, `[trial, time, channel]`; not
            those that are judged later.
        path: dynamic latent or behaviour of the same bins, any unit, `[trial, time, dim]`.
        model: any object with `fit(features, path)` and `predict(features)`, features
            `[trial * time, channel]`; fitted in place. None: `fit_ridge`.
        smooth: standard deviation of the Gaussian, in bins; 0 for none. Single counts say little.

    Raises:
        ValueError: shapes do not match, a value is not finite, or `smooth` is negative.
        TypeError: the model cannot be fitted or does not predict.

    >>> path = np.sin(np.arange(20) / 3 + np.arange(30)[:, None])[..., None]
    >>> judge = fit_path_judge(path @ np.ones((1, 5)), path, smooth=0.0)
    >>> bool(np.allclose(judge.predict(path @ np.ones((1, 5))), path, atol=1e-3))
    True
    """
    trials, path = finite("trials", trials, 3), finite("path", path, 3)
    checks.same_length(["trials", "path"], [len(trials), len(path)], "trials")
    checks.same_length(["trials", "path"], [trials.shape[1], path.shape[1]], "time bins")
    checks.in_interval("smooth", smooth, low=0.0)
    if len(trials) < 2:
        raise ValueError("trials must be at least two to train a judge on, got 1")
    features = _smoothed(trials, smooth)
    if model is None:
        model = fit_ridge(features, path, folds=min(5, len(trials)))
    else:
        flat = features.reshape(-1, features.shape[-1])
        _estimator(model).fit(flat, path.reshape(-1, path.shape[-1]))
    return PathJudge(model, smooth, trials.shape[-1])


def _window_means(trials: np.ndarray, windows: int) -> np.ndarray:
    parts = np.array_split(trials, windows, axis=1)
    return np.concatenate([part.mean(axis=1) for part in parts], axis=-1)


def _smoothed(trials: np.ndarray, sd: float) -> np.ndarray:
    if sd == 0:
        return trials
    bins = np.arange(trials.shape[1])
    kernel = np.exp(-0.5 * np.square((bins[:, None] - bins) / sd))
    return (kernel / kernel.sum(axis=1, keepdims=True)) @ trials


def _estimator(model: Any) -> Any:
    for method in ("fit", "predict"):
        if not callable(getattr(model, method, None)):
            raise TypeError(f"model must have a method {method}, got {model!r}")
    return model
