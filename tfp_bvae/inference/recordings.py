"""What a fitted model says of continuous recordings, from windows that overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import Split, segments_of, stitch_segments
from tfp_bvae.inference.posterior import sample_and_average
from tfp_bvae.models import BetaVAE

__all__ = ["infer_recordings"]

OVER_TIME = ("rates", "factors", "inferred")


def infer_recordings(
    model: BetaVAE,
    recordings: np.ndarray | Sequence[np.ndarray],
    window: int,
    overlap: int,
    ext_input: np.ndarray | Sequence[np.ndarray] | None = None,
    num_samples: int = 50,
    batch_size: int = 64,
    seed: int = 0,
    session: int | None = None,
) -> list[dict[str, np.ndarray]]:
    r"""Rates, factors and inferred inputs of whole recordings, without a seam at the windows.

    The recordings are cut as `data.cut_segments` does, with a stride of `window - overlap`; the
    posterior of each window is that of `sample_and_average`, and `data.stitch_segments` puts them
    together, scales as root mean squares. Memory is that of a batch of windows, and of what
    is inferred of one recording's windows. NaN is what was not observed, for a model that was
    built with `masked`; what is inferred there, be it longer than a window, is the model's guess.

    Args:
        model: fitted to windows of recordings (`data.chop`).
        recordings: spikes per bin, `[time, channel]`; or a list of them, each as long as it is.
        window: length of a window, bins: that of the fit, or near it.
        overlap: bins that a window has in common with the next.
        ext_input: known inputs, `[time, ext]`, or a list of them, for a model that has them.
        num_samples: of the posterior of each window.
        batch_size: windows at a time.
        seed: of the samples.
        session: which the recordings are of, for a model of several; their channels at the places
            that `data.as_session` gives them.

    Returns:
        For each recording `rates` (expected spikes per bin), `factors` and, of models that have
        them, `inferred`, each `[time, channel]`, and their standard deviations over samples as
        `rates_scale` and so on.

    Raises:
        ValueError: if the model predicts other bins than it sees, a recording is shorter than a
            window, or shapes do not suit the model.

    >>> from tfp_bvae.models import lfads
    >>> found = infer_recordings(lfads({"channels": 3}), np.ones([70, 3]), 20, 5, num_samples=2)
    >>> found[0]["rates"].shape
    (70, 3)
    """
    window = checks.whole_number("window", window, 1)
    overlap = checks.whole_number("overlap", overlap, 0)
    if overlap >= window:
        raise ValueError(f"overlap must be below window={window}, got {overlap}")
    settings = model.hyperparameters
    if settings["params"]["segment"] or settings["arguments"]["forward_bins"]:
        raise ValueError("model must predict the bins that it sees, got a segment or forward_bins")
    recordings, inputs = _list(recordings), _list(ext_input)
    if inputs is not None:
        checks.same_length(
            ["recordings", "ext_input"], [len(recordings), len(inputs)], "recordings"
        )
    found = []
    for index, recording in enumerate(recordings):
        checks.rank(f"recording {index}", recording.shape, 2)
        seen = None
        if inputs is not None:
            checks.same_length(
                [f"recording {index}", "ext_input"], [len(recording), len(inputs[index])], "bins"
            )
            seen = inputs[index][np.newaxis]
        outputs = settings["arguments"]["outputs"]
        if outputs != recording.shape[-1]:
            raise ValueError(
                f"recording {index} must have the {outputs} channels that the model predicts, "
                f"got {recording.shape[-1]}"
            )
        whole, of = recording[np.newaxis], None if session is None else [session]
        trial = Split(whole, whole, seen, session=of)
        windows, where = segments_of(trial, window, window - overlap)
        arrays = sample_and_average(model, windows, num_samples, batch_size, seed=seed).arrays()
        found.append(_stitched(arrays, where, len(recording)))
    return found


def _list(recordings):
    """A list of recordings, of one or of several."""
    if recordings is None:
        return None
    one = isinstance(recordings, np.ndarray) and recordings.ndim == 2
    return [recordings] if one else [np.asarray(recording) for recording in recordings]


def _stitched(arrays: dict, where: np.ndarray, bins: int) -> dict[str, np.ndarray]:
    """What has a time axis, for the whole of a recording; scales by their squares."""
    found = {}
    for name, x in arrays.items():
        quantity = name.removesuffix("_scale")
        if quantity not in OVER_TIME:
            continue
        found[name] = stitch_segments(x if quantity == name else np.square(x), where, [bins])[0]
        if quantity != name:
            found[name] = np.sqrt(found[name])
    return found
