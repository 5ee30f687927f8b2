"""The command line: `tfp-bvae VERB`, each verb a module with a function `run`.

TensorFlow is imported by the verbs that need it, once the paths they are given have been checked;
`--help` does without. Where the process is `tfp-bvae` itself, and only there, TensorFlow's log of
what it finds of the machine is kept from the terminal, unless the environment has a
`TF_CPP_MIN_LOG_LEVEL` of 0: a library leaves the environment to its user, a program owns its
process.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from tfp_bvae.cli.parser import build_parser
from tfp_bvae.cli.quiet import quiet_start

__all__ = ["main"]

EXPECTED = (ValueError, TypeError, KeyError, OSError, FloatingPointError, ImportError)
EXPECTED += (MemoryError,)
FITTING = ("fit", "demo", "tune")  # verbs that can be resumed
LONGEST = 400  # characters of an error, which may hold a whole array


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: the words after `tfp-bvae`; None takes those of the process.

    Returns:
        The exit code: 0, 2 after an error (one line on stderr), 130 after Ctrl-C.

    >>> main(["evaluate", "no/such/run"])  # says so on stderr
    2
    """
    options = build_parser().parse_args(argv)
    try:
        _check_paths(options)
        with quiet_start() if argv is None else contextlib.nullcontext():
            verb = importlib.import_module(f"{__name__}.{options.verb}")
        with _memory_limit(options.max_memory):
            verb.run(options)
    except KeyboardInterrupt:
        print(f"\ntfp-bvae: interrupted{_how_to_resume(options)}", file=sys.stderr)
        return 130
    except Exception as error:
        if options.traceback or not _is_expected(error):
            raise
        print(f"tfp-bvae: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _memory_limit(gigabytes: float | None) -> contextlib.AbstractContextManager[None]:
    """What one file may bring into memory."""
    if gigabytes is None:
        return contextlib.nullcontext()
    from tfp_bvae import checks
    from tfp_bvae.data import memory_limit

    return memory_limit(checks.positive("--max-memory", gigabytes) * 1e9)


def _check_paths(options: Namespace) -> None:
    """Refuse at once what needs no more than a look at the disk."""
    given = vars(options)
    if given.get("run_folder") and not Path(options.run_folder).is_dir():
        raise FileNotFoundError(f"RUN must be the folder of a fit, got {options.run_folder}")
    files = given.get("data") or []
    for path in [files] if isinstance(files, str) else files:
        if not Path(path).exists():
            raise FileNotFoundError(f"FILE must be a file of data that exists, got {path}")
    if given.get("resume") and options.overwrite:
        raise ValueError("--resume and --overwrite must not be given both")
    if not given.get("out") or options.overwrite or given.get("resume"):
        return
    if os.path.lexists(options.out):
        ways = "--resume goes on with it, " if "resume" in given else ""
        raise FileExistsError(f"{options.out} exists: {ways}--overwrite replaces it")


def _how_to_resume(options: Namespace) -> str:
    if options.verb not in FITTING or not (Path(options.out) / "run.json").is_file():
        return ""
    words = [options.verb, *getattr(options, "data", []), "--out", options.out, "--resume"]
    return f"; go on with: tfp-bvae {' '.join(words)}"


def _is_expected(error: Exception) -> bool:
    """Whether the error is of the input or the machine; TensorFlow has names of its own for both.

    A full disk, say, may be an `OSError` where Python writes, and is an `OpError` where TensorFlow
    writes a checkpoint. TensorFlow was imported if it can have raised one.
    """
    tensorflow = sys.modules.get("tensorflow")
    of_tensorflow = () if tensorflow is None else (tensorflow.errors.OpError,)
    return isinstance(error, EXPECTED + of_tensorflow)


def _one_line(error: BaseException) -> str:
    """What an exception says, without quotes, error numbers, line breaks or inner names."""
    if isinstance(error, KeyError) and error.args:
        text = str(error.args[0])
    elif isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    else:
        text = str(error)
    text = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", text)  # TensorFlow's names of its own operations
    text = "".join(x if x.isprintable() else " " for x in " ".join(text.split()))
    text = text or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
