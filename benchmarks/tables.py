"""What every benchmark writes: a JSON file of runs, and a Markdown table made from it."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """The processor, its number of cores in use, and the versions that matter."""
    import tensorflow as tf

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{model}, {os.cpu_count()} cores, Python {python}, TensorFlow {tf.__version__}; "
        f"{time.strftime('%Y-%m-%d')}"
    )


def peak_memory() -> float:
    """Peak resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mean_and_spread(values: Sequence[float], digits: int = 3) -> str:
    """`mean ± standard deviation`, the latter with n - 1."""
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.{digits}f} ± {spread:.{digits}f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (header, *rows)]
    lines.insert(1, "|" + " --- |" * len(header))
    return "\n".join(lines) + "\n"


def write(name: str, runs: Sequence[dict], text: str) -> None:
    """Writes `results/name.json` and `results/name.md`, and prints the latter."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(list(runs), indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)
    print(text)
