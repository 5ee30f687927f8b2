"""The doors of tuning: population based training and random search, both by Ray Tune."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfp_bvae.data import SpikeDataset
from tfp_bvae.training import Run
from tfp_bvae.tuning.conduct import Search, Tuned
from tfp_bvae.tuning.settings import TuneSettings

__all__ = ["population_based_training", "random_search"]

Space = Mapping[str, Any] | Sequence[str] | None


def population_based_training(
    run: Run,
    data: SpikeDataset | Callable[[], SpikeDataset],
    settings: TuneSettings | Mapping[str, Any] | None = None,
    space: Space = None,
    address: str | None = None,
    resume: bool = False,
    show: Callable[[str], Any] = print,
) -> Tuned:
    """Train a population of models, the worst of which become copies of the best again and again.

    All members train for a generation. Then a quarter of them, those of the lowest score, take over
    the weights, optimiser slots and random streams of one of the best quarter each, and its
    hyperparameters, perturbed. The score is that of `training.HeldOut`, smoothed over epochs, with
    the same hidden entries for all; nobody is compared before the warm-up is over. The learning
    rate stays within a generation. A member whose score or steps are not finite is last.

    Ray Tune runs it, on this machine or on a cluster. Members wait for each other after each
    generation, so that there may be more of them than cores.

    Args:
        run: as of `training.create_run`; its folder must be one that all nodes see. It gains
            `tuning.csv`, and in the end `model.keras`, `history.csv` of the line that led to the
            best weights, and the settings they were trained with in `run.json`.
        data: training and validation trials; or a function without arguments that reads them, on
            each node.
        settings: of the search, a `TuneSettings` or a plain dict.
        space: which hyperparameters, and where: names, or `(low, high)` by name; None for all of
            `Params.search_space()` that the model has and that can change in training.
        address: of a Ray cluster, `"auto"` for the one that this machine belongs to; None for this
            machine alone.
        resume: go on with a search that was interrupted, after the last generation that all
            members have finished.
        show: is given each line of a table of generations.

    Returns:
        The best model and how it was found.

    Raises:
        ImportError: Ray is not installed.
        KeyError, TypeError, ValueError: for settings or hyperparameters that are not legal.
        ConnectionError: there is no cluster at the address.
        ChildProcessError: a member was lost too often.
        FloatingPointError: no member has a finite score.

    Source: Jaderberg et al., 2017, arXiv:1711.09846; Keshtkaran et al., Nature Methods 2022.
    """
    search = Search("population", run, settings, space, resume, show)
    return search.conduct(data, address)


def random_search(
    run: Run,
    data: SpikeDataset | Callable[[], SpikeDataset],
    settings: TuneSettings | Mapping[str, Any] | None = None,
    space: Space = None,
    address: str | None = None,
    resume: bool = False,
    show: Callable[[str], Any] = print,
) -> Tuned:
    """Fit models with hyperparameters drawn at random, sizes among them, and keep the best.

    Each member is fitted as by `training.fit`, with a learning rate that falls over all its
    generations; nobody takes over anything. What it finds is one value of each hyperparameter.

    Args:
        run: as of `population_based_training`, and so all others.
        data: what is fitted.
        settings: of the search.
        space: which hyperparameters, and where; None for all that the model has.
        address: of a Ray cluster.
        resume: go on with a search that was interrupted.
        show: is given each line of a table.

    It raises what `population_based_training` raises.
    """
    search = Search("random", run, settings, space, resume, show)
    return search.conduct(data, address)
