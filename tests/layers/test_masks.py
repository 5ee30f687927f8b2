"""What masks hide, how often, and what they let teach."""

import numpy as np
import pytest
import tensorflow as tf

from tfp_bvae.layers import CoordinatedDropout, GradientBlock, SampleValidation, SeededDropout

SIZE = [4, 60, 50]  # batch, time, channels


def within(found, expected, count):
    """Whether a share of `count` draws is within four of its standard errors."""
    return abs(found - expected) <= 4 * np.sqrt(expected * (1 - expected) / count) + 1e-12


@pytest.mark.parametrize("rate, passing", [(0.3, 0.0), (0.3, 0.2), (0.7, 0.5), (0.5, 1.0)])
def test_coordinated_dropout_hides_and_teaches_as_often_as_it_should(rate, passing):
    layer = CoordinatedDropout(rate, passing, seed=1)
    seen, weights = (x.numpy() for x in layer(tf.ones(SIZE), training=True))
    hidden, teaches, count = seen == 0.0, weights > 0.0, seen.size
    share = rate + (1 - rate) * passing
    np.testing.assert_allclose(seen[~hidden], 1 / (1 - rate), rtol=1e-6)
    np.testing.assert_allclose(weights[teaches], 1 / share, rtol=1e-6)
    assert teaches[hidden].all()
    assert within(hidden.mean(), rate, count)
    assert within(teaches.mean(), share, count)
    assert within(teaches[~hidden].mean(), passing, (~hidden).sum())


def test_without_a_pass_what_is_seen_does_not_teach():
    seen, weights = CoordinatedDropout(0.4, seed=1)(tf.ones(SIZE), training=True)
    assert np.array_equal(seen.numpy() == 0.0, weights.numpy() > 0.0)


def test_weights_of_coordinated_dropout_are_one_on_average():
    for passing in (0.0, 0.3):
        _, weights = CoordinatedDropout(0.3, passing, seed=1)(tf.ones(SIZE), training=True)
        share = 0.3 + 0.7 * passing
        error = np.sqrt((1 - share) / share / np.prod(SIZE))
        assert abs(weights.numpy().mean() - 1.0) < 4 * error


@pytest.mark.parametrize("layer", [CoordinatedDropout(0.4), CoordinatedDropout(0.0)])
def test_at_inference_or_rate_zero_nothing_is_hidden(layer):
    x = tf.random.normal([2, 3, 4])
    for training in (False, None) if layer.rate else (False, None, True):
        seen, weights = layer(x, training=training)
        np.testing.assert_array_equal(seen, x)
        np.testing.assert_array_equal(weights, tf.ones_like(x))


def test_seeded_dropout_drops_its_share_and_keeps_the_mean():
    mask = SeededDropout(0.2, seed=1)(tf.ones(SIZE), training=True).numpy()
    assert within((mask == 0.0).mean(), 0.2, mask.size)
    np.testing.assert_allclose(mask[mask > 0.0], 1.25, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
def test_sample_validation_holds_out_its_share_of_each_trial(rate):
    _, weights = SampleValidation(rate, seed=3)([tf.ones(SIZE), tf.range(SIZE[0])])
    held = weights.numpy() == 0.0
    np.testing.assert_allclose(weights.numpy()[~held], 1 / (1 - rate), rtol=1e-6)
    for trial in held:
        assert within(trial.mean(), rate, trial.size)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_sample_validation_holds_out_each_entry_in_its_share_of_trials(rate):
    trials = 1000
    _, weights = SampleValidation(rate)([tf.ones([trials, 6, 5]), tf.range(trials)])
    held = (weights.numpy() == 0.0).mean(axis=0)
    np.testing.assert_allclose(held, rate, atol=4 * np.sqrt(rate * (1 - rate) / trials))


def test_entries_of_a_trial_are_held_out_independently():
    _, weights = SampleValidation(0.3)([tf.ones([1, 200, 100]), tf.constant([5])])
    held = weights.numpy()[0] == 0.0
    for one, other in (
        (held[1:], held[:-1]),  # the next bin
        (held[:, 1:], held[:, :-1]),  # the next channel
    ):
        assert within((one & other).mean(), 0.09, one.size)


def test_the_mask_of_a_trial_is_that_of_its_index_in_any_batch_and_mode():
    layer, x = SampleValidation(0.4, seed=3), tf.ones([3, 20, 5])
    _, weights = layer([x, tf.constant([7, 100000, 7])], training=True)
    _, alone = layer([x[:1], tf.constant([100000])], training=False)
    np.testing.assert_array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(weights[1], alone[0])
    assert not np.array_equal(weights[0], weights[1])


def test_another_seed_another_mask():
    first, second = (SampleValidation(0.4, seed=s)([tf.ones([1, 20, 5]), [0]])[1] for s in (3, 4))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_indices_may_be_of_any_whole_dtype(dtype):
    layer, x = SampleValidation(0.4), tf.ones([3, 6, 5])
    np.testing.assert_array_equal(
        layer([x, tf.range(3, dtype=dtype)])[1], layer([x, tf.range(3, dtype=tf.int32)])[1]
    )


def test_what_sample_validation_holds_out_is_zero_for_the_encoders(rng):
    x = tf.constant(rng.normal(size=[2, 6, 5]).astype("float32"))
    seen, weights = SampleValidation(0.4)([x, tf.constant([0, 1])])
    np.testing.assert_allclose(seen, x * weights, rtol=1e-6)


def block(x, weights):
    """Value and gradient of a sum of squares behind the block."""
    with tf.GradientTape() as tape:
        tape.watch([x, weights])
        y = GradientBlock()([x, weights])
        loss = 0.5 * tf.reduce_sum(y**2)
    return y, *tape.gradient(loss, [x, weights])


def test_a_gradient_block_weighs_gradients_and_changes_no_value(rng):
    x = tf.constant(rng.normal(size=[2, 3, 4]).astype("float32"))
    weights = tf.constant(rng.choice([0.0, 1.0, 2.5], size=[2, 3, 4]).astype("float32"))
    y, gradient, _ = block(x, weights)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_allclose(gradient, x * weights, rtol=1e-6)


def test_entries_beyond_the_mask_teach_in_full(rng):
    x = tf.constant(rng.normal(size=[2, 6, 5]).astype("float32"))
    _, gradient, _ = block(x, tf.zeros([2, 4, 3]))
    assert not gradient[:, :4, :3].numpy().any()
    np.testing.assert_array_equal(gradient[:, 4:], x[:, 4:])
    np.testing.assert_array_equal(gradient[:, :, 3:], x[:, :, 3:])


def test_weights_wider_than_what_they_weigh_are_refused():
    for shape in ([2, 7, 4], [2, 3, 9]):
        with pytest.raises(ValueError, match="weights must have no more time bins and channels"):
            GradientBlock()([tf.zeros([2, 3, 4]), tf.zeros(shape)])


@pytest.mark.parametrize("make", [CoordinatedDropout, SampleValidation, SeededDropout])
@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_a_rate_must_be_a_share(make, rate):
    with pytest.raises(ValueError, match=r"rate must be in \[0\.0, 1\.0\), got"):
        make(rate)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"pass_rate must be in \[0\.0, 1\.0\], got 1\.1"):
        CoordinatedDropout(0.3, pass_rate=1.1)
    with pytest.raises(TypeError, match="seed must be a whole number"):
        SampleValidation(0.3, seed=None)
    with pytest.raises(TypeError, match="rate must be a real number"):
        SeededDropout("half")
