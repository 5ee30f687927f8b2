"""What stands on the pages and in the README can be typed: commands, and Python.

Tiny files stand in for a reader's own, and for the simulated ones. Fits are cut to one epoch; all
else is done as it is written, block after block, as a reader does who goes down the page.
"""

import re
import shlex
from functools import partial
from pathlib import Path

import page_files
import pytest

from tfp_bvae import data, training
from tfp_bvae.cli import main
from tfp_bvae.cli.parser import build_parser

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOUND = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = {
    path.stem: blocks
    for path in FOUND
    if not {"_build", "tutorials"} & set(path.parts) and (blocks := BLOCK.findall(path.read_text()))
}
ELSEWHERE = ("gallery", "tuning", "index")  # a test below, tests/tuning, and one command of pip
# Verbs that take a network, Ray or minutes; tests of their own call them.
NOT_HERE = ("fetch", "demo", "tune")


def commands(block: str) -> list[list[str]]:
    """The words of each line that calls this package; tools of others are theirs."""
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("tfp-bvae ")]


def ours() -> list[list[str]]:
    """Every command of this package on any page."""
    blocks = [text for page in PAGES.values() for kind, text in page if kind == "bash"]
    return [words for text in blocks for words in commands(text)]


def test_pages_are_read():
    assert len(PAGES) > 12
    assert len(ours()) > 40
    words = [["tfp-bvae", "b", "c"], ["tfp-bvae", "e"]]
    assert commands("tfp-bvae b \\\n  c  # d\n\npip e\ntfp-bvae e\n") == words


@pytest.mark.parametrize("words", ours(), ids=" ".join)
def test_a_command_can_be_typed(words):
    build_parser().parse_args(words[1:])


def test_pictures_of_the_gallery_are_drawn_as_it_says():
    script = re.sub(r"[\s,]", "", (ROOT / "benchmarks" / "gallery.py").read_text())
    calls = [code for _, code in PAGES["gallery"] if code.startswith("plots.")]
    assert len(calls) > 10
    assert [call for call in calls if re.sub(r"[\s,]", "", call) not in script] == []


def test_a_page_that_is_not_tried_is_named():
    assert set(ELSEWHERE) < set(PAGES)
    assert set(page_files.FILES) | set(page_files.ARRAYS) <= set(PAGES)


def fit_one_epoch(fit, model, trials, settings=None, run=None, **options):
    """`training.fit`, but short where Python calls it; the command line has its `--set`."""
    if settings is None or isinstance(settings, dict):
        settings = {**(settings or {}), "epochs": 1, "warm_up": 0, "batch_size": 16}
        settings, options["verbose"] = {**settings, "jit_compile": False}, False
    return fit(model, trials, settings, run, **options)


class Page:
    """A reader who goes down a page."""

    def __init__(self, name: str, monkeypatch, folder: Path):
        self.names = page_files.ARRAYS.get(name, dict)()
        for file, write in page_files.FILES.get(name, {}).items():
            write(folder / file)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(training, "fit", partial(fit_one_epoch, training.fit))
        monkeypatch.setattr(data, "lorenz", page_files.lorenz)
        small = {"num_trials": 12, "num_valid": 4, "num_channels": 6}
        monkeypatch.setattr(data, "static_dynamic", partial(data.static_dynamic, **small))

    def type(self, words: list[str]) -> None:
        line = " ".join(words)
        if words[1] in NOT_HERE:
            return
        if words[1] == "simulate":
            write = {"lorenz": page_files.write_trials}.get(words[2], page_files.write_classes)
            return write(Path(words[words.index("--out") + 1]))
        if words[1] in ("fit", "adopt"):
            words = shlex.split(re.sub(r"--epochs \S+", "", line))
            words += page_files.CUT
        assert main(words[1:]) == 0, line

    def run(self, kind: str, text: str) -> None:
        if text.startswith('"""fit.py"""'):
            compile(text, "fit.py", "exec")  # for a host of a cluster
        elif kind == "python":
            exec(compile(text, "<page>", "exec"), self.names)
        else:
            for words in commands(text):
                self.type(words)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # tiny trials without a spike, sessions without conditions
@pytest.mark.parametrize("name", [name for name in PAGES if name not in ELSEWHERE])
def test_a_page_can_be_followed(name, tmp_path, monkeypatch):
    page = Page(name, monkeypatch, tmp_path)
    for kind, text in PAGES[name]:
        page.run(kind, text)
