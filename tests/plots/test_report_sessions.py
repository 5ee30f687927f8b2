"""In a report of several sessions nothing is averaged over channels of different neurons."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from tfp_bvae import data
from tfp_bvae.inference import Posterior
from tfp_bvae.metrics import Floor, Hidden
from tfp_bvae.plots.report_material import Material, Sample
from tfp_bvae.plots.report_sessions import hidden_of_sessions, of_channels, one_session, together

CHANNELS = {"a": 6, "b": 4}


@pytest.fixture(scope="module")
def joined():
    sizes = {"num_conditions": 2, "num_trials": 6, "num_valid": 2, "duration_ms": 200}
    return data.join_sessions(
        {
            name: data.lorenz(num_channels=count, session=number, **sizes)
            for number, (name, count) in enumerate(CHANNELS.items())
        }
    )


def material(joined, rows) -> Material:
    """A run of which nothing but some validation trials and their posterior is known."""
    split, rows = joined.valid.select(rows), np.array(rows)
    rates = np.nan_to_num(split.truth)
    posterior = Posterior(rates, rates[..., :3], rates[:, 0], rates[:, 0], rates_scale=rates)
    valid = Sample(split, rows, rows % 2)
    return Material(None, (), {}, None, joined, None, None, valid, posterior, ())


def test_pictures_are_of_the_session_with_most_trials_and_its_channels(joined):
    found, channels, name = one_session(material(joined, [0, 1, 2, 4]))
    assert name == "a" and channels.tolist() == list(range(6))
    found, channels, name = one_session(material(joined, [0, 4, 5, 7]))
    assert name == "b" and channels.tolist() == list(range(4))
    assert found.valid.trials.tolist() == [4, 5, 7] and found.valid.condition.tolist() == [0, 1, 1]
    split, posterior = of_channels(found.valid.split, found.posterior, channels)
    assert split.recon.shape == posterior.rates.shape == (3, 10, 4)
    assert np.isfinite(split.recon).all() and posterior.factors.shape == (3, 10, 3)
    np.testing.assert_allclose(posterior.rates, joined.valid.truth[[4, 5, 7]][..., :4])
    np.testing.assert_array_equal(posterior.rates, posterior.rates_scale)


def test_without_sessions_all_is_as_it_was(joined):
    alone = data.split_sessions(joined)["b"]
    run = SimpleNamespace(valid=Sample(alone.valid, np.arange(4), None))
    found, channels, name = one_session(run)
    assert found is run and channels is None and name == ""
    assert of_channels(alone.valid, None, None) == (alone.valid, None)


def test_methods_learn_each_session_by_itself(joined):
    sides = []
    for split in (joined.train, joined.valid):
        scored = np.zeros(split.recon.shape, bool)
        scored[:, ::3] = True
        seen = np.where(scored, np.nan, split.encod)
        sides.append(Hidden(seen, split.recon, scored, np.arange(len(scored))))
    found = list(hidden_of_sessions(joined, joined.train, joined.valid, tuple(sides)))
    assert len(found) == 2
    for (train, valid), count, first in zip(found, CHANNELS.values(), (0, 4), strict=True):
        assert train.targets.shape == (8, 10, count) and np.isfinite(train.targets).all()
        assert valid.condition.tolist() == list(range(first, first + 4))


def test_scores_of_sessions_are_weighed_by_their_spikes():
    of_a = [Floor("mean", 0.1), Floor("ridge, sigma 1", 0.3), Floor("GPFA", None, "no elephant")]
    of_b = [Floor("mean", 0.4), Floor("ridge, sigma 2", 0.3), Floor("GPFA", 1.0, "no elephant")]
    mean, ridge, gpfa = together([of_a, of_b], [200, 100])
    assert mean == Floor("mean", pytest.approx(0.2), "")
    assert ridge == Floor("ridge", pytest.approx(0.3), "")
    assert gpfa == Floor("GPFA", None, "no elephant")
