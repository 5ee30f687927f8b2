"""Spoiled files and words at every door, each in a process that may be lost; writes `fuzz`.

    python benchmarks/fuzz.py [--inputs 100000] [--doors npz mat5 ...] [--out fuzz]

What the doors are, and how inputs are spoiled, stands in `tests/fuzz`; input N of a door is always
the same. Inputs that fail are kept in `tests/fuzz/corpus`, which the tests try again.
"""

from __future__ import annotations

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import RESULTS, machine, markdown, write

FUZZ = Path(__file__).parents[1] / "tests" / "fuzz"
sys.path.insert(0, str(FUZZ))

from fuzz_doors import DOORS  # noqa: E402
from fuzz_worker import content_of  # noqa: E402

AT_ONCE = 20_000  # inputs of one process
LOST = 60  # seconds without a sign of life, after which a process is given up
WIDTH = 40  # failures of a door that are written down


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="of all doors together")
    parser.add_argument("--doors", nargs="+", choices=tuple(DOORS), default=tuple(DOORS))
    parser.add_argument("--out", default="fuzz", help="name of the results")
    options = parser.parse_args()
    file = RESULTS / f"{options.out}.json"
    runs = {}
    if file.exists():  # doors that are not tried now stay as they are
        runs = {run["door"]: run for run in json.loads(file.read_text()) if "door" in run}
    for door in options.doors:
        runs[door] = tried(door, max(1, round(options.inputs * DOORS[door].share / 1000)))
        print(json.dumps(runs[door] | {"failures": len(runs[door]["failures"])}), flush=True)
        known = [runs[name] for name in DOORS if name in runs]
        write(options.out, [{"machine": machine()}, *known], table(known))
    if any(runs[door]["failures"] for door in options.doors):
        raise SystemExit("some inputs failed: they are in tests/fuzz/corpus")


def tried(door: str, count: int) -> dict:
    """What came of the first `count` inputs of a door."""
    total: dict = collections.Counter()
    failures, most, slowest, begun = [], 0.0, 0.0, time.monotonic()
    first = 0
    while first < count:
        size = min(AT_ONCE, count - first)
        found, after = _process(door, first, size)
        for name in ("accepted", "refused"):
            total[name] += found[name]
        failures += found["failures"]
        most, slowest = max(most, found["megabytes"]), max(slowest, found["slowest"])
        first = after
    for number, _, _ in failures[:WIDTH]:
        folder = FUZZ / "corpus" / door
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}").write_bytes(content_of(door, number))
    kinds = collections.Counter(
        "hang" if kind == "hang" else "crash" if kind == "crash" else "traceback"
        for _, kind, _ in failures
    )
    return {
        "door": door, "what": DOORS[door].what, "inputs": count, **total,
        "tracebacks": kinds["traceback"], "hangs": kinds["hang"], "crashes": kinds["crash"],
        "megabytes": round(most, 1), "slowest": round(slowest, 2),
        "seconds": round(time.monotonic() - begun, 1), "failures": failures[:WIDTH],
    }  # fmt: skip


def _process(door: str, first: int, count: int) -> tuple[dict, int]:
    """What came of some inputs in one process, and the number that comes next."""
    with tempfile.TemporaryDirectory() as folder:
        progress, results = Path(folder, "progress"), Path(folder, "results")
        worker = [sys.executable, str(FUZZ / "fuzz_worker.py"), door, str(first), str(count)]
        with open(Path(folder, "log"), "wb") as log:
            started = subprocess.Popen(
                [*worker, str(progress), str(results)], stdout=log, stderr=log
            )
            at, since = "", time.monotonic()
            while started.poll() is None:
                time.sleep(0.2)
                now = progress.read_text() if progress.exists() else ""
                if now != at:
                    at, since = now, time.monotonic()
                elif time.monotonic() - since > (LOST if at else 10 * LOST):
                    started.kill()
                    started.wait()
                    break
        if results.exists():
            return json.loads(results.read_text()), first + count
        if not at.strip():
            raise SystemExit(f"{door} did not begin: {Path(folder, 'log').read_text()[-2000:]}")
        number = int(at)
        kind = "hang" if started.returncode == -9 else "crash"
        lost = [number, kind, f"exit code {started.returncode}"]
        if number == first:
            before = {"accepted": 0, "refused": 0, "failures": [], "megabytes": 0, "slowest": 0}
        else:  # what came before it is tried again, without it
            before, _ = _process(door, first, number - first)
        return before | {"failures": [*before["failures"], lost]}, number + 1


def table(runs: list[dict]) -> str:
    """The doors, and what came to them."""
    header = ["door", "inputs", "accepted", "refused", "tracebacks", "hangs", "crashes"]
    header += ["slowest (s)", "memory beside the start (MB)", "time (s)"]
    names = ("what", "inputs", "accepted", "refused", "tracebacks", "hangs", "crashes")
    names += ("slowest", "megabytes", "seconds")
    rows = [[run[name] for name in names] for run in runs]
    sums = ["all", *(sum(run[name] for run in runs) for name in names[1:7])]
    sums += [max(run["slowest"] for run in runs), max(run["megabytes"] for run in runs)]
    rows.append([*sums, round(sum(run["seconds"] for run in runs), 1)])
    shown = [[f"{x:,}" if isinstance(x, int) else str(x) for x in row] for row in rows]
    return markdown(header, shown)


if __name__ == "__main__":
    main()
