"""A verb that is killed between two writes goes on, and ends as if nothing had been."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from conftest import SETTINGS

from tfp_bvae.data import read_hdf5
from tfp_bvae.training import create_run, data_arguments, open_run

KILLED = Path(__file__).with_name("killed.py")
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
TIMES = ("seconds", "resumed_at_epoch")


def killed_at(places, *words):
    """Call a verb until it comes to its end, killed at each of the places before."""
    done = subprocess.run(
        [sys.executable, KILLED, ",".join(places), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | ONE_THREAD,
        check=True,
    )
    seen = [
        line for line in done.stdout.splitlines() if line.rpartition(": ")[0] in (*places, "end")
    ]
    assert seen == [*(f"{place}: -9" for place in places), "end: 0"], done.stderr


def content(run: Path):
    """All that a run holds, but for times."""
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["fit"] = {name: x for name, x in metrics["fit"].items() if name not in TIMES}
    posterior = arrays(run / "posterior.h5")
    weights = [weight.numpy().tobytes() for weight in open_run(run).load_model().weights]
    return metrics, posterior, weights, (run / "history.csv").read_text()


def arrays(path: Path):
    """The bytes of what an HDF5 file holds."""
    with h5py.File(path) as file:
        return {name: dataset[()].tobytes() for name, dataset in file.items()}


def names(folder: Path):
    return {str(entry.relative_to(folder)) for entry in folder.rglob("*") if entry.is_file()}


FIT_PLACES = [
    "run.json",
    "history.csv",
    "pointer",
    "old checkpoint",
    "model.keras",
    "posterior.h5",
    "metrics.json",
]


@pytest.mark.parametrize(
    "places", [["history.csv", "metrics.json"], pytest.param(FIT_PLACES, marks=pytest.mark.slow)]
)
def test_a_fit_ends_as_if_it_had_not_been_killed(places, tmp_path, data_file):
    words = [data_file, "--epochs", "3", *SETTINGS, "--resume", "--quiet"]
    killed_at([], "fit", "--out", tmp_path / "whole", *words)
    killed_at(places, "fit", "--out", tmp_path / "killed", *words)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert content(killed) == content(whole)
    events = "tensorboard"
    assert {n for n in names(killed) if events not in n} == {
        n for n in names(whole) if events not in n
    }
    assert not [name for name in names(tmp_path) if Path(name).name.startswith(".")]


TUNE_PLACES = ["history.csv", "model.keras", "tuning.json", "run.json", "tuning", "metrics.json"]


def trained(folder: Path, data_file: Path) -> Path:
    """A search whose last generation is over, and whose driver was killed right after it."""
    from tfp_bvae.tuning.conduct import Search
    from tfp_bvae.tuning.member import Member, Plan

    data = read_hdf5(data_file)
    words = [word.split("=") for word in SETTINGS if word != "--set"]
    params = {n: int(x) for n, x in words if n not in ("warm_up", "batch_size", "jit_compile")}
    fit = {"warm_up": 1, "batch_size": 16, "jit_compile": False, "final_rate": 0.01}
    run = create_run(folder, "lfads", data, data_arguments(data), params, fit, data_file)
    settings = {"population": 2, "generations": 1, "epochs_per_generation": 2, "patience": None}
    search = Search("population", run, settings, ["dropout"], False, print)
    search._write(None)
    course, plan = search.course, Plan("lfads", run.arguments, run.params, run.fit, epochs=2)
    course.weights.mkdir(parents=True)
    member = Member(plan, data)
    for number, dropout in enumerate((0.1, 0.3)):
        member.start(number, {"dropout": dropout})
        found = member.train() | {"parent": None}
        member.save_best(course.weights / f"1-{number}")
        checkpoint = course.temporary / f"checkpoint-{number}"
        checkpoint.mkdir()
        member.save(checkpoint)
        course.add(number, found)
        course.saved(number, str(checkpoint))
    return folder


@pytest.mark.parametrize(
    "places", [["run.json"], pytest.param(TUNE_PLACES, marks=pytest.mark.slow)]
)
def test_a_search_that_is_killed_at_its_end_finds_the_same(places, tmp_path, data_file):
    pytest.importorskip("ray.tune", reason="tuning needs ray: pip install 'tfp_bvae[tune]'")
    killed = trained(tmp_path / "killed", data_file)
    shutil.copytree(killed, tmp_path / "whole")
    words = [data_file, "--resume", "--quiet", "--set", "final_rate=0.01", "--tune", "dropout"]
    killed_at([], "tune", "--out", tmp_path / "whole", *words)
    killed_at(places, "tune", "--out", killed, *words)
    assert content(killed) == content(tmp_path / "whole")
    assert names(killed) == names(tmp_path / "whole")
    assert not [name for name in names(tmp_path) if Path(name).name.startswith(".")]
    found, run = json.loads((killed / "tuning.json").read_text())["found"], open_run(killed)
    assert run.params.dropout == found["values"]["dropout"] in (0.1, 0.3)
    assert (run.fit.epochs, run.fit.final_rate) == (2, 1.0)


def test_two_processes_with_one_seed_end_with_the_same(tmp_path, data_file):
    words = [data_file, "--epochs", "2", *SETTINGS, "--quiet"]
    for name in ("one", "again"):
        killed_at([], "fit", "--out", tmp_path / name, "--seed", 5, *words)
        killed_at([], "infer", tmp_path / name, data_file, "--out", tmp_path / f"{name}.h5")
    one, again = (content(tmp_path / name) for name in ("one", "again"))
    assert one == again
    inferred = [arrays(tmp_path / f"{name}.h5") for name in ("one", "again")]
    assert inferred[0] == inferred[1] == one[1]
