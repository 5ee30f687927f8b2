import numpy as np
import pytest

from tfp_bvae.metrics import cross_probes


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(0)
    static = rng.permutation(np.arange(120) % 4)
    phase = rng.uniform(0, 2 * np.pi, size=(120, 1)) + 0.3 * np.arange(12)
    path = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    f = np.eye(4)[static] + 0.05 * rng.normal(size=(120, 4))
    z = path @ np.array([[1.0, 0.3], [-0.5, 1.0]]) + 0.05 * rng.normal(size=path.shape)
    return f, z, static, path


def test_latents_that_keep_to_their_sides(truth):
    probes = cross_probes(*truth, permutations=5)
    assert probes.f_static.score == 1
    assert probes.z_dynamic.score > 0.98
    for crossed, chance in ((probes.z_static, 0.25), (probes.f_dynamic, 0.0)):
        assert crossed.score == pytest.approx(chance, abs=0.12)
        assert crossed.chance == pytest.approx(chance, abs=0.12)
    assert probes.f_static.chance == pytest.approx(0.25, abs=0.08)


def test_a_leak_shows_on_the_side_it_is_on(truth):
    f, z, static, path = truth
    start = np.concatenate([f, path[:, 0]], axis=-1)  # a rotation: the whole path follows
    probes = cross_probes(start, z, static, path, permutations=2)
    assert probes.f_dynamic.score > 0.95
    class_in_z = np.concatenate([z, 0 * z[..., :1] + static[:, None, None] // 2], axis=-1)
    probes = cross_probes(f, class_in_z, static, path, permutations=2)
    assert probes.z_static.score > 0.45


def test_a_time_course_all_trials_share_is_in_the_chance(truth):
    f, z, static, path = truth
    shared = path + 3 * np.sin(np.arange(12))[:, None]
    probes = cross_probes(f, z, static, shared, permutations=3)
    assert probes.f_dynamic.score > 0.7
    assert probes.f_dynamic.chance == pytest.approx(probes.f_dynamic.score, abs=0.05)


def test_collapsed_latents_and_one_bin(truth):
    f, z, static, path = truth
    probes = cross_probes(0 * f, 0 * z[:, :1], static, path[:, :1], permutations=2)
    assert probes.f_static.score == pytest.approx(0.25, abs=0.05)
    assert probes.z_dynamic.score == pytest.approx(0, abs=0.1)


def test_same_seed_same_probes_and_a_readable_table(truth):
    first, again = (cross_probes(*truth, permutations=2, seed=1) for _ in range(2))
    assert first == again
    lines = str(first).splitlines()
    assert len(lines) == 5
    assert "mean z -> static (accuracy)" in str(first)
    assert len({len(line) for line in lines}) == 1


def test_wrong_arguments_are_named(truth):
    f, z, static, path = truth
    cases = [
        ((f[:9], z, static, path), "f and z and dynamic must have the same number of trials"),
        ((f, z[:, :9], static, path), "z and dynamic must have the same number of time bins"),
        ((f, z, static[:9], path), "static and trials must have the same number of trials"),
        ((f, z, np.arange(120), path), "folds must be at most the number of trials of class 0, 1"),
        ((f, z, 0 * static, path), "static must take at least two values"),
        ((f, z[:, 0], static, path), "z must have 3 axes"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            cross_probes(*arguments)
