"""What stands in an HDF5 file: found without following links, read once it is known to fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .limits import claim, require_held

__all__ = ["datasets", "read_attrs", "read_dataset", "require_attrs", "require_storage"]

MOST_NODES = 100_000  # groups and datasets of a file
DEEPEST = 32  # groups inside groups
UNPACKING = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_LZF, h5py.h5z.FILTER_SZIP)
FEW = 64  # strings that are read together whatever their length
DAMAGED = (KeyError, RuntimeError, TypeError, OSError, UnicodeDecodeError)


def read_attrs(file: h5py.File) -> dict[str, Any]:
    """The attributes of a file, as plain values.

    Raises:
        ValueError: one cannot be read: named.
    """
    path = Path(file.filename)
    require_attrs(path, file)
    found = {}
    for name in file.attrs:
        try:
            found[name] = _plain(file.attrs[name])
        except DAMAGED as error:
            raise _unreadable(path, f"attribute {name}", error) from error
    return found


def require_attrs(path: Path, node: h5py.Group | h5py.Dataset) -> None:
    """Refuse attributes that take too much memory: many words of which all are one long one, say.

    Raises:
        ValueError: naming one.
    """
    try:
        names = list(node.attrs)
    except DAMAGED as error:
        raise _unreadable(path, "an attribute", error) from error
    for name in names:
        try:
            attribute = node.attrs.get_id(name)
            shape, dtype = attribute.shape or (), attribute.dtype
            if math.prod(shape) > FEW:
                text = h5py.check_string_dtype(dtype)
                widest = node.file.id.get_filesize() if text else dtype.itemsize
                claim(f"{path}: attribute {name}", shape, widest)
        except DAMAGED as error:
            raise _unreadable(path, f"attribute {name}", error) from error


def datasets(
    path: Path, file: h5py.File, of_all_kinds: bool = False
) -> list[tuple[str, h5py.Dataset]]:
    """Name and dataset of each that may be read; links, and data in other files, are refused.

    Args:
        path: of the file, for errors.
        file: open.
        of_all_kinds: let pass what a library reads itself: links inside the file, and datasets
            that are neither numbers nor strings.

    Raises:
        ValueError: what may not be read is named; or the file is damaged.
    """
    found: list[tuple[str, h5py.Dataset]] = []
    seen = set()  # groups: one may be inside itself
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    while waiting:
        prefix, group = waiting.pop()
        for name, node in _inside(path, prefix, group, of_all_kinds):
            if isinstance(node, h5py.Dataset):
                _require_own(path, name, node)
                if not of_all_kinds:
                    _require_values(path, name, node)
                found.append((name, node))
            elif isinstance(node, h5py.Group):
                address = h5py.h5o.get_info(node.id).addr
                if address not in seen:
                    seen.add(address)
                    waiting.append((f"{name}/", node))
            if len(found) + len(seen) > MOST_NODES or name.count("/") > DEEPEST:
                raise ValueError(
                    f"{path} must hold at most {MOST_NODES} datasets and groups, {DEEPEST} inside "
                    f"one another, got more"
                )
    return sorted(found, key=lambda pair: pair[0])


def _inside(
    path: Path, prefix: str, group: h5py.Group, of_all_kinds: bool
) -> Iterator[tuple[str, Any]]:
    """Name and content of what a group holds itself."""
    try:
        names = list(group)
    except (RuntimeError, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, prefix or "its content", error) from error
    for name in names:
        full = f"{prefix}{name}"
        try:
            link = group.get(name, getlink=True)
            node = group[name] if isinstance(link, h5py.HardLink) else None
        except (KeyError, RuntimeError, OSError, ValueError) as error:
            raise _unreadable(path, full, error) from error
        if node is None and not (of_all_kinds and isinstance(link, h5py.SoftLink)):
            raise ValueError(f"{path}: {full} must be in the file itself, got a link")
        yield full, node


def _require_own(path: Path, name: str, dataset: h5py.Dataset) -> None:
    try:
        if dataset.is_virtual or dataset.external:
            raise ValueError(f"{path}: {name} must be in the file itself, got data in another file")
    except (RuntimeError, OSError) as error:
        raise _unreadable(path, name, error) from error


def _require_values(path: Path, name: str, dataset: h5py.Dataset) -> None:
    try:
        dtype, shape = dataset.dtype, dataset.shape
    except (TypeError, RuntimeError, KeyError, OSError) as error:  # a type that numpy has not
        raise _unreadable(path, name, error) from error
    if shape is None:
        raise ValueError(f"{path}: {name} must hold values, got an empty dataset")
    if h5py.check_string_dtype(dtype) is None and dtype.kind not in "biuf":
        raise ValueError(f"{path}: {name} must hold numbers, all rows of one length, got {dtype}")


def require_storage(path: Path, name: str, dataset: h5py.Dataset) -> None:
    """Refuse a dataset whose chunks unpack to far more than they are, or that is not there.

    Raises:
        ValueError: naming it.
    """
    try:
        require_held(f"{path}: {name}", dataset.shape, dataset.dtype.itemsize)
        if dataset.chunks is not None:
            _require_chunks(path, name, dataset)
    except (RuntimeError, TypeError, KeyError, OSError) as error:
        raise _unreadable(path, name, error) from error


def _require_chunks(path: Path, name: str, dataset: h5py.Dataset) -> None:
    """Refuse chunks that no memory holds, or that are packed in too many ways to tell."""
    claim(f"{path}: a chunk of {name}", dataset.chunks, dataset.dtype.itemsize, keep=False)
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
    if sum(found in UNPACKING for found in filters) > 1:
        raise ValueError(f"{path}: {name} must be packed once, got filters {filters}")
    if not filters or not hasattr(dataset.id, "chunk_iter"):
        return
    largest = 0

    def look(chunk: Any) -> None:
        nonlocal largest
        largest = max(largest, chunk.size)

    dataset.id.chunk_iter(look)
    unpacked = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if largest > 2 * unpacked + 2**16:
        raise ValueError(
            f"{path}: {name} must have chunks of {unpacked} bytes, got one that is packed in "
            f"{largest}, the file is damaged"
        )


def read_dataset(path: Path, name: str, dataset: h5py.Dataset) -> np.ndarray:
    """A dataset as an array.

    Raises:
        ValueError: it cannot be read, or takes too much memory: named.
    """
    try:
        require_storage(path, name, dataset)
        if h5py.check_string_dtype(dataset.dtype):
            return _read_text(path, name, dataset)
        claim(f"{path}: {name}", dataset.shape, max(4, dataset.dtype.itemsize))
        return _plain(dataset[()])
    except (OSError, RuntimeError, TypeError, UnicodeDecodeError) as error:
        raise _unreadable(path, name, error) from error


def _read_text(path: Path, name: str, dataset: h5py.Dataset) -> Any:
    """Strings; some at a time, since many may be one long one."""
    label, text = f"{path}: {name}", dataset.asstr()
    if not dataset.shape:
        return _plain(text[()])
    count = math.prod(dataset.shape)
    claim(label, dataset.shape, 64)  # of an empty one
    words: list[str] = []
    for block in _blocks(dataset.shape):
        part = text[block].reshape(-1).tolist()
        claim(label, [sum(map(len, part))], 4)
        words += part
    claim(label, [count, max(map(len, words), default=0)], 4)  # numpy's are all as long
    return np.array(words, dtype=np.str_).reshape(dataset.shape)


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
    """Places of a few values at a time, in their order."""
    axis = len(shape) - 1
    while axis and math.prod(shape[axis:]) <= FEW:
        axis -= 1
    step = max(1, FEW // max(1, math.prod(shape[axis + 1 :])))
    for row in np.ndindex(shape[:axis]):
        for first in range(0, shape[axis], step):
            yield (*row, slice(first, first + step))


def _unreadable(path: Path, name: str, error: Exception) -> ValueError:
    return ValueError(f"{path}: {name} cannot be read, the file is damaged: {error}")


def _plain(value: Any) -> Any:
    """A Python scalar or a numpy array without objects, from what h5py hands back."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return value.astype(np.str_)
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
