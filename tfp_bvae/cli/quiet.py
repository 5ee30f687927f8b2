"""A start without TensorFlow's log of the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

__all__ = ["quiet_start"]

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep from the terminal what TensorFlow logs in this block; show it if the block fails.

    Some of it is written before TensorFlow looks at its log level, so stderr itself is turned
    aside. That is for a program to do, and not for a library.
    """
    if os.environ.setdefault(LEVEL, "2") == "0":
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
            if "tensorflow" in sys.modules:  # looks for devices, and logs that too
                sys.modules["tensorflow"].config.list_logical_devices()
        except Exception:
            aside.seek(0)
            with open(terminal, "wb", closefd=False) as shown:
                shutil.copyfileobj(aside, shown)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
