"""One process at a time writes into the folder of a run; what a killed one left half done goes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import filelock

__all__ = ["clear_run", "hold_run", "is_blank"]

LOCK = ".lock"
# Beside a file while it is written, by `data.atomic_file`, and a model by `Run.save_model`.
LEFT = re.compile(
    r"\.(run\.json|history\.csv|posterior\.h5|metrics\.json|tuning\.csv|tuning\.json|data\.h5"
    r"|report\.html|figure\.png|adopted\.json)\..*\.tmp|\.model-.*"
)


@contextlib.contextmanager
def hold_run(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Keep the folder of a run from all other processes that would write into it.

    The system gives a lock on the file `.lock` in it, and takes it back when the process ends, in
    whatever way: a process that was killed holds nothing. A process that holds a run may ask for
    it again. Who takes it first removes what a process that was killed has left half written.

    Args:
        path: the folder; it is made if it is not there, and removed if nothing comes into it.

    Yields:
        The folder.

    Raises:
        BlockingIOError: another process, or another thread of this one, holds it.
        FileExistsError: there is a file at `path`.
        OSError: nothing can be written there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with hold_run(f"{folder}/run") as path, hold_run(path):
    ...         _ = (path / "notes.txt").write_text("mine")
    ...     sorted(file.name for file in path.iterdir())
    ['notes.txt']
    """
    path = Path(path)
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    file = path.resolve() / LOCK
    lock = filelock.FileLock(file, timeout=0, is_singleton=True)
    if lock.is_locked:
        with lock:
            yield path
        return
    empty = not new and not any(path.iterdir())
    try:
        _acquire(lock, path, file)
        try:
            _sweep(path)
            _sign(file)
            yield path
        finally:
            with contextlib.suppress(OSError):
                file.unlink()
            lock.release()
    finally:
        if not empty:  # of one that was empty, its owner made it
            _remove_empty(new or [path])


def is_blank(path: str | os.PathLike[str]) -> bool:
    """Whether a folder holds nothing yet: no run was begun in it."""
    return all(entry.name == LOCK or LEFT.fullmatch(entry.name) for entry in Path(path).iterdir())


def clear_run(path: str | os.PathLike[str]) -> None:
    """Remove all that a folder holds, `run.json` last: until then it is that of a run."""
    entries = [entry for entry in Path(path).iterdir() if entry.name != LOCK]
    for entry in sorted(entries, key=lambda entry: entry.name == "run.json"):
        _remove(entry)


def _acquire(lock: filelock.BaseFileLock, path: Path, file: Path) -> None:
    """Take the lock; again where its last holder removed the file at that very moment."""
    try:
        while True:
            file.touch()
            before = os.stat(file).st_ino
            lock.acquire()
            with contextlib.suppress(FileNotFoundError):
                if os.stat(file).st_ino == before:
                    return
            lock.release()
    except filelock.Timeout:
        raise BlockingIOError(
            f"{path} is in use by {_holder(file)}: wait for its end, or take another folder"
        ) from None
    except OSError as error:
        error.filename = str(path)
        raise


def _sweep(path: Path) -> None:
    for entry in path.iterdir():
        if LEFT.fullmatch(entry.name):
            _remove(entry)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def _sign(file: Path) -> None:
    """Say in the lock who has it. A disk without room for that is no reason to stop."""
    with contextlib.suppress(OSError):
        file.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")


def _holder(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace").strip() or "another process"
    return "another process"


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders, the innermost first, as long as there is nothing in them."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
