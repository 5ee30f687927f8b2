"""Whether the HDF5 library survives a file: tried in a process that may be lost.

Where the bytes of a file contradict each other, the library can end the process that reads it, by a
segmentation fault that no `try` catches. So a small process of its own walks through every name,
shape and attribute first. It is begun with the first file, which takes some 0.2 s, forks for
each, which takes some milliseconds, and ends with the process that asks.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

__all__ = ["require_sound_hdf5"]

PATIENCE = 60  # s for one file
WALKER = """
import json, os, signal, sys
import h5py

def look(name, node):
    for key in node.attrs:
        try:
            node.attrs[key]
        except Exception:
            pass
    if isinstance(node, h5py.Dataset):
        node.shape, node.dtype, node.chunks, node.id.get_storage_size()

def walk(path):
    try:
        with h5py.File(path, "r") as file:
            look("/", file)
            list(file)
            file.visititems(look)
    except Exception:
        pass

print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()  # memory as it was before any file
    if not child:
        signal.alarm(int(sys.argv[1]))
        walk(json.loads(line))
        os._exit(0)
    print("lost" if os.waitpid(child, 0)[1] else "done", flush=True)
"""


class _Walker:
    """The process that tries files; it is begun anew after it was lost, and after a fork."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._owner = 0

    def survives(self, path: Path) -> bool:
        """Whether it does; True where no process can be begun."""
        with self._lock:
            if not self._ready():
                return True
            try:
                self._process.stdin.write(json.dumps(str(path)).encode() + b"\n")
                self._process.stdin.flush()
            except OSError:
                pass  # it is lost, and does not answer
            return self._answers(b"done")

    def _ready(self) -> bool:
        process = self._process
        if process is not None and self._owner == os.getpid() and process.poll() is None:
            return True
        if not sys.executable or os.name == "nt":  # select waits for sockets alone there
            return False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", WALKER, str(PATIENCE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,  # nothing is imported from where the files are
            )
        except OSError:
            return False
        self._owner = os.getpid()
        return self._answers(b"ready")

    def _answers(self, word: bytes) -> bool:
        """Whether the process says this word in time; else it is ended."""
        answer = self._process.stdout
        found = select.select([answer], [], [], PATIENCE + 10)[0] and answer.readline().strip()
        if found not in (word, b"lost"):
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            answer.close()
            self._process = None
        return found == word

    def end(self) -> None:
        """Let the process go, if it is this one's."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


_WALKER = _Walker()
atexit.register(_WALKER.end)


def require_sound_hdf5(path: str | os.PathLike[str]) -> None:
    """Refuse a file that would end this process.

    Args:
        path: an HDF5 file.

    Raises:
        ValueError: the HDF5 library does not come to the end of its names, shapes and attributes.

    >>> import tempfile, h5py
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     h5py.File(f"{folder}/a.h5", "w").close()
    ...     require_sound_hdf5(f"{folder}/a.h5")
    """
    path = Path(path).resolve()
    if not _WALKER.survives(path):
        raise ValueError(
            f"{path} must be an HDF5 file, complete and not damaged: the HDF5 library cannot be "
            "trusted with this one, it ends the process that reads it"
        )
