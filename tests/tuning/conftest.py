"""Tiny members, and a way to run what needs Ray."""

import pytest
from members import FIT, SEARCH, TINY


@pytest.fixture(scope="session")
def plan(dataset):
    """What all members of the tests have in common."""
    from tfp_bvae.models import Params
    from tfp_bvae.training import FitSettings, data_arguments
    from tfp_bvae.tuning.member import Plan

    return Plan("lfads", data_arguments(dataset), Params.of(TINY), FitSettings.of(FIT), epochs=2)


@pytest.fixture
def run(tmp_path, dataset):
    """The folder of a run to be tuned."""
    from tfp_bvae.training import create_run, data_arguments

    return create_run(tmp_path / "run", "lfads", dataset, data_arguments(dataset), TINY, FIT)


@pytest.fixture
def search():
    """Settings of a search that takes no time."""
    return dict(SEARCH)


@pytest.fixture(scope="module")
def ray():
    """Ray on this machine with two cores, for all tests of a file; skips where it is absent."""
    ray = pytest.importorskip("ray", reason="tuning needs ray: pip install 'tfp_bvae[tune]'")
    pytest.importorskip("ray.tune", reason="tuning needs ray[tune]")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()
