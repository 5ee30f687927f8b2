"""Whether a MATLAB v5 file holds what its tags declare, before scipy makes room for it.

scipy takes the sizes in a file at their word: 48 bytes that declare a cell of 2^31 by 2^31 would
have it ask for all memory, and cells inside cells by the thousand end the process.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO

from ..limits import claim

__all__ = ["require_mat5"]

MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, OBJECT, SPARSE, FUNCTION, OPAQUE = 1, 2, 3, 5, 16, 17
CHAR = 4
NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}  # kinds of values
TEXTS = {1, 2, 4, 16, 17, 18}
DEEPEST = 32  # cells inside cells
PIECE = 2**16  # bytes that are looked at at a time
WIDEST_NAME = 64  # bytes
OF_PART = 128  # bytes that a value takes beside its numbers


class _Damaged(ValueError):
    """The bytes are not what the format says."""


class _Source:
    """Bytes of a variable, unpacked as they are asked for."""

    def __init__(self, file: IO[bytes], size: int, packed: bool):
        self._file, self._left = file, size
        self._unpack = zlib.decompressobj() if packed else None

    def read(self, count: int) -> bytes:
        """So many bytes, of which there are at most a few."""
        return b"".join(self._pieces(count))

    def skip(self, count: int) -> None:
        """Pass over so many bytes."""
        if self._unpack is None:
            self._take_left(count)
            self._file.seek(count, 1)
            return
        for _ in self._pieces(count):
            pass

    def _pieces(self, count: int) -> Iterator[bytes]:
        while count > 0:
            piece = self._some(min(count, PIECE))
            if not piece:
                raise _Damaged("it ends too early")
            count -= len(piece)
            yield piece

    def _some(self, most: int) -> bytes:
        if self._unpack is None:
            self._take_left(most)
            return self._file.read(most)
        while True:
            packed = self._unpack.unconsumed_tail
            if not packed and self._left and not self._unpack.eof:
                packed = self._file.read(min(PIECE, self._left))
                self._left -= len(packed)
            found = self._unpack.decompress(packed, most)
            if found or not packed:
                return found

    def _take_left(self, count: int) -> None:
        if count > self._left:
            raise _Damaged("it ends too early")
        self._left -= count


def require_mat5(path: Path) -> None:
    """Look through the tags of a MATLAB v5 file; nothing is kept.

    Raises:
        ValueError: it is damaged or cut short, or its values take too much memory.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(128)
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        try:
            if order is None:
                raise _Damaged("it has no mark of byte order")
            while len(tag := file.read(8)) == 8:
                kind, count = struct.unpack(f"{order}II", tag)
                end = file.tell() + count
                if end > size:
                    raise _Damaged("it is cut short")
                source = _Source(file, count, kind == COMPRESSED)
                walk = _Walk(path, source, order)
                if kind == COMPRESSED:
                    walk.part(2**32, 0)
                elif kind == MATRIX:
                    walk.matrix(count, 0)
                else:
                    raise _Damaged(f"it has an element of kind {kind}")
                file.seek(end)
        except (_Damaged, zlib.error, struct.error) as error:
            raise ValueError(
                f"{path} must be a MATLAB file, complete and not damaged: {error}"
            ) from error


class _Walk:
    """The way through one variable, and through those inside it."""

    def __init__(self, path: Path, source: _Source, order: str):
        self._path, self._source, self._order = path, source, order

    def part(self, room: int, depth: int) -> int:
        """A matrix with its tag, in so many bytes at most; how many it takes."""
        kind, size = self._numbers(self._source.read(8))
        if kind != MATRIX or size + 8 > room:
            raise _Damaged("a part of it is no matrix, or is larger than the whole")
        self.matrix(size, depth)
        return 8 + size

    def matrix(self, size: int, depth: int) -> None:
        """A matrix of so many bytes."""
        if depth > DEEPEST:
            raise _Damaged(f"cells are more than {DEEPEST} inside one another")
        if not size:
            return
        passed, flags = self._element()
        word = self._numbers(flags.ljust(4))[0]
        kind, is_complex = word & 0xFF, bool(word & 0x800)
        if kind == OPAQUE:
            passed += sum(self._element()[0] for _ in ("name", "system", "class"))
            passed += self.part(size - passed, depth + 1)
        else:
            passed += self._with_shape(kind, is_complex, size - passed, depth)
        if passed > size:
            raise _Damaged("a matrix is larger than it says")
        self._source.skip(size - passed)

    def _with_shape(self, kind: int, is_complex: bool, room: int, depth: int) -> int:
        """Shape, name and parts of a matrix; how many bytes were looked at."""
        passed, dims = self._element()
        shape = self._numbers(dims)
        if not shape or max(shape) >= 2**31:
            raise _Damaged(f"a matrix has the shape {shape}")
        count, name = self._element()
        passed += count
        label = f"{self._path}: {name[:WIDEST_NAME].decode('latin-1') or 'a value'}"
        if kind == FUNCTION:
            return passed + self.part(room - passed, depth + 1)
        if kind in (CELL, STRUCT, OBJECT):
            return passed + self._parts(label, kind, shape, room - passed, depth)
        claim(label, (room,), 1, keep=False)
        if kind != SPARSE:
            claim(label, shape, 8 * (1 + is_complex))
        pieces = 1 + is_complex + 2 * (kind == SPARSE)
        for _ in range(pieces):
            passed += self._values(TEXTS if kind == CHAR else NUMBERS, room - passed)
        return passed

    def _values(self, kinds: Collection[int], room: int) -> int:
        """The numbers of a matrix: scipy ends the process over a type that there is not."""
        word, count = self._numbers(self._source.read(8))
        small = word >> 16
        found = word & 0xFFFF if small else word
        if found not in kinds:
            raise _Damaged(f"its values are of kind {found}")
        if small:
            return 8
        if count + 8 > room:
            raise _Damaged("its values take more than it has")
        whole = min(count + -count % 8, room - 8)
        self._source.skip(whole)
        return 8 + whole

    def _parts(self, label: str, kind: int, shape: Sequence[int], room: int, depth: int) -> int:
        """The matrices of a cell or of a struct."""
        passed, fields = 0, 1
        if kind == OBJECT:
            passed += self._element()[0]
        if kind in (STRUCT, OBJECT):
            count, width = self._element()
            passed += count
            count, names = self._element()
            passed += count
            widest = self._numbers(width.ljust(4))[0]
            fields = len(names) // widest if widest else 0
            claim(label, shape, 8 * max(1, fields))
        parts = math.prod(shape) * fields
        if parts * 8 > room - passed:
            raise _Damaged(f"{label} declares {parts} parts in {room - passed} bytes")
        claim(label, (parts,), OF_PART)
        for _ in range(parts):
            passed += self.part(room - passed, depth + 1)
        return passed

    def _numbers(self, content: bytes) -> tuple[int, ...]:
        count = len(content) // 4
        return struct.unpack(f"{self._order}{count}I", content[: 4 * count])

    def _element(self) -> tuple[int, bytes]:
        """A small element: how many bytes it takes with its tag, and what is in it."""
        tag = self._source.read(8)
        word, count = self._numbers(tag)
        if word >> 16:  # four bytes at most, in the tag itself
            return 8, tag[4 : 4 + min(4, word >> 16)]
        if count > PIECE:
            raise _Damaged(f"a part of a head has {count} bytes")
        whole = count + -count % 8
        return 8 + whole, self._source.read(whole)[:count]
