"""Groups at the door of a fit: those of the data must be those of the model."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

from tfp_bvae import models, training
from tfp_bvae.training.groups import require_groups

TINY = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 2, "z_encoder_units": 3, "generator_units": 3,
}  # fmt: skip


@pytest.fixture(scope="module", params=[None, 5])
def model(request):
    """An FHVAE of five groups, all of which have a row, at different times or not."""
    arguments = {"channels": 6, "num_groups": 5}
    return models.fhvae(arguments, TINY | {"groups_at_once": request.param})


def grouped(dataset, *groups):
    """Eight training trials of each of some groups."""
    train = dataclasses.replace(dataset.train, group=np.repeat(groups, 8))
    valid = dataclasses.replace(dataset.valid, group=np.full(8, -1))
    return dataclasses.replace(dataset, train=train, valid=valid)


@pytest.mark.parametrize("strange", [5, -1])
def test_a_group_that_the_model_does_not_know_is_refused(dataset, model, strange):
    require_groups(model, grouped(dataset, 0, 1, 3, 4).train)
    with pytest.raises(ValueError, match=rf"one of the 5 of the model, 0 to 4, got {strange}:"):
        training.fit(model, grouped(dataset, 0, 1, 3, strange), verbose=False)


def test_data_without_groups_are_refused_where_the_model_asks_for_them(dataset, model):
    with pytest.raises(ValueError, match="data must have groups"):
        training.fit(model, dataset, verbose=False)


def test_a_model_without_groups_takes_all_data(dataset):
    without = types.SimpleNamespace(input_names=["spikes"])
    require_groups(without, dataset.train)
    require_groups(without, grouped(dataset, 0, 9, 3, -1).train)


@pytest.mark.parametrize("model", [5], indirect=True)
def test_fewer_groups_with_trials_than_are_to_be_drawn_are_refused(dataset, model):
    with pytest.raises(ValueError, match="at most the 4 groups that have trials, got 5"):
        training.fit(model, grouped(dataset, 0, 1, 3, 4), verbose=False)


def test_more_rows_than_groups_are_refused():
    params = TINY | {"groups_at_once": 6}
    with pytest.raises(ValueError, match=r"at most the 5 groups that there are, got 6"):
        models.fhvae({"channels": 6, "num_groups": 5}, params)


def test_rows_cannot_be_set_where_f_is_not_held_against_them(dataset):
    params = TINY | {"groups_at_once": 2, "beta_f": 0.0}
    model = models.fhvae({"channels": 6, "num_groups": 4}, params)
    with pytest.raises(ValueError, match="beta_f must be above 0 with groups_at_once"):
        training.fit(model, grouped(dataset, 0, 1, 2, 3), verbose=False)
