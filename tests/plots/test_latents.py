"""KL of each dimension, and posterior against prior: what is drawn is what was given."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.figure import Figure  # noqa: E402

from tfp_bvae import plots  # noqa: E402

KL = np.array([0.5, 0.001, 2.0, 0.0])


@pytest.fixture
def ax():
    return Figure().subplots()


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_kl_is_a_bar_for_each_dimension_the_largest_first(ax):
    assert plots.plot_kl(KL, name="f", ax=ax) is ax
    assert [bar.get_height() for bar in ax.containers[0]] == [2.0, 0.5, 0.001, 0.0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "0", "1", "3"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("dimension of f, by KL", "KL (nats/trial)")


def test_dead_dimensions_have_a_ground_and_a_count(ax):
    plots.plot_kl(KL, ax=ax)
    assert legend(ax) == ["2 of 4 used", "2 dead (below 0.01 nats)"]
    (ground,) = [patch for patch in ax.patches if patch.get_hatch()]
    assert (ground.get_x(), ground.get_width()) == (1.5, 2.0)
    colours = [matplotlib.colors.to_hex(bar.get_facecolor()) for bar in ax.containers[0]]
    assert colours[:2] == [plots.COLOURS["inferred"].lower()] * 2
    assert colours[2:] == [plots.COLOURS["faint"]] * 2


@pytest.mark.parametrize(
    ("threshold", "said"),
    [(1e-6, ["3 of 4 used", "1 dead (below 1e-06 nats)"]), (5, ["0 of 4 used", "4 dead"])],
)
def test_the_threshold_is_an_argument(ax, threshold, said):
    plots.plot_kl(KL, threshold=threshold, ax=ax)
    assert all(text.startswith(start) for text, start in zip(legend(ax), said, strict=True))


def test_without_dead_dimensions_nothing_is_hatched(ax):
    plots.plot_kl(KL[[0, 2]], ax=ax)
    assert legend(ax) == ["2 of 2 used"]
    assert not any(patch.get_hatch() for patch in ax.patches)


def test_many_dimensions_have_few_numbers(ax, rng):
    plots.plot_kl(rng.gamma(1.0, size=100), ax=ax)
    assert len(ax.get_xticklabels()) == 20


@pytest.mark.parametrize(
    ("kl", "settings", "said"),
    [
        (np.ones([2, 2]), {}, "kl must have 1 axis"),
        ([1.0, np.nan], {}, "kl must be finite, got nan"),
        ([1.0], {"threshold": 0}, "threshold must be above 0"),
    ],
)
def test_what_is_no_kl_is_refused(kl, settings, said):
    with pytest.raises(ValueError, match=said):
        plots.plot_kl(kl, **settings)


def test_a_posterior_is_shown_in_the_scale_of_its_prior(ax, rng):
    loc = rng.normal(size=[9, 2])
    scale, prior = rng.gamma(2.0, size=[9, 2]), np.array([0.5, 2.0])
    assert plots.plot_posterior(loc, scale, 1.0, prior, kl=[0.0, 3.0], name="f", ax=ax) is ax
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert len(dots) == 2
    for dim, line in enumerate(dots):
        np.testing.assert_allclose(line.get_ydata(), (loc[:, dim] - 1) / prior[dim])
        assert (np.abs(line.get_xdata() - dim) < 0.5).all()
    for dim, bar in enumerate(ax.containers):
        ((low, high),) = [s[:, 1] for s in bar.lines[2][0].get_segments()]
        assert np.isclose((low + high) / 2, np.median(loc[:, dim] - 1) / prior[dim])
        assert np.isclose((high - low) / 2, np.median(scale[:, dim]) / prior[dim])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("dimension of f", "value (sd of the prior)")
    assert legend(ax)[-1] == "dead"
    (ground,) = [patch for patch in ax.patches if patch.get_hatch()]
    assert (ground.get_x(), ground.get_width()) == (-0.5, 1.0)


def test_bins_of_a_path_are_gathered_and_padding_left_out(ax):
    loc = np.arange(12.0).reshape(2, 3, 2)
    loc[1, 2] = np.nan
    plots.plot_posterior(loc, np.where(np.isnan(loc), np.nan, 1.0), ax=ax)
    assert ax.lines[0].get_ydata().tolist() == [0, 2, 4, 6, 8]
    plots.plot_posterior(np.full([3, 1], np.nan), np.full([3, 1], np.nan), ax=ax)
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("loc", "settings", "said"),
    [
        (np.ones(3), {}, r"loc must be \[trial, dim\] or \[trial, time, dim\], got shape \(3,\)"),
        (np.ones([3, 2]), {"prior_loc": np.ones(3)}, "prior_loc must have the shape of loc"),
        (np.ones([3, 2]), {"prior_scale": 0.0}, "prior_scale must be above 0, got 0"),
        (np.ones([3, 2]), {"kl": [1.0]}, "same number of dimensions, got 2 and 1"),
    ],
)
def test_what_is_no_posterior_is_refused(loc, settings, said):
    with pytest.raises(ValueError, match=said):
        plots.plot_posterior(loc, np.ones_like(loc), **settings)
