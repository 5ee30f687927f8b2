"""One process that tries inputs, in little memory and with a clock: `campaign` starts it.

    python tests/fuzz/fuzz_worker.py DOOR FIRST COUNT PROGRESS RESULTS

Input number N of a door is always the same. What it is at stands in the file PROGRESS, so that
who started it knows what it was at when it dies or does not come back.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_doors import DOORS, outcome, spoiled_input

OFTEN = 50  # inputs after which the results so far are written down
SECONDS = 10  # that an input may take
ROOM = 2 * 2**30  # bytes of address space, beside what the process has when it begins


class TooLongError(BaseException):
    """An input takes too long."""


def _ring(*_):
    raise TooLongError


def _now(name: str) -> int:
    """A size of this process, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise LookupError(name)


def content_of(door: str, number: int) -> bytes:
    """Input `number` of a door."""
    return spoiled_input(door, Random(f"{door} {number}"))


def main(door: str, first: int, count: int, progress: str, results: str) -> None:
    base = Path(tempfile.mkdtemp(prefix="fuzz-"))
    signal.signal(signal.SIGALRM, _ring)
    for content in DOORS[door].sound():  # imports, and what is made once
        assert outcome(door, content, base / "sound") or True
        shutil.rmtree(base / "sound")
    resource.setrlimit(resource.RLIMIT_AS, (_now("VmSize") + ROOM, resource.RLIM_INFINITY))
    at_first, handles = _now("VmRSS"), len(os.listdir("/proc/self/fd"))
    found = {"accepted": 0, "refused": 0, "seconds": 0.0, "slowest": 0.0, "failures": []}
    marked = os.open(progress, os.O_WRONLY | os.O_CREAT)
    for number in range(first, first + count):
        content = content_of(door, number)
        os.pwrite(marked, str(number).ljust(12).encode(), 0)
        begun = time.monotonic()
        try:
            signal.alarm(SECONDS)
            found[outcome(door, content, base / "x")] += 1
            signal.alarm(0)
        except BaseException as error:
            signal.alarm(0)
            if isinstance(error, KeyboardInterrupt):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = "hang" if isinstance(error, TooLongError) else type(error).__name__
            place = f"{Path(where.filename).name}:{where.lineno}"
            found["failures"].append([number, kind, f"{place} {str(error)[:200]}"])
        took = time.monotonic() - begun
        found["seconds"] += took
        found["slowest"] = max(found["slowest"], took)
        shutil.rmtree(base / "x", ignore_errors=True)
        if (number + 1 - first) % OFTEN == 0 or number + 1 == first + count:
            most = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found["megabytes"] = max(0, most - at_first) / 1e6
            found["handles"] = len(os.listdir("/proc/self/fd")) - handles
            found["next"] = number + 1
            Path(f"{results}.new").write_text(json.dumps(found))
            os.replace(f"{results}.new", results)
    shutil.rmtree(base)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6])
