"""Sessions: `python -m nox -l` lists them, `python -m nox -s tests` runs one.

Those that need TensorFlow share one virtual environment, `.nox/tf-py3.11` or so, because
it takes over a minute and 2.5 GB to fill. It is made for the Python that runs nox, so that
`python3.13 -m nox -s tests` tests on 3.13. Words after `--` are handed on.
"""

import os
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True

SHARED = Path(".nox") / f"tf-py{sys.version_info.major}.{sys.version_info.minor}"
BIN = SHARED / ("Scripts" if os.name == "nt" else "bin")
TWO_AT_A_TIME = ("-n", "2", "--dist", "loadfile")  # a file's tests share their models
# What XLA compiles stays in memory as long as its process: some folders at a time, the rest last.
APART = (("cli",), ("inference", "training"), ("conformance", "models"))
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}


def shared(session: nox.Session, extras: str) -> None:
    """Make the shared environment if it is not there, and install the package with `extras`."""
    if not (SHARED / "pyvenv.cfg").exists():
        session.run(sys.executable, "-m", "virtualenv", "--quiet", str(SHARED), external=True)
    run(session, "pip", "install", "--quiet", "--editable", f".[{extras}]")


def run(session: nox.Session, module: str, *arguments: str) -> None:
    """Run `python -m module` in the shared environment."""
    session.run(str(BIN / "python"), "-m", module, *arguments, env=QUIET, external=True)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Run the tests, but for the slow ones."""
    shared(session, "plots,test")
    if session.posargs:
        run(session, "pytest", *session.posargs)
        return
    for folders in APART:
        run(session, "pytest", *TWO_AT_A_TIME, *(f"tests/{name}" for name in folders))
    rest = (f"--ignore=tests/{name}" for folders in APART for name in folders)
    run(session, "pytest", *TWO_AT_A_TIME, *rest)


@nox.session(venv_backend="none", default=False)
def slow(session: nox.Session) -> None:
    """Run the slow tests: trainings that must recover a known truth."""
    shared(session, "plots,test")
    run(session, "pytest", "-m", "slow", *session.posargs)


@nox.session(venv_backend="none", default=False)
def tune(session: nox.Session) -> None:
    """Run the tests of tuning with Ray; CI runs them without (pure Python and single members)."""
    shared(session, "plots,test,tune")
    run(session, "pytest", "-m", "slow or not slow", "tests/tuning", *session.posargs)


@nox.session(venv_backend="none", default=False)
def fuzz(session: nox.Session) -> None:
    """Try 100,000 spoiled files and words at every door; `-- --inputs 1000` tries fewer."""
    shared(session, "plots,test")
    run(session, "pip", "install", "--quiet", "atheris>=3.0")
    arguments = session.posargs or ["--inputs", "100000", "--atheris", "3000"]
    session.run(str(BIN / "python"), "benchmarks/fuzz.py", *arguments, env=QUIET, external=True)


@nox.session(venv_backend="none")
def doctest(session: nox.Session) -> None:
    """Run every example that stands in a docstring, or on a page of the documentation."""
    shared(session, "plots,test,tune")
    run(session, "pytest", "--doctest-modules", "tfp_bvae", *session.posargs)
    names = ("drop_in", "extending", "kit", "layers", "troubleshooting")
    pages = [f"docs/{name}.md" for name in names]
    run(session, "pytest", "--doctest-glob=*.md", *pages, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, names and docstrings, and that the code is formatted."""
    session.install("--quiet", "ruff>=0.17,<0.18")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session(venv_backend="none", default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation, tutorials executed, with warnings as errors."""
    shared(session, "docs")
    options = ("-W", "--keep-going", *session.posargs)
    run(session, "sphinx", *options, "-b", "html", "docs", "docs/_build/html")


@nox.session(venv_backend="none", default=False)
def demo(session: nox.Session) -> None:
    """Simulate spikes of a Lorenz system, fit LFADS to them, and write runs/demo."""
    shared(session, "plots")
    arguments = session.posargs or ["--out", "runs/demo", "--overwrite"]
    run(session, "tfp_bvae.cli", "demo", *arguments)


@nox.session(python="3.10", default=False, reuse_venv=False)
def minimums(session: nox.Session) -> None:
    """Run the tests at the lowest versions allowed, from an ordinary install."""
    lowest = ["tensorflow~=2.18.0", "tf-keras~=2.18.0", "numpy~=1.26.0", "h5py~=3.11.0"]
    session.install(".[plots,test]", *lowest)
    session.run("pytest", *session.posargs, env=QUIET)
