"""Inputs that atheris makes of sound ones, guided by the lines of the package that they reach.

    python tests/fuzz/fuzz_atheris.py DOOR RUNS RESULTS

Needs atheris, which `python -m nox -s fuzz` installs.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))

with atheris.instrument_imports(include=["tfp_bvae"]):
    from fuzz_doors import DOORS, outcome
    from fuzz_worker import SECONDS


def main(door: str, runs: int, results: str) -> None:
    base = Path(tempfile.mkdtemp(prefix="atheris-"))
    found = {"accepted": 0, "refused": 0, "inputs": 0}
    (base / "corpus").mkdir()
    with atheris.instrument_imports(include=["tfp_bvae"]):  # of what is imported in functions
        for number, content in enumerate(DOORS[door].sound()):
            (base / "corpus" / str(number)).write_bytes(content)
            outcome(door, content, base / "sound")
            shutil.rmtree(base / "sound")
    begun = time.monotonic()

    def one_input(content: bytes) -> None:
        found["inputs"] += 1
        found[outcome(door, content, base / "x")] += 1
        shutil.rmtree(base / "x")
        if found["inputs"] == runs:
            found["seconds"] = round(time.monotonic() - begun, 1)
            Path(results).write_text(json.dumps(found))

    options = [f"-runs={runs}", f"-timeout={SECONDS}", "-rss_limit_mb=4096", "-max_len=20000"]
    options += [f"-artifact_prefix={results}-", "-seed=1", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(base / "corpus")], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
