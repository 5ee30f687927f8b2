"""Figures show what they are given, in the units they name."""

from types import SimpleNamespace

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.figure import Figure  # noqa: E402

from tfp_bvae import plots  # noqa: E402
from tfp_bvae.data import Split  # noqa: E402


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def posterior(dataset):
    """What a model that knows the truth would say."""
    truth = dataset.valid.truth
    return SimpleNamespace(rates=truth, rates_scale=0.1 * truth)


HISTORY = [{"epoch": 1.0, "loss": 3.0}, {"epoch": 2.0, "val_heldout": 0.1}]


def test_spikes_are_a_map_of_time_and_channels(ax, rng):
    spikes = rng.poisson(1.0, [10, 4])
    order = np.array([2, 0, 1, 3])
    assert plots.plot_spikes(ax, spikes, 0.02, order) is ax
    (image,) = ax.images
    assert np.array_equal(image.get_array(), spikes[:, order].T)
    assert image.get_extent() == [0, 0.2, 4, 0]
    assert image.get_clim() == (0, spikes.max())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "channel")


def test_rates_are_shown_per_second(ax):
    plots.plot_rates(ax, np.full([10, 4], 0.5), 0.02, vmax=40.0)
    (image,) = ax.images
    assert np.allclose(image.get_array(), 25.0)
    assert image.get_clim() == (0, 40.0)


def test_trials_without_a_spike_can_be_shown(ax):
    plots.plot_spikes(ax, np.zeros([10, 4]), 0.02)
    plots.plot_channel(ax, np.zeros(10), 0.02, spikes=np.zeros(10))
    ax.figure.canvas.draw()


def test_a_channel_is_a_line_with_a_band_over_the_truth(ax):
    rates, spikes = np.linspace(0.1, 1, 10), np.array([0, 1, 2] + [0] * 7)
    plots.plot_channel(ax, rates, 0.02, 0.1 * rates, 2 * rates, spikes)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines["inferred"].get_ydata(), rates / 0.02)
    np.testing.assert_allclose(lines["true"].get_ydata(), 2 * rates / 0.02)
    np.testing.assert_allclose(lines["true"].get_xdata()[:2], [0.01, 0.03])
    band, ticks = ax.collections
    assert band.get_label() == "± 1 sd"
    assert len(ticks.get_segments()) == 2
    assert ax.get_ylabel() == "rate (spikes/s)"


@pytest.mark.parametrize("draw", [plots.plot_spikes, plots.plot_rates, plots.plot_channel])
def test_a_wrong_number_of_axes_is_refused(ax, draw):
    with pytest.raises(ValueError, match=r"must have \d ax[ie]s.*, got shape \(2, 3, 4\)"):
        draw(ax, np.ones([2, 3, 4]), 0.02)


def test_history_shows_the_epochs_that_were_validated(ax):
    plots.plot_history(ax, HISTORY)
    assert ax.lines[0].get_xdata().tolist() == [2.0]
    with pytest.raises(ValueError, match="must hold val_heldout"):
        plots.plot_history(ax, HISTORY[:1])


def test_a_figure_of_trials_has_one_colour_scale_for_all_rates(dataset, posterior):
    figure = plots.figure_of_trials(dataset.valid, posterior, dataset.bin_width, HISTORY)
    top, bottom = figure.subfigs
    maps = [ax.images[0] for ax in top.axes if ax.images]
    rates = [image for image in maps if image.get_cmap().name == plots.COLOURS["rates"]]
    assert (len(maps), len(rates)) == (6, 4)
    assert len({image.get_clim() for image in rates}) == 1
    # the same channels in the same order, so that an exact inference looks like the truth
    assert np.array_equal(rates[0].get_array(), rates[1].get_array())
    assert len(bottom.axes) == 4
    assert {ax.get_ylabel() for ax in top.axes} >= {"spikes per bin", "rate (spikes/s)"}


def test_channels_are_in_the_order_of_their_peaks(dataset, posterior):
    figure = plots.figure_of_trials(dataset.valid, posterior, dataset.bin_width, trials=[3])
    shown = figure.subfigs[0].axes[1].images[0].get_array()
    assert (np.diff(shown.argmax(axis=1)) >= 0).all()


def test_without_truth_the_inferred_rates_stand_alone(dataset, posterior):
    split = Split(dataset.valid.encod, dataset.valid.recon)
    after = SimpleNamespace(rates=posterior.rates[:, 2:], rates_scale=None)
    figure = plots.figure_of_trials(split, after, dataset.bin_width, trials=[0])
    maps = [ax.images[0] for ax in figure.subfigs[0].axes if ax.images]
    assert len(maps) == 2
    assert {image.get_array().shape for image in maps} == {(6, 8)}
    assert len(figure.subfigs[1].axes) == 3


def test_a_posterior_of_other_trials_is_refused(dataset, posterior):
    with pytest.raises(ValueError, match="same number of trials, got 32 and 8"):
        plots.figure_of_trials(dataset.train, posterior, dataset.bin_width)


def test_a_figure_is_saved_and_nothing_beside_it(dataset, posterior, tmp_path):
    figure = plots.figure_of_trials(dataset.valid, posterior, dataset.bin_width, HISTORY)
    plots.save_figure(figure, tmp_path / "figure.png")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
