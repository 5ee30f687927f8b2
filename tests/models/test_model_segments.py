"""The segments that a model sees trials as."""

import functools

import numpy as np
import pytest

from tfp_bvae import models
from tfp_bvae.data import Split

SMALL = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 3, "z_encoder_units": 4, "generator_units": 5,
}  # fmt: skip


@functools.cache
def make(**params):
    arguments = {"channels": 2, "outputs": 3, "num_groups": 4}
    return models.fhvae(arguments, SMALL | params)


@pytest.fixture
def split(rng):
    counts = rng.poisson(1.0, [4, 11, 3])
    return Split(counts[..., :2], counts, truth=counts + 0.5, group=[3, 0, -1, 3])


@pytest.mark.parametrize(
    "stride, starts", [(None, [0, 2, 4, 6, 7]), (3, [0, 3, 6, 7]), (4, [0, 4, 7])]
)
def test_every_array_is_cut_at_the_same_bins(split, stride, starts):
    found, where = models.model_segments(make(segment_length=4, segment_stride=stride), split)
    assert where.tolist() == [[trial, start] for trial in range(4) for start in starts]
    for (trial, start), *cut in zip(where, found.encod, found.recon, found.truth, strict=True):
        for array, name in zip(cut, ("encod", "recon", "truth"), strict=True):
            np.testing.assert_array_equal(array, getattr(split, name)[trial, start : start + 4])
    np.testing.assert_array_equal(found.group, split.group[where[:, 0]])


def test_a_group_is_counted_in_segments(split):
    model = make(segment_length=4)
    inputs, targets = models.model_arrays(model, models.model_segments(model, split).split)
    assert inputs["group"].tolist() == [3] * 5 + [0] * 5 + [-1] * 5 + [3] * 5
    assert inputs["count"].tolist() == [10.0] * 5 + [5.0] * 10 + [10.0] * 5
    assert targets.shape == (20, 4, 3)


def test_trials_without_groups_are_of_none_that_is_known(split):
    model = make(segment_length=11)
    found, where = models.model_segments(model, Split(split.encod, split.recon))
    assert found.group is None and where.tolist() == [[trial, 0] for trial in range(4)]
    inputs, _ = models.model_arrays(model, found)
    assert inputs["group"].tolist() == [-1] * 4


def test_nothing_is_cut_unless_asked_for(split):
    for model in (make(), models.lfads({"channels": 2, "outputs": 3}, {"segment": 3})):
        found = models.model_segments(model, split)
        assert found.split is split and found.where is None


def test_what_cannot_be_cut_is_refused(split):
    with pytest.raises(ValueError, match="segment_length must be at most the 11 bins of a trial"):
        models.model_segments(make(segment_length=12), split)
    with pytest.raises(ValueError, match="the data must have 3 predicted channels"):
        models.model_segments(make(segment_length=4), Split(split.encod, split.encod))
    longer = Split(split.encod[:, :8], split.recon)
    with pytest.raises(ValueError, match="the data must have 0 bins after the encoded ones"):
        models.model_segments(make(segment_length=4), longer)
