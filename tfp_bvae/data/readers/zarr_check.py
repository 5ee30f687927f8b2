"""Whether a zarr folder declares what can be read, before zarr makes room for it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..limits import claim, require_held
from ..plain_files import read_json

__all__ = ["require_zarr"]

METADATA = ("zarr.json", ".zarray", ".zmetadata")
FURTHER = (".zgroup", ".zattrs")
MOST_CHUNKS = 1_000_000
OF_TEXT = 64  # bytes of a word
# what unpacks numbers and words, and does nothing else: "pickle" runs code
CODECS = {"bytes", "transpose", "sharding_indexed", "crc32c", "crc32", "adler32", "fletcher32"}
CODECS |= {"blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "shuffle", "delta", "packbits"}
CODECS |= {"fixedscaleoffset", "quantize", "bitround", "astype", "vlen-utf8", "vlen-bytes"}


def require_zarr(path: Path) -> None:
    """Look through the metadata and the names of files of a zarr folder.

    Raises:
        ValueError: something is a link or leads out of the folder, is packed by what may run code,
            or takes too much memory.
    """
    files = [found for found in _files(path) if found.name not in FURTHER]
    chunks = {found: found.stat().st_size for found in files if found.name not in METADATA}
    declared: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        if file.name in METADATA:
            for name, found in _arrays(path, file):
                declared.setdefault(name, []).append(found)
    for name, found in declared.items():
        sizes = [_require_array(path, name, array) for array in found]
        claim(f"{path}: {name}", (max(size for size, _ in sizes),), 1)
        inside = [size for file, size in chunks.items() if file.is_relative_to(path / name)]
        of_chunk = max(chunk for _, chunk in sizes)
        if max(inside, default=0) > 2 * of_chunk + 2**16:
            raise ValueError(
                f"{path}: {name} must have chunks of {of_chunk} bytes, got one that is packed in "
                f"{max(inside)}, the folder is damaged"
            )


def _files(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            found = Path(folder, name)
            if found.is_symlink():
                raise ValueError(f"{path}: {found.name} must be in the folder itself, got a link")
            if not (found.is_file() or found.is_dir()):
                raise ValueError(f"{path}: {found.name} must be a file, got a pipe or a device")
        yield from (Path(folder, name) for name in names)


def _arrays(path: Path, file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and metadata of each array that a file of metadata tells of."""
    try:
        content = read_json(file)
    except ValueError as error:
        raise ValueError(f"{path} must be zarr, complete and not damaged: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} must be a mapping, got {type(content).__name__}")
    here = file.parent.relative_to(path).as_posix()
    if "shape" in content or file.name == ".zarray" or content.get("node_type") == "array":
        yield here, content
    for found in (content, content.get("consolidated_metadata") or {}):
        inner = found.get("metadata") if isinstance(found, dict) else None
        for name, array in inner.items() if isinstance(inner, dict) else ():
            parts = PurePosixPath(str(name))
            if parts.is_absolute() or ".." in parts.parts or "\\" in str(name):
                raise ValueError(f"{path}: {name!r} must be in the folder itself")
            if isinstance(array, dict) and "shape" in array:
                own = parts.parent if parts.name in METADATA else parts
                yield (PurePosixPath(here) / own).as_posix(), array


def _require_array(path: Path, name: str, array: dict[str, Any]) -> tuple[int, int]:
    """Bytes of an array in memory, and of one of its chunks."""
    codecs = [array.get("compressor"), *(array.get("filters") or ())]
    codecs += array.get("codecs") or ()
    for codec in _names(codecs):
        if codec == "pickle":
            raise ValueError(f"{path}: {name} must hold no pickles: they run code")
        if codec.removeprefix("numcodecs.").lower() not in CODECS:
            raise ValueError(
                f"{path}: {name} must be packed as numbers or words are, by blosc or zstd, say, "
                f"got {codec!r}"
            )
    try:
        grid = array.get("chunks") or array["chunk_grid"]["configuration"]["chunk_shape"]
        shape, grid = ([int(size) for size in sizes] for sizes in (array["shape"], grid))
        width = _width(array.get("dtype", array.get("data_type")))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path}: {name} must have a shape, chunks and a type") from error
    if len(shape) != len(grid) or min(shape, default=0) < 0 or min(grid, default=1) < 1:
        raise ValueError(f"{path}: {name} must have chunks of its shape, got {shape} and {grid}")
    claim(f"{path}: {name}", shape, max(4, width), keep=False)
    claim(f"{path}: a chunk of {name}", grid, width, keep=False)
    count = math.prod(-(-size // step) for size, step in zip(shape, grid, strict=True))
    if count > MOST_CHUNKS:
        raise ValueError(f"{path}: {name} must have at most {MOST_CHUNKS} chunks, got {count}")
    require_held(f"{path}: {name}", shape, width)
    return math.prod(shape) * max(4, width), math.prod(grid) * width


def _names(codecs: Any) -> Iterator[str]:
    """Names of codecs, and of those inside them."""
    for codec in codecs if isinstance(codecs, list) else ():
        if codec is None:
            continue
        if not isinstance(codec, dict):
            yield str(codec)
            continue
        yield str(codec.get("id", codec.get("name")))
        inner = codec.get("configuration")
        if isinstance(inner, dict):
            for key in ("codecs", "index_codecs"):
                yield from _names(inner.get(key))


def _width(kind: Any) -> int:
    """Bytes of a value of a type of zarr 2 or 3."""
    if isinstance(kind, dict):
        inner = kind.get("configuration") or {}
        return int(inner.get("length_bytes", OF_TEXT))
    if not isinstance(kind, str):
        raise TypeError(kind)
    if kind in ("string", "|O", "bytes", "variable_length_bytes"):
        return OF_TEXT
    return max(1, np.dtype(kind).itemsize)
