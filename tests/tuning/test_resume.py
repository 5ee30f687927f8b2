"""A search whose driver is killed goes on, and finds what it would have found."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from members import FIT, TINY

from tfp_bvae.data import write_hdf5
from tfp_bvae.training import open_run, read_history

pytest.importorskip("ray.tune", reason="tuning needs ray: pip install 'tfp_bvae[tune]'")
pytestmark = pytest.mark.slow

PATIENCE = 600  # s


def command(data, out):
    settings = [f"{name}={str(value).lower()}" for name, value in (TINY | FIT).items()]
    words = [word for setting in settings for word in ("--set", setting)]
    return [
        sys.executable, "-m", "tfp_bvae.cli", "tune", str(data), "--out", str(out), *words,
        "--population", "3", "--generations", "6", "--epochs-per-generation", "2",
        "--patience", "none", "--seed", "1",
    ]  # fmt: skip


def generations(run):
    """How many generations all members have finished."""
    file = run / "tuning.csv"
    rows = read_history(file) if file.exists() else []
    reached = [
        max((r["generation"] for r in rows if r["member"] == m), default=0) for m in range(3)
    ]
    return min(reached)


def of_run(run):
    """The table of a search without its times, and the weights it found."""
    rows = read_history(run / "tuning.csv")
    for row in rows:
        row.pop("seconds")
    return rows, [weight.numpy() for weight in open_run(run).load_model().weights]


def children(pid):
    """Processes of Ray that a driver has begun."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True).stdout
    lines = [line.split(None, 2) for line in found.splitlines()[1:]]
    return [int(p) for p, parent, args in lines if int(parent) == pid and "ray" in args]


def test_after_kill_9_of_the_driver_it_finds_the_same(tmp_path, dataset):
    write_hdf5(tmp_path / "data.h5", dataset)
    subprocess.run(command(tmp_path / "data.h5", tmp_path / "whole"), check=True, timeout=PATIENCE)
    words = command(tmp_path / "data.h5", tmp_path / "killed")
    driver = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    begun = time.monotonic()
    while generations(tmp_path / "killed") < 3:
        assert driver.poll() is None and time.monotonic() - begun < PATIENCE
        time.sleep(0.05)
    of_ray = children(driver.pid)
    assert of_ray
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    for _ in range(200):  # nothing is left running
        alive = [pid for pid in of_ray if os.path.exists(f"/proc/{pid}/exe")]
        if not alive:
            break
        time.sleep(0.1)
    assert not alive
    assert not (tmp_path / "killed" / "model.keras").exists()
    done = subprocess.run(
        [*words, "--resume"], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert "Traceback" not in done.stderr and "ray" not in done.stdout.lower()
    names = {"history.csv", "metrics.json", "model.keras", "posterior.h5", "run.json", "tuning.csv"}
    assert {file.name for file in (tmp_path / "killed").iterdir()} == names | {"tuning.json"}
    (rows, weights), (its_rows, its) = of_run(tmp_path / "killed"), of_run(tmp_path / "whole")
    assert rows == its_rows
    for mine, other in zip(weights, its, strict=True):
        np.testing.assert_array_equal(mine, other)
    for verb in (["evaluate"], ["report", "--no-floors"]):
        said = subprocess.run(
            [sys.executable, "-m", "tfp_bvae.cli", verb[0], str(tmp_path / "killed"), *verb[1:]],
            capture_output=True, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
        assert "Traceback" not in said.stderr
    page = (tmp_path / "killed" / "report.html").read_text(encoding="utf-8")
    assert "Search over hyperparameters" in page and "tfp-bvae tune" in page
