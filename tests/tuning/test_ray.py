"""Searches as Ray runs them: slow, since each actor takes 20 s to import TensorFlow."""

import math

import numpy as np
import pytest
from members import OTHERS, VALUES, live

from tfp_bvae import tuning
from tfp_bvae.training import open_run, read_history

pytestmark = pytest.mark.slow


def test_a_trainable_takes_over_weights_and_has_every_new_hyperparameter(ray, plan, dataset):
    from ray import tune

    from tfp_bvae.tuning.trainable import MemberActor

    actor = tune.with_parameters(MemberActor, plan=plan, data=dataset)
    one = actor({"member": {"number": 0, "values": VALUES}})
    one.train()
    saved = one.save()
    weights = [w.numpy() for w in one._member.model.trainable_weights]
    one.reset({"member": {"number": 1, "values": OTHERS}})
    one.train()
    assert live(one._member.model) == pytest.approx(OTHERS, rel=1e-6)
    one.reset({"member": {"number": 0, "values": OTHERS}})
    one.restore(saved)
    assert live(one._member.model) == pytest.approx(OTHERS, rel=1e-6)
    for mine, its in zip(one._member.model.trainable_weights, weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), its)
    assert one.train()["generation"] == 2
    assert live(one._member.model) == pytest.approx(OTHERS, rel=1e-6)
    assert one._member.model.train_function.experimental_get_tracing_count() == 1


def test_a_population_ends_as_an_ordinary_run(ray, run, dataset, search, capfd):
    lines = []
    found = tuning.population_based_training(run, dataset, search, show=lines.append)
    assert "NaN or Inf" not in capfd.readouterr().err  # of scores before the warm-up is over
    rows = {(row["generation"], row["member"]): row for row in found.table}
    assert sorted(rows) == [(g, m) for g in range(1, 5) for m in range(4)]
    space = tuning.search_space(run.model, run.arguments, run.params)
    copies = [key for key, row in rows.items() if row["parent"] is not None]
    assert [g for g, _ in sorted(copies)] == [3, 4]  # the worst of four, after generations 2, 3
    for (generation, member), row in rows.items():
        before = rows.get((generation - 1, member))
        if before is None:
            continue
        if row["parent"] is None:
            assert all(row[name] == before[name] for name in space)
            continue
        scores = {m: rows[generation - 1, m]["score"] for m in range(4)}
        assert member == min(scores, key=scores.get) and row["parent"] == max(
            scores, key=scores.get
        )
        parent = rows[generation - 1, row["parent"]]
        for name, place in space.items():
            assert row[name] != parent[name]
            if place.scale == "log":
                assert abs(math.log(row[name] / parent[name])) <= math.log(1.5) + 1e-9
    done = open_run(run.path)
    model = done.load_model()
    assert done.params == found.params
    for mine, its in zip(model.weights, found.model.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), its.numpy())
    history = done.history()
    assert [row["epoch"] for row in history] == list(range(1, len(history) + 1))
    assert history[found.epoch - 1]["val_heldout"]
    assert found.score == pytest.approx(max(row["best"] for row in found.table))
    assert read_history(done.tuning_file)[0]["generation"] == 1
    assert not (run.path / "tuning").exists()
    assert len(lines) == 5 and "4/4" in lines[-1]
    again = tuning.population_based_training(done, dataset, resume=True)
    assert (again.score, again.epoch) == (found.score, found.epoch)
    with pytest.raises(ValueError, match="population was 4 and is now 5"):
        tuning.population_based_training(done, dataset, {"population": 5}, resume=True)


def test_a_random_search_goes_through_the_same_door_with_sizes(ray, run, dataset):
    settings = {"population": 2, "generations": 2, "epochs_per_generation": 2, "cpus": 1}
    space = {"factors": (5, 9, "linear"), "learning_rate": None}
    found = tuning.random_search(run, dataset, settings, space, show=lambda line: None)
    assert len({row["factors"] for row in found.table}) == 2
    assert all(row["parent"] is None for row in found.table)
    best = max(found.table, key=lambda row: row["best"])
    assert found.params.factors == best["factors"]
    assert open_run(run.path).load_model().get_layer("log_rate").kernel.shape[0] == best["factors"]


def test_a_folder_that_holds_a_search_is_not_begun_anew(ray, run, dataset, search):
    (run.path / "tuning.json").write_text("{}")
    with pytest.raises(FileExistsError, match="resume"):
        tuning.population_based_training(run, dataset, search)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cpus": 512}, "cpus must be at most"),
        ({"generations": 1}, "warm-up"),
        ({"population": 1}, "population"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_begins(ray, run, dataset, settings, words):
    with pytest.raises(ValueError, match=words):
        tuning.population_based_training(run, dataset, {"epochs_per_generation": 2} | settings)
    assert not list(run.path.glob("tuning/ray-*"))
