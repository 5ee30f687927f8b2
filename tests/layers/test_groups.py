"""Means that are shared within a group, and the question which group it is."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from tfp_bvae import layers

GROUP = np.array([0, 2, 2, 1])
COUNT = np.array([2.0, 4.0, 4.0, 1.0])


def test_each_segment_gets_the_mean_of_its_group_and_a_group_pays_once():
    layer = layers.GroupMeans(3, 5, scale=1.5)
    means, table = layer([tf.constant(GROUP), tf.constant(COUNT, tf.float32)])
    np.testing.assert_array_equal(means, table.numpy()[GROUP])
    log_prior = stats.norm(0, 1.5).logpdf(table.numpy()).sum(1)
    expected = -(log_prior[GROUP] / COUNT).mean()
    np.testing.assert_allclose(float(layer.losses[0]), expected, rtol=1e-5)


def test_the_prior_lies_around_the_means():
    prior = layers.GroupMVNPrior(scale=0.5)(tf.ones([4, 3]))
    x = np.random.default_rng(0).normal(size=[4, 3]).astype("float32")
    expected = stats.norm(1.0, 0.5).logpdf(x).sum(1)
    np.testing.assert_allclose(prior.log_prob(x), expected, rtol=1e-5)


def test_discrimination_is_the_cross_entropy_of_the_naive_softmax():
    rng = np.random.default_rng(0)
    params, table = (rng.normal(size=s).astype("float32") for s in ([4, 6], [7, 3]))
    layer = layers.GroupDiscrimination(weight=10.0, scale=0.5)
    layer([layers.MVNDiagPosterior(3)(params), tf.constant(GROUP), tf.constant(table)])
    naive = -((params[:, None, :3] - table) ** 2).sum(-1) / (2 * 0.25)
    surprise = -special.log_softmax(naive, axis=1)[np.arange(4), GROUP]
    np.testing.assert_allclose(float(layer.losses[0]), 10.0 * surprise.mean(), rtol=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("unknown", [-1, 7])
def test_a_group_without_a_row_has_no_loss_rather_than_that_of_another(unknown, jit_compile):
    group = tf.constant([0, unknown])
    means, discrimination = layers.GroupMeans(3, 2), layers.GroupDiscrimination(1.0)
    posterior = layers.MVNDiagPosterior(2)
    for layer, shape in ((means, [[2], [2]]), (posterior, [2, 4])):
        layer.build(shape)

    @tf.function(jit_compile=jit_compile)
    def losses(group):
        mean, table = means([group, tf.ones([2])])
        discrimination([posterior(tf.zeros([2, 4])), group, table])
        return mean, means.losses[0], discrimination.losses[0]

    mean, loss, surprise = losses(group)
    assert np.isfinite(mean[0]).all() and np.isnan(mean[1]).all()
    assert np.isnan(loss) and np.isnan(surprise)


def test_discrimination_wants_a_distribution():
    with pytest.raises(TypeError, match="q must be"):
        layers.GroupDiscrimination(1.0)([tf.zeros([4, 3]), GROUP, tf.zeros([7, 3])])
