"""A common start for the read-ins and read-outs of several sessions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks
from tfp_bvae.data import (
    Alignment,
    SpikeDataset,
    Split,
    condition_averages,
    fit_affine,
    principal_component_regression,
)
from tfp_bvae.data.alignment import filled, log_rates
from tfp_bvae.models import BetaVAE, equal_batches, model_arrays, model_segments
from tfp_bvae.training.settings import FitSettings

__all__ = ["align_sessions", "start_sessions"]

USUAL = ("condition", "cond_idx")  # names that conditions have
ALIGNED = "aligned_by"  # among the hyperparameters of a model


def align_sessions(
    model: BetaVAE, data: SpikeDataset, by: str = "auto", smoothing: float = 2.0
) -> None:
    """Start the read-in and read-out of each session where the sessions agree.

    From the smoothed averages of the conditions that all sessions have: the read-ins by
    `data.principal_component_regression`; the read-outs by the regression the other way, behind one
    random rotation of the factors that all sessions share. The biases of the read-outs stay
    at the mean rates. Components that the averages do not have keep their random start.

    In a model with `fixed_sessions` the new ones learn of the old: their read-in is the regression
    on what the old read-ins make of the same conditions, their read-out that on the average factors
    of the fitted model.

    Args:
        model: with `num_sessions`.
        data: trials of all sessions.
        by: the name of arrays `train_NAME` `[trial]` in `data.attrs`, the condition of each trial;
            `"auto"`: `condition` or `cond_idx`.
        smoothing: of the averages over time, standard deviation of a Gaussian, bins.

    Raises:
        KeyError: if there are no such arrays.
        ValueError: if the model has no sessions, or the sessions have no condition in common.

    Source: Pandarinath et al., Nature Methods 2018, and the alignment of lfads-torch.

    >>> from tfp_bvae import models
    >>> from tfp_bvae.data import join_sessions, lorenz
    >>> both = join_sessions({name: lorenz(num_conditions=4) for name in ("a", "b")})
    >>> model = models.lfads({"channels": 30, "num_sessions": 2}, {"input_factors": 3})
    >>> align_sessions(model, both)  # the same neurons: the same read-in
    >>> bool(np.ptp(model.get_layer("input_factors").kernel, axis=0).max() < 1e-4)
    True
    """
    arguments = model.hyperparameters["arguments"]
    if arguments["num_sessions"] is None:
        raise ValueError("model must have sessions (num_sessions), got none")
    split, labels = _labelled(model, data, by)
    shared, averages = condition_averages(split, labels, smoothing)
    if len(averages) < arguments["num_sessions"] or not len(shared):
        raise ValueError(
            f"data must have trials of {arguments['num_sessions']} sessions with a condition in "
            f"common, got {len(averages)} sessions and {len(shared)} such conditions"
        )
    model.hyperparameters[ALIGNED] = by
    if not arguments["fixed_sessions"]:
        size = model.hyperparameters["params"]["input_factors"]
        channels = arguments["channels"]
        _start(model, principal_component_regression(averages, channels, size))
        return
    old = np.flatnonzero(split.session < arguments["fixed_sessions"])
    factors = _factors(model, split.select(old))
    fake = Split(factors, factors, session=np.zeros(len(old), np.int32))
    known, means = condition_averages(fake, labels[old], smoothing)
    _start_beside(model, averages, means[0][np.isin(known, shared)])


def start_sessions(model: BetaVAE, data: SpikeDataset, settings: FitSettings) -> SpikeDataset:
    """What a fit does first with several sessions: align them once; leave out those that are fixed.

    Args:
        model: any.
        data: training and validation trials.
        settings: `align_by`.

    Returns:
        The trials to fit the model to. A warning says so where sessions start at random.
    """
    arguments = model.hyperparameters["arguments"]
    if arguments.get("num_sessions") is None:
        return data
    by, fixed = settings.align_by, arguments["fixed_sessions"]
    if ALIGNED not in model.hyperparameters and by != "none":
        try:
            align_sessions(model, data, by)
        except (KeyError, ValueError) as error:
            if by != "auto":
                raise
            if arguments["num_sessions"] > 1:
                warnings.warn(f"sessions start at random: {error.args[0]}", stacklevel=3)
    model.hyperparameters.setdefault(ALIGNED, "none")
    if not fixed:
        return data
    sides = {}
    for side in ("train", "valid"):
        split = getattr(data, side)
        new = np.flatnonzero(split.session >= fixed)
        if not len(new):
            raise ValueError(f"{side} must have trials of session {fixed} or later, got none")
        sides[side] = split.select(new)
    return SpikeDataset(**sides, bin_width=data.bin_width, attrs=data.attrs)


def _labelled(model: BetaVAE, data: SpikeDataset, by: str) -> tuple[Split, np.ndarray]:
    """What the model sees as its trials; of each the condition, and the place in its trial."""
    names = USUAL if by == "auto" else (by,)
    found = [f"train_{name}" for name in names if f"train_{name}" in data.attrs]
    if not found:
        wanted = " or ".join(f"train_{name}" for name in names)
        raise KeyError(f"data.attrs must have {wanted}, to align sessions by, got neither")
    condition = np.asarray(data.attrs[found[0]])
    checks.same_length([found[0], "train"], [len(condition), data.train.num_trials], "trials")
    segments = model_segments(model, data.train)
    if segments.where is None:
        return segments.split, condition
    _, numbers = np.unique(condition, return_inverse=True)
    trial, first = segments.where.T
    return segments.split, numbers[trial] * (first.max() + 1) + first


def _start(model: BetaVAE, alignment: Alignment) -> None:
    read_in, read_out = model.get_layer("input_factors"), model.get_layer("log_rate")
    size = alignment.components.shape[-1]
    kernels, biases = read_in.kernels.numpy(), read_in.biases.numpy()
    for session, (kernel, bias) in enumerate(alignment.read_in):
        kernels[session, :, :size], biases[session, :size] = kernel, bias
    read_in.assign(kernels, biases)
    factors = read_out.kernels.shape[1]
    kept = min(size, factors)
    rng = np.random.default_rng(model.hyperparameters["arguments"]["seed"])
    rotation = np.linalg.qr(rng.normal(size=[factors, factors]))[0][:, :kept]
    read_out.assign(np.stack([rotation @ kernel[:kept] for kernel, _ in alignment.read_out]))


def _start_beside(model: BetaVAE, averages: np.ndarray, factors: np.ndarray) -> None:
    """New sessions, from averages of the conditions: `[session, condition, time, channel]`."""
    arguments = model.hyperparameters["arguments"]
    fixed, seen = arguments["fixed_sessions"], arguments["channels"]
    segment = model.hyperparameters["params"]["segment"]
    read_in, read_out = model.get_layer("input_factors"), model.get_layer("log_rate")
    later = averages[:, :, segment:]
    factors = factors[:, : later.shape[2]]
    whole, of_factors = _complete(averages), _complete(later, factors)
    weights = zip(read_in.fixed_kernel.numpy(), read_in.fixed_bias.numpy(), strict=True)
    features = np.mean(
        [
            filled(x[whole][:, :seen]) @ kernel + bias
            for x, (kernel, bias) in zip(averages[:fixed], weights, strict=True)
        ],
        axis=0,
    )
    for row in range(len(averages) - fixed):
        x, y = averages[fixed + row][whole], later[fixed + row][of_factors]
        for layer, fitted in (
            (read_in, fit_affine(filled(x[:, :seen]), features)),
            (read_out, fit_affine(factors[of_factors], log_rates(y))),
        ):
            for weight, value in ((layer.kernel, fitted.kernel), (layer.bias, fitted.bias)):
                values = weight.numpy()
                values[row] = value
                weight.assign(values)


def _complete(averages: np.ndarray, factors: np.ndarray | None = None) -> np.ndarray:
    """Which bins of the conditions all sessions have, `[condition, time]`."""
    there = ~np.isnan(averages).all(-1).any(0)
    return there if factors is None else there & np.isfinite(factors).all(-1)


def _factors(model: BetaVAE, split: Split) -> np.ndarray:
    """Factors at the posterior mean, `[trial, time, factors]`."""
    factors = tf_keras.Model(model.inputs, model.get_layer("log_rate").input[0])
    parts = [factors(batch, training=False).numpy() for batch in _batches(model, split)]
    found = np.concatenate(parts)[: split.num_trials]
    segment = model.hyperparameters["params"]["segment"]
    found[np.arange(found.shape[1]) >= split.bins[:, np.newaxis] - segment] = np.nan
    return found


def _batches(model: BetaVAE, split: Split, size: int = 64) -> Iterator[dict[str, tf.Tensor]]:
    inputs, _ = model_arrays(model, split)
    for trials in equal_batches(split.num_trials, size):
        yield {name: tf.constant(x[trials]) for name, x in inputs.items()}
