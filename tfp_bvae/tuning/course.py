"""What happened in a search so far: rows, the table that a person reads, when to stop."""

from __future__ import annotations

import json
import math
import shutil
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfp_bvae.data import atomic_file
from tfp_bvae.training import read_history, write_history
from tfp_bvae.tuning.member import read_facts
from tfp_bvae.tuning.settings import TuneSettings

__all__ = ["Course"]

FIGURES = ("generation", "member", "parent", "score", "best", "epochs", "skipped_steps", "seconds")
WHOLE = ("generation", "member", "epochs", "skipped_steps")
KEPT = 3  # generations whose checkpoints are remembered


class Course:
    """The course of a search, in files that are whole at any moment.

    A member puts its weights into `tuning/best` before it reports a generation that made them
    better, so that a row of the table never speaks of weights that are not there.

    Args:
        folder: of the run: `tuning.csv` goes here, all that is temporary into `tuning/`.
        names: hyperparameters that are searched.
        settings: of the search.
        first: the generation after which members are compared for the first time; None for
            members that never are.
        show: is given each line of the table.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        settings: TuneSettings,
        first: int | None,
        show: Callable[[str], Any] = lambda line: None,
    ):
        self.folder, self.names = Path(folder), list(names)
        self.settings, self.show = settings, show
        self.first = math.inf if first is None else first
        self.rows: dict[tuple[int, int], dict[str, Any]] = {}  # by generation and member
        self.checkpoints: dict[tuple[int, int], str] = {}
        self.problem: str | None = None
        self._begun, self._resumed, self._shown = time.monotonic(), 0, 0
        self._headed = False

    def __getstate__(self) -> dict[str, Any]:
        """Ray keeps a copy beside its own state: without the way to the terminal."""
        return self.__dict__ | {"show": print}

    @property
    def table_file(self) -> Path:
        """A row per member and generation."""
        return self.folder / "tuning.csv"

    @property
    def temporary(self) -> Path:
        """What is needed until the search is over."""
        return self.folder / "tuning"

    @property
    def weights(self) -> Path:
        """Where members put weights that are better; `GENERATION-MEMBER` once they are reported."""
        return self.temporary / "best"

    @property
    def best(self) -> Path | None:
        """The folder of the best weights of all generations that were reported."""
        key = max(self._stored(), key=self._rank, default=None)
        return None if key is None else self._folder(*key)

    def add(self, number: int, result: Mapping[str, Any]) -> None:
        """Take the result of a member's generation, and its `weights`, where these are better."""
        generation = int(result["generation"])
        written = self.weights / result["weights"] if result.get("weights") else None
        if (generation, number) in self.rows:
            if written:
                shutil.rmtree(written, ignore_errors=True)
            return
        if written:  # Ray's name for the member becomes ours
            shutil.rmtree(self._folder(generation, number), ignore_errors=True)
            written.rename(self._folder(generation, number))
        row = {name: result.get(name) for name in (*FIGURES, *self.names)}
        self.rows[generation, number] = row | {"member": number}
        write_history(self.table_file, self.table())
        if self._complete(generation) and generation > self._shown:
            self._shown = generation
            self._show(generation)

    def saved(self, number: int, checkpoint: str) -> None:
        """Take a checkpoint of a member, and forget weights that are not the best."""
        generation = int(read_facts(checkpoint)["generation"])
        self.checkpoints[generation, number] = checkpoint
        newest = {n: max(g for g, m in self.checkpoints if m == n) for _, n in self.checkpoints}
        self.checkpoints = {
            (g, n): path for (g, n), path in self.checkpoints.items() if g > newest[n] - KEPT
        }
        self._remember()
        settled = [key for key in self._stored() if self._settled(*key)]
        for key in sorted(settled, key=self._rank)[:-1]:
            shutil.rmtree(self._folder(*key), ignore_errors=True)

    def lost(self, number: int) -> None:
        """Take note of a member whose process or machine was lost, and that goes on elsewhere."""
        self.show(f"member {number} was lost, and goes on from its last checkpoint")

    def should_stop(self) -> bool:
        """Whether the best score has not become better for too long, or a member is lost."""
        patience, last = self.settings.patience, self._last_complete()
        if self.problem:
            return True
        if patience is None or last < self.first + patience:
            return False
        if not self._leaders_saved(last):
            return False
        before = self._top(range(1, last - patience + 1))
        since = self._top(range(last - patience + 1, last + 1))
        return not since > before + self.settings.tolerance * abs(before)

    def finished(self) -> bool:
        """Whether there is nothing left to be done."""
        return self._last_complete() >= self.settings.generations or self.should_stop()

    def resume(self) -> list[dict[str, Any]]:
        """What each member goes on from, of the files that an earlier search left.

        Returns:
            A dict for each member: `result` of its last generation and `checkpoint`; empty for one
            that has to begin anew.
        """
        self._read()
        numbers = range(self.settings.population)
        together = self._together()
        reached = dict.fromkeys(numbers, max(together, default=0))
        if not together:  # nobody was compared: each from where it is
            for number in numbers:
                mine = [g for g, n in self.checkpoints if n == number and (g, n) in self.rows]
                reached[number] = max(mine, default=0)
        self.rows = {(g, n): row for (g, n), row in self.rows.items() if g <= reached[n]}
        self.checkpoints = {(g, n): p for (g, n), p in self.checkpoints.items() if g <= reached[n]}
        self._shown = self._resumed = self._last_complete()
        for folder in self.weights.glob("*-*"):
            if _key(folder) not in self.rows:  # of what is trained once more
                shutil.rmtree(folder, ignore_errors=True)
        return [
            {
                "result": self.rows[reached[n], n],
                "checkpoint": self.checkpoints.get((reached[n], n)),
            }
            if reached[n]
            else {}
            for n in numbers
        ]

    def table(self) -> list[dict[str, Any]]:
        """The rows, by generation and member."""
        return [self.rows[key] for key in sorted(self.rows)]

    def _complete(self, generation: int) -> bool:
        return all((generation, n) in self.rows for n in range(self.settings.population))

    def _last_complete(self) -> int:
        return max((g for g, _ in self.rows if self._complete(g)), default=0)

    def _together(self) -> list[int]:
        """Generations after which members were compared, and from which all can go on."""
        return [
            g
            for g in range(1, self._last_complete() + 1)
            if g >= self.first and self._complete(g) and self._leaders_saved(g)
        ]

    def _top(self, generations) -> float:
        """The best score of some generations, of those that count."""
        scores = [row["score"] for (g, _), row in self.rows.items() if g in generations]
        return max(scores, default=-math.inf)

    def _leaders_saved(self, generation: int) -> bool:
        """Whether there is a checkpoint of each member that is not replaced anyway."""
        count = self.settings.population
        of = sorted(range(count), key=lambda n: self.rows[generation, n]["score"])
        last = min(math.ceil(count * self.settings.replaced), count // 2)
        return all((generation, n) in self.checkpoints for n in of[last:])

    def _folder(self, generation: int, number: int) -> Path:
        return self.weights / f"{generation}-{number}"

    def _stored(self) -> list[tuple[int, int]]:
        """Generation and member of all weights that are there and were reported."""
        found = [_key(folder) for folder in self.weights.glob("*-*")]
        return [key for key in found if key in self.rows and math.isfinite(self.rows[key]["best"])]

    def _rank(self, key: tuple[int, int]) -> tuple[float, int, int]:
        """The best come last; of equals, those that were there first."""
        return self.rows[key]["best"], -key[0], -key[1]

    def _settled(self, generation: int, number: int) -> bool:
        """Whether no search that goes on will train this generation of a member once more."""
        if generation < self.first and any(
            g >= generation and n == number for g, n in self.checkpoints
        ):
            return True
        return any(g >= generation for g in self._together())

    def _show(self, generation: int) -> None:
        scores = [self.rows[generation, n]["score"] for n in range(self.settings.population)]
        leader = self.rows[generation, max(range(len(scores)), key=scores.__getitem__)]
        if not self._headed:
            self._headed = True
            self.show(f"{'generation':>10} {'best':>8} {'median':>8}  hyperparameters of the best")
        values = "  ".join(f"{name} {leader[name]:.3g}" for name in self.names)
        self.show(
            f"{f'{generation}/{self.settings.generations}':>10} {max(scores):8.4f} "
            f"{statistics.median(scores):8.4f}  {values}  ({self._left(generation)})"
        )

    def _left(self, generation: int) -> str:
        """Time that has passed, and is left at most."""
        passed = time.monotonic() - self._begun
        done = generation - self._resumed
        left = passed / max(done, 1) * (self.settings.generations - generation)
        return f"{_clock(passed)}, {_clock(left)} left"

    def _remember(self) -> None:
        found = [[g, n, path] for (g, n), path in sorted(self.checkpoints.items())]
        with atomic_file(self.temporary / "checkpoints.json") as beside:
            beside.write_text(json.dumps(found), encoding="utf-8")

    def _read(self) -> None:
        if self.table_file.exists():
            for row in read_history(self.table_file):
                whole = {
                    n: int(row[n]) for n in ("generation", "member", "epochs", "skipped_steps")
                }
                parent = int(row["parent"]) if "parent" in row else None
                key = whole["generation"], whole["member"]
                self.rows[key] = row | whole | {"parent": parent}
        remembered = self.temporary / "checkpoints.json"
        if remembered.exists():
            for g, n, path in json.loads(remembered.read_text(encoding="utf-8")):
                if Path(path).is_dir():
                    self.checkpoints[g, n] = path


def _key(folder: Path) -> tuple[int, int] | None:
    """Generation and member of a folder of weights; None of one that is being written."""
    generation, _, number = folder.name.partition("-")
    return (int(generation), int(number)) if generation.isdecimal() and number.isdecimal() else None


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
