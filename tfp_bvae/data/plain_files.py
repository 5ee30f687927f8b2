"""Small files of text: JSON and the like, read without trust."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["read_json", "read_small_text"]

LARGEST = 2**24  # bytes


def read_small_text(path: str | os.PathLike[str], largest: int = LARGEST) -> str:
    """The text of a file that may not be large.

    Args:
        path: the file; a pipe or a device, which may never end, is refused.
        largest: bytes that it may have.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no file, is larger, or is not of text (UTF-8).

    >>> read_small_text("no/such/file")
    Traceback (most recent call last):
        ...
    FileNotFoundError: path must be a file that exists, got no/such/file
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path must be a file that exists, got {path}")
    if not path.is_file():
        raise ValueError(f"{path} must be a file, got a folder, a pipe or a device")
    with open(path, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"{path} must have at most {largest} bytes, got more")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be text: {error}") from error


def read_json(path: str | os.PathLike[str]) -> Any:
    """What a JSON file holds, of at most 16 MiB.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no file, is too large, or is not JSON.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.json").write_text('{"a": [1, 2]}')
    ...     read_json(f"{folder}/a.json")
    {'a': [1, 2]}
    """
    text = read_small_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} must be JSON: {error}") from error
