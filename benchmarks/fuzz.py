"""Spoiled files and words at every door, each in a process that may be lost; writes `fuzz`.

    python benchmarks/fuzz.py [--inputs 100000] [--doors npz mat5 ...] [--out fuzz]

What the doors are, and how inputs are spoiled, stands in `tests/fuzz`; input N of a door is always
the same. Inputs that fail are kept in `tests/fuzz/corpus`, which the tests try again.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
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
GUIDED = ("npz", "mat5", "yaml", "words")  # doors whose checks are Python
WIDTH = 40  # failures of a door that are written down


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="of all doors together")
    parser.add_argument("--minutes", type=float, default=math.inf, help="at most, fairly parted")
    parser.add_argument("--doors", nargs="+", choices=tuple(DOORS), default=tuple(DOORS))
    parser.add_argument("--atheris", type=int, default=0, help="further inputs of each, guided")
    parser.add_argument("--out", default="fuzz", help="name of the results")
    options = parser.parse_args()
    file = RESULTS / f"{options.out}.json"
    runs = {}
    if file.exists():  # doors that are not tried now stay as they are
        runs = {run["door"]: run for run in json.loads(file.read_text()) if "door" in run}
    end = time.monotonic() + 60 * options.minutes
    for number, door in enumerate(options.doors):
        count = max(1, round(options.inputs * DOORS[door].share / 1000))
        left = (end - time.monotonic()) / (len(options.doors) - number)
        runs[door] = tried(door, count, left)
        print(json.dumps(runs[door] | {"failures": len(runs[door]["failures"])}), flush=True)
        (RESULTS / f"{options.out}.json").write_text(json.dumps(list(runs.values()), indent=1))
    for door in GUIDED if options.atheris else ():
        name = f"{door} by atheris"
        runs[name] = guided(door, options.atheris) | {"door": name}
        print(json.dumps(runs[name]), flush=True)
    known = [runs[name] for name in (*DOORS, *(f"{d} by atheris" for d in GUIDED)) if name in runs]
    write(options.out, [{"machine": machine()}, *known], table(known))
    if any(run["failures"] for run in runs.values()):
        raise SystemExit("some inputs failed: they are in tests/fuzz/corpus")


def tried(door: str, count: int, seconds: float) -> dict:
    """What came of the first `count` inputs of a door, or of those that there was time for."""
    total: dict = collections.Counter()
    failures, most, slowest, begun = [], 0.0, 0.0, time.monotonic()
    first = 0
    while first < count and time.monotonic() < begun + seconds:
        size = min(AT_ONCE, count - first)
        found, after = _process(door, first, size, begun + seconds)
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
        "door": door, "what": DOORS[door].what, "inputs": first, **total,
        "tracebacks": kinds["traceback"], "hangs": kinds["hang"], "crashes": kinds["crash"],
        "megabytes": round(most, 1), "slowest": round(slowest, 2),
        "seconds": round(time.monotonic() - begun, 1), "failures": failures[:WIDTH],
    }  # fmt: skip


def guided(door: str, count: int) -> dict:
    """What came of inputs that atheris made."""
    with tempfile.TemporaryDirectory() as folder:
        results, begun = Path(folder, "results"), time.monotonic()
        worker = [sys.executable, str(FUZZ / "fuzz_atheris.py"), door, str(count), str(results)]
        done = subprocess.run(worker, capture_output=True, check=False)
        for file in Path(folder).glob("results-*"):
            (FUZZ / "corpus" / door).mkdir(parents=True, exist_ok=True)
            (FUZZ / "corpus" / door / file.name[8:48]).write_bytes(file.read_bytes())
        if not results.exists() and not any(Path(folder).glob("results-*")):
            raise SystemExit(f"{door}: {done.stderr[-2000:].decode(errors='replace')}")
        found = json.loads(results.read_text()) if results.exists() else {}
        failed = [] if found else [[0, "traceback", done.stderr[-500:].decode(errors="replace")]]
    return {
        "what": f"{DOORS[door].what}, guided by atheris", "inputs": found.get("inputs", 0),
        "accepted": found.get("accepted", 0), "refused": found.get("refused", 0),
        "tracebacks": len(failed), "hangs": 0, "crashes": 0, "megabytes": 0.0, "slowest": 0.0,
        "seconds": round(time.monotonic() - begun, 1), "failures": failed,
    }  # fmt: skip


def _process(door: str, first: int, count: int, end: float) -> tuple[dict, int]:
    """What came of some inputs in one process until `end`, and the number that comes next."""
    nothing = {"accepted": 0, "refused": 0, "failures": [], "megabytes": 0, "slowest": 0}
    with tempfile.TemporaryDirectory() as folder:
        progress, results = Path(folder, "progress"), Path(folder, "results")
        worker = [sys.executable, str(FUZZ / "fuzz_worker.py"), door, str(first), str(count)]
        with open(Path(folder, "log"), "wb") as log:
            started = subprocess.Popen(
                [*worker, str(progress), str(results)], stdout=log, stderr=log
            )
            at, since, late = "", time.monotonic(), False
            while started.poll() is None:
                time.sleep(0.2)
                now = progress.read_text() if progress.exists() else ""
                if now != at:
                    at, since = now, time.monotonic()
                late = time.monotonic() > end
                if late or time.monotonic() - since > (LOST if at else 10 * LOST):
                    started.kill()
                    started.wait()
                    break
        found = json.loads(results.read_text()) if results.exists() else nothing | {"next": first}
        if late or started.returncode == 0:
            return found, found["next"]
        if not at.strip():
            raise SystemExit(f"{door} did not begin: {Path(folder, 'log').read_text()[-2000:]}")
        number = int(at)
        kind = "hang" if started.returncode == -9 else "crash"
        lost = [number, kind, f"exit code {started.returncode}"]
        before = nothing
        if number > first:  # what came before it is tried again, without it
            before, _ = _process(door, first, number - first, math.inf)
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
