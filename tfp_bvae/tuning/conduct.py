"""One search: Ray Tune is given the members, and what they found becomes a run."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tfp_bvae.data import SpikeDataset
from tfp_bvae.models import BetaVAE, Params
from tfp_bvae.settings import SearchRange
from tfp_bvae.training import Run, hold_run, open_run, read_history, update_run, write_history
from tfp_bvae.tuning.cluster import require_ray, running_ray
from tfp_bvae.tuning.course import Course
from tfp_bvae.tuning.member import Plan, best_weights, build, read_facts
from tfp_bvae.tuning.record import Record, as_begun, command_of
from tfp_bvae.tuning.settings import TuneSettings
from tfp_bvae.tuning.space import first_values, search_space

__all__ = ["Search", "Tuned"]


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
        self.record = Record(run.path)
        if not resume and self.record.exists():
            raise FileExistsError(f"{run.path} holds a search already: resume goes on with it")
        if run.model_file.exists() and not self.record.exists():
            raise ValueError(f"{run.path} must be a search, or empty but for run.json, got a fit")
        known = self.record.require_same(kind, settings, space) if self.record.exists() else None
        self.settings = TuneSettings.of(settings if known is None else known["settings"])
        self.space = (
            search_space(run.model, run.arguments, run.params, space, live=self.population)
            if known is None
            else {name: SearchRange(*place) for name, place in known["space"].items()}
        )
        self.found = None if known is None else known.get("found")
        self.kind = kind
        self.command = (
            command_of(kind, run, self.settings, self.space) if known is None else known["command"]
        )
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
        if not self.record.exists():
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

    def _write(self, found: Mapping[str, Any] | None) -> None:
        """Write what is searched, and in the end what was found."""
        self.record.write(self.kind, self.run, self.settings, self.space, self.command, found)

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
