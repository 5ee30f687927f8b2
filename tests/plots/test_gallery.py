"""The gallery shows every picture there is, with the very line that made it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "_static" / "gallery"
SHOWN = re.findall(
    r"```python\n(plots\..*?)```\n\n!\[.*?\]\(_static/gallery/(\w+)\.png\)", PAGE, re.DOTALL
)


def drawn() -> dict[str, str]:
    """Of each figure that the script draws: its code, without regard to its lines."""
    script = ast.parse((ROOT / "benchmarks" / "gallery.py").read_text(encoding="utf-8"))
    (table,) = (
        node.value
        for node in script.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "FIGURES"
    )
    return {
        ast.literal_eval(name): ast.unparse(made.body)
        for name, made in zip(table.keys, table.values, strict=True)
    }


def test_every_line_is_the_one_that_made_the_picture():
    assert {name: ast.unparse(ast.parse(code)) for code, name in SHOWN} == drawn()


@pytest.mark.parametrize("name", [name for _, name in SHOWN])
def test_every_picture_is_there_and_small(name):
    assert (PICTURES / f"{name}.png").stat().st_size < 80_000


def test_there_is_no_other_picture():
    assert {path.stem for path in PICTURES.iterdir()} == {name for _, name in SHOWN}


def test_every_function_has_a_picture():
    from tfp_bvae import plots

    public = {n for n in plots.__all__ if n.startswith(("plot_", "figure_"))}
    # parts of others: a map of each kind, and the last panel of the losses
    parts = {"plot_history", "plot_rates", "plot_spikes"}
    parts |= {"plot_tuning"}  # of a search; it has a page of its own
    assert {name for name in public if f"plots.{name}(" in PAGE} == public - parts
