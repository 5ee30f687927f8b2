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


def test_one_table_of_several_is_quoted_with_what_stands_below_them():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from quote import one_of
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    written = "| a |\n| 1 |\n\nBetween.\n\n| b |\n| 2 |\n\nBelow.\n"
    assert one_of(written, 1) == "| a |\n| 1 |\n\nBelow.\n"
    assert one_of(written, 2) == "| b |\n| 2 |\n\nBelow.\n"
