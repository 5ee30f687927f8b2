"""Files that are sessions of one model: joined for `fit`, put at their places for the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tfp_bvae import checks
from tfp_bvae.cli.scores import read_dataset
from tfp_bvae.data import SpikeDataset, as_session, join_sessions, with_groups
from tfp_bvae.inference import Posterior
from tfp_bvae.training import Run

__all__ = ["of_session", "read_session", "read_sessions"]


def read_sessions(
    paths: Sequence[str],
    likelihood: str,
    bin_width: float | None,
    group_by: str | None = None,
    stream: bool = False,
) -> SpikeDataset:
    """The dataset of a file; of several, their sessions joined, named after the files.

    Args:
        paths: the files.
        likelihood: one of counts demands counts.
        bin_width: s; for files that do not say, and to check those that do.
        group_by: what makes a group, for a model of groups.
        stream: leave the trials of one file on disk.

    Raises:
        ValueError: two files have one name, or their sessions do not go together.
    """
    if len(paths) == 1:
        return read_dataset(paths[0], likelihood, bin_width, group_by, stream)
    if stream:
        raise ValueError("--stream must go with one file, got several, which are joined in memory")
    names = [Path(path).stem for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"files must have names of their own, which name sessions, got {twice}")
    datasets = [read_dataset(path, likelihood, bin_width) for path in paths]
    joined = join_sessions(dict(zip(names, datasets, strict=True)))
    notes = [dataset.attrs["read_notes"] for dataset in datasets if "read_notes" in dataset.attrs]
    if notes:
        joined.attrs["read_notes"] = "\n".join(notes)
    return joined if group_by is None else with_groups(joined, group_by)


def read_session(run: Run, path: str, session: str | None, stream: bool = False) -> SpikeDataset:
    """The dataset of a file for a model of a run, at the place of its session.

    Args:
        run: of the model.
        path: the file.
        session: name of the session, for a run of several; a file of all of them needs none.
        stream: leave the trials on disk.

    Raises:
        KeyError: there is no such session.
        ValueError: a session is named for a run that has none, or is not where one is needed; or
            its channels are others.
    """
    arguments, sizes = run.arguments, run.data.get("sessions")
    data = read_dataset(path, arguments.likelihood, arguments.bin_width, stream=stream)
    if session is None:
        if sizes and data.train.session is None:
            raise ValueError(f"--session must say which of {list(sizes)} {path} is, got none")
        return data
    if not sizes:
        raise ValueError(f"--session must go with a run of several sessions, got {session!r}")
    checks.one_of("--session", session, tuple(sizes))
    got = [data.train.encod.shape[2], data.train.recon.shape[2]]
    if got != sizes[session]:
        raise ValueError(
            f"{path} must have the channels of session {session}, {sizes[session]} encoded and "
            f"predicted, got {got}"
        )
    return as_session(data, list(sizes).index(session), arguments.channels, arguments.outputs)


def of_session(run: Run, session: str | None, part: Posterior) -> Posterior:
    """A posterior with the channels of its session alone."""
    if session is None:
        return part
    encoded, predicted = run.data["sessions"][session]
    first = run.arguments.channels
    places = [*range(encoded), *range(first, first + predicted - encoded)]
    arrays = part.arrays()
    cut = {name: arrays[name][:, :, places] for name in ("rates", "rates_scale") if name in arrays}
    return dataclasses.replace(part, **cut)
