"""Pictures of one trial, and of a fit, show what they are given in the units they name."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from matplotlib.figure import Figure  # noqa: E402

from tfp_bvae import plots  # noqa: E402


@pytest.fixture
def ax():
    return Figure().subplots()


HISTORY = [
    {"epoch": 1.0, "loss": 3.0, "kl_f": 1.0},
    {"epoch": 2.0, "loss": 2.0, "kl_f": 1.5, "val_heldout": 0.1},
]


def test_spikes_are_a_map_of_time_and_channels(ax, rng):
    spikes = rng.poisson(1.0, [10, 4])
    order = np.array([2, 0, 1, 3])
    assert plots.plot_spikes(spikes, 0.02, order=order, start=-0.1, ax=ax) is ax
    (image,) = ax.images
    assert np.array_equal(image.get_array(), spikes[:, order].T)
    assert image.get_extent() == [-0.1, 0.1, 4, 0]
    assert image.get_clim() == (0, spikes.max())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time from event (s)", "channel")
    (event,) = ax.lines
    assert event.get_xdata() == [0, 0]


def test_rates_are_shown_per_second(ax):
    plots.plot_rates(np.full([10, 4], 0.5), 0.02, vmax=40.0, ax=ax)
    (image,) = ax.images
    assert np.allclose(image.get_array(), 25.0)
    assert image.get_clim() == (0, 40.0)
    assert ax.get_xlabel() == "time (s)"


def test_what_is_not_observed_is_no_zero(ax):
    spikes = np.ones([10, 4])
    spikes[6:] = np.nan
    plots.plot_spikes(spikes, 0.02, ax=ax)
    assert np.array_equal(ax.images[0].get_array().mask, np.isnan(spikes).T)
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.patch.get_hatch()
    ax.figure.canvas.draw()


def test_spikes_with_rates_share_the_order_of_their_channels(rng):
    spikes, rates = rng.poisson(1.0, [10, 4]), rng.gamma(2.0, size=[10, 4])
    axes = Figure().subplots(2)
    left, right = plots.plot_spikes_with_rates(spikes, rates, 0.02, axes=axes)
    assert (left, right) == tuple(axes)
    shown = right.images[0].get_array()
    assert (np.diff(shown.argmax(axis=1)) >= 0).all()
    order = np.argsort(rates.argmax(axis=0), kind="stable")
    np.testing.assert_allclose(shown, rates[:, order].T / 0.02)
    assert np.array_equal(left.images[0].get_array(), spikes[:, order].T)
    bars = [ax.get_ylabel() for ax in left.figure.axes[2:]]
    assert bars == ["spikes per bin", "rate (spikes/s)"]
    with pytest.raises(ValueError, match="axes must be 2"):
        plots.plot_spikes_with_rates(spikes, rates, 0.02, axes=axes[:1])
    with pytest.raises(ValueError, match=r"rates must have the shape of spikes, \(10, 4\)"):
        plots.plot_spikes_with_rates(spikes, rates[1:], 0.02)


def test_trials_without_a_spike_can_be_shown(ax):
    plots.plot_spikes(np.zeros([10, 4]), 0.02, ax=ax)
    plots.plot_channel(np.zeros(10), 0.02, spikes=np.zeros(10), ax=ax)
    ax.figure.canvas.draw()


def test_a_channel_is_a_line_with_a_band_over_the_truth(ax):
    rates, spikes = np.linspace(0.1, 1, 10), np.array([0, 1, 2] + [0] * 7)
    plots.plot_channel(rates, 0.02, scale=0.1 * rates, true=2 * rates, spikes=spikes, ax=ax)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines["inferred"].get_ydata(), rates / 0.02)
    np.testing.assert_allclose(lines["true"].get_ydata(), 2 * rates / 0.02)
    np.testing.assert_allclose(lines["true"].get_xdata()[:2], [0.01, 0.03])
    band, ticks = ax.collections
    assert band.get_label() == "± 1 sd"
    assert len(ticks.get_segments()) == 2
    assert ax.get_ylabel() == "rate (spikes/s)"


def test_a_channel_ends_where_its_trial_does(ax):
    rates = np.append(np.ones(6), np.full(4, np.nan))
    plots.plot_channel(rates, 0.02, scale=rates, spikes=rates, ax=ax)
    ax.figure.canvas.draw()
    assert len(ax.collections[1].get_segments()) == 6
    assert np.isfinite(ax.get_ylim()).all()


@pytest.mark.parametrize("draw", [plots.plot_spikes, plots.plot_rates, plots.plot_channel])
def test_a_wrong_number_of_axes_is_refused(ax, draw):
    with pytest.raises(ValueError, match=r"must have \d ax[ie]s.*, got shape \(2, 3, 4\)"):
        draw(np.ones([2, 3, 4]), 0.02, ax=ax)
    with pytest.raises(ValueError, match="bin_width must be above 0, got 0"):
        draw(np.ones([2, 3][: 1 + (draw is not plots.plot_channel)]), 0, ax=ax)


def test_curves_of_one_channel_have_one_length():
    with pytest.raises(ValueError, match="inferred and true must have the same number of time"):
        plots.plot_channel(np.ones(5), 0.02, true=np.ones(4))


def test_history_shows_the_epochs_that_were_validated(ax):
    plots.plot_history(HISTORY, best=2, ax=ax)
    line, best = ax.lines
    assert line.get_xdata().tolist() == [2.0]
    assert best.get_data() == ([2], [0.1])
    with pytest.raises(ValueError, match="must hold val_heldout"):
        plots.plot_history(HISTORY[:1], ax=ax)


def test_losses_are_a_panel_for_each_term():
    axes = plots.plot_losses(HISTORY, best=2)
    found = {ax.get_ylabel(): ax.lines[0].get_ydata().tolist() for ax in axes}
    assert found == {
        "loss (nats/trial)": [3.0, 2.0],
        "KL of f (nats/trial)": [1.0, 1.5],
        "held-out score (bits/spike)": [0.1],
    }
    assert [ax.get_xlabel() for ax in axes] == ["epoch"] * 3
    assert axes[0].lines[1].get_data() == ([2], [2.0])
    assert axes[0].figure.axes == list(axes)  # no empty panel is left
    with pytest.raises(ValueError, match="axes must be 3"):
        plots.plot_losses(HISTORY, axes=axes[:2])
    with pytest.raises(ValueError, match="history must hold one of loss, kl_f"):
        plots.plot_losses([{"epoch": 1.0}])


def test_a_score_that_was_not_finite_does_not_set_the_range(ax):
    rows = [{"epoch": e, "val_heldout": v} for e, v in enumerate([-np.inf, 0.1, 0.3])]
    plots.plot_history(rows, unit="nats/entry", ax=ax)
    assert ax.get_ylabel() == "held-out score (nats/entry)"
    assert 0 < ax.get_ylim()[0] < ax.get_ylim()[1] < 0.4
