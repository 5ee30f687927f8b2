"""What was saved comes back the same in a new process: `.keras` in safe mode, and weights."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from reload import results
from zoo import MOST, ZOO
from zoo_graphs import disturb, example, graph

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def saved_and_found(tmp_path_factory):
    """Saves the whole zoo, loads it in one other process; what comes out here, and there."""
    folder = tmp_path_factory.mktemp("zoo")
    expected = {}
    for name in MOST:
        model = graph(name)
        disturb(model)
        model(example(name), training=True)  # streams have moved when they are saved
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        expected[name] = results(model, example(name))
    inputs = {name: example(name) for name in MOST}
    (folder / "inputs.pickle").write_bytes(pickle.dumps((list(MOST), inputs)))
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    subprocess.run([sys.executable, HERE / "reload.py", folder], check=True, env=environment)
    return expected, pickle.loads((folder / "found.pickle").read_bytes())


def test_no_sub_package_is_touched_before_a_model_is_loaded(saved_and_found):
    first, *_ = found = saved_and_found[1]["touched"]
    assert first.startswith("lfads")
    assert found[first] == []


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("name", MOST)
def test_the_same_comes_out_in_a_new_process(name, kind, saved_and_found):
    expected, found = saved_and_found[0][name], saved_and_found[1][kind][name]
    if ZOO[name].random != "always":
        for a, b in zip(found["outputs"], expected["outputs"], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-5)
    if kind == "keras":  # rebuilt layers may be called otherwise, and their metrics after them
        assert found["metrics"] == expected["metrics"]


@pytest.mark.parametrize("kind", ["keras", "weights"])
@pytest.mark.parametrize("name", [name for name in MOST if ZOO[name].random != "never"])
def test_noise_goes_on_where_it_was(name, kind, saved_and_found):
    expected, found = saved_and_found[0][name], saved_and_found[1][kind][name]
    for a, b in zip(found["draws"], expected["draws"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
