import numpy as np
import pytest

from tfp_bvae.metrics import fit_class_judge, fit_path_judge, r2_per_channel, swap_scores

TRAIN = 150
CLASSES = 4


@pytest.fixture(scope="module")
def world():
    """Spikes with classes in the gain and an oscillator; judges trained on the first trials."""
    rng = np.random.default_rng(0)
    static = rng.permutation(np.arange(300) % CLASSES)
    phase = rng.uniform(0, 2 * np.pi, size=(300, 1)) + 0.3 * np.arange(30)
    path = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    loading, gain = 0.6 * rng.normal(size=(2, 30)), 0.6 * rng.normal(size=(CLASSES, 30))

    def decode(static, path):
        return np.exp(0.5 + path @ loading + gain[static][:, None])

    counts = rng.poisson(decode(static, path))[:TRAIN]
    judges = (
        fit_class_judge(counts, static[:TRAIN]),
        fit_path_judge(counts, path[:TRAIN]),
    )
    return decode, judges, static[TRAIN:], path[TRAIN:]


@pytest.fixture
def z_from():
    return np.roll(np.arange(150), 7)


def test_a_perfect_model(world, z_from):
    decode, judges, static, path = world
    swapped, unswapped = decode(static, path[z_from]), decode(static, path)
    scores = swap_scores(*judges, swapped, unswapped, static, path, z_from)
    for found in (scores.swapped, scores.unswapped):
        assert found.static > 0.97
        assert found.dynamic > 0.85
        assert found.both > 0.97
        assert found.static_of_partner == pytest.approx(1 / CLASSES, abs=0.15)
        assert found.dynamic_of_partner < 0.1
    assert scores.chance.static == pytest.approx(1 / CLASSES, abs=0.05)
    assert scores.chance.both == pytest.approx(0.5 / CLASSES, abs=0.05)
    assert scores.chance.dynamic < 0.1


def test_a_model_whose_f_carries_everything(world, z_from):
    decode, judges, static, path = world
    unswapped = decode(static, path)
    scores = swap_scores(*judges, unswapped, unswapped, static, path, z_from)
    assert scores.unswapped.both > 0.97  # nothing to see without a swap
    assert scores.swapped.static > 0.97
    assert scores.swapped.dynamic < 0.1
    assert scores.swapped.dynamic_of_partner > 0.85
    assert scores.swapped.both < 0.03


def test_a_model_whose_z_carries_everything(world, z_from):
    decode, judges, static, path = world
    swapped = decode(static[z_from], path[z_from])
    scores = swap_scores(*judges, swapped, decode(static, path), static, path, z_from)
    assert scores.swapped.static == pytest.approx(1 / CLASSES, abs=0.15)
    assert scores.swapped.static_of_partner > 0.97
    assert scores.swapped.dynamic > 0.85


class Says:
    """A judge that says what is written in the trials."""

    def __init__(self, read):
        self.predict = read


def test_scores_by_hand():
    static, z_from = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])
    path = np.arange(8.0).reshape(4, 2, 1) ** 2
    said_class = np.array([0, 1, 0, 0])  # the last is that of its partner
    said_path = path[z_from] + np.array([0, 0.5, 0, 0])[:, None, None]
    said_path[3] = path[3]  # follows its own f, not z
    swapped = np.concatenate([0 * said_path + said_class[:, None, None], said_path], axis=-1)
    unswapped = np.concatenate([0 * path + static[:, None, None], path], axis=-1)
    judges = Says(lambda x: x[:, 0, 0]), Says(lambda x: x[..., 1:])
    scores = swap_scores(*judges, swapped, unswapped, static, path, z_from)
    assert scores.swapped.static == 0.5
    assert scores.swapped.static_of_partner == 0.25
    assert scores.swapped.both == 0.5
    expected = r2_per_channel(said_path, path[z_from])[0]
    assert scores.swapped.dynamic == pytest.approx(expected, rel=1e-12)
    expected = r2_per_channel(said_path, path)[0]
    assert scores.swapped.dynamic_of_partner == pytest.approx(expected, rel=1e-12)
    assert scores.unswapped.static == scores.unswapped.dynamic == scores.unswapped.both == 1
    assert scores.unswapped.static_of_partner == 0
    again = swap_scores(*judges, swapped, unswapped, static, path, z_from)
    assert again == scores


def test_dynamics_may_be_a_class():
    static, dynamic = np.arange(60) % 3, np.arange(60) // 3 % 2
    z_from = np.roll(np.arange(60), 3)
    judges = Says(lambda x: x[:, 0, 0]), Says(lambda x: x[:, 0, 1])
    swapped = np.stack([static, dynamic[z_from]], axis=-1)[:, None]
    unswapped = np.stack([static, dynamic], axis=-1)[:, None]
    scores = swap_scores(*judges, swapped, unswapped, static, dynamic, z_from)
    assert scores.swapped.dynamic == scores.swapped.both == 1
    assert scores.swapped.dynamic_of_partner == 0  # every partner has the other one
    assert scores.chance.dynamic == pytest.approx(0.5, abs=0.1)
    assert "dynamic (accuracy)" in str(scores)


def test_it_is_readable(world, z_from):
    decode, judges, static, path = world
    x = decode(static, path)
    lines = str(swap_scores(*judges, x, x, static, path, z_from)).splitlines()
    assert [line.split()[0] for line in lines[2:]] == [
        "swapped",
        "unswapped",
        "chance",
        "chance_sd",
    ]
    assert len({line.index("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"judge_static": None}, TypeError, "judge_static must have a method predict"),
        ({"judge_dynamic": Says(lambda x: x)}, ValueError, "judge_dynamic must predict shape"),
        ({"swapped": np.ones((4, 2, 3))}, ValueError, "swapped must have the shape of unswapped"),
        ({"swapped": np.full((4, 2, 2), np.nan)}, ValueError, "swapped must be finite"),
        ({"static": [1, 1, 1, 1]}, ValueError, "static must take at least two values"),
        ({"static": [0, 1]}, ValueError, "static and trials must have the same number"),
        ({"dynamic": np.ones((3, 2, 1))}, ValueError, "swapped and dynamic must have the same"),
        ({"dynamic": np.ones((4, 3, 1))}, ValueError, "the same number of time bins"),
        ({"z_from": [1, 0, 2, 3]}, ValueError, "got that of trial 2 itself"),
        ({"z_from": [1, 2, 3, 4]}, ValueError, "indices from 0 to 3, got 1 to 4"),
        ({"z_from": [1, 2, 3]}, ValueError, "z_from and swapped must have the same number"),
        ({"z_from": [1.0, 2.0, 3.0, 0.0]}, TypeError, "z_from must hold indices"),
        ({"permutations": 1}, ValueError, "permutations must be"),
    ],
)
def test_wrong_arguments_are_named(change, error, message):
    good = {
        "judge_static": Says(lambda x: x[:, 0, 0]),
        "judge_dynamic": Says(lambda x: x[..., 1:]),
        "swapped": np.ones((4, 2, 2)),
        "unswapped": np.ones((4, 2, 2)),
        "static": [0, 1, 0, 1],
        "dynamic": np.arange(8.0).reshape(4, 2, 1),
        "z_from": [1, 2, 3, 0],
    }
    with pytest.raises(error, match=message):
        swap_scores(**{**good, **change})
