"""How long each tutorial takes, as a script, in a process and an empty folder of its own.

    python benchmarks/tutorials.py [--only 01 09]

Nothing else should run beside it. A tutorial that fails ends it. Seconds of all processors are
those of the process and of all that it starts; Ray's workers outlive it and are not in them. With
`--only` what was found of the others stays in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from operator import itemgetter
from pathlib import Path

import tables

ROOT = Path(__file__).resolve().parents[1]
HEADER = ("tutorial", "seconds", "seconds of all processors")


def take(script: Path) -> dict[str, object]:
    """Run one tutorial; how long it took."""
    quiet = {"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "2"}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, str(script)],
            cwd=folder,
            env={**os.environ, **quiet, "PYTHONPATH": path},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = sum(getattr(after, x) - getattr(before, x) for x in ("ru_utime", "ru_stime"))
    return {"tutorial": script.stem, "seconds": seconds, "processors": used}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", help="their numbers")
    only = parser.parse_args().only
    scripts = sorted((ROOT / "tutorials").glob("[0-9]*.py"))
    runs = [take(script) for script in scripts if only is None or script.stem[:2] in only]
    written = tables.RESULTS / "tutorials.json"
    before = json.loads(written.read_text()) if only and written.exists() else []
    new = {found["tutorial"] for found in runs}
    runs = sorted(
        [*runs, *(x for x in before if x["tutorial"] not in new)], key=itemgetter("tutorial")
    )
    rows = [(r["tutorial"], f"{r['seconds']:.0f}", f"{r['processors']:.0f}") for r in runs]
    text = tables.markdown(HEADER, rows) + f"\n{tables.machine()}.\n"
    tables.write("tutorials", runs, text)


if __name__ == "__main__":
    main()
