"""What `fit`, `infer` and `evaluate` share: reading a file, inferring and scoring its splits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tfp_bvae.cli.trials import read_trials
from tfp_bvae.data import SpikeDataset, row_file, with_groups
from tfp_bvae.inference import Posterior, Scores, posterior_parts
from tfp_bvae.inference.report import RATES_UNIT, SCORE_LABELS
from tfp_bvae.models import RECIPES, BetaVAE, is_of_counts
from tfp_bvae.training import Run

__all__ = [
    "infer_parts",
    "posterior_file",
    "read_data_of",
    "read_dataset",
    "score_parts",
    "score_table",
]

SPLITS = ("train", "valid")


def read_dataset(
    path: str | os.PathLike[str],
    likelihood: str,
    bin_width: float | None,
    group_by: str | None = None,
    stream: bool = False,
) -> SpikeDataset:
    """A file's dataset, whatever its format.

    Args:
        path: the file.
        likelihood: one of counts demands counts.
        bin_width: s; for a file that does not say, and to check one that does.
        group_by: what makes a group, for a model of groups.
        stream: leave the trials on disk, and read them when they are needed.

    Raises:
        KeyError: there is no array by which to make groups.
        ValueError: the bins of the file have another width, or the file is not as it must be.
    """
    data = read_trials(path, is_of_counts(likelihood), bin_width, stream)
    return data if group_by is None else with_groups(data, group_by)


def read_data_of(run: Run, path: str | os.PathLike[str], stream: bool = False) -> SpikeDataset:
    """The dataset that a run was fitted to, with its groups where the model has them."""
    arguments = run.arguments
    group_by = arguments.group_by if RECIPES[run.model].of_groups else None
    return read_dataset(path, arguments.likelihood, arguments.bin_width, group_by, stream)


def infer_parts(
    model: BetaVAE, data: SpikeDataset, samples: int = 50
) -> Iterator[tuple[str, slice, Posterior]]:
    """The posterior of each split, averaged over samples, some trials at a time."""
    for side in SPLITS:
        for trials, part in posterior_parts(model, getattr(data, side), samples):
            yield side, trials, part


@contextmanager
def posterior_file(
    path: str | os.PathLike[str], data: SpikeDataset
) -> Iterator[Callable[[str, slice, Posterior], None]]:
    """A file of `infer_parts`, which takes them one after the other: all or nothing."""
    with row_file(path, {"rates_unit": RATES_UNIT, "bin_width": data.bin_width}) as file:

        def write(side: str, trials: slice, part: Posterior) -> None:
            arrays = {f"{side}_{name}": array for name, array in part.arrays().items()}
            file.write(trials, arrays, getattr(data, side).num_trials)

        yield write


def score_parts(
    model: BetaVAE, data: SpikeDataset, parts: Iterable[tuple[str, slice, Posterior]]
) -> dict[str, Any]:
    """The scores of each split, of its parts."""
    scores = {side: Scores(model, getattr(data, side)) for side in SPLITS}
    for side, trials, part in parts:
        scores[side].add(trials, part.rates)
    return {side: found.result() for side, found in scores.items()}


def score_table(scores: Mapping[str, Any]) -> str:
    """Scores of the splits side by side, to read."""
    width = max(len(SCORE_LABELS[name]) for name in scores["valid"])
    lines = [f"{'':{width}}  {'train':>7}  {'valid':>7}"]
    for name in scores["valid"]:
        cells = [scores[side][name] for side in SPLITS]
        shown = ["-" if cell is None else f"{cell:.3f}" for cell in cells]
        lines.append(f"{SCORE_LABELS[name]:{width}}  {shown[0]:>7}  {shown[1]:>7}")
    return "\n".join(lines)
