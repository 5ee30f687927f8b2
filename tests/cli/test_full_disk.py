"""A disk that is full, met by Python or by TensorFlow: one line on stderr, exit code 2."""

import re
from pathlib import Path

import pytest
import tensorflow as tf

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")


def written_by_python(*_, **__):
    with open("/dev/full", "w") as file:
        file.write("x" * 100000)


def written_by_tensorflow(*_, **__):
    tf.io.write_file("/dev/full", "x" * 100000)


@pytest.mark.parametrize("write", [written_by_python, written_by_tensorflow])
def test_a_full_disk_is_said_in_a_line(write, data_file, tmp_path, refused, monkeypatch):
    monkeypatch.setattr("tfp_bvae.cli.fit.fit", write)
    said = refused("fit", data_file, "--out", tmp_path / "run")
    assert re.search("no space left on device", said, re.IGNORECASE)
    assert "{{" not in said and "[Op:" not in said


def test_who_asks_for_a_traceback_gets_it(data_file, tmp_path, call, monkeypatch):
    monkeypatch.setattr("tfp_bvae.cli.fit.fit", written_by_tensorflow)
    with pytest.raises(tf.errors.OpError):
        call("--traceback", "fit", data_file, "--out", tmp_path / "run")


def test_a_bug_is_no_bad_input_and_keeps_its_traceback(data_file, tmp_path, call, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("tfp_bvae.cli.fit.fit", broken)
    with pytest.raises(ZeroDivisionError):
        call("fit", data_file, "--out", tmp_path / "run")
