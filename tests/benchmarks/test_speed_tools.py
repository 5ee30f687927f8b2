"""What the benchmark of speed counts, and how its workers take turns."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

WORKER = """
import sys, time
sys.path.insert(0, {folder!r})
import turns
print("a library says something")
turns.serve({{"name": {name!r}}}, lambda: {{"at": time.time()}})
"""


@pytest.fixture
def tools(monkeypatch):
    """The modules `products` and `turns`."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import products
    import turns

    return products, turns


def worker(name: str) -> list[str]:
    return [sys.executable, "-c", WORKER.format(folder=str(BENCHMARKS), name=name)]


def test_workers_take_turns(tools):
    _, turns = tools
    found = turns.turns({name: worker(name) for name in ("a", "b")}, rounds=2)
    assert [found[name]["name"] for name in "ab"] == ["a", "b"]
    when = [found[name]["at"][r] for r in range(2) for name in "ab"]
    assert when == sorted(when)
    assert (np.diff(when) >= turns.PAUSE).all()
    assert all(len(found[name]["peak_mb"]) == 2 for name in "ab")


def test_a_worker_that_fails_is_named(tools):
    _, turns = tools
    with pytest.raises(RuntimeError, match="ended with 3"):
        turns.turns({"a": [sys.executable, "-c", "raise SystemExit(3)"]}, rounds=1)


def test_peak_memory_is_of_the_program_not_of_its_parent(tools):
    _, turns = tools
    ballast = np.ones(50_000_000)  # 400 MB
    found = turns.turns({"a": worker("a")}, rounds=1)
    assert found["a"]["peak_mb"][0] < 300 < turns.peak_memory()
    assert ballast[0] == 1


def test_ratio_is_that_of_each_round(tools):
    _, turns = tools
    assert turns.ratio([2.0, 20.0, 40.0], [1.0, 10.0, 20.0]) == "2.0 (2.0 to 2.0)"


def test_products_are_those_of_a_step_written_out(tools):
    """LFADS of one trial and one bin: each weight matrix counts three times its size, but for
    those that the spikes enter, which count twice."""
    products, _ = tools
    work = products.Workload(1, 1, 1, 7, 11, 5, 3, 2)
    f, z = products.F_SIZE, products.Z_SIZE
    of_spikes = 4 * 7 * 6
    encoders = 4 * 2 * 6
    static = 4 * 2 * f + f * 5
    controller = (4 + 3 + 2) * 6 + 2 * 2 * z
    generator = (z + 5) * 15 + 5 * 3 + 3 * 11
    others = encoders + static + controller + generator
    assert products.gflop(work) == pytest.approx(2e-9 * (2 * of_spikes + 3 * others))


def test_products_grow_with_trials_and_bins(tools):
    products, _ = tools
    work = products.WORKLOADS["lorenz"]
    once = products.gflop(work)
    assert products.gflop(work._replace(batch=2 * work.batch)) == pytest.approx(2 * once)
    longer = work._replace(bins=2 * work.bins, encoded=2 * work.encoded)
    assert products.gflop(longer) == pytest.approx(2 * once, rel=0.02)


def test_the_products_are_done(tools):
    products, turns = tools
    run = products.doing([products.Product(3, 4, 5, times=2)])
    assert turns.milliseconds(run) > 0
