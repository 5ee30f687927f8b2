"""From a split of a dataset to what a model takes and predicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import Split, require_counts, segments_of
from tfp_bvae.data.doors import require_split
from tfp_bvae.models.arguments import is_of_counts
from tfp_bvae.models.base import BetaVAE

__all__ = ["Segments", "equal_batches", "model_arrays", "model_segments", "require_masked"]


class Segments(NamedTuple):
    """What a model sees as its trials."""

    split: Split  # a "trial" is a segment
    where: np.ndarray | None  # trial and first bin of each segment; None where nothing is cut


def model_segments(model: BetaVAE, split: Split) -> Segments:
    """The segments that a model sees trials as: trials themselves, but for `models.fhvae`.

    Args:
        model: a model of this package.
        split: the trials.

    Returns:
        The segments, and where they are from, as `data.stitch_segments` wants it.

    Raises:
        TypeError: if `split` is no `data.Split`.
        ValueError: if a trial is shorter than a segment; or trials are of unequal length, and not
            cut by a model that has no `length`.

    >>> from tfp_bvae import models
    >>> from tfp_bvae.data import lorenz
    >>> model = models.fhvae({"channels": 30, "num_groups": 4}, {"segment_length": 20})
    >>> segments = model_segments(model, lorenz(num_conditions=1).valid)
    >>> segments.split, segments.where[:3].tolist()
    (Split(16 trials, encod 20 x 30, recon 20 x 30, truth), [[0, 0], [0, 10], [0, 20]])
    """
    params = model.hyperparameters["params"]
    length, bins = params.get("segment_length"), int(require_split("split", split).bins.min())
    if length is None:
        if "group" in model.input_names and bins < split.recon.shape[1]:
            raise ValueError(
                f"segment_length must be given for trials of unequal length, of at most {bins} "
                "bins, got None: segments are cut within the length of each trial"
            )
        return Segments(split, None)
    if length > bins:
        raise ValueError(f"segment_length must be at most the {bins} bins of a trial, got {length}")
    _check_sizes(model.hyperparameters["arguments"], split)
    stride = params["segment_stride"] or max(1, length // 2)
    return Segments(*segments_of(split, length, stride))


def model_arrays(model: BetaVAE, split: Split) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The named inputs of a model, and the data that it is to explain.

    Args:
        model: a model of this package.
        split: the trials; of `model_segments`, for a model that cuts them.

    Returns:
        Inputs by name, and targets `[trial, time - segment + forward_bins, outputs]`.

    Raises:
        ValueError: if the split does not have the channels, bins or external inputs that the
            model was built for, or counts that are not whole numbers under a Poisson model, or
            NaN that the encoders of a model without `masked` would see.
    """
    arguments = model.hyperparameters["arguments"]
    _check_sizes(arguments, split)
    segment = model.hyperparameters["params"]["segment"]
    bins = np.minimum(split.bins, split.encod.shape[1])
    if segment >= bins.min():
        raise ValueError(
            f"segment must be shorter than the trials of {bins.min()} bins, got {segment}"
        )
    require_masked(model, split, "encod")
    if is_of_counts(arguments["likelihood"]):
        require_counts(split)
    inputs = {"spikes": split.encod}
    if arguments["ext_inputs"]:
        inputs["ext_input"] = split.ext_input
    if "length" in model.input_names:
        inputs["length"] = bins
    if "trial" in model.input_names:
        inputs["trial"] = np.arange(len(split.encod), dtype=np.int32)
    if "session" in model.input_names:
        inputs["session"] = _sessions(split, arguments["num_sessions"])
    if "group" in model.input_names:
        inputs |= _groups(split)
    return inputs, split.recon[:, segment:]


def require_masked(model: BetaVAE, split: Split, name: str) -> None:
    """Refuse NaN in an array for a model that has no place for it.

    Args:
        model: a model of this package.
        split: the trials.
        name: `"encod"`, what the encoders see, or `"recon"`, what the likelihood is of.

    Raises:
        ValueError: naming the array.
    """
    if not model.hyperparameters["arguments"].get("masked") and split.lacks(name):
        raise ValueError(
            f"{name} must hold no NaN for a model without masked=True, got data with missing "
            "values or trials of unequal length: training.data_arguments knows to set it"
        )


def equal_batches(count: int, batch_size: int) -> Iterator[np.ndarray]:
    """Numbers of trials, `batch_size` at a time, all of one length, so that one shape is compiled.

    The last batch is filled up with the last trial: of what comes of all, the first `count` count.

    Args:
        count: number of trials.
        batch_size: trials at a time; at most all of them.

    Raises:
        TypeError, ValueError: if `batch_size` is no whole number of at least 1.

    >>> [batch.tolist() for batch in equal_batches(5, 2)]
    [[0, 1], [2, 3], [4, 4]]
    """
    size = min(checks.whole_number("batch_size", batch_size, 1), count)
    for first in range(0, count, size):
        yield np.minimum(np.arange(first, first + size), count - 1)


def _sessions(split: Split, known: int) -> np.ndarray:
    """The session of each trial, one of those that the model knows."""
    if split.session is None:
        raise ValueError("the data must have sessions (data.join_sessions, data.as_session)")
    if split.session.max() >= known:
        raise ValueError(
            f"session must be one of the {known} of the model, 0 to {known - 1}, got "
            f"{split.session.max()}: models.add_session adds one"
        )
    return split.session


def _groups(split: Split) -> dict[str, np.ndarray]:
    """The group of each trial, -1 where it is not known, and how many trials that group has."""
    group = split.group
    if group is None:
        group = np.full(split.num_trials, -1, np.int32)
    _, row, counts = np.unique(group, return_inverse=True, return_counts=True)
    return {"group": group, "count": counts[row].astype(np.float32)}


def _check_sizes(arguments: dict, split: Split) -> None:
    ext_inputs = 0 if split.ext_input is None else split.ext_input.shape[-1]
    forward = split.recon.shape[1] - split.encod.shape[1]
    for name, expected, got in (
        ("encoded channels", arguments["channels"], split.encod.shape[-1]),
        ("predicted channels", arguments["outputs"], split.recon.shape[-1]),
        ("bins after the encoded ones", arguments["forward_bins"], forward),
        ("external inputs", arguments["ext_inputs"], ext_inputs),
    ):
        if expected != got:
            raise ValueError(f"the data must have {expected} {name}, as the model, got {got}")
