"""Files and folders that are whole or not there, whoever is killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tfp_bvae.data import atomic_file
from tfp_bvae.data.files import atomic_folder

# Each writes what it can, and is killed at the place that is named.
KILLED = """
import os, signal, sys
from pathlib import Path
from tfp_bvae.data import files

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

path, place = Path(sys.argv[1]), sys.argv[2]
if place == "file":
    with files.atomic_file(path) as beside:
        beside.write_text("half")
        die()
if place == "renamed":
    rename, files.os.rename = os.rename, lambda a, b: die() if b == path else rename(a, b)
with files.atomic_folder(path) as beside:
    beside.mkdir()
    (beside / "part").write_text("new")
    if place == "folder":
        die()
"""


def killed(path: Path, place: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, path, place], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_what_a_killed_process_left_of_a_file_goes_with_the_next(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    killed(path, "file")
    assert path.read_text() == "old" and len(names(tmp_path)) == 2
    others = [
        f".a.txt.{socket.gethostname()}-{os.getpid()}-{'0' * 8}.tmp",  # of one that lives
        f".a.txt.elsewhere-1-{'0' * 8}.tmp",
        ".b.txt.tmp",
    ]
    for name in others:
        (tmp_path / name).write_text("theirs")
    with atomic_file(path) as beside:
        beside.write_text("new")
    assert path.read_text() == "new"
    assert names(tmp_path) == sorted(["a.txt", *others])


def test_a_folder_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "store"
    path.mkdir()
    (path / "part").write_text("old")
    killed(path, "folder")
    assert (path / "part").read_text() == "old" and len(names(tmp_path)) == 2
    with atomic_folder(path) as beside:
        beside.mkdir()
    assert names(tmp_path) == ["store"] and names(path) == []


def test_a_folder_that_was_moved_aside_is_put_back(tmp_path):
    path = tmp_path / "store"
    path.mkdir()
    (path / "part").write_text("old")
    killed(path, "renamed")
    assert not path.exists() and len(names(tmp_path)) == 2
    with pytest.raises(RuntimeError), atomic_folder(path):
        raise RuntimeError
    assert names(tmp_path) == ["store"] and (path / "part").read_text() == "old"


def test_a_folder_needs_one_above_it(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="folder that exists"),
        atomic_folder(tmp_path / "no" / "store"),
    ):
        pass
