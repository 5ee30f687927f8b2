"""A way to call the command line in this process, and tiny files for it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import tensorflow as tf

from tfp_bvae.cli import main
from tfp_bvae.data import write_hdf5

tf.config.list_logical_devices()  # what TensorFlow writes to stderr here is no answer of ours

# a model and a fit that take no time; not compiled, which would take longer than the fit
TINY = {
    "f_size": 4,
    "f_encoder_units": 6,
    "z_size": 1,
    "z_encoder_units": 5,
    "controller_units": 5,
    "generator_units": 8,
    "factors": 3,
    "warm_up": 2,
    "batch_size": 16,
    "jit_compile": "false",
}
SETTINGS = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]


class Outcome(NamedTuple):
    """What a call of the command line left."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capfd) -> Callable[..., Outcome]:
    """A function that calls `main` with its words and says what came of it."""

    def run(*words: object) -> Outcome:
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit_of_argparse:
            code = exit_of_argparse.code
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture
def refused(call, tmp_path) -> Callable[..., str]:
    """Calls, and sees to it that the call is refused as it should be; what it says."""

    def run(*words: object) -> str:
        before = tree(tmp_path)
        code, out, err = call(*words)
        assert code == 2
        assert out == ""
        assert err.startswith("tfp-bvae: error: ")
        assert err.count("\n") == 1 and err.endswith("\n")
        assert "Traceback" not in err
        assert tree(tmp_path) == before
        return err

    return run


def tree(folder: Path) -> dict[Path, int | None]:
    """Everything below a folder, hidden or not, with the time it was changed."""
    found = sorted(folder.rglob("*"))
    return {path: None if path.is_dir() else path.stat().st_mtime_ns for path in found}


@pytest.fixture(scope="session")
def data_file(tmp_path_factory, dataset) -> Path:
    """A file of tiny Lorenz data."""
    path = tmp_path_factory.mktemp("data") / "lorenz.h5"
    write_hdf5(path, dataset)
    return path


@pytest.fixture(scope="session")
def epochs() -> int:
    """How long the run that all tests share is fitted: long enough to kill one like it."""
    return 12


@pytest.fixture(scope="session")
def fitted(tmp_path_factory, data_file, epochs) -> Path:
    """The run that all tests share; they must leave it as it is."""
    path = tmp_path_factory.mktemp("fitted") / "run"
    words = ["fit", str(data_file), "--out", str(path), "--epochs", str(epochs), "--quiet"]
    assert main([*words, *SETTINGS]) == 0
    return path


@pytest.fixture
def settings() -> list[str]:
    """`--set` words for a tiny model."""
    return list(SETTINGS)


@pytest.fixture(scope="session")
def executable() -> list[str]:
    """The command, as words for a process of its own."""
    return [sys.executable, "-m", "tfp_bvae.cli"]
