"""A process whose children do the same thing in one folder, and are killed at places with names.

    python killed.py PLACE[,PLACE...] WORD...

Each child calls `tfp-bvae WORD...` and kills itself, as by `kill -9`, where the place says; the
last one comes to its end. They are forked, so that TensorFlow is imported once.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import tensorflow as tf

from tfp_bvae.cli import main

# What TensorFlow calls between two writes of its own.
OF_TENSORFLOW = {"pointer": "_record_state", "old checkpoint": "_sweep"}


def die(*_, **__) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def set_trap(place: str) -> None:
    """Be killed before a file takes its name, a folder is removed, or TensorFlow goes on."""
    if place in OF_TENSORFLOW:
        setattr(tf.train.CheckpointManager, OF_TENSORFLOW[place], die)
        return
    replace, rmtree = os.replace, shutil.rmtree
    os.replace = lambda a, b: die() if Path(b).name == place else replace(a, b)
    shutil.rmtree = lambda a, *_, **__: die() if Path(a).name == place else rmtree(a, *_, **__)


if __name__ == "__main__":
    if sys.argv[2] == "tune":
        import ray.tune  # noqa: F401  once, too
    for place in [*filter(None, sys.argv[1].split(",")), ""]:
        child = os.fork()
        if child == 0:
            if place:
                set_trap(place)
            code = main(sys.argv[2:])
            sys.stdout.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(f"{place or 'end'}: {code}", flush=True)
