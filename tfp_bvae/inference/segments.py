"""What a model takes at a time, trials or segments of trials, and trials made of it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfp_bvae.data import Split, stitch_segments
from tfp_bvae.inference.decode import decode
from tfp_bvae.inference.passes import at_posterior_mean
from tfp_bvae.models import BetaVAE, Segments, model_segments

__all__ = ["Cut", "Latents", "infer_latents"]


@dataclass(frozen=True)
class Cut:
    """How trials were cut; all of them in the same way. `segment` is a whole trial if not cut.

    Args:
        num_trials: number of trials.
        bins: bins that are predicted of a trial.
        length: those of a segment.
        where: trial and first bin of each segment, `[segment, 2]`; None where nothing is cut.
        ends: bins that are predicted of each trial, `[trial]`, where they differ; None: `bins`.
            What comes of a bin after the end of a trial is NaN.
    """

    num_trials: int
    bins: int
    length: int
    where: np.ndarray | None
    ends: np.ndarray | None = None

    @classmethod
    def of(cls, model: BetaVAE, split: Split, segments: Segments) -> Cut:
        """The way from the trials of `split` to what `model_segments` made of them."""
        skipped = model.hyperparameters["params"]["segment"]
        bins, length = (s.recon.shape[1] - skipped for s in (split, segments.split))
        ends = None if split.length is None else split.length - skipped
        return cls(split.num_trials, bins, length, segments.where, ends)

    def rows(self, trials: np.ndarray) -> np.ndarray:
        """The segments of some trials, one trial after the other: numbers of segments."""
        of = self.trial_of()  # in order
        edges = zip(*(np.searchsorted(of, trials, side) for side in ("left", "right")), strict=True)
        return np.concatenate([np.arange(first, last) for first, last in edges])

    def trial_of(self) -> np.ndarray:
        """The trial of each segment, `[segment]`."""
        return np.arange(self.num_trials) if self.where is None else self.where[:, 0]

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Mean over the segments of each trial: `[segment, size]` to `[trial, size]`."""
        if self.where is None:
            return x
        starts = np.searchsorted(self.trial_of(), np.arange(1, self.num_trials))
        return np.stack([part.mean(axis=0) for part in np.split(x, starts)])

    def stitch(self, x: np.ndarray) -> np.ndarray:
        """What has a time axis, or is the same in all bins of a segment, for whole trials.

        Args:
            x: `[segment, length, channel]` or `[segment, channel]`.

        Returns:
            `[trial, bins, channel]`.
        """
        if x.ndim == 2:
            x = np.repeat(x[:, np.newaxis], self.length, axis=1)
        if self.where is None:
            return self._until_ends(x)
        if self.ends is None:
            return stitch_segments(x, self.where, self.bins)
        found = np.full([self.num_trials, self.bins, x.shape[-1]], np.nan, x.dtype)
        for trial, stitched in enumerate(stitch_segments(x, self.where, list(self.ends))):
            found[trial, : len(stitched)] = stitched
        return found

    def _until_ends(self, x: np.ndarray) -> np.ndarray:
        """What has a time axis, NaN after the end of each trial."""
        if self.ends is None:
            return x
        inside = np.arange(x.shape[1]) < self.ends[:, np.newaxis]
        return np.where(inside[..., np.newaxis], x, np.nan).astype(x.dtype)

    def per_trial(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays of a `Posterior`, of segments, for whole trials; scales by their squares."""
        found = {}
        for name, x in arrays.items():
            quantity = name.removesuffix("_scale")
            over_time = quantity in ("rates", "factors", "inferred")
            if self.where is None and not (over_time and x.ndim == 2):
                found[name] = self._until_ends(x) if over_time else x
                continue
            put = self.stitch if over_time else self.mean
            found[name] = put(x) if quantity == name else np.sqrt(put(np.square(x)))
        return found


class Latents(NamedTuple):
    """Means of the posterior of each segment, as the generator takes them."""

    f: np.ndarray  # [segment, f_size]
    z: np.ndarray | None  # [segment, z_size] of models.fhvae, else [trial, time, z_size]
    cut: Cut
    session: np.ndarray | None = None  # whose channels are predicted, [segment]

    def rates(self, model: BetaVAE, ext_input: np.ndarray | None = None) -> np.ndarray:
        """Expected spikes per bin that they mean, `[trial, time, outputs]`."""
        rates = decode(model, self.f, self.z, self.cut.length, ext_input, self.session)
        return self.cut.stitch(rates)


def infer_latents(model: BetaVAE, split: Split, batch_size: int = 64) -> Latents:
    """Posterior means of the latents of each segment; of each trial, for models that cut none.

    Args:
        model: a fitted model.
        split: the trials.
        batch_size: trials (or segments) at a time.

    Raises:
        ValueError: if the trials do not suit the model.
    """
    segments = model_segments(model, split)
    found = at_posterior_mean(model, segments.split, batch_size)
    session = segments.split.session if "session" in model.input_names else None
    return Latents(found["f"], found.get("inferred"), Cut.of(model, split, segments), session)
