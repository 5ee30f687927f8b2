"""What happened in a search: the table, when it stops, and what it goes on from."""

import json
import math

import pytest

from tfp_bvae.training import read_history
from tfp_bvae.tuning import TuneSettings
from tfp_bvae.tuning.course import Course


@pytest.fixture
def course(tmp_path):
    """A function that makes the course of a search of four members in one folder."""
    (tmp_path / "tuning" / "best").mkdir(parents=True)

    def make(lines=None, first=2, **settings):
        settings = TuneSettings.of({"population": 4, "generations": 9, "patience": 3} | settings)
        show = (lambda line: None) if lines is None else lines.append
        return Course(tmp_path, ["beta_f"], settings, first, show)

    return make


def result(generation, score, parent=None, best=0.5):
    return {
        "generation": generation, "parent": parent, "score": score, "best": best,
        "epochs": 2 * generation, "skipped_steps": 0, "seconds": 1.0, "beta_f": 0.1, "pid": 7,
    }  # fmt: skip


def stored(course, name):
    """Weights that a member puts there before it reports a generation."""
    (course.weights / name).mkdir()
    (course.weights / name / "facts.json").write_text(json.dumps({"name": name}))
    return {"weights": name}


def saved(course, folder, generation, member, best=0.5):
    path = folder / f"checkpoint-{generation}-{member}"
    path.mkdir()
    (path / "facts.json").write_text(json.dumps({"generation": generation, "best": best}))
    course.saved(member, str(path))
    return str(path)


def generation(course, folder, number, scores, leave_out=()):
    for member, score in enumerate(scores):
        course.add(member, result(number, score, parent=3 if member == 1 else None))
        if member not in leave_out:
            saved(course, folder, number, member, best=max(score, -9.0))


def test_a_line_for_each_generation_once_all_are_there(course, tmp_path):
    lines = []
    found = course(lines)
    generation(found, tmp_path, 1, [0.1, 0.4, 0.2])
    assert not lines
    found.add(3, result(1, 0.3))
    assert len(lines) == 2 and "median" in lines[0]
    assert lines[1].split()[:3] == ["1/9", "0.4000", "0.2500"] and "beta_f 0.1" in lines[1]
    found.add(3, result(1, 0.9))  # told twice, as after an actor was lost
    assert len(lines) == 2 and found.rows[1, 3]["score"] == 0.3


def test_the_table_on_disk_has_all_of_it(course, tmp_path):
    found = course()
    generation(found, tmp_path, 1, [0.1, -math.inf, 0.2, 0.3])
    rows = read_history(tmp_path / "tuning.csv")
    assert [row["member"] for row in rows] == [0, 1, 2, 3]
    assert rows[1]["score"] == -math.inf and rows[1]["parent"] == 3 and "parent" not in rows[0]
    assert "pid" not in rows[0] and rows[0]["beta_f"] == 0.1


def test_the_best_weights_are_kept_though_their_member_is_replaced(course, tmp_path):
    found = course()
    for number, bests in ((1, {0: 0.1}), (2, {0: 0.7, 1: 0.3}), (3, {1: 0.5, 2: -math.inf})):
        for member in range(4):
            row = result(number, member / 10, best=bests.get(member, 0.0))
            better = stored(found, f"{number}-of-{member}") if member in bests else {}
            found.add(member, row | better)
        for member in range(1, 4):  # the worst is replaced, and never saved
            saved(found, tmp_path, number, member)
    assert found.best == found.weights / "2-0"
    assert {path.name for path in found.weights.iterdir()} == {"2-0", "3-2"}
    assert course().best is None
    again = course()
    again.resume()
    assert again.best == found.best


def test_weights_of_what_is_trained_again_do_not_count(course, tmp_path):
    found = course()
    generation(found, tmp_path, 2, [0.1, 0.2, 0.3, 0.4])
    for number, best in ((1, 0.2), (3, 0.9)):
        found.add(2, result(number, 0.9, best=best) | stored(found, f"{number}-of-x"))
    stored(found, "4-of-x")  # killed before it was reported
    found.add(2, result(1, 0.9, best=0.3) | stored(found, "1-of-x"))  # twice, as of one lost
    saved(found, tmp_path, 3, 2)
    assert found.best.name == "3-2"
    assert {path.name for path in found.weights.iterdir()} == {"1-2", "3-2", "4-of-x"}
    again = course()
    again.resume()
    assert again.best.name == "1-2"
    assert {path.name for path in found.weights.iterdir()} == {"1-2"}


def test_it_stops_when_nothing_improves_and_not_before(course, tmp_path):
    found = course()
    for number, best in enumerate([0.1, 0.2, 0.3, 0.4, 0.40001, 0.40001], start=1):
        generation(found, tmp_path, number, [0.0, 0.0, 0.0, best])
        assert not found.should_stop(), number
    generation(found, tmp_path, 7, [0.0, 0.0, 0.0, 0.40002])  # three generations for nothing
    assert found.should_stop() and found.finished()
    assert not course(patience=None).should_stop()


def test_it_stops_only_once_the_leaders_are_saved(course, tmp_path):
    found = course()
    for number in range(1, 5):
        generation(found, tmp_path, number, [0.1, 0.2, 0.3, 0.4])
    generation(found, tmp_path, 5, [0.1, 0.2, 0.3, 0.4], leave_out=[3])
    assert not found.should_stop()
    saved(found, tmp_path, 5, 3)
    assert found.should_stop()


def test_it_goes_on_from_the_last_generation_that_all_have_finished(course, tmp_path):
    found = course()
    for number in range(1, 4):
        generation(found, tmp_path, number, [0.1, 0.2, 0.3, 0.4], leave_out=[0])  # 0 is replaced
    found.add(2, result(4, 0.9))  # killed in generation 4
    saved(found, tmp_path, 4, 2)
    again = course()
    goes_on = again.resume()
    assert [own["result"]["generation"] for own in goes_on] == [3] * 4
    assert [own["checkpoint"] is None for own in goes_on] == [True, False, False, False]
    assert goes_on[1]["result"]["parent"] == 3 and goes_on[0]["result"]["parent"] is None
    assert goes_on[2]["result"] == found.rows[3, 2]
    assert max(g for g, _ in again.rows) == 3
    lines = []
    again.show = lines.append
    for member in range(4):
        again.add(member, result(3, 0.5))  # they report it once more
    assert not lines


def test_without_a_comparison_each_goes_on_from_where_it_is(course, tmp_path):
    found = course(first=5)
    for number in (1, 2):
        found.add(0, result(number, 0.1))
        saved(found, tmp_path, number, 0)
    found.add(1, result(1, 0.1))  # not saved yet
    goes_on = course(first=5).resume()
    assert goes_on[0]["result"]["generation"] == 2 and goes_on[0]["checkpoint"]
    assert goes_on[1:] == [{}, {}, {}]


def test_a_leader_whose_checkpoint_is_gone_takes_it_a_generation_back(course, tmp_path):
    found = course()
    for number in (2, 3):
        generation(found, tmp_path, number, [0.1, 0.2, 0.3, 0.4])
    for file in (tmp_path / "checkpoint-3-3").iterdir():
        file.unlink()
    (tmp_path / "checkpoint-3-3").rmdir()
    assert [own["result"]["generation"] for own in course().resume()] == [2] * 4
