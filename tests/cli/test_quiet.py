"""What TensorFlow logs as it starts is kept from the terminal, unless it is wanted."""

import os

import pytest

from tfp_bvae.cli.quiet import quiet_start


@pytest.fixture(autouse=True)
def level(monkeypatch):
    """No log level in the environment, and none left there."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    return monkeypatch


def test_a_start_is_quiet_and_stderr_is_back_after_it(capfd):
    with quiet_start():
        os.write(2, b"oneDNN custom operations are on\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_start_that_fails_shows_why(capfd):
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"undefined symbol\n")
        raise ImportError
    assert capfd.readouterr().err == "undefined symbol\n"


def test_who_asks_for_the_log_gets_it(capfd, level):
    level.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with quiet_start():
        os.write(2, b"oneDNN custom operations are on\n")
    assert capfd.readouterr().err == "oneDNN custom operations are on\n"
