"""Puts the tables of `results/` into README.md, between `<!-- NAME -->` and `<!-- end -->`.

python benchmarks/quote.py [--check]
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
PLACE = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def quoted(text: str) -> str:
    """The text with each table as the benchmark wrote it."""

    def table(place: re.Match) -> str:
        return place[1] + (HERE / "results" / f"{place[2]}.md").read_text() + place[3]

    return PLACE.sub(table, text)


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
