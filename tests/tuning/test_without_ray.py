"""What is so whether Ray is installed or not."""

import subprocess
import sys

import pytest

from tfp_bvae import tuning
from tfp_bvae.cli.tune import read_space


def test_importing_the_package_leaves_ray_alone():
    code = "import sys, tfp_bvae.tuning; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_ray_the_door_says_how_to_get_it(monkeypatch, run, dataset):
    for name in [name for name in sys.modules if name.split(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'tfp_bvae\[tune\]'"):
        tuning.population_based_training(run, dataset)


def test_words_of_the_command_line_are_ranges():
    assert read_space([]) is None
    assert read_space(["dropout", "beta_f=1e-2:1"]) == {"dropout": None, "beta_f": (0.01, 1.0)}


@pytest.mark.parametrize("words", [["beta_f=1"], ["=1:2"], ["a", "a"], ["a=x:1"], ["a=1:2:3"]])
def test_words_that_are_none_are_refused(words):
    with pytest.raises(ValueError, match="--tune must be given"):
        read_space(words)
