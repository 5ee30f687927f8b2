"""Spoiling a sound input: its bytes, or what stands in it.

Every function takes a source of chance with the methods of `random.Random`: one with a seed, or
that of Hypothesis, which then finds the shortest input that fails.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
import zipfile
from random import Random
from typing import Any

import h5py
import numpy as np

WORDS = (
    "spikes", "trial", "time", "channel", "session", "condition", "split", "length", "start",
    "held_out", "forward", "bin_width", "truth", "behavior", "ext_input", "group", "names",
    "train_encod_data", "valid_encod_data", "train_recon_data", "valid_recon_data", "train_data",
    "train_length", "valid_length", "train_session_index", "train_truth", "conversion_factor",
    "train_inds", "valid_inds", "train_spikes_heldin", "eval_spikes_heldin", "train_rates",
    "valid_rates", "MATLAB_class", "_NCProperties", "nwb_version", "CLASS", "NAME", "_FillValue",
    "scale_factor", "units", "coordinates", "DIMENSION_LIST", "dtype", "calendar",
    "<script>alert(1)</script>", "../../x", "/etc/passwd", "$\\frac{", "", ".", "..", "a/b",
    "\x1b[31m", "\u202e", "é", "0", "__class__", "x" * 300,
)  # fmt: skip
NUMBERS = (0, -1, 1, 2, 7, 0.5, -0.0, 1e-300, 1e300, 255, 256, 65535, 10**6, 2**31 - 1, 2**31)
NUMBERS += (2**53 + 1, 10**9, 2**63 - 1, 2**63, 2**64, 10**30, float("inf"), float("nan"))
MARKS = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00" * 8, b"\x80\x04")
MARKS += (b"(", b"{", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"\n", b'"', b"[" * 5000)
DTYPES = ("f2", "f4", "f8", ">f8", "i1", "u1", "i8", "u8", "?", "S3", "S0", "c16")
SHAPES = ((), (0,), (1,), (3,), (5, 0, 2), (3, 4), (2, 3, 4), (10, 10, 4), (2, 2, 2, 2), (1,) * 7)
GIANT = ((2**40,), (10**6, 10**6), (10**4, 10**4, 10**4), (2**31, 1, 1))


def bytes_of(chance: Random, content: bytes) -> bytes:
    """The bytes with a few of them changed, cut out, doubled or put in."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, max(0, len(found) - 1))
        kind = chance.randint(0, 6)
        if kind == 0 and found:
            found[at] ^= 1 << chance.randint(0, 7)
        elif kind == 1 and found:
            found[at] = chance.randint(0, 255)
        elif kind == 2:
            del found[at:]
        elif kind == 3:
            del found[at : at + chance.randint(1, 64)]
        elif kind == 4:
            mark = chance.choice(MARKS)
            found[at : at + len(mark) * chance.randint(0, 1)] = mark
        elif kind == 5:
            found[at:at] = found[at : at + chance.randint(1, 256)]
        else:
            other = chance.randint(0, max(0, len(found) - 1))
            found[at : at + 8] = found[other : other + 8]
    return bytes(found)


def value(chance: Random) -> Any:
    """Some value of JSON, mostly one that is not expected."""
    kind = chance.randint(0, 6)
    if kind == 0:
        return chance.choice((None, True, False, [], {}, [[]], [None], {"a": 1}))
    if kind in (1, 2):
        return chance.choice(NUMBERS)
    if kind == 3:
        return [chance.choice(NUMBERS) for _ in range(chance.randint(0, 4))]
    if kind == 4:
        return {chance.choice(WORDS): chance.choice(NUMBERS) for _ in range(3)}
    return chance.choice(WORDS)


def json_of(chance: Random, content: bytes) -> bytes:
    """JSON with some of its values and keys replaced, taken out or swapped."""
    if chance.randint(0, 9) == 0:
        return bytes_of(chance, content)
    try:
        root = {"": json.loads(content)}
    except ValueError:
        return bytes_of(chance, content)
    for _ in range(chance.randint(1, 3)):
        places = [place for place in _places(root)]
        holder, key = places[chance.randint(0, len(places) - 1)]
        kind = chance.randint(0, 5)
        if kind == 0 and holder is not root:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict) and holder is not root:
            holder[chance.choice(WORDS)] = holder.pop(key)
        elif kind == 2:
            other, name = places[chance.randint(0, len(places) - 1)]
            with contextlib.suppress(KeyError, IndexError, RecursionError):
                copy = json.loads(json.dumps(other[name]))
                holder[key] = copy
        else:
            holder[key] = value(chance)
    return json.dumps(root[""]).encode()


def _places(found: Any) -> list[tuple[Any, Any]]:
    """Each place of a value, in the mappings and lists inside one another."""
    places, waiting = [], [found]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return places


def text_of(chance: Random, content: bytes) -> bytes:
    """Text with some of its words replaced, doubled or taken out."""
    if chance.randint(0, 4) == 0:
        return bytes_of(chance, content)
    for mark in (b"\x00", b"\n", b",", b"=", b":"):
        if mark in content and chance.randint(0, 1):
            parts = content.split(mark)
            break
    else:
        mark, parts = b" ", content.split(b" ")
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(parts) - 1)
        kind = chance.randint(0, 3)
        if kind == 0 and len(parts) > 1:
            del parts[at]
        elif kind == 1:
            parts.insert(at, parts[chance.randint(0, len(parts) - 1)])
        else:
            parts[at] = str(value(chance)).encode("utf-8", "replace")
    return mark.join(parts)


def zip_of(chance: Random, content: bytes) -> bytes:
    """An archive with one of its members spoiled, renamed, doubled or taken out."""
    if chance.randint(0, 4) == 0:
        return bytes_of(chance, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # it is spoiled already
        return bytes_of(chance, content)
    if not members:
        return content
    at = chance.randint(0, len(members) - 1)
    name, inside = members[at]
    kind = chance.randint(0, 9)
    if kind == 0 and len(members) > 1:
        del members[at]
    elif kind == 1:
        members[at] = (chance.choice(WORDS) + chance.choice(("", ".npy", ".json")), inside)
    elif kind == 2:
        members.append((name, members[chance.randint(0, len(members) - 1)][1]))
    else:
        members[at] = (name, _inside(name)(chance, inside))
    written = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if chance.randint(0, 3) == 0 else zipfile.ZIP_STORED
    with warnings.catch_warnings(), zipfile.ZipFile(written, "w", packing) as archive:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, inside in members:
            archive.writestr(zipfile.ZipInfo(name or "_"), inside, packing)
    return written.getvalue()


def _inside(name: str):
    """How to spoil a member of an archive, by its name."""
    last = name.rpartition("/")[2]
    if name.endswith(".json") or last in (".zarray", ".zattrs", ".zgroup", ".zmetadata"):
        return json_of
    if name.endswith((".csv", "checkpoint")):
        return text_of
    return hdf5_of if name.endswith(".h5") else bytes_of


def hdf5_of(chance: Random, content: bytes) -> bytes:
    """An HDF5 file in which datasets, groups, links or attributes are others."""
    if chance.randint(0, 4) == 0:
        return bytes_of(chance, content)
    written = io.BytesIO(content)
    with contextlib.suppress(Exception), h5py.File(written, "r+") as file:
        for _ in range(chance.randint(1, 3)):
            with contextlib.suppress(Exception):  # what h5py itself will not write
                _change(chance, file)
    return written.getvalue()


def _change(chance: Random, file: h5py.File) -> None:
    names: list[str] = []
    file.visit(names.append)
    name = names[chance.randint(0, len(names) - 1)] if names else "spikes"
    other = chance.choice(WORDS)
    target = name if chance.randint(0, 2) else other
    kind = chance.randint(0, 11)
    if kind == 0:
        del file[name]
    elif kind == 1:
        file.move(name, other)
    elif kind == 2:
        file[other] = file[name]
    elif kind == 3:
        node = file[chance.choice((name, "/"))]
        node.attrs[chance.choice([*node.attrs, other])] = _attribute(chance)
    elif kind == 4:
        values = file[name][()]
        file[name][...] = np.where(_some(chance, np.shape(values)), chance.choice(NUMBERS), values)
    elif kind == 5:
        _replace(file, target, h5py.SoftLink("/" + chance.choice([*names, "", "gone"])))
    elif kind == 6:
        _replace(file, target, h5py.ExternalLink("/etc/hostname", "/x"))
    elif kind == 7:
        if target in file:
            del file[target]
        options = {"chunks": True, "compression": chance.choice((None, "gzip", "lzf"))}
        file.create_dataset(target, chance.choice(GIANT), chance.choice(DTYPES), **options)
    elif kind == 8:
        _replace(file, target, chance.choice((h5py.Empty("f4"), np.bytes_(b"\xff"), other)))
    elif kind == 9:
        kinds = (h5py.ref_dtype, h5py.string_dtype(), h5py.vlen_dtype(np.float32))
        kinds += (np.dtype([("a", "f4"), ("b", "S2")]), h5py.enum_dtype({"a": 1, "b": 2}))
        if target in file:
            del file[target]
        file.create_dataset(target, chance.choice(SHAPES), chance.choice(kinds))
    elif kind == 10:
        shape = chance.choice([*SHAPES, getattr(file[name], "shape", None) or ()])
        _replace(file, target, np.ones(shape, chance.choice(DTYPES)))
    else:
        file.create_group(f"{target}/{other}/a/b")


def _replace(file: h5py.File, name: str, content: Any) -> None:
    if name in file:
        del file[name]
    file[name] = content


def _attribute(chance: Random) -> Any:
    kind = chance.randint(0, 3)
    if kind == 0:
        return chance.choice(WORDS)
    if kind == 1:
        return np.full(chance.choice(SHAPES[:6]), 1, chance.choice(DTYPES))
    return h5py.Empty("f4") if kind == 2 else chance.choice(NUMBERS)


def _some(chance: Random, shape: tuple[int, ...]) -> np.ndarray:
    """Which values are changed: one, or all."""
    where = np.full(shape, chance.randint(0, 1) == 0)
    if where.size:
        where.flat[chance.randint(0, where.size - 1)] = True
    return where
