"""The order of trials."""

from __future__ import annotations

import numpy as np
import pytest

from tfp_bvae.training import TrialBatches


def stream(batches: TrialBatches, epochs: int) -> np.ndarray:
    """All trials of some epochs, in order."""
    trials = []
    for _ in range(epochs):
        trials += [batches[i][1] for i in range(len(batches))]
        batches.on_epoch_end()
    return np.concatenate(trials)


@pytest.mark.parametrize(("count", "size"), [(10, 4), (10, 5), (7, 7), (7, 3), (3, 64), (1, 2)])
def test_each_trial_comes_once_before_any_comes_twice(count, size):
    batches = TrialBatches({}, np.arange(count), size, seed=1)
    seen = stream(batches, epochs=6)
    rounds = len(seen) // count
    for r in range(rounds):
        assert sorted(seen[r * count : (r + 1) * count]) == list(range(count))


@pytest.mark.parametrize(("count", "size"), [(10, 4), (3, 64)])
def test_all_batches_have_one_size(count, size):
    batches = TrialBatches({}, np.arange(count), size)
    assert {len(batches[i][1]) for i in range(len(batches))} == {min(size, count)}
    assert len(batches) * min(size, count) >= count


def test_an_epoch_is_the_same_whether_reached_or_begun_with():
    whole = stream(TrialBatches({}, np.arange(10), 4, seed=5), epochs=3)
    resumed = stream(TrialBatches({}, np.arange(10), 4, seed=5, epoch=1), epochs=2)
    np.testing.assert_array_equal(whole[12:], resumed)


def test_the_seed_decides_and_orders_differ():
    one, same, other = (stream(TrialBatches({}, np.arange(50), 10, seed=s), 2) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one[:50] != one[50:]).any()


def test_inputs_go_with_their_targets():
    inputs = {"a": np.arange(9) * 10, "b": np.arange(9) * 100}
    x, y = TrialBatches(inputs, np.arange(9), 4)[1]
    np.testing.assert_array_equal(x["a"], y * 10)
    np.testing.assert_array_equal(x["b"], y * 100)
