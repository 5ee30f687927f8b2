"""What the parsers of all verbs are made of. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from typing import NoReturn

__all__ = ["Parser", "add_count", "add_out", "add_samples", "add_verb", "positive", "whole"]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose long options are typed in full."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Leave with one line and exit code 2."""
        line = "".join(x if x.isprintable() else " " for x in " ".join(message.split()))
        self.exit(2, f"tfp-bvae: error: {line} (see {self.prog} --help)\n")


def add_verb(verbs, name: str, summary: str) -> argparse.ArgumentParser:
    """A parser for one verb, which its summary describes."""
    return verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")


def add_out(verb, metavar: str, meaning: str, default: str | None = None) -> None:
    """Add `--out` and `--overwrite`."""
    verb.add_argument("--out", metavar=metavar, help=meaning, default=default, required=not default)
    verb.add_argument("--overwrite", action="store_true", help=f"replace {metavar} if it exists")


def add_samples(verb) -> None:
    """Add `--samples`."""
    verb.add_argument(
        "--samples", type=positive, default=50, metavar="N", help="posterior samples (50)"
    )


def add_count(system, option: str, default: int, meaning: str, metavar: str = "N") -> None:
    """Add an option that is a whole number above 0."""
    system.add_argument(
        option, type=positive, default=default, metavar=metavar, help=f"{meaning} ({default})"
    )


def whole(text: str) -> int:
    """The type of an option: a whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    """The type of an option: a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)
