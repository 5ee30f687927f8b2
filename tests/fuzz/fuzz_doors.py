"""What reads files and words of others: each door, its sound inputs, and how these are spoiled.

An input is bytes: the file itself, the zip file of a folder, or words with a zero between them. A
door takes them in, or refuses them with one of `REFUSALS`; whatever else it raises is a failure.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import fuzz_mutations as spoil
import fuzz_seeds as seeds

REFUSALS = (ValueError, TypeError, KeyError, FileNotFoundError)


class Door(NamedTuple):
    """A reader: what it is called, what it is given, and what spoils that."""

    what: str
    sound: Callable[[], tuple[bytes, ...]]
    spoiled: Callable[[Random, bytes], bytes]
    enter: Callable[[bytes, Path], None]
    share: int  # of 1000 inputs of the long run


def unpacked(content: bytes, folder: Path) -> Path:
    """The folder that a zip file is of; names that would lead out of it are left out."""
    broken = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, ValueError)
    with contextlib.suppress(*broken), zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    if not folder.is_dir():
        folder.unlink(missing_ok=True)
        folder.mkdir()
    return folder


def _load(content: bytes, folder: Path) -> None:
    from tfp_bvae.data import load

    (folder / "x").write_bytes(content)
    load(folder / "x")


def _load_nwb(content: bytes, folder: Path) -> None:
    from tfp_bvae.data import load

    (folder / "x").write_bytes(content)
    load(folder / "x", 0.1, behavior="force")


def _load_folder(content: bytes, folder: Path) -> None:
    from tfp_bvae.data import load

    load(unpacked(content, folder / "x.zarr"))


def _splits(content: bytes, folder: Path) -> None:
    from tfp_bvae.data import load, open_hdf5

    (folder / "x").write_bytes(content)
    try:
        load(folder / "x")
    finally:
        with contextlib.suppress(*REFUSALS):  # the other door to the same file
            open_hdf5(folder / "x")


def _posterior(content: bytes, folder: Path) -> None:
    from tfp_bvae.inference import open_posterior

    (folder / "x").write_bytes(content)
    with open_posterior(folder / "x") as stored:
        for _ in stored.parts():
            pass
        stored.whole()


def _recording(content: bytes, folder: Path) -> None:
    from tfp_bvae.cli.recording import read_recording

    (folder / "x").write_bytes(content)
    read_recording(folder / "x")


def _run(content: bytes, folder: Path) -> None:
    """What a report is made of, in words; without its pictures."""
    from tfp_bvae.plots.report_material import Material, _metrics
    from tfp_bvae.plots.report_sections import how_well, verdict
    from tfp_bvae.plots.report_settings import fitted, repeated, title_of
    from tfp_bvae.training import open_run, read_history

    run = open_run(unpacked(content, folder / "run"))
    missing: list[str] = []
    metrics, history = _metrics(run, missing), run.history()
    if run.tuning_file.exists():
        read_history(run.tuning_file)
    best = metrics.get("fit", {}).get("best_epoch")
    m = Material(run, history, metrics, best, None, None, None, None, None, tuple(missing))
    for page in (verdict(m, None, []), how_well(m, None, ""), fitted(m), repeated(m), title_of(m)):
        if page is not None and "<script" in page and not isinstance(page, str):
            raise AssertionError("a name is not escaped")
    if "<script" in fitted(m) + repeated(m) + how_well(m, None, ""):
        raise AssertionError("a name is not escaped")


def _model(content: bytes, folder: Path) -> None:
    import tf_keras

    from tfp_bvae.training import read_model

    (folder / "x.keras").write_bytes(content)
    try:
        read_model(folder / "x.keras")
    finally:
        tf_keras.backend.clear_session()


def _checkpoint(content: bytes, folder: Path) -> None:
    import tensorflow as tf

    from tfp_bvae.models import Arguments, Params
    from tfp_bvae.training import FitSettings, Run

    path = unpacked(content, folder / "run")
    run = Run(path, "lfads", Arguments(), Params(), FitSettings(), {})
    try:
        run.epochs()
        run.best_epoch()
    except tf.errors.OpError as error:  # which the command line says in one line
        raise ValueError(str(error)) from error


def _yaml(content: bytes, folder: Path) -> None:
    from tfp_bvae.models import Params

    (folder / "x.yaml").write_bytes(content)
    Params.from_yaml(folder / "x.yaml")


def _words(content: bytes, folder: Path) -> None:
    from tfp_bvae.cli.settings import read_settings

    read_settings("lfads", content.decode("utf-8", "surrogateescape").split("\0"))


def _call(content: bytes, folder: Path) -> None:
    """The command line: 0 or 2, one line on stderr, nothing left behind; nothing is fitted."""
    from fuzz_stubs import sound_folder, stubbed

    from tfp_bvae.cli import main

    words = content.decode("utf-8", "surrogateescape").split("\0")
    sound_folder(folder)
    before, here = tree(folder), Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    os.chdir(folder)
    try:
        with stubbed(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = main([word for word in words if word != "--traceback"])
    except SystemExit as left:
        code = left.code or 0
    finally:
        os.chdir(here)
    if code == 2:
        said = err.getvalue().splitlines()
        notes = [line for line in said if line.startswith("tfp-bvae: note: ")]
        if len(said) != len(notes) + 1 or not said[-1].startswith("tfp-bvae: error: "):
            raise AssertionError(f"not one line on stderr: {err.getvalue()!r}")
        if tree(folder) != before:
            raise AssertionError(f"left behind: {sorted(set(tree(folder)) ^ set(before))}")
        raise ValueError(said[-1])
    if code != 0:
        raise AssertionError(f"exit code {code}")


def _file_on_the_line(content: bytes, folder: Path) -> None:
    """A file of others where the command line wants one."""
    name = "x.h5"
    (folder / name).write_bytes(content)
    verb = ("convert", "fit", "chop", "evaluate")[sum(content[-64:]) % 4]
    words = {
        "convert": ["convert", name, "--out", "new.nc"],
        "fit": ["fit", name, "--out", "run", "--quiet"],
        "chop": ["chop", name, "--out", "new.h5", "--window", "3"],
        "evaluate": ["evaluate", "there", name],
    }[verb]
    _call("\0".join(words).encode(), folder)


def tree(folder: Path) -> dict[str, int | None]:
    """Everything below a folder, with its size."""
    found = sorted(folder.rglob("*"))
    return {str(p.relative_to(folder)): None if p.is_dir() else p.stat().st_size for p in found}


def any_bytes(chance: Random, content: bytes) -> bytes:
    """The begin of one file and the end of another, or of nothing."""
    if chance.randint(0, 1):
        return content[: chance.randint(0, 200)] + spoil.bytes_of(chance, content[-300:])
    return spoil.bytes_of(chance, b"".join(chance.choice(spoil.MARKS[:-1]) for _ in range(9)))


def every_format() -> tuple[bytes, ...]:
    """A sound file of each format."""
    kinds = (seeds.npz, seeds.splits, seeds.arrays, seeds.netcdf, seeds.mat5, seeds.mat73)
    return tuple(content for kind in kinds for content in kind())


def each_way(chance: Random, content: bytes) -> bytes:
    """As its first bytes say."""
    if content.startswith(b"\x89HDF"):
        return spoil.hdf5_of(chance, content)
    return (spoil.zip_of if content.startswith(b"PK") else spoil.bytes_of)(chance, content)


DOORS = {
    "npz": Door("data.load, npz", seeds.npz, spoil.zip_of, _load, 130),
    "splits": Door(
        "data.load, open_hdf5: HDF5 of splits", seeds.splits, spoil.hdf5_of, _splits, 15
    ),
    "arrays": Door("data.load, HDF5 of arrays, NLB", seeds.arrays, spoil.hdf5_of, _load, 30),
    "netcdf": Door("data.load, netCDF 3 and 4", seeds.netcdf, each_way, _load, 8),
    "mat5": Door("data.load, MATLAB v5", seeds.mat5, spoil.bytes_of, _load, 130),
    "mat73": Door("data.load, MATLAB v7.3", seeds.mat73, spoil.hdf5_of, _load, 25),
    "zarr": Door("data.load, zarr 2 and 3", seeds.zarr, spoil.zip_of, _load_folder, 4),
    "nwb": Door("data.load, NWB", seeds.nwb, spoil.hdf5_of, _load_nwb, 1),
    "bytes": Door("data.load, any bytes", every_format, any_bytes, _load, 150),
    "recording": Door(
        "recordings of chop and infer", seeds.recording, spoil.hdf5_of, _recording, 60
    ),
    "posterior": Door("open_posterior", seeds.posterior, spoil.hdf5_of, _posterior, 50),
    "run": Door("run folders: JSON and CSV", seeds.run, spoil.zip_of, _run, 40),
    "model": Door("Run.load_model, .keras", seeds.model, spoil.zip_of, _model, 1),
    "checkpoint": Door(
        "checkpoints of TensorFlow", seeds.checkpoint, spoil.zip_of, _checkpoint, 16
    ),
    "yaml": Door("settings in YAML", seeds.yaml, spoil.text_of, _yaml, 130),
    "words": Door("--set NAME=VALUE", seeds.words, spoil.text_of, _words, 200),
    "calls": Door("command lines", seeds.calls, spoil.text_of, _call, 5),
    "files": Door("files on the command line", every_format, each_way, _file_on_the_line, 5),
}


def spoiled_input(name: str, chance: Random) -> bytes:
    """An input of a door."""
    door = DOORS[name]
    sound = door.sound()
    content = door.spoiled(chance, sound[chance.randint(0, len(sound) - 1)])
    return content if chance.randint(0, 3) else spoil.bytes_of(chance, content)


def outcome(name: str, content: bytes, folder: Path) -> str:
    """What a door says of an input: "accepted" or "refused".

    Raises:
        Exception: anything that it should not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            DOORS[name].enter(content, folder)
    except REFUSALS as error:
        if not str(error).strip():
            raise AssertionError("refused without a word") from error
        return "refused"
    return "accepted"
