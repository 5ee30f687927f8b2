"""A figure of trials shows what it is given, in the units it names."""

from types import SimpleNamespace

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from tfp_bvae import plots  # noqa: E402
from tfp_bvae.data import Split  # noqa: E402


@pytest.fixture
def posterior(dataset):
    """What a model that knows the truth would say."""
    truth = dataset.valid.truth
    return SimpleNamespace(rates=truth, rates_scale=0.1 * truth)


HISTORY = [{"epoch": 1.0, "loss": 3.0}, {"epoch": 2.0, "val_heldout": 0.1}]


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


def test_bins_after_the_end_of_a_trial_are_left_out(dataset, posterior):
    padded = dataset.valid.recon.copy()
    rates = posterior.rates.copy()
    padded[:, 8:] = rates[:, 8:] = np.nan
    padded[..., 0] = rates[..., 0] = np.nan  # and a channel that is not there
    split = Split(padded, padded, length=np.full(len(padded), 8))
    after = SimpleNamespace(rates=rates, rates_scale=None)
    figure = plots.figure_of_trials(split, after, dataset.bin_width, start=-0.1)
    figure.draw_without_rendering()
    maps = [ax.images[0] for ax in figure.subfigs[0].axes if ax.images]
    assert all(image.get_array().mask[:, 8:].all() for image in maps)
    assert all(np.isfinite(image.get_clim()).all() for image in maps)
    assert maps[0].get_extent()[0] == -0.1


def test_a_posterior_of_other_trials_is_refused(dataset, posterior):
    with pytest.raises(ValueError, match="same number of trials, got 32 and 8"):
        plots.figure_of_trials(dataset.train, posterior, dataset.bin_width)


def test_a_figure_is_saved_and_nothing_beside_it(dataset, posterior, tmp_path):
    figure = plots.figure_of_trials(dataset.valid, posterior, dataset.bin_width, HISTORY)
    plots.save_figure(figure, tmp_path / "figure.png")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_the_style_leaves_formulas_to_figures_of_others():
    with matplotlib.rc_context(plots.STYLE):
        ax = matplotlib.figure.Figure().add_subplot()
        ax.set(xscale="log", xlim=(0.1, 10), ylabel="$p(z)$")
        ax.figure.draw_without_rendering()
        labels = [ax.yaxis.label, *ax.get_xticklabels()]
        assert all(text.get_parse_math() for text in labels)
    ours = plots.new_axes()[0, 0]
    ours.set_ylabel("$1 to $2")
    assert not ours.yaxis.label.get_parse_math()
