"""Factors, inferred inputs, traversals and swaps: what is drawn is what was given."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.colors import to_rgba  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from tfp_bvae import plots  # noqa: E402
from tfp_bvae.plots.colours import KINDS  # noqa: E402

KINDS_OF_TRIALS = ["a", "b", "a", "b", "a", ""]


@pytest.fixture
def factors(rng):
    return rng.normal(size=[6, 10, 4]) * [4.0, 2.0, 1.0, 0.1]


def paths(ax):
    return [line for line in ax.lines if line.get_marker() == "None"]


def data(line):
    return np.stack(getattr(line, "get_data_3d", line.get_data)(), axis=-1)


@pytest.mark.parametrize("dims", [2, 3])
def test_factors_are_paths_and_means_of_conditions(factors, dims):
    figure = Figure()
    ax = figure.add_subplot(projection="3d" if dims == 3 else None)
    settings = {"conditions": KINDS_OF_TRIALS, "components": False, "dims": dims, "num_trials": 9}
    assert plots.plot_factors(factors, **settings, ax=ax) is ax
    lines = paths(ax)
    assert len(lines) == 3 + 1 + 2 + 1  # a: three trials and their mean; b: two; "" is none
    some = factors[[0, 2, 4], :, :dims]
    for line, expected in zip(lines, [*some, some.mean(0)], strict=False):
        np.testing.assert_allclose(data(line), expected)
        assert to_rgba(line.get_color()) == to_rgba(KINDS[0])
    begins = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(data(begins[3])[0], some.mean(0)[0])
    labels = [getattr(ax, f"get_{axis}label")() for axis in "xyz"[:dims]]
    assert labels == [f"factor {d}" for d in range(dims)]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]
    figure.canvas.draw()


def test_components_are_those_of_largest_variance(factors):
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=[4, 4]))
    ax = plots.plot_factors(factors @ turn + 3.0, num_trials=6)
    flat = factors.reshape(-1, 4) - factors.mean((0, 1))
    values, directions = np.linalg.eigh(flat.T @ flat)
    expected = np.abs(flat @ directions[:, ::-1][:, :2]).reshape(6, 10, 2)
    for line, path in zip(paths(ax), expected, strict=True):
        np.testing.assert_allclose(np.abs(data(line)), path, atol=1e-9)
    share = 100 * values[::-1] / values.sum()
    assert ax.get_xlabel() == f"PC 1 ({share[0]:.0f} % of variance)"
    assert ax.get_ylabel() == f"PC 2 ({share[1]:.0f} % of variance)"


def test_a_path_ends_with_its_trial(factors):
    factors[:, 7:] = np.nan
    ax = plots.plot_factors(factors, conditions=KINDS_OF_TRIALS)
    assert all(np.isnan(data(line)[7:]).all() for line in paths(ax))
    assert not any(np.isnan(data(line)[:7]).any() for line in paths(ax))
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dims": 4}, "dims must be one of 2, 3, got 4"),
        ({"conditions": ["a"]}, "factors and conditions must have the same number of trials"),
        ({"dims": 3, "ax": Figure().subplots()}, "ax must have 3 dimensions, got axes of .*recti"),
        ({"ax": Figure().add_subplot(projection="3d")}, "ax must have 2 dimensions"),
        ({"num_trials": -1}, "num_trials"),
    ],
)
def test_what_cannot_be_a_path_is_refused(factors, settings, said):
    with pytest.raises(ValueError, match=said):
        plots.plot_factors(factors, **settings)
    with pytest.raises(ValueError, match="factors must be 3 or more, got 2"):
        plots.plot_factors(factors[..., :2], dims=3)


def curves(ax):
    return [line for line in ax.lines if len(line.get_xdata()) > 2]


def test_inputs_of_a_trial_have_the_band_of_their_posterior(factors):
    axes = Figure().subplots(2)
    scale = np.abs(factors)
    found = plots.plot_inputs(factors, 0.02, scale=scale, trial=3, dims=[2, 0], axes=axes)
    assert found.tolist() == axes.tolist()
    for ax, dim in zip(axes, [2, 0], strict=True):
        (line,) = curves(ax)
        np.testing.assert_allclose(line.get_ydata(), factors[3, :, dim])
        np.testing.assert_allclose(line.get_xdata()[:2], [0.01, 0.03])
        ends = ax.collections[0].get_datalim(ax.transData)
        middle, half = factors[3, :, dim], scale[3, :, dim]
        np.testing.assert_allclose(
            [ends.ymin, ends.ymax], [(middle - half).min(), (middle + half).max()]
        )
        assert ax.get_ylabel() == f"input {dim} (a.u.)"
    assert axes[-1].get_xlabel() == "time (s)"


def test_inputs_of_conditions_are_means(factors):
    axes = plots.plot_inputs(factors, 0.02, conditions=KINDS_OF_TRIALS, start=-0.1)
    assert [ax.get_ylabel() for ax in axes] == [f"input {d} (a.u.)" for d in range(4)]
    for dim, ax in enumerate(axes):
        for line, trials in zip(curves(ax), ([0, 2, 4], [1, 3]), strict=True):
            np.testing.assert_allclose(line.get_ydata(), factors[trials, :, dim].mean(0))
    (line,) = curves(plots.plot_inputs(factors, 0.02, dims=[1])[0])
    np.testing.assert_allclose(line.get_ydata(), factors[:, :, 1].mean(0))


def test_the_inputs_of_largest_variance_are_shown(rng):
    inferred = rng.normal(size=[6, 10, 7]) * [1, 0.1, 2, 0.1, 3, 0.1, 4]
    inferred[0, 5:] = np.nan
    axes = plots.plot_inputs(inferred, 0.02)
    assert [ax.get_ylabel() for ax in axes] == [f"input {d} (a.u.)" for d in (0, 2, 4, 6)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trial": 6}, "trial must be below 6, got 6"),
        ({"trial": 0, "scale": np.ones([6, 10])}, "scale must have the shape of inferred"),
        ({"conditions": ["a"]}, "same number of trials, got 6 and 1"),
        ({"axes": plots.new_axes(1, 3)}, "axes must be 4"),
        ({"bin_width": -1.0}, "bin_width must be above 0"),
    ],
)
def test_what_is_no_input_is_refused(factors, settings, said):
    with pytest.raises(ValueError, match=said):
        plots.plot_inputs(factors, **{"bin_width": 0.02} | settings)


@pytest.fixture
def traversal(rng):
    rates = rng.gamma(2.0, size=[4, 5, 3, 10, 6])
    rates[2, 4, :, :, 5] += 50.0
    return np.arange(20.0).reshape(4, 5), rates


def test_a_traversal_is_a_line_for_each_value(traversal):
    values, rates = traversal
    axes = plots.plot_traversals(values, rates, 0.02, dims=[1, 3], channels=[4, 0, 2])
    assert axes.shape == (2, 3)
    for row, dim in zip(axes, [1, 3], strict=True):
        for ax, channel in zip(row, [4, 0, 2], strict=True):
            assert len(ax.lines) == 5
            for step, line in enumerate(ax.lines):
                expected = rates[dim, step, :, :, channel].mean(0) / 0.02
                np.testing.assert_allclose(line.get_ydata(), expected)
        assert row[0].get_ylabel() == "rate (spikes/s)"
        legend = row[-1].get_legend()
        assert legend.get_title().get_text() == f"f {dim} at"
        assert [t.get_text() for t in legend.get_texts()] == [f"{v:.1f}" for v in values[dim]]
    assert [ax.get_title() for ax in axes[0]] == ["channel 4", "channel 0", "channel 2"]
    assert [ax.get_xlabel() for ax in axes[:, 0]] == ["", "time (s)"]


def test_the_latents_and_channels_that_move_most_come_first(traversal):
    axes = plots.plot_traversals(*traversal, 0.02)
    assert axes[0, 0].get_title() == "channel 5"
    assert axes[0, -1].get_legend().get_title().get_text() == "f 2 at"


def test_a_swap_grid_shows_all_pairs_in_one_scale(rng):
    rates = rng.gamma(2.0, size=[3, 3, 10, 4])
    axes = plots.plot_swaps(rates, 0.02, order=np.array([3, 1, 0, 2]), names="abc")
    assert axes.shape == (3, 3)
    for i in range(3):
        for j in range(3):
            (image,) = axes[i, j].images
            np.testing.assert_allclose(image.get_array(), rates[i, j][:, [3, 1, 0, 2]].T / 0.02)
            framed = axes[i, j].spines["top"].get_visible() and (
                axes[i, j].spines["top"].get_edgecolor() == to_rgba(plots.COLOURS["mark"])
            )
            assert framed == (i == j)
    assert len({ax.images[0].get_clim() for ax in axes.ravel()}) == 1
    assert [ax.get_title() for ax in axes[0]] == ["z of a", "z of b", "z of c"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == [f"f of {n}\nchannel" for n in "abc"]
    (bar,) = set(axes[0, 0].figure.axes) - set(axes.ravel())
    assert bar.get_ylabel() == "rate (spikes/s)"


def test_what_is_no_grid_is_refused(rng, traversal):
    rates = rng.gamma(2.0, size=[3, 3, 10, 4])
    with pytest.raises(ValueError, match="as many rows as columns, got 2 and 3"):
        plots.plot_swaps(rates[:2], 0.02)
    with pytest.raises(ValueError, match="rates and names must have the same number of trials"):
        plots.plot_swaps(rates, 0.02, names=["a"])
    with pytest.raises(ValueError, match="axes must be 9"):
        plots.plot_swaps(rates, 0.02, axes=plots.new_axes(2, 2))
    values, rates = traversal
    with pytest.raises(ValueError, match=r"and steps of values, \(4, 4\), got \(4, 5\)"):
        plots.plot_traversals(values[:, 1:], rates, 0.02)
    with pytest.raises(ValueError, match="axes must be 9"):
        plots.plot_traversals(values, rates, 0.02, axes=plots.new_axes(2, 2))


def test_pyplot_knows_of_no_figure(factors):
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    plots.plot_factors(factors, dims=3)
    plots.plot_inputs(factors, 0.02)
    plots.plot_swaps(np.ones([2, 2, 10, 4]), 0.02)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before
