"""`.keras` files: looked through before Keras makes anything of them.

The safe mode of Keras refuses functions that are stored as code. It still imports any module that
a file names, takes any operation of TensorFlow for a layer (writing files is one), unpacks what
else is in the archive, and makes weights of any size. So a file is read here only if all that it
names is on a list, and its weights are no larger than it is.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import tensorflow as tf
import tf_keras

from tfp_bvae.data.hdf5_nodes import datasets, require_storage
from tfp_bvae.data.limits import claim, reading
from tfp_bvae.models import BetaVAE

__all__ = ["claimed_weights", "read_model"]

OURS = "tfp_bvae>"
MEMBERS = ["config.json", "metadata.json", "model.weights.h5"]
LARGEST = 2**24  # bytes of a configuration
MOST_OBJECTS = 10_000  # layers, initialisers and the like
LARGEST_SIZE = 2**20  # units, say: of more there must be as many weights in the file
NO_SIZES = ("hyperparameters", "seed", "shared_object_id")
BESIDE = 2**24  # bytes of weights that a file need not hold: seeds, counters
# of Keras: what computes, and reads, writes and imports nothing
KERAS = {
    "layers": {"Add", "Average", "Concatenate", "Dense", "Flatten", "Identity", "InputLayer"}
    | {"Reshape"},
    "initializers": {"Constant", "GlorotUniform", "HeNormal", "Ones", "RandomNormal", "Zeros"},
    "mixed_precision": {"Policy"},
}
SLICING = ("SlicingOpLambda", "__operators__.getitem")  # `x[:, -1]`


def read_model(path: str | os.PathLike[str]) -> BetaVAE:
    """A model of a `.keras` file, of which nothing is run, and nothing beside the file is touched.

    Args:
        path: the file, of `Run.save_model`.

    Raises:
        ValueError: the file is damaged; holds more than a model; names a layer that is not of this
            package, or is not known to compute only; or its weights take more than it has, or
            more memory than they may (`data.memory_limit`).

    >>> import tempfile
    >>> from tfp_bvae import models
    >>> model = models.lfads({"channels": 3}, {"generator_units": 4, "factors": 2})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/a.keras")
    ...     len(read_model(f"{folder}/a.keras").weights) == len(model.weights)
    True
    """
    path = Path(path)
    try:
        with reading(path):
            with zipfile.ZipFile(path) as archive:
                _require_members(path, archive)
                _require_config(path, archive)
                _require_weights(path, archive)
            with claimed_weights(f"{path}: weights", path.stat().st_size + BESIDE):
                model = tf_keras.models.load_model(path, compile=False, safe_mode=True)
    except (PermissionError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged byte leads to
        if str(error).startswith(f"{path}"):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} must be a model, complete: {reason}") from error
    if not isinstance(model, BetaVAE):
        raise ValueError(f"{path} must be a model of tfp_bvae, got {type(model).__name__}")
    return model


def _require_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what Keras would unpack, and what unpacks to more than it is."""
    found = archive.infolist()
    if sorted(info.filename for info in found) != MEMBERS:
        names = ", ".join(sorted(info.filename for info in found)[:5])
        raise ValueError(f"{path} must hold {', '.join(MEMBERS)} and nothing else, got {names}")
    for info in found:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > path.stat().st_size:
            raise ValueError(f"{path}: {info.filename} must not be packed")
        if info.filename.endswith(".json") and info.file_size > LARGEST:
            raise ValueError(f"{path}: {info.filename} must have at most {LARGEST} bytes")


def _require_config(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a layer, or anything else that has a class, that is not on the list."""
    json.loads(archive.read("metadata.json"))
    config, count = json.loads(archive.read("config.json")), 0
    config.pop("compile_config", None)  # not looked at, with compile=False
    most = max(LARGEST_SIZE, archive.getinfo(MEMBERS[-1]).file_size // 2)
    for name, size in _sizes(config):
        if abs(size) > most:
            raise ValueError(f"{path}: {name} must be a size that its weights have, got {size:g}")
    for found in _objects(config):
        count += 1
        if not _is_known(found):
            name = found.get("registered_name") or found.get("class_name")
            raise ValueError(
                f"{path}: layers must be those of tfp_bvae, or plain ones of Keras, got "
                f"{str(name)[:80]!r} of {str(found.get('module'))[:80]!r}"
            )
    if not 0 < count <= MOST_OBJECTS:
        raise ValueError(f"{path} must describe a model of at most {MOST_OBJECTS} parts")


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Everything in a configuration that Keras would make an object of."""
    waiting = [config]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if {"class_name", "registered_name", "module"} & set(found):
                yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _sizes(config: Any) -> Iterator[tuple[str, int]]:
    """Whole numbers of a configuration, by the name that they are under."""
    waiting = [("config", config)]
    while waiting:
        name, found = waiting.pop()
        if isinstance(found, dict):
            waiting += [(key, value) for key, value in found.items() if key not in NO_SIZES]
        elif isinstance(found, list):
            waiting += [(name, value) for value in found]
        elif isinstance(found, int):
            yield name, found


def _is_known(found: dict[str, Any]) -> bool:
    name, registered, module = (found.get(x) for x in ("class_name", "registered_name", "module"))
    if not isinstance(name, str) or not isinstance(found.get("config"), dict):
        return False
    if isinstance(registered, str) and registered.startswith(OURS):
        known = tf_keras.saving.get_registered_object(registered)
        return registered == f"{OURS}{name}" and isinstance(known, type)
    if name == SLICING[0]:
        return found["config"].get("function") == SLICING[1] and registered == name
    first, _, last = str(module).partition(".")
    return registered is None and first == "keras" and name in KERAS.get(last, ())


def _require_weights(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse weights that are elsewhere, or that declare more than they are."""
    with archive.open("model.weights.h5") as content, h5py.File(content, "r") as file:
        for name, dataset in datasets(path, file):
            claim(f"{path}: {name}", dataset.shape, max(4, dataset.dtype.itemsize), keep=False)
            require_storage(path, name, dataset)


@contextmanager
def claimed_weights(label: str, most: int | None = None) -> Iterator[None]:
    """Ask for room for each weight that is made in this block, before it is.

    Keras makes weights as a configuration says, and only then looks for them in the file.

    Args:
        label: what they are of, for errors.
        most: bytes that all of them may take; None for what memory allows.

    Raises:
        ValueError: they take more.
    """
    taken = 0

    def create(make, **options):
        nonlocal taken
        shape = options.get("shape")
        if shape is not None:
            shape = tuple(tf.TensorShape(shape).as_list())
            size = tf.as_dtype(options.get("dtype") or tf.float32).size
            claim(label, shape, size)
            taken += math.prod(shape) * size
            if most is not None and taken > most:
                raise ValueError(f"{label} must be in it, got shape {shape}, of {most} bytes")
        return make(**options)

    with reading(), tf.variable_creator_scope(create):
        yield
