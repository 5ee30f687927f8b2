"""A report of several sessions: their channels are other neurons, so each is seen by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from tfp_bvae.data import SpikeDataset, Split, session_part
from tfp_bvae.inference import Posterior
from tfp_bvae.metrics import Floor, Hidden
from tfp_bvae.plots.report_material import Material, Sample

__all__ = ["hidden_of_sessions", "of_channels", "one_session", "together"]


def one_session(m: Material) -> tuple[Material, np.ndarray | None, str]:
    """What the pictures of channels are drawn of: the session with most validation trials.

    Args:
        m: with validation trials.

    Returns:
        The run with the validation trials of that session, the channels that it has, and its
        name; of a run without sessions, as it is, None and nothing.
    """
    session = m.valid.split.session
    if session is None or m.data is None:
        return m, None, ""
    number = int(np.bincount(session).argmax())
    rows = np.flatnonzero(session == number)
    _, channels = session_part(m.data, "valid", number)
    valid = m.valid
    condition = None if valid.condition is None else valid.condition[rows]
    posterior = m.posterior
    if posterior is not None:
        of_rows = {name: x[rows] for name, x in posterior.arrays().items()}
        posterior = dataclasses.replace(posterior, **of_rows)
    sample = Sample(valid.split.select(rows), valid.trials[rows], condition)
    name = str(m.data.attrs.get("session_names", np.arange(number + 1))[number])
    return dataclasses.replace(m, valid=sample, posterior=posterior), channels, name


def of_channels(
    split: Split, posterior: Posterior, channels: np.ndarray | None
) -> tuple[Split, Posterior]:
    """Trials and their rates with these channels alone; with None, as they are."""
    if channels is None:
        return split, posterior
    seen = channels[channels < split.encod.shape[2]]
    truth = None if split.truth is None else split.truth[..., channels]
    few = dataclasses.replace(
        split, encod=split.encod[..., seen], recon=split.recon[..., channels], truth=truth
    )
    names = [name for name in ("rates", "rates_scale") if getattr(posterior, name) is not None]
    cut = {name: getattr(posterior, name)[..., channels] for name in names}
    return few, dataclasses.replace(posterior, **cut)


def hidden_of_sessions(
    data: SpikeDataset, train: Split, valid: Split, sides: tuple[Hidden, Hidden]
) -> Iterator[tuple[Hidden, Hidden]]:
    """The two sides of each session, with the channels that it has.

    Args:
        data: of several sessions.
        train: some training trials.
        valid: some validation trials.
        sides: the same with hidden entries.
    """
    for number in np.unique(valid.session):
        _, channels = session_part(data, "train", int(number))
        seen = channels[channels < train.encod.shape[2]]
        few = [
            side.select(split.session == number)
            for split, side in zip((train, valid), sides, strict=True)
        ]
        yield tuple(
            Hidden(
                x.seen[..., seen], x.targets[..., channels], x.scored[..., channels], x.condition
            )
            for x in few
        )


def together(found: Sequence[Sequence[Floor]], spikes: Sequence[float]) -> list[Floor]:
    """The scores of all sessions as one: of each spike the bits that its session has of it.

    Args:
        found: of each session the scores of the same methods.
        spikes: that were scored, of each session.
    """
    joined = []
    for floors in zip(*found, strict=True):
        name = floors[0].name
        if any(floor.name != name for floor in floors):  # each with a choice of its own
            name = name.partition(",")[0]
        note = "; ".join(dict.fromkeys(floor.note for floor in floors if floor.note))
        failed = any(floor.score is None for floor in floors)
        score = None if failed else float(np.average([x.score for x in floors], weights=spikes))
        joined.append(Floor(name, score, note))
    return joined
