"""One search: Ray Tune is given the members, and what they found becomes a run."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tfp_bvae.data import SpikeDataset
from tfp_bvae.models import BetaVAE, Params
from tfp_bvae.settings import SearchRange
from tfp_bvae.training import (
    FitSettings,
    Run,
    fit_command,
    hold_run,
    open_run,
    read_history,
    update_run,
    write_history,
)
from tfp_bvae.training.run import write_json
from tfp_bvae.tuning.cluster import require_ray, running_ray
from tfp_bvae.tuning.course import Course
from tfp_bvae.tuning.member import Plan, best_weights, build, read_facts
from tfp_bvae.tuning.settings import TuneSettings
from tfp_bvae.tuning.space import first_values, search_space

__all__ = ["Search", "Tuned", "as_begun"]

FILE = "tuning.json"
# Settings that the command line has.
COMMANDED = (
    "population",
    "generations",
    "epochs_per_generation",
    "patience",
    "cpus",
    "gpus",
    "seed",
)


class Tuned(NamedTuple):
    """What a search found.

    Args:
        model: with the best weights.
        params: its settings, with the hyperparameters that these weights were trained with last.
        score: of these weights, bits per spike (nats per entry for Gaussian data).
        epoch: after which they were kept, the first is 1.
        table: a dict for each member and generation.
    """

    model: BetaVAE
    params: Params
    score: float
    epoch: int
    table: list[dict[str, Any]]


class Search:
    """One search, of either kind."""

    def __init__(self, kind: str, run: Run, settings, space, resume: bool, show):
        require_ray()
        run = as_begun(run) if resume else run
        self.run, self.resume, self.population = run, resume, kind == "population"
        self.file = run.path / FILE
        if not resume and self.file.exists():
            raise FileExistsError(f"{run.path} holds a search already: resume goes on with it")
        if run.model_file.exists() and not self.file.exists():
            raise ValueError(f"{run.path} must be a search, or empty but for run.json, got a fit")
        found = self._settled(kind, settings, space) if resume and self.file.exists() else None
        self.settings = TuneSettings.of(settings if found is None else found["settings"])
        self.space = (
            search_space(run.model, run.arguments, run.params, space, live=self.population)
            if found is None
            else {name: SearchRange(*place) for name, place in found["space"].items()}
        )
        self.found = None if found is None else found.get("found")
        self.kind = kind
        self.command = self._command() if found is None else found["command"]
        _check_lengths(self.settings, run)
        first = self.settings.first_comparison(run.fit) if self.population else None
        self.course = Course(run.path, list(self.space), self.settings, first, show)

    def conduct(self, data, address: str | None) -> Tuned:
        """Search, and write what was found; nobody else writes into the folder meanwhile."""
        with hold_run(self.run.path):
            return self._conduct(data, address)

    def _conduct(self, data, address: str | None) -> Tuned:
        settings, run, course = self.settings, self.run, self.course
        if self.found is not None:
            return self._again()
        length = settings.epochs_per_generation
        decay = None if self.population else settings.generations * length
        plan = Plan(run.model, run.arguments, run.params, run.fit, length, decay)
        members = self._members()
        here = data() if callable(data) else data
        build(plan, members[0]["values"], here)  # what is wrong is found here, and not far away
        if not self.file.exists():
            self._write(None)
        course.weights.mkdir(parents=True, exist_ok=True)
        if not course.finished():  # else it was killed after its last generation
            reads = data if callable(data) else None
            folder = course.temporary.resolve()
            with running_ray(address, settings.cpus, folder, reads), _aside(course):
                self._tune(plan, data, members)
        if course.problem:
            raise ChildProcessError(f"{course.problem}; resume goes on")
        if not course.finished():  # Ray takes Ctrl-C for itself
            raise KeyboardInterrupt
        return self._finish(plan, here)

    def _settled(self, kind: str, settings, space) -> dict[str, Any]:
        """What the search began with; what is asked for must not differ."""
        found = json.loads(self.file.read_text(encoding="utf-8"))
        known = TuneSettings.of(found["settings"]).to_dict()
        given = settings.to_dict() if isinstance(settings, TuneSettings) else dict(settings or {})
        differ = [
            f"{name} was {known[name]!r} and is now {value!r}"
            for name, value in given.items()
            if TuneSettings.of({name: value}).to_dict()[name] != known[name]
        ]
        if kind != found["search"]:
            differ.append(f"search was {found['search']!r} and is now {kind!r}")
        if space is not None and set(space) != set(found["space"]):
            differ.append(f"searched were {sorted(found['space'])} and are now {sorted(space)}")
        if differ:
            raise ValueError(f"{self.run.path} must go on as it began: {'; '.join(differ)}")
        return found

    def _write(self, found: Mapping[str, Any] | None) -> None:
        """Write what is searched, and in the end what was found."""
        content = {
            "search": self.kind,
            "began": {"params": self.run.params.to_dict(), "fit": self.run.fit.to_dict()},
            "settings": self.settings.to_dict(),
            "space": {name: list(place) for name, place in self.space.items()},
            "command": self.command,
            "found": found,
        }
        write_json(self.file, content)

    def _command(self) -> list[str]:
        """The words of the command that searches in the same way."""
        words = fit_command(self.run)
        words[1] = "tune"
        pairs = [(a, b) for a, b in itertools.pairwise(words) if a == "--set"]
        left_out = [pair for pair in pairs if pair[1].startswith(("epochs=", "seed="))]
        words = words[:7] + [x for pair in pairs if pair not in left_out for x in pair]
        words += ["--search", self.kind]
        for name in COMMANDED:
            value = getattr(self.settings, name)
            words += [f"--{name.replace('_', '-')}", "none" if value is None else f"{value:g}"]
        for name, (low, high, _) in self.space.items():
            words += ["--tune", f"{name}={low:g}:{high:g}"]
        return words

    def _members(self) -> list[dict[str, Any]]:
        """What each member starts from."""
        settings = self.settings
        values = first_values(self.space, self.run.params, settings.population, settings.seed)
        goes_on = self.course.resume() if self.resume else [{}] * len(values)
        members = []
        for number, (own, known) in enumerate(zip(values, goes_on, strict=True)):
            if known:
                own = {name: known["result"][name] for name in own}
            members.append({"number": number, "values": own, **known})
        return members

    def _tune(self, plan: Plan, data, members: list[dict[str, Any]]) -> None:
        """Hand the members to Ray Tune."""
        from ray import tune

        from tfp_bvae.tuning.callback import NoBoard, Reporter, StopWhenDone
        from tfp_bvae.tuning.trainable import MemberActor

        settings, folder = self.settings, self.course.temporary.resolve()
        actor = tune.with_parameters(
            MemberActor,
            plan=plan,
            data=data,
            threads=settings.cpus,
            best=str(self.course.weights.resolve()),
        )
        tune.Tuner(
            tune.with_resources(actor, {"cpu": settings.cpus, "gpu": settings.gpus}),
            param_space={"member": tune.grid_search(members)},
            tune_config=tune.TuneConfig(
                scheduler=self._scheduler(members),
                reuse_actors=True,
                trial_name_creator=_name,
                trial_dirname_creator=_name,
            ),
            run_config=tune.RunConfig(
                name=f"ray-{sum(1 for _ in folder.glob('ray-*'))}",
                storage_path=str(folder),
                verbose=0,
                callbacks=[Reporter(self.course), NoBoard()],
                stop=StopWhenDone(self.course),
                failure_config=tune.FailureConfig(max_failures=settings.failures),
                checkpoint_config=tune.CheckpointConfig(num_to_keep=4, checkpoint_frequency=1),
            ),
        ).fit()

    def _scheduler(self, members: list[dict[str, Any]]):
        """Ray's, for a population; None for members that know nothing of each other."""
        if not self.population:
            return None
        from tfp_bvae.tuning.scheduler import Generations

        reached = max((m["result"]["generation"] for m in members if "result" in m), default=0)
        settings = self.settings
        return Generations(
            self.space,
            max(self.course.first, reached),
            settings.replaced,
            settings.strength,
            settings.seed,
        )

    def _finish(self, plan: Plan, data: SpikeDataset) -> Tuned:
        """Make the best weights a model, and the folder an ordinary run.

        Once `tuning.json` says what was found, the search is over: what comes after that is done
        again by whoever resumes it.
        """
        best = self.course.best
        if best is None:
            raise FloatingPointError(
                "no member has a finite score; try a lower range of learning_rate"
            )
        facts = read_facts(best)
        model = build(plan, facts["best_values"], data)
        model.set_weights(best_weights(best))
        write_history(self.run.history_file, facts["history"])
        self.run.save_model(model)
        self.found = {
            "score": facts["best"],
            "epoch": facts["best_epoch"] + 1,
            "epochs": facts["epoch"],
            "values": facts["best_values"],
        }
        self._write(self.found)
        return self._over(model, self.course.table())

    def _again(self) -> Tuned:
        """What a search that is over has found."""
        return self._over(self.run.load_model(), read_history(self.course.table_file))

    def _over(self, model: BetaVAE, table: list[dict[str, Any]]) -> Tuned:
        """Make `run.json` that of the model that was found, and leave nothing but the run."""
        found, run = self.found, self.run
        params = run.params.replace(found["values"])
        fit = run.fit.replace({"epochs": found["epochs"], "learning_rate": params.learning_rate})
        fit = fit.replace({"final_rate": 1.0}) if self.population else fit  # its rate never fell
        now = open_run(run.path)
        if (now.params, now.fit) != (params, fit):
            update_run(run, params, fit)
        shutil.rmtree(self.course.temporary, ignore_errors=True)
        return Tuned(model, params, found["score"], found["epoch"], table)


def as_begun(run: Run) -> Run:
    """A run with the settings that a search in its folder began with, be it over or not.

    Args:
        run: as `training.open_run` finds it; one without a search stays as it is.
    """
    file = run.path / FILE
    if not file.exists():
        return run
    began = json.loads(file.read_text(encoding="utf-8"))["began"]
    params, fit = Params.of(began["params"]), FitSettings.of(began["fit"])
    return dataclasses.replace(run, params=params, fit=fit)


def _check_lengths(settings: TuneSettings, run: Run) -> None:
    epochs, length = run.fit.warm_up, settings.epochs_per_generation
    if settings.generations * length <= epochs:
        raise ValueError(
            f"generations must be more than the warm-up of {epochs} epochs takes, got "
            f"{settings.generations} of {length} epochs"
        )
    if length % run.fit.validate_every:
        raise ValueError(
            "epochs_per_generation must be a multiple of validate_every, "
            f"{run.fit.validate_every}, got {length}"
        )


@contextlib.contextmanager
def _aside(course: Course) -> Iterator[None]:
    """What Ray Tune prints goes to a file, and our own table to where it was to go."""
    out, show, loud = sys.stdout, course.show, logging.getLogger("ray.tune")
    level = loud.level

    def shown(line: str) -> None:
        with contextlib.redirect_stdout(out):
            show(line)

    loud.setLevel(logging.CRITICAL)
    try:
        with open(course.temporary / "ray.log", "a", encoding="utf-8") as log:
            course.show = shown
            with contextlib.redirect_stdout(log):
                yield
    finally:
        course.show = show
        loud.setLevel(level)


def _name(trial) -> str:
    return trial.trial_id
