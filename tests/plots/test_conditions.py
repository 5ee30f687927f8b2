"""Pictures by condition: means are those of numpy, colours those of the key."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from tfp_bvae import plots  # noqa: E402
from tfp_bvae.plots.colours import CIRCLE, KINDS, Conditions  # noqa: E402
from tfp_bvae.plots.timeline import mean_and_error, smoothed  # noqa: E402

SIGHT = np.array(  # deuteranopia, on linear RGB: Machado, Oliveira and Fernandes (2009)
    [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
)
LIGHT = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colours, sight):
    """CIELab of colours as they are seen."""
    rgb = np.asarray(colours)[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ sight.T, 0, 1) @ LIGHT.T / LIGHT.sum(axis=1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@pytest.mark.parametrize("sight", [np.eye(3), SIGHT], ids=["normal", "deuteranopia"])
@pytest.mark.parametrize(("order", "count"), [("kinds", 8), ("circle", 8), ("sequence", 6)])
def test_the_colour_blind_can_tell_conditions_apart(sight, order, count):
    found = Conditions.of(np.arange(count), order)
    seen = lab(found.colours, sight)
    distance = np.linalg.norm(seen[:, None] - seen, axis=-1)
    one_kind = np.array([[a == b for a in found.lines] for b in found.lines])
    other = ~np.eye(count, dtype=bool)
    assert distance[other].min() > 10  # about 2 are just noticeable
    assert distance[other & one_kind].min() > 15


def test_of_more_than_four_kinds_some_are_dashed():
    lines = Conditions.of(range(6)).lines
    assert lines[:4] == ("-",) * 4 and "-" not in lines[4:]
    assert set(Conditions.of(range(6), "circle").lines) == {"-"}


def test_a_circle_closes():
    assert np.allclose(CIRCLE(0.0), CIRCLE(1.0))


def test_conditions_are_sorted_and_may_be_missing():
    found = Conditions.of([3.0, np.nan, 1.0, 3.0])
    assert found.labels == (1.0, 3.0)
    assert found.index.tolist() == [1, -1, 0, 1]
    assert [x.tolist() for x in found.split(np.arange(4))] == [[2], [0, 3]]
    assert Conditions.of(np.array(["b", None, "a"], object)).labels == ("a", "b")
    assert [matplotlib.colors.to_hex(c) for c in found.colours] == [c.lower() for c in KINDS[:2]]
    assert len(np.unique(Conditions.of(range(20)).colours, axis=0)) == 20


@pytest.mark.parametrize(
    ("labels", "order", "said"),
    [
        (np.ones([2, 2]), None, "conditions must have 1 axis"),
        (["", ""], None, "conditions must name at least one"),
        (range(9), "kinds", 'order must be "sequence" or "circle" for more than 8'),
        (range(3), "ring", "order must be one of 'kinds'"),
    ],
)
def test_conditions_without_colours_are_refused(labels, order, said):
    with pytest.raises(ValueError, match=said):
        Conditions.of(labels, order)


def test_means_leave_out_what_is_missing(rng):
    x = rng.normal(size=[7, 5])
    x[rng.random(x.shape) < 0.3] = np.nan
    x[:, 2], x[1:, 3] = np.nan, np.nan
    x[0, 3] = 1.0
    mean, error = mean_and_error(x)
    for column, m, e in zip(x.T, mean, error, strict=True):
        known = column[~np.isnan(column)]
        assert np.isclose(m, known.mean()) if len(known) else np.isnan(m)
        assert (
            np.isclose(e, known.std(ddof=1) / len(known) ** 0.5) if len(known) > 1 else np.isnan(e)
        )


def test_smoothing_is_a_mean_over_known_neighbours(rng):
    x = rng.normal(size=9)
    x[4] = np.nan
    for t, y in enumerate(smoothed(x, 1.5)):
        weights = [np.exp(-0.5 * ((s - t) / 1.5) ** 2) for s in range(9) if s != 4]
        expected = np.average([x[s] for s in range(9) if s != 4], weights=weights)
        assert np.isnan(y) if t == 4 else np.isclose(y, expected)
    assert smoothed(x, 0.0) is x


@pytest.fixture
def trials(rng):
    rates = rng.gamma(2.0, size=[12, 10, 3])
    return rng.poisson(rates).astype(float), rates, np.repeat(["a", "b", ""], 4)


def test_a_psth_is_the_mean_of_each_condition(trials):
    spikes, rates, conditions = trials
    axes = plots.plot_psth(spikes, rates, conditions, 0.02, channels=[2, 0], start=-0.1)
    assert axes.shape == (2, 2)
    for row, channel in zip(axes, [2, 0], strict=True):
        for ax, x in zip(row, (spikes, rates), strict=True):
            lines = [line for line in ax.lines if line.get_linestyle() == "-"]
            for line, some in zip(lines, (slice(0, 4), slice(4, 8)), strict=True):
                np.testing.assert_allclose(line.get_ydata(), x[some, :, channel].mean(0) / 0.02)
                np.testing.assert_allclose(line.get_xdata()[0], -0.09)
            assert len(ax.collections) == 2
        assert row[0].get_ylabel() == f"channel {channel}\nrate (spikes/s)"
        assert row[0].get_ylim() == row[1].get_ylim()
    assert axes[1, 0].get_xlabel() == "time from event (s)"
    assert [t.get_text() for t in axes[0, 1].get_legend().get_texts()] == ["a", "b"]


def test_responses_are_smoothed_alike(trials):
    spikes, rates, conditions = trials
    (row,) = plots.plot_psth(spikes, rates, conditions, 0.02, channels=[1], smooth=0.03)
    for ax, x in zip(row, (spikes, rates), strict=True):
        expected = smoothed(x[:4, :, 1].mean(0) / 0.02, 1.5)
        np.testing.assert_allclose(ax.lines[0].get_ydata(), expected)


def test_channels_of_a_psth_are_those_that_differ_most(trials):
    spikes, rates, conditions = trials
    rates[:4, :, 1] += 50
    axes = plots.plot_psth(spikes, rates, conditions, 0.02)
    assert axes.shape == (3, 2)
    assert axes[0, 0].get_ylabel().startswith("channel 1\n")


def test_padded_trials_count_for_nothing_in_a_psth(trials):
    spikes, rates, conditions = (x.copy() for x in trials)
    spikes[0, 5:] = rates[0, 5:] = np.nan
    spikes[..., 2] = rates[..., 2] = np.nan  # an absent channel comes last
    assert plots.plot_psth(spikes, rates, conditions, 0.02)[-1, 0].get_ylabel()[:9] == "channel 2"
    (row,) = plots.plot_psth(spikes, rates, conditions, 0.02, channels=[0])
    np.testing.assert_allclose(row[0].lines[0].get_ydata()[5:], spikes[1:4, 5:, 0].mean(0) / 0.02)


def test_many_conditions_have_a_colour_bar(trials):
    spikes, rates, _ = trials
    axes = plots.plot_psth(spikes.repeat(2, 0), rates.repeat(2, 0), range(24), 0.02, channels=[0])
    assert axes[0, 1].get_legend() is None
    (bar,) = set(axes[0, 0].figure.axes) - set(axes.ravel())
    assert bar.get_ylabel() == "condition"
    assert [t.get_text() for t in bar.get_yticklabels()][::4] == ["0", "23"]


def test_a_psth_of_other_trials_is_refused(trials):
    spikes, rates, conditions = trials
    with pytest.raises(ValueError, match="rates must have the shape of spikes"):
        plots.plot_psth(spikes, rates[:3], conditions, 0.02)
    with pytest.raises(ValueError, match="same number of trials, got 12 and 3"):
        plots.plot_psth(spikes, rates, conditions[:3], 0.02)
    with pytest.raises(ValueError, match=r"axes must be 2 \(1 rows of 2\), got 3"):
        axes = plots.new_axes(1, 3)
        plots.plot_psth(spikes, rates, conditions, 0.02, channels=[0], axes=axes)
