"""What Ray tells of a search, handed on to its `Course`."""

from __future__ import annotations

from ray import tune
from ray.tune.logger import TBXLoggerCallback

from tfp_bvae.tuning.course import Course

__all__ = ["NoBoard", "Reporter", "StopWhenDone"]


class Reporter(tune.Callback):
    """Hands on results and checkpoints.

    Args:
        course: is told.
    """

    def __init__(self, course: Course):
        self.course = course
        self._numbers: dict[str, int] = {}  # of members, by Ray's name for them

    def on_step_begin(self, iteration, trials, **info):
        """Learn which member is which, before any becomes a copy of another."""
        for trial in trials:
            self._numbers.setdefault(trial.trial_id, trial.config["member"]["number"])

    def on_trial_result(self, iteration, trials, trial, result, **info):
        """Hand on the result of a generation."""
        parent = result.get("parent")
        parent = self._numbers[parent] if isinstance(parent, str) else parent
        self.course.add(self._numbers[trial.trial_id], result | {"parent": parent})

    def on_checkpoint(self, iteration, trials, trial, checkpoint, **info):
        """Hand on where a member was saved."""
        self.course.saved(self._numbers[trial.trial_id], checkpoint.path)

    def on_trial_recover(self, iteration, trials, trial, **info):
        """Say that a process or a machine was lost."""
        self.course.lost(self._numbers[trial.trial_id])

    def on_trial_error(self, iteration, trials, trial, **info):
        """Stop the search: those that wait for this member would wait for good."""
        number = self._numbers[trial.trial_id]
        reason = str(getattr(trial, "get_error", lambda: "")() or "").strip().splitlines()
        self.course.problem = f"member {number} was lost too often: {reason[-1] if reason else ''}"


class NoBoard(TBXLoggerCallback):
    """Takes the place of Ray's log for TensorBoard, which says aloud that a score is not finite."""

    def log_trial_start(self, trial):
        """Write nothing."""

    def log_trial_result(self, iteration, trial, result):
        """Write nothing: `tuning.csv` has it."""

    def log_trial_end(self, trial, failed=False):
        """Write nothing."""


class StopWhenDone(tune.Stopper):
    """Stops members after the last generation, and all of them when the course says so.

    Args:
        course: is asked.
    """

    def __init__(self, course: Course):
        self.course = course

    def __call__(self, trial_id, result):
        """Whether this member is done."""
        return result["generation"] >= self.course.settings.generations

    def stop_all(self):
        """Whether all are."""
        return self.course.should_stop()
