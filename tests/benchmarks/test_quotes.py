"""No figure in the README but those that a benchmark wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_readme_quotes_the_tables_as_written():
    script = ROOT / "benchmarks" / "quote.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
