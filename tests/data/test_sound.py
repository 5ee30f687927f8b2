"""Files that would end the process that reads them, tried in one that may be lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from tfp_bvae.data import load, sound

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
DEADLY = sorted(path for door in ("netcdf", "splits") for path in (CORPUS / door).iterdir())


@pytest.mark.parametrize("path", DEADLY, ids=lambda path: f"{path.parent.name} {path.name}")
def test_what_ends_the_hdf5_library_is_refused(path):
    with pytest.raises(ValueError, match="complete and not damaged"):
        load(path)


@pytest.fixture
def whole(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("one")["counts"] = [1, 2, 3]
        file.attrs["bin_width"] = 0.02
    return tmp_path / "a.h5"


def test_it_goes_on_after_a_file_that_ended_it(whole):
    sound.require_sound_hdf5(whole)
    walker = sound._WALKER._process
    sound.require_sound_hdf5(whole)
    assert sound._WALKER._process is walker  # one for all files
    os.kill(walker.pid, signal.SIGKILL)
    walker.wait()
    sound.require_sound_hdf5(whole)
    assert sound._WALKER._process is not walker


def test_a_file_that_takes_for_good_is_refused(whole, monkeypatch):
    monkeypatch.setattr(sound, "_WALKER", sound._Walker())
    monkeypatch.setattr(sound, "PATIENCE", 1)
    forever = sound.WALKER.replace("walk(json", "signal.pause(json")
    monkeypatch.setattr(sound, "WALKER", forever.replace("pause(json.loads(line))", "pause()"))
    with pytest.raises(ValueError, match="HDF5 library"):
        sound.require_sound_hdf5(whole)
    assert sound._WALKER._process.poll() is None  # which goes on with the next


def test_so_is_one_when_the_process_does_not_answer(whole, monkeypatch):
    monkeypatch.setattr(sound, "_WALKER", sound._Walker())
    silent = "import time; print('ready', flush=True); time.sleep(60)"
    monkeypatch.setattr(sound, "WALKER", silent)
    assert sound._WALKER._ready()
    monkeypatch.setattr(sound, "PATIENCE", -9.9)
    with pytest.raises(ValueError, match="HDF5 library"):
        sound.require_sound_hdf5(whole)
    assert sound._WALKER._process is None


def test_where_no_process_can_be_begun_files_are_read_as_they_are(whole, monkeypatch):
    monkeypatch.setattr(sound, "_WALKER", sound._Walker())
    monkeypatch.setattr(sound.sys, "executable", "")
    sound.require_sound_hdf5(whole)
    assert sound._WALKER._process is None


def test_its_process_ends_with_the_one_that_asked_and_leaves_no_warning(whole):
    asks = f"from tfp_bvae.data.sound import require_sound_hdf5 as ask; ask({str(whole)!r})"
    script = f"import warnings; {asks}; warnings.simplefilter('always')"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "ResourceWarning" not in ended.stderr
