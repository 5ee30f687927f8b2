"""Means of groups that were not in the fit."""

import numpy as np
import pytest
from scipy import optimize, stats

from tfp_bvae.inference import estimate_group_means


@pytest.mark.parametrize("scale, prior_scale", [(0.5, 1.0), (0.8, 0.3)])
def test_it_is_the_argmax_of_the_joint(scale, prior_scale, rng):
    f_means = rng.normal(1.0, 2.0, size=[9, 3])
    group = np.array([7, 2, 2, 7, 2, 2, 2, 40, 7])
    groups, means = estimate_group_means(f_means, group, scale, prior_scale)
    assert groups.tolist() == [2, 7, 40]
    for which, mean in zip(groups, means, strict=True):

        def surprise(mu, members=f_means[group == which]):
            joint = stats.norm(0, prior_scale).logpdf(mu).sum()
            return -joint - stats.norm(mu, scale).logpdf(members).sum()

        found = optimize.minimize(surprise, np.zeros(3), tol=1e-10)
        np.testing.assert_allclose(mean, found.x, atol=1e-5)
        nearby = mean + 1e-3 * rng.normal(size=[50, 3])
        assert all(surprise(mu) > surprise(mean) for mu in nearby)


def test_a_group_of_one_segment_shrinks_and_one_of_many_does_not():
    f_means = np.ones([1001, 2])
    _, (one, many) = estimate_group_means(f_means, np.arange(1001) > 0)
    np.testing.assert_allclose(one, 1 / 1.25)
    np.testing.assert_allclose(many, 1.0, rtol=1e-3)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((np.zeros([0, 2]), []), "at least one segment, got none"),
        ((np.zeros([3, 2]), [0, 1]), "same number of segments, got 3 and 2"),
        ((np.zeros([3]), [0, 1, 1]), "f_means must have 2 axes"),
        ((np.full([3, 2], np.nan), [0, 1, 1]), "f_means must be finite, got 6"),
        ((np.zeros([1, 2]), [0], 0.0), "scale must be above 0"),
        ((np.zeros([1, 2]), [0], 0.5, -1.0), "prior_scale must be above 0"),
    ],
)
def test_bad_input_is_named(arguments, said):
    with pytest.raises(ValueError) as error:
        estimate_group_means(*arguments)
    assert said in str(error.value)
