"""No input brings more out of a door than what it takes in, or a word of refusal.

A short run by Hypothesis, which shrinks what fails; and whatever failed in a long run
(`python -m nox -s fuzz`), which stands in `corpus`.
"""

import tempfile
from pathlib import Path

import pytest
from fuzz_doors import DOORS, outcome, spoiled_input
from fuzz_worker import content_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(file for file in CORPUS.glob("*/*") if file.is_file())
FEW = {"nwb": 4, "model": 4, "calls": 10, "files": 8, "zarr": 8, "netcdf": 15, "splits": 20}


def tried(name: str, content: bytes) -> str:
    """What a door says; anything but a refusal comes through, and fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        return outcome(name, content, Path(folder, "x"))


@pytest.mark.parametrize("name", DOORS)
def test_no_spoiled_input_breaks_a_door(name):
    @settings(
        max_examples=FEW.get(name, 40),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def every(chance):
        assert tried(name, spoiled_input(name, chance)) in ("accepted", "refused")

    every()


@pytest.mark.parametrize("name", [n for n in DOORS if n not in ("calls", "model", "checkpoint")])
def test_what_is_not_spoiled_is_let_in(name):
    assert "accepted" in [tried(name, content) for content in DOORS[name].sound()]


@pytest.mark.parametrize("file", KEPT, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_once_failed_does_not(file):
    assert tried(file.parent.name, file.read_bytes()) in ("accepted", "refused")


def test_an_input_is_always_the_same():
    for name in ("npz", "mat5", "yaml", "words"):
        assert content_of(name, 3) == content_of(name, 3) != content_of(name, 4)


def test_the_corpus_is_small():
    assert sum(file.stat().st_size for file in KEPT) < 500_000
