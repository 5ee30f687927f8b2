"""Verbs of the command line in processes that are killed, and a look at what they leave."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import psutil

TIMES = ("seconds", "resumed_at_epoch")


def start(words: Sequence[object], log: Path) -> int:
    """Begin `tfp-bvae WORDS` in a process and a group of its own; what it prints goes to a file.

    It is forked from this one, where TensorFlow is imported and has not begun: an import writes
    nothing, and takes longer than all else.
    """
    child = os.fork()
    if child:
        return child
    os.setsid()
    with open(log, "w", encoding="utf-8") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    code = 1
    try:
        from tfp_bvae.cli import main

        code = main([str(word) for word in words])
    finally:
        os._exit(code)


def ended(child: int, seconds: float) -> int | None:
    """The exit code of a process, or None if it still runs after some seconds."""
    limit = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= limit:
            return None
        time.sleep(min(0.005, max(limit - time.monotonic(), 0)))


def kill(child: int) -> None:
    """Kill a process and all that it has begun, those of Ray too, as by `kill -9`."""
    process = psutil.Process(child)
    for each in [process, *process.children(recursive=True)]:
        try:
            each.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    os.waitpid(child, 0)


def call(words: Sequence[object], log: Path) -> tuple[int, str]:
    """Run a verb to its end: the exit code, and what it printed."""
    code = ended(start(words, log), 3600)
    return code, log.read_text(encoding="utf-8")


def apart(look: Callable[..., Any], *what: object) -> Any:
    """What a function finds, in a process of its own: here TensorFlow must not begin."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        try:
            found = look(*what)
        except BaseException as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        with os.fdopen(writes, "w") as file:
            json.dump(found, file)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as file:
        found = json.load(file)
    os.waitpid(child, 0)
    return found


def damaged(folder: Path) -> list[str]:
    """Files with a final name that are not whole."""
    found = []
    for path in sorted(folder.rglob("*")):
        of_ray = any(part.startswith("ray-") for part in path.relative_to(folder).parts)
        if path.is_dir() or path.name.startswith(".") or of_ray:
            continue
        try:
            _read(path)
        except Exception as error:
            found.append(f"{path.relative_to(folder)}: {type(error).__name__}: {error}")
    return found


def _read(path: Path) -> None:
    """Read a file to its end."""
    if path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".csv":
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        assert len({len(row) for row in rows}) == 1, "rows of several lengths"
    elif path.suffix == ".h5":
        with h5py.File(path) as file:
            sides = [name.partition("_")[0] for name in file]
            assert sides.count("train") == sides.count("valid") > 0, "a split is missing"
            for dataset in file.values():
                assert dataset[()].size
    elif path.suffix == ".keras":
        import tf_keras

        import tfp_bvae.models  # noqa: F401  its classes

        tf_keras.models.load_model(path, compile=False)
    elif path.suffix == ".html":
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>"), "cut short"
    elif path.name == "checkpoint":
        import tensorflow as tf

        reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(path.parent)))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)


def content(path: Path) -> dict[str, Any]:
    """What a run, a posterior or a report says, but for times; arrays as their bytes."""
    found: dict[str, Any] = {}
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        name = str(file.relative_to(path)) if path.is_dir() else "file"
        if file.is_dir() or name.startswith(("checkpoints", "tensorboard")):
            continue
        if file.suffix == ".h5":
            with h5py.File(file) as arrays:
                found[name] = {n: _digest(x[()].tobytes()) for n, x in arrays.items()}
        elif file.suffix == ".keras":
            import tf_keras

            import tfp_bvae.models  # noqa: F401  its classes

            model = tf_keras.models.load_model(file, compile=False)
            found[name] = [_digest(weight.numpy().tobytes()) for weight in model.weights]
        elif file.suffix == ".json":
            found[name] = _without_times(json.loads(file.read_text(encoding="utf-8")))
        elif file.suffix == ".csv":
            with open(file, newline="", encoding="utf-8") as table:
                rows = [_without_times(row) for row in csv.DictReader(table)]
            found[name] = rows
        else:  # a report names its folder
            found[name] = _digest(file.read_bytes().replace(path.parent.name.encode(), b""))
    return found


def _without_times(entries: dict[str, Any]) -> dict[str, Any]:
    left_out = (*TIMES, "created", "command", "data", "run")
    kept = {name: x for name, x in entries.items() if name not in left_out}
    return {n: _without_times(x) if isinstance(x, dict) else x for n, x in kept.items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hidden(folder: Path) -> list[str]:
    """Files and folders that were left under a hidden name."""
    return [str(path.relative_to(folder)) for path in folder.rglob(".*")]


def remove(path: Path) -> None:
    """A file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
