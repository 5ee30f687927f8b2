"""`tfp-bvae tune`."""

from __future__ import annotations

import functools
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from tfp_bvae import tuning
from tfp_bvae.cli.fit import figures_of, notes_of, write_results
from tfp_bvae.cli.folders import require_free, resume_run, start_run
from tfp_bvae.cli.scores import read_data_of
from tfp_bvae.cli.settings import read_settings
from tfp_bvae.training import hold_run, open_run
from tfp_bvae.training.holding import clear_run, is_blank
from tfp_bvae.tuning import TuneSettings
from tfp_bvae.tuning.cluster import require_ray
from tfp_bvae.tuning.record import as_begun

__all__ = ["run"]

SHORT = ("population", "generations", "epochs_per_generation", "patience", "cpus", "gpus", "seed")
SEARCHES = {
    "population": tuning.population_based_training,
    "random": tuning.random_search,
}


def run(options: Namespace) -> None:
    """Search, or go on with a search; then write all that a run holds."""
    require_ray()
    given = read_settings(options.model, options.set, seed=options.seed)
    settings, space = _of_the_search(options), read_space(options.tune)
    path, started = Path(options.out), time.monotonic()
    require_free(path, options)
    with hold_run(path):
        _search(options, path, given, (settings, space), started)


def _search(
    options: Namespace, path: Path, given: dict[str, Any], asked: tuple, started: float
) -> None:
    was_there = options.resume and not is_blank(path)
    if was_there:
        found, data = resume_run(path, options, given, as_begun)
    else:
        found, data = start_run(path, options, given)
    if not options.quiet:
        notes_of(data)
    source = data
    if options.stream:
        source = functools.partial(read_data_of, found, Path(options.data[0]).resolve(), True)
    try:
        tuned = SEARCHES[options.search](
            found, source, *asked, options.address, was_there, _say(options.quiet)
        )
    except Exception:
        if not was_there and not found.tuning_file.exists():
            clear_run(path)
        raise
    found = open_run(path)
    figures = figures_of(found, tuned.model, time.monotonic() - started, 0)
    figures |= {"best_epoch": tuned.epoch, "search": options.search}
    write_results(found, tuned.model, data, figures, options.quiet)


def read_space(words: list[str]) -> dict[str, tuple[float, float] | None] | None:
    """Hyperparameters to search, from words `NAME` or `NAME=LOW:HIGH`; None for none.

    Raises:
        ValueError: for a word of another form, or a name that is there twice.

    >>> read_space(["dropout", "beta_f=0.01:1"])
    {'dropout': None, 'beta_f': (0.01, 1.0)}
    """
    found: dict[str, tuple[float, float] | None] = {}
    for word in words:
        name, equals, ends = word.partition("=")
        low, colon, high = ends.partition(":")
        try:
            place = (float(low), float(high)) if equals else None
        except ValueError:
            place, colon = None, ""
        if not name or name in found or (equals and not colon):
            raise ValueError(f"--tune must be given NAME or NAME=LOW:HIGH, each once, got {word!r}")
        found[name] = place
    return found or None


def _of_the_search(options: Namespace) -> dict[str, Any]:
    typed = {name: getattr(options, name) for name in SHORT}
    values = {
        name: TuneSettings.parse(name, text) for name, text in typed.items() if text is not None
    }
    TuneSettings.of(values)
    return values


def _say(quiet: bool):
    return (lambda line: None) if quiet else (lambda line: print(line, flush=True))
