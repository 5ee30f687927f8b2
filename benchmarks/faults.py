"""Faults on purpose: kills, full disks, read-only folders, two runs on one folder.

    python benchmarks/faults.py [--fit 25] [--infer 10] [--report 10] [--tune 10] [--seed 0]

A verb is killed with `kill -9`, with all processes that it has begun, at a moment drawn uniformly
from the time that it takes undisturbed; then it is called again, with `--resume` where there is
one, and killed again, until it comes to its end before it is killed. After each kill every file
that has a final name must be whole; at each end all must be as after the undisturbed call, weights
and posterior bit by bit, on one thread. Then it begins anew, until there were as many kills as
asked for.

The disk that is full or cannot be written is a small file system in memory (`mount`), for which one
must be root. Writes `results/faults.md` after each kind of fault; kinds that are asked for 0 times
stay as they were measured before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

import faulty
import tables
import tensorflow  # noqa: F401  here, and not after each fork

from tfp_bvae import data
from tfp_bvae.cli import fit, infer, report  # noqa: F401  their modules, likewise

SETTINGS = {
    "f_size": 4, "f_encoder_units": 6, "z_size": 1, "z_encoder_units": 5, "controller_units": 5,
    "generator_units": 8, "factors": 3, "warm_up": 2, "batch_size": 16, "jit_compile": "false",
}  # fmt: skip
WORDS = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
SEARCH = [
    "--population", 3, "--generations", 4, "--epochs-per-generation", 2, "--patience", "none",
]  # fmt: skip
MEANING = {
    "fit": "kill -9 during `fit`",
    "infer": "kill -9 during `infer`",
    "report": "kill -9 during `report`",
    "tune": "kill -9 during `tune`, of the driver and Ray's processes",
}


class Bench:
    """A folder with data, and a fit that nothing has disturbed."""

    def __init__(self, folder: Path, epochs: int, seed: int):
        self.folder, self.epochs, self.random = folder, epochs, random.Random(seed)
        self.file, self.log, self.fitted = folder / "a.h5", folder / "log.txt", folder / "fitted"
        trials = {"num_conditions": 4, "num_channels": 6, "num_trials": 10, "num_valid": 2}
        data.write_hdf5(self.file, data.synthetic.lorenz(seed=0, duration_ms=200, **trials))
        code, said = faulty.call(self.words("fit", self.fitted), self.log)
        assert code == 0, said

    def words(self, verb: str, out: Path) -> list[object]:
        """What is typed, again after each kill."""
        return {
            "fit": ["fit", self.file, "--epochs", self.epochs, *WORDS, "--out", out, "--resume"],
            "infer": ["infer", self.fitted, self.file, "--out", out, "--overwrite"],
            "report": ["report", out, "--no-floors"],
            "tune": ["tune", self.file, *WORDS, *SEARCH, "--out", out, "--resume"],
        }[verb]

    def place(self, verb: str, name: str) -> Path:
        """A folder of its own, and in it what the verb writes or adds to."""
        folder = self.folder / f"{verb}-{name}"
        folder.mkdir()
        out = folder / ("p.h5" if verb == "infer" else "run")
        if verb == "report":
            faulty.shutil.copytree(self.fitted, out)
        return out

    def killed(self, verb: str, count: int) -> dict:
        """Kill a verb so many times; what was seen."""
        out = self.place(verb, "whole")
        begun = time.monotonic()
        code, said = faulty.call(self.words(verb, out), self.log)
        assert code == 0, said
        whole, length = faulty.apart(faulty.content, out), time.monotonic() - begun
        seen = {"verb": verb, "seconds": length, "moments": [], "ends": 0, "problems": []}
        while len(seen["moments"]) < count:
            out = self.place(verb, str(seen["ends"]))
            killed = True
            while killed:
                killed, took = self.once(verb, out, count, length, seen)
            length = min(length, took)  # the machine may have more time than it had
            found = faulty.apart(faulty.content, out)
            if found != whole:
                keys = sorted(n for n in whole | found if whole.get(n) != found.get(n))
                seen["problems"].append(f"at the end other than undisturbed: {', '.join(keys)}")
            seen["problems"] += [f"left: {name}" for name in faulty.hidden(out.parent)]
            seen["ends"] += 1
            faulty.remove(out.parent)
        return seen

    def once(
        self, verb: str, out: Path, count: int, length: float, seen: dict
    ) -> tuple[bool, float]:
        """Call the verb, and kill it if more kills are wanted; whether it was, and seconds."""
        moment, begun = self.random.uniform(0, length), time.monotonic()
        more = len(seen["moments"]) < count
        child = faulty.start(self.words(verb, out), self.log)
        code = faulty.ended(child, moment if more else 3600)
        if code is None:
            faulty.kill(child)
            seen["moments"].append(round(moment / length, 3))
            seen["problems"] += faulty.apart(faulty.damaged, out.parent)
            print(f"{verb}: {len(seen['moments'])} kills, {seen['problems']}", file=sys.stderr)
            return True, moment
        if code:
            seen["problems"].append(f"exit code {code}: {self.log.read_text()[-300:]}")
        return False, time.monotonic() - begun

    def full(self, count: int) -> dict:
        """Fit on disks of several sizes that are too small, and go on when there is room."""
        seen = {"verb": "full", "moments": [], "ends": 0, "problems": [], "said": []}
        whole = faulty.apart(faulty.content, self.fitted)
        for number in range(count):
            kilobytes = 8 * (number + 1) ** 2 if number < count - 1 else 4
            with disk(self.folder / f"disk-{number}", f"size={kilobytes}k") as folder:
                out = folder / "run"
                code, said = faulty.call([*self.words("fit", out), "--quiet"], self.log)
                seen["moments"].append(kilobytes)
                self.refused(seen, code, said, "No space left")
                if out.exists():
                    seen["problems"] += faulty.apart(faulty.damaged, out)
                remount(folder, "size=64m")
                code, said = faulty.call(self.words("fit", out), self.log)
                if code or faulty.apart(faulty.content, out) != whole:
                    seen["problems"].append(f"{kilobytes} kB: not as undisturbed, {said[-200:]}")
                seen["ends"] += 1
        return seen

    def read_only(self) -> dict:
        """Verbs that write into a folder which cannot be written."""
        seen = {"verb": "read-only", "moments": [], "ends": 0, "problems": [], "said": []}
        with disk(self.folder / "read-only", "size=64m") as folder:
            out = folder / "run"
            faulty.shutil.copytree(self.fitted, out)
            before = faulty.apart(faulty.content, out)
            remount(folder, "ro")
            asked = [self.words("fit", out), self.words("fit", folder / "other")]
            asked += [self.words("report", out), self.words("infer", folder / "p.h5")]
            for words in asked:
                code, said = faulty.call(words, self.log)
                seen["moments"].append(words[0])
                self.refused(seen, code, said, "Read-only file system")
                seen["ends"] += 1
            if faulty.apart(faulty.content, out) != before:
                seen["problems"].append("something has changed")
        return seen

    def two(self) -> dict:
        """Verbs that want to write into the folder of a fit that runs."""
        seen = {"verb": "two", "moments": [], "ends": 0, "problems": [], "said": []}
        out = self.place("fit", "two")
        child = faulty.start(self.words("fit", out), self.folder / "first.txt")
        while not (out / "run.json").exists():
            assert faulty.ended(child, 0.01) is None
        again = self.words("fit", out)
        for words in (again, [*again[:-1], "--overwrite"], self.words("report", out)):
            code, said = faulty.call(words, self.log)
            seen["moments"].append(words[0])
            self.refused(seen, code, said, f"is in use by process {child}")
            seen["ends"] += 1
        code = faulty.ended(child, 3600)
        if code or faulty.apart(faulty.content, out) != faulty.apart(faulty.content, self.fitted):
            seen["problems"].append(f"the first did not end as undisturbed, exit code {code}")
        return seen

    def refused(self, seen: dict, code: int, said: str, why: str) -> None:
        """A refusal is a line and the exit code 2."""
        lines = [line for line in said.splitlines() if line.startswith("tfp-bvae: error:")]
        seen["said"] += lines
        if code != 2 or len(lines) != 1 or "Traceback" in said or why.lower() not in said.lower():
            seen["problems"].append(f"exit code {code}: {said[-300:]}")


@contextlib.contextmanager
def disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def row(seen: dict) -> list[object]:
    """Of the table."""
    count, problems = len(seen["moments"]), seen["problems"]
    if seen["verb"] in MEANING:
        thirds = [min(int(3 * moment), 2) for moment in seen["moments"]]
        parts = [thirds.count(third) for third in range(3)]
        said = (
            f"{seen['ends']} runs came to their end as the undisturbed one, bit by bit; that took "
            f"{seen['seconds']:.0f} s; kills in its first, second and last third: "
            f"{parts[0]}, {parts[1]}, {parts[2]}"
        )
        name = MEANING[seen["verb"]]
    else:
        name, said = {
            "full": ("a full disk during `fit`", "one line each, and with room it goes on"),
            "read-only": ("a folder that is read-only", "one line each, nothing changed"),
            "two": ("a second run on a folder in use", "one line that names the process"),
        }[seen["verb"]]
        said = f"{said}; {', '.join(map(str, seen['moments']))}"
        said += " kB" if seen["verb"] == "full" else ""
    said = "; ".join(problems) if problems else said
    return [name, count, count - min(len(problems), count), said]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for verb, count in (("fit", 25), ("infer", 10), ("report", 10), ("tune", 10), ("full", 5)):
        parser.add_argument(f"--{verb}", type=int, default=count, help="how many times")
    parser.add_argument("--others", type=int, default=1, help="0: not the two doors")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    file = tables.RESULTS / "faults.json"
    before = json.loads(file.read_text()) if file.exists() else []
    found = {seen["verb"]: seen for seen in before}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), args.epochs, args.seed)
        kinds = [bench.two, bench.read_only] if args.others else []
        kinds += [lambda: bench.full(args.full)] if args.full else []
        kinds += [
            lambda verb=verb: bench.killed(verb, getattr(args, verb))
            for verb in MEANING
            if getattr(args, verb)
        ]
        for kind in kinds:
            seen = kind()
            found[seen["verb"]] = seen
            header = ["fault", "times", "survived", "what was seen"]
            text = tables.markdown(header, [row(seen) for seen in found.values()])
            text += f"\n{tables.machine()}; one thread, seed {args.seed}.\n"
            tables.write("faults", list(found.values()), text)


if __name__ == "__main__":
    main()
