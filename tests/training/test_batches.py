"""The order of trials."""

from __future__ import annotations

import numpy as np
import pytest

from tfp_bvae.training import GroupBatches, TrialBatches


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


# Batches of a few groups.

GROUP = np.repeat([0, 2, 3, 4, 6, 7, 9], [4, 9, 1, 5, 5, 2, 6])  # of 1, 5 and 8 there are none
COUNT = np.unique(GROUP, return_counts=True)[1][np.unique(GROUP, return_inverse=True)[1]]


def of_groups(at_once=3, size=4, group=GROUP, **options) -> GroupBatches:
    inputs = {"group": group, "count": np.resize(COUNT, len(group)), "at": np.arange(len(group))}
    return GroupBatches(inputs, np.arange(len(group)), size, at_once, **options)


def epochs_of(batches: GroupBatches, epochs: int):
    """The batches of some epochs, a list for each."""
    for _ in range(epochs):
        yield [batches[i] for i in range(len(batches))]
        batches.on_epoch_end()


@pytest.mark.parametrize("at_once", [1, 2, 3, 6, 7])
def test_each_round_draws_all_groups_and_no_epoch_draws_one_twice(at_once):
    batches, rounds = of_groups(at_once), 400
    epochs = -(-7 // at_once)
    times = dict.fromkeys(np.unique(GROUP).tolist(), 0)
    for r in range(rounds):
        drawn = [batches.drawn(r * epochs + e) for e in range(epochs)]
        for groups in drawn:
            assert len(groups) == at_once and (np.diff(groups) > 0).all()
            for group in groups.tolist():
                times[group] += 1
        assert set(np.concatenate(drawn)) == set(GROUP)
    mean = rounds * epochs * at_once / 7
    assert max(abs(count - mean) for count in times.values()) <= 4 * np.sqrt(rounds / 4)


def test_a_row_is_a_group_and_all_goes_with_it():
    batches = of_groups()
    for epoch, each in enumerate(epochs_of(batches, 10)):
        for inputs, targets in each:
            np.testing.assert_array_equal(inputs["at"], targets)
            np.testing.assert_array_equal(batches.drawn(epoch)[inputs["group"]], GROUP[targets])
            np.testing.assert_array_equal(inputs["count"], COUNT[targets])
            assert inputs["group"].dtype == np.int32


@pytest.mark.parametrize(("at_once", "size"), [(3, 4), (1, 64), (7, 5), (2, 1)])
def test_all_epochs_have_as_many_batches_of_one_size(at_once, size):
    batches = of_groups(at_once, size)
    needed = len(GROUP) * at_once / 7
    for each in epochs_of(batches, 8):
        assert {len(targets) for _, targets in each} == {min(size, int(np.ceil(needed)))}
        assert needed <= len(batches) * batches.batch_size < needed + batches.batch_size + 1


def test_groups_of_one_size_give_each_segment_once_in_an_epoch():
    group = np.tile(np.arange(6), 4)
    batches = of_groups(3, 4, group)
    for epoch, each in enumerate(epochs_of(batches, 4)):
        seen = np.sort(np.concatenate([targets for _, targets in each]))
        np.testing.assert_array_equal(seen, np.flatnonzero(np.isin(group, batches.drawn(epoch))))
        np.testing.assert_array_equal(seen, np.sort(batches.members(epoch)))


def test_all_groups_at_once_have_their_rows_for_good():
    batches = of_groups(7)
    assert all((batches.drawn(epoch) == np.unique(GROUP)).all() for epoch in range(5))


def test_an_epoch_of_groups_is_the_same_whether_reached_or_begun_with():
    whole = [each for each in epochs_of(of_groups(seed=5), 6)][3:]
    resumed = [*epochs_of(of_groups(seed=5, epoch=3), 3)]
    other = [*epochs_of(of_groups(seed=6, epoch=3), 3)]
    targets, again, others = (
        np.concatenate([t for each in run for _, t in each]) for run in (whole, resumed, other)
    )
    np.testing.assert_array_equal(targets, again)
    assert (targets != others).any()


def test_more_groups_at_once_than_have_segments_are_refused():
    with pytest.raises(ValueError, match="at most the 7 groups that have trials, got 8"):
        of_groups(8)
    with pytest.raises(ValueError, match="groups_at_once must be a whole number of at least 1"):
        of_groups(0)


# Batches of several sessions.

SESSION = np.repeat([0, 1, 2], [50, 25, 7]).astype(np.int32)


def of_sessions(size, seed=0) -> TrialBatches:
    return TrialBatches({"session": SESSION}, np.arange(len(SESSION)), size, seed)


@pytest.mark.parametrize("size", [16, 41, 82, 500])
def test_each_epoch_has_of_each_session_its_share_and_drops_none(size):
    batches, share = of_sessions(size), np.bincount(SESSION) / len(SESSION)
    for _ in range(20):
        trials = np.concatenate([batches[i][1] for i in range(len(batches))])
        counts = np.bincount(SESSION[trials], minlength=3)
        assert counts.min() >= 1
        np.testing.assert_allclose(counts, share * len(trials), atol=2.0)
        batches.on_epoch_end()


def test_over_whole_rounds_the_shares_are_exact_and_each_trial_comes_as_often():
    seen = stream(of_sessions(16), epochs=41)  # 41 * 96 = 48 * 82 trials
    np.testing.assert_array_equal(np.bincount(seen), 48)


def test_each_batch_has_of_each_session_its_share():
    batches = of_sessions(20)
    counts = [np.bincount(SESSION[batches[i][1]], minlength=3) for i in range(4)]
    np.testing.assert_allclose(counts, np.tile(20 * np.bincount(SESSION) / 82, [4, 1]), atol=1.0)


def test_sessions_do_not_fix_the_order_of_trials():
    orders = [stream(of_sessions(82, seed), 1) for seed in range(400)]
    places = np.argsort(orders, axis=1)
    mean = places.mean(axis=0)  # of each trial: anywhere, evenly
    assert abs(mean - 40.5).max() < 4 * np.sqrt((82**2 - 1) / 12 / 400)
    follows = np.mean([SESSION[order[0]] for order in orders] == np.int32(0))
    assert abs(follows - 50 / 82) < 0.15
    assert len({tuple(order) for order in orders}) == 400
