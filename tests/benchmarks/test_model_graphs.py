"""The graphs on the pages of the models name what the models have."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tfp_bvae import models

ROOT = Path(__file__).parents[2]
OF_THE_GENERATOR = {"controller", "factors"}  # what LFADS' generator gives under these names
DRAWN = {
    "lfads": lambda: models.lfads({"channels": 3}),
    "dsae_full": lambda: models.dsae({"channels": 3}),
    "dsae_factorized": lambda: models.dsae({"channels": 3}, posterior="factorized"),
    "fhvae": lambda: models.fhvae({"channels": 3, "num_groups": 2}),
}


@pytest.fixture(scope="module")
def draw_models():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    pytest.importorskip("matplotlib")
    import draw_models

    yield draw_models
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize("name", DRAWN)
def test_a_graph_names_layers_of_its_model(draw_models, name):
    named = draw_models.GRAPHS[name]().layers
    layers = {layer.name for layer in DRAWN[name]().layers}
    assert named <= layers | (OF_THE_GENERATOR if name == "lfads" else set())
    assert {one for one in layers if one.startswith(("kl_", "p_", "q_", "likelihood"))} <= named
    assert {"f_encoder", "z_encoder", "generator", "log_rate"} <= named


@pytest.mark.parametrize("name", DRAWN)
def test_a_page_shows_it(draw_models, name):
    assert set(draw_models.GRAPHS) == set(DRAWN)
    page = {"dsae_full": "dsae"}.get(name, name)
    assert f"_static/models/{name}.svg" in (ROOT / "docs" / "models" / f"{page}.md").read_text()
    assert (ROOT / "docs" / "_static" / "models" / f"{name}.svg").is_file()
