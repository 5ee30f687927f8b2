"""A fit that was stopped at any moment goes on where its last whole epoch ended."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from tfp_bvae.data import atomic_file
from tfp_bvae.data.plain_files import read_small_text

__all__ = ["Checkpoints", "History", "read_history", "write_history"]

LARGEST_TABLE = 2**28  # bytes


class Checkpoints(tf_keras.callbacks.Callback):
    """Saves weights, optimiser slots and `state` after each epoch, and restores the newest.

    TensorFlow writes a checkpoint beside the last one and then renames the file that points to
    it, so that there is a whole one at any moment.

    Args:
        folder: where they go.
        model: compiled and built.
        state: further variables, in nested dicts and lists.
        writes: whether this process may change the folder, and not only read it.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        model: tf_keras.Model,
        state: dict,
        writes: bool = True,
    ):
        super().__init__()
        model.optimizer.build(model.trainable_variables)
        self.epochs = tf.Variable(0, trainable=False)
        checkpoint = tf.train.Checkpoint(
            weights=model.weights,
            optimizer=list(model.optimizer.variables),
            epochs=self.epochs,
            state=state,
        )
        self.writes = writes
        self.saves = checkpoint.save_counter  # made now: within a fit all processes must make it
        if writes:
            self._clean(Path(folder))
        self.manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=1)

    @staticmethod
    def _clean(folder: Path) -> None:
        """Removes what a process that was killed has left of other checkpoints than the newest."""
        newest = tf.train.latest_checkpoint(str(folder))
        ours = f"{Path(newest).name}." if newest else "ckpt-"
        for entry in folder.glob("*"):
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != "checkpoint" and not entry.name.startswith(ours):
                entry.unlink()

    def forget(self) -> int:
        """Removes the checkpoints of an earlier fit; 0, the number of epochs that are behind."""
        if not self.writes:
            return 0
        shutil.rmtree(self.manager.directory, ignore_errors=True)
        self.manager = tf.train.CheckpointManager(
            self.manager.checkpoint, self.manager.directory, max_to_keep=1
        )
        return 0

    def restore(self) -> int:
        """Restores the newest checkpoint, if there is one; the number of epochs it has seen."""
        if self.manager.latest_checkpoint:
            status = self.manager.checkpoint.restore(self.manager.latest_checkpoint)
            status.assert_consumed()
        return int(self.epochs)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.assign(epoch + 1)
        self.manager.save(checkpoint_number=epoch + 1)


class History(tf_keras.callbacks.Callback):
    """The figures of every epoch, in memory and, whole at any moment, in a CSV file.

    Args:
        path: the CSV file; None for memory only.
        first: number of epochs that were behind at the start: later rows of the file go.
        writes: whether it writes the file, and not only begins with its rows.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, first: int = 0, writes: bool = True
    ):
        super().__init__()
        self.path = None if path is None else Path(path)
        self.writes = writes
        self.rows: list[dict[str, float]] = []
        if first and self.path and self.path.exists():
            rows = read_history(self.path)[:first]
            self.rows = [row | {"epoch": int(row["epoch"])} for row in rows]

    def on_epoch_end(self, epoch, logs=None):
        figures = {name: float(value) for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **figures})
        if self.path and self.writes:
            write_history(self.path, self.rows)


def write_history(path: str | os.PathLike[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of figures as a CSV file, whole or not at all; what a row lacks stays empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_file(path) as beside:
        beside.write_text(text.getvalue())


def read_history(path: str | os.PathLike[str]) -> list[dict[str, float]]:
    """The rows of a CSV file that `History` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is too large, or not a table of numbers.
    """
    text = io.StringIO(read_small_text(path, LARGEST_TABLE), newline="")
    try:
        rows = list(csv.DictReader(text))
        return [{name: float(value) for name, value in row.items() if value} for row in rows]
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(f"{path} must be a table of numbers with a head: {error}") from error
