"""Nothing public is missing from the documentation, and its examples are run."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
import tf_keras

import tfp_bvae
from tfp_bvae import layers, rnn

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLE = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ("drop_in", "extending", "kit", "layers", "troubleshooting")
SUBPACKAGES = [*tfp_bvae.__all__[1:], "checks", "settings"]


def entries(text: str) -> list[tuple[str, str, str]]:
    """Of each example on the page of layers: the name it is under, its sentence, its code."""
    pieces = EXAMPLE.split(text)
    found = []
    for sentence, code in zip(pieces[::2], pieces[1::2], strict=False):
        names = re.findall(r"^\{class\}`~tfp_bvae\.(\w+\.\w+)`", sentence, re.MULTILINE)
        found += [(name, sentence, code) for name in names]
    return found


LAYERS = {
    name: (sentence, code) for name, sentence, code in entries((DOCS / "layers.md").read_text())
}


def test_every_public_layer_stands_alone_on_the_page_of_layers():
    public = {
        f"{home.__name__.split('.')[-1]}.{name}"
        for home in (layers, rnn)
        for name in home.__all__
        if inspect.isclass(getattr(home, name))
        and issubclass(getattr(home, name), tf_keras.layers.Layer)
    }
    assert set(LAYERS) == public


@pytest.mark.parametrize("name", LAYERS)
def test_its_example_uses_it_in_a_model_of_keras(name):
    sentence, code = LAYERS[name]
    assert name in code
    assert re.search(r"\b(Sequential|Model)\(", code)
    assert len(re.findall("^>>> ", code, re.MULTILINE)) <= 5
    if "functional only" in " ".join(sentence.split()):
        assert "Sequential(" not in code


def test_an_entry_is_read_off_its_text():
    text = "# Title\n\n{class}`~tfp_bvae.rnn.GRU`: why.\n\n```pycon\n>>> rnn.GRU(2)\n\n```\n"
    ((name, sentence, code),) = entries(text)
    assert (name, code) == ("rnn.GRU", ">>> rnn.GRU(2)\n\n")
    assert "why" in sentence


def test_pages_with_examples_are_doctests():
    pages = [page for page in DOCS.rglob("*.md") if "_build" not in page.parts]
    with_examples = {page.stem for page in pages if EXAMPLE.search(page.read_text())}
    assert with_examples == set(PAGES)
    session = (ROOT / "noxfile.py").read_text()
    assert all(f'"{name}"' in session for name in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_fence_closes_after_a_blank_line(page):
    for code in EXAMPLE.findall((DOCS / f"{page}.md").read_text()):
        assert code.endswith("\n\n"), f"doctest takes the fence for output after {code[-60:]!r}"


@pytest.mark.parametrize("page", [p for p in DOCS.rglob("*.*") if p.suffix in (".md", ".rst")])
def test_every_page_is_in_a_table_of_contents(page):
    if page == DOCS / "index.md" or "_build" in page.parts or "tutorials" in page.parts:
        return
    name = page.relative_to(DOCS).with_suffix("").as_posix()
    listed = set((DOCS / "index.md").read_text().splitlines())
    listed |= {f"api/{line}" for line in (DOCS / "api" / "index.md").read_text().splitlines()}
    assert name in listed


@pytest.mark.parametrize("name", SUBPACKAGES)
def test_the_reference_has_every_public_name(name):
    page = (DOCS / "api" / f"{name}.rst").read_text()
    assert f".. automodule:: tfp_bvae.{name}\n" in page
    home = importlib.import_module(f"tfp_bvae.{name}")
    for item in home.__all__:
        found = getattr(home, item)
        by_docstring = callable(found) and found.__doc__
        assert by_docstring or f".. py:data:: {item}\n" in page, item


def test_the_kit_names_every_builder():
    kit = (DOCS / "kit.md").read_text()
    models = importlib.import_module("tfp_bvae.models")
    builders = [
        n for n in models.__all__ if n.startswith(("create_", "make_", "prepare_", "sample_"))
    ]
    assert len(builders) == 12
    assert [name for name in builders if f"`~tfp_bvae.models.{name}`" not in kit] == []


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text)
    links += re.findall('src="(.*?)"', text)
    assert len(links) > 4
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_names_in_the_glossary_are_those_of_the_code():
    models = importlib.import_module("tfp_bvae.models")
    inference = importlib.import_module("tfp_bvae.inference")
    built = [
        models.lfads({"channels": 2, "ext_inputs": 1}, {"lag": 1}),
        models.dsae({"channels": 2}),
        models.fhvae({"channels": 2, "num_groups": 2}),
    ]
    known = {layer.name for model in built for layer in model.layers}
    known |= {*models.Params.names(), *models.Arguments.names()}
    known |= set(inference.Posterior.__dataclass_fields__)
    table = (DOCS / "glossary.md").read_text().split("## What others call it")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[3])}
    assert len(named) > 20
    assert named - known == set()
