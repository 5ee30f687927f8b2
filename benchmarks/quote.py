"""Puts the tables of `results/` into README.md, between `<!-- NAME -->` and `<!-- end -->`.

    python benchmarks/quote.py [--check]

Where a file has several tables, `<!-- NAME:1 -->` is its first, with what stands below the last.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
PLACE = re.compile(r"(<!-- (\w+)(?::(\d))? -->\n).*?(<!-- end -->)", re.DOTALL)


def quoted(text: str) -> str:
    """The text with each table as the benchmark wrote it."""

    def table(place: re.Match) -> str:
        written = (HERE / "results" / f"{place[2]}.md").read_text()
        return place[1] + (one_of(written, int(place[3])) if place[3] else written) + place[4]

    return PLACE.sub(table, text)


def one_of(written: str, number: int) -> str:
    """One table of those that a benchmark wrote, counted from 1, and the lines below them all."""
    parts = written.strip().split("\n\n")
    tables = [part for part in parts if part.startswith("|")]
    return "\n\n".join([tables[number - 1], *parts[parts.index(tables[-1]) + 1 :]]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    text = README.read_text()
    new = quoted(text)
    if parser.parse_args().check:
        raise SystemExit(0 if new == text else "README.md does not quote the newest tables")
    README.write_text(new)


if __name__ == "__main__":
    main()
