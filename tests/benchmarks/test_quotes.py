"""No figure in the README, or beside a default, but those that a benchmark wrote."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_readme_quotes_the_tables_as_written():
    script = ROOT / "benchmarks" / "quote.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_speaks_for_a_default_is_what_the_ablation_found():
    table = (ROOT / "benchmarks" / "results" / "ablation.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    found = {row[0]: row[-1] for row in rows}
    page = (ROOT / "docs" / "models" / "lfads.md").read_text()
    quoted = re.findall(r"\*([a-z][^*]+)\*: (-?\d\.\d+)", page)
    assert len(quoted) == 10
    assert [pair for pair in quoted if found.get(pair[0]) != pair[1]] == []
    assert f"{found['the defaults']} with all defaults" in page
