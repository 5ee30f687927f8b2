"""One process at a time writes into a run."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tfp_bvae import training
from tfp_bvae.training import hold_run
from tfp_bvae.training.holding import clear_run, is_blank

HOLDER = """
import filelock, sys
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
open(sys.argv[1], "w").write("process 4711 on elsewhere")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(folder):
    """Another process that holds a run, for as long as this lasts or until it is killed."""
    words = [sys.executable, "-c", HOLDER, str(folder / ".lock")]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.communicate("")


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_run_that_is_held_is_refused_and_named(tmp_path, dataset, make_model):
    run = tmp_path / "run"
    run.mkdir()
    settings = {"epochs": 1, "batch_size": 16, "jit_compile": False}
    with another_process(run):
        said = r"run is in use by process 4711 on elsewhere: wait for its end"
        with pytest.raises(BlockingIOError, match=said), hold_run(run):
            pass
        with pytest.raises(BlockingIOError, match=said):
            training.fit(make_model(), dataset, settings, run=run, verbose=False)
        with pytest.raises(BlockingIOError, match=said):
            training.create_run(run, "lfads", dataset, training.data_arguments(dataset))
        assert names(run) == [".lock"]
    with hold_run(run):
        pass


def test_who_is_killed_holds_nothing(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with another_process(run) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert names(run) == [".lock"]
        with hold_run(run):
            (run / "run.json").touch()
    assert names(run) == ["run.json"]


def test_a_process_may_ask_again_and_its_other_threads_may_not(tmp_path):
    said = []

    def ask():
        try:
            with hold_run(tmp_path):
                said.append("held")
        except BlockingIOError as error:
            said.append(str(error))

    with hold_run(tmp_path), hold_run(tmp_path):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert len(said) == 1 and f"process {os.getpid()} on" in said[0]
    ask()
    assert said[1] == "held"


def test_what_a_killed_process_left_goes_and_what_is_others_stays(tmp_path):
    (tmp_path / ".model-abc").mkdir()
    (tmp_path / ".model-abc" / "model.keras").write_text("half")
    for name in (".run.json.x-1-0.tmp", ".posterior.h5.abc.tmp", ".p.h5.x-1-0.tmp", ".mine"):
        (tmp_path / name).touch()
    assert not is_blank(tmp_path)
    with hold_run(tmp_path):
        assert names(tmp_path) == [".lock", ".mine", ".p.h5.x-1-0.tmp"]


def test_a_folder_into_which_nothing_came_goes_if_it_was_not_there(tmp_path):
    with hold_run(tmp_path / "a" / "b" / "run") as path:
        assert path.is_dir() and is_blank(path)
    assert names(tmp_path) == []
    (tmp_path / "run").mkdir()
    with hold_run(tmp_path / "run"):
        pass
    assert names(tmp_path) == ["run"]


def test_a_start_that_was_killed_is_no_run_and_in_nobody_s_way(tmp_path, dataset):
    run = tmp_path / "run"
    run.mkdir()
    (run / ".lock").touch()
    (run / ".run.json.x-1-0.tmp").touch()
    training.create_run(run, "lfads", dataset, training.data_arguments(dataset))
    assert names(run) == ["run.json"]


def test_a_run_is_one_until_all_else_is_gone(tmp_path, monkeypatch):
    (tmp_path / "run.json").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").touch()
    (tmp_path / "z.h5").touch()
    gone = []
    remove = training.holding._remove
    monkeypatch.setattr(
        training.holding, "_remove", lambda entry: gone.append(entry.name) or remove(entry)
    )
    with hold_run(tmp_path):
        clear_run(tmp_path)
        assert names(tmp_path) == [".lock"]
    assert gone[-1] == "run.json" and len(gone) == 3
