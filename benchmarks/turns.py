"""Processes that measure in turns: each waits until it is told to, so that one works at a time.

A worker sets itself up, calls `serve`, and sleeps. Whoever compares workers starts them one by one
as `Worker`s and lets them take `turns`. Times differ from machine to machine and from hour to hour;
the ratio of two times of one round differs little.
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

STATUS = Path("/proc/self/status")
ANSWER = "answer "  # how a line begins that is one; what libraries print is none
PAUSE = 0.3  # s between turns: idle threads of the last one still spin for a while


class Worker:
    """A process that is ready to measure, and what it said of itself when it was."""

    def __init__(self, command: list[str]):
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._answer()

    def measure(self) -> dict:
        """One measurement, made now."""
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends the process: it has nothing more to read."""
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict:
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return json.loads(line[len(ANSWER) :])
        raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")


def serve(about: dict, measure: Callable[[], dict]) -> None:
    """The worker's side: says what it is, then measures each time that it is told to."""
    print(ANSWER + json.dumps(about), flush=True)
    for _ in sys.stdin:
        print(ANSWER + json.dumps(measure() | {"peak_mb": peak_memory()}), flush=True)


def turns(commands: Mapping[str, list[str]], rounds: int) -> dict[str, dict]:
    """Workers by name, each measured once in every round, one after the other.

    Args:
        commands: what starts each worker.
        rounds: measurements of each.

    Returns:
        By name: what the worker says of itself, and a list over rounds of each figure.
    """
    workers: dict[str, Worker] = {}
    found: dict[str, list[dict]] = {name: [] for name in commands}
    try:
        for name, command in commands.items():
            workers[name] = Worker(command)
        for _ in range(rounds):
            for name, worker in workers.items():
                time.sleep(PAUSE)
                found[name].append(worker.measure())
    finally:
        for worker in workers.values():
            worker.close()
    return {
        name: worker.about | {key: [m[key] for m in found[name]] for key in found[name][0]}
        for name, worker in workers.items()
    }


def seconds(run: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def milliseconds(run: Callable[[], object], repeats: int = 3) -> float:
    """How long a call takes at its quickest, ms."""
    return 1e3 * min(seconds(run) for _ in range(repeats))


def peak_memory() -> float:
    """Peak resident memory of this program, libraries included, MB.

    Linux' `ru_maxrss` also remembers what the process was before it became this program, which is
    a copy of its parent.
    """
    if STATUS.exists():
        return _resident("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_during(run: Callable[[], object]) -> float:
    """Peak resident memory of this program while it does something, MB; only on Linux."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    run()
    return _resident("VmHWM")


def _resident(name: str) -> float:
    """A figure that Linux has of this process, MB."""
    lines = dict(line.split(":") for line in STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) / 1024


def ratio(over: list[float], under: list[float]) -> str:
    """`median (10 % to 90 %)` of the ratios of the rounds."""
    return spread(np.array(over) / np.array(under))


def spread(values, digits: int = 1) -> str:
    """`median (10 % to 90 %)`."""
    low, middle, high = np.percentile(values, [10, 50, 90])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
