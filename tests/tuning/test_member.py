"""A member: hyperparameters in force without a new trace, and an exploit that copies everything."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from members import OTHERS, VALUES, live

from tfp_bvae.layers import rates_of
from tfp_bvae.tuning.live import assign_hyperparameters, hyperparameters_in_force
from tfp_bvae.tuning.member import Member, best_weights, build, read_facts
from tfp_bvae.tuning.space import LIVE


@pytest.fixture(scope="module")
def member(plan, dataset):
    """One live member; each test begins it anew."""
    return Member(plan, dataset)


def state(member):
    """All that training goes on from, as arrays."""
    return {kind: [v.numpy() for v in vs] for kind, vs in member._variables().items()}


def test_after_an_exploit_everything_is_the_parents_and_every_new_hyperparameter_is_in_force(
    member, tmp_path
):
    member.start(1, OTHERS)
    member.train()
    loser = state(member)
    member.start(0, VALUES)
    for _ in range(2):
        member.train()
    member.save(tmp_path)
    parent, seed = state(member), member.batches.seed

    member.start(1, OTHERS)  # the same actor is the loser again, and exploits
    member.load(tmp_path)
    member.set(OTHERS)
    copy = state(member)
    for kind in ("slot", "best_weight", "score"):
        for mine, its in zip(copy[kind], parent[kind], strict=True):
            np.testing.assert_array_equal(mine, its)
    scheduled = {"beta:0", "generator_l2:0", "controller_l2:0"}
    names = [w.name.rpartition("/")[2] for w in member.model.weights]
    streams = 0
    for name, mine, its, old in zip(
        names, copy["weight"], parent["weight"], loser["weight"], strict=True
    ):
        if name in scheduled:
            assert mine == pytest.approx(0.6 * its)
            continue
        np.testing.assert_array_equal(mine, its)
        if name.startswith("seed_and_draws"):
            streams += 1
            assert its[1] > 0 and not np.array_equal(mine, old)
    assert streams >= 3
    assert any(np.abs(slot).max() > 0 for slot in copy["slot"][1:])
    assert (member.batches.seed, member.epoch, member.generation) == (seed, 4, 2)
    assert live(member.model) == pytest.approx(OTHERS, rel=1e-6)
    assert hyperparameters_in_force(member.model) == pytest.approx(OTHERS, rel=1e-6)

    member.train()  # and they stay so over a generation: nothing resets them
    assert live(member.model) == pytest.approx(OTHERS, rel=1e-6)
    assert member.model.train_function.experimental_get_tracing_count() == 1


def test_a_step_obeys_the_learning_rate_of_now(member):
    """Weights move by the rate that was assigned, not by the one that the model was built with."""
    moves = {}
    for rate in (1e-8, 0.02):
        member.start(0, VALUES | {"learning_rate": 0.005})
        member.set(VALUES | {"learning_rate": rate})
        before = [w.numpy() for w in member.model.trainable_weights]
        member.train()
        after = [w.numpy() for w in member.model.trainable_weights]
        moves[rate] = max(np.abs(a - b).max() for a, b in zip(after, before, strict=True))
    assert moves[1e-8] < 1e-6 and moves[0.02] > 0.02


def test_a_member_goes_on_as_if_it_had_not_been_interrupted(member, tmp_path):
    member.start(0, VALUES)
    member.train()
    member.save(tmp_path)
    undisturbed, weights = member.train(), state(member)
    member.start(3, OTHERS)
    member.train()
    member.load(tmp_path)
    again = member.train()
    assert again | {"seconds": 0} == undisturbed | {"seconds": 0}
    for kind, arrays in state(member).items():
        for mine, its in zip(arrays, weights[kind], strict=True):
            np.testing.assert_array_equal(mine, its, err_msg=kind)


def test_members_begin_with_weights_of_their_own_and_the_same_ones_each_time(member):
    found = []
    for number in (0, 1, 0):
        member.start(number, VALUES)
        found.append(member.model.get_layer("generator").cell.factor_kernel.numpy())
    np.testing.assert_array_equal(found[0], found[2])
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_the_score_counts_only_after_the_warm_up_and_hides_the_same_entries_from_all(
    member, plan, dataset, tmp_path
):
    member.start(0, VALUES)
    first = member.train()
    assert first["epochs"] == 2 and np.isfinite(first["score"])
    second = member.train()
    assert np.isfinite(second["best"]) and int(member.keeper.state["best_epoch"]) >= 1
    assert [row["epoch"] for row in member.history.rows] == [1, 2, 3, 4]
    scores = [member.keeper.held_out() for _ in range(2)]
    assert scores[0] == scores[1]
    hidden = [m.keeper.held_out.batch(np.arange(4))[2] for m in (member,)]
    assert hidden[0].mean() == pytest.approx(0.2, abs=0.05)


def test_a_member_whose_steps_are_not_finite_is_last(member):
    member.start(0, VALUES)
    kernel = member.model.get_layer("generator").cell.factor_kernel
    kernel.assign(tf.fill(kernel.shape, np.nan))
    found = member.train()
    assert found["score"] == -np.inf
    assert (found["generation"], found["epochs"]) == (1, 2)


def test_the_best_weights_make_an_ordinary_model(member, plan, dataset, tmp_path):
    member.start(0, VALUES)
    for _ in range(2):
        member.train()
    member.save(tmp_path)
    facts = read_facts(tmp_path)
    model = build(plan, facts["best_values"], dataset)
    model.set_weights(best_weights(tmp_path))
    assert not rates_of(model)
    assert [w.name for w in model.weights] == [w.name for w in member.model.weights]
    assert model.get_layer("generator").dropout == VALUES["dropout"]
    assert model.hyperparameters["params"]["beta_f"] == VALUES["beta_f"]


def test_sizes_make_another_model(plan, dataset, tmp_path):
    member = Member(plan, dataset)
    member.start(0, {"factors": 3, "beta_f": 0.1})
    assert member.model.get_layer("log_rate").kernel.shape[0] == 3
    member.start(1, {"factors": 5, "beta_f": 0.1})
    assert member.model.get_layer("log_rate").kernel.shape[0] == 5
    member.save(tmp_path)
    member.start(2, {"factors": 4, "beta_f": 0.1})
    member.load(tmp_path)
    assert member.model.get_layer("log_rate").kernel.shape[0] == 5


def test_a_learning_rate_that_falls(plan, dataset):
    member = Member(dataclasses.replace(plan, decay=4), dataset)
    member.start(0, {"learning_rate": 0.01})
    rates = []
    for _ in range(2):
        member.train()
        rates.append(float(member.model.optimizer.learning_rate))
    assert 0.01 > rates[0] > 0.004 > rates[1] > 0.01 * member.plan.fit.final_rate
    assert member.values == {"learning_rate": 0.01}


def test_what_the_model_does_not_have_is_refused(member):
    member.start(0, VALUES)
    with pytest.raises(KeyError, match="hyperparameters"):
        assign_hyperparameters(member.model, {"factors": 3})
    assert set(hyperparameters_in_force(member.model)) == set(LIVE)
    plain = build(member.plan, {}, member._given)  # its L2 penalties are 0: no such terms
    with pytest.raises(ValueError, match="l2_generator"):
        assign_hyperparameters(plain, {"l2_generator": 1.0})
