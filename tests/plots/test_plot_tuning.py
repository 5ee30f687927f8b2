"""The picture of a search: copies begin at their parents, and the best line stands out."""

import itertools
import math

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from tfp_bvae import plots  # noqa: E402


@pytest.fixture
def table():
    """Three members over three generations; member 0 becomes a copy of 2, which is best then."""
    scores = [[0.1, 0.2, 0.3], [-math.inf, 0.25, 0.35], [0.4, 0.3, 0.36]]
    return [
        {
            "generation": g + 1, "member": m, "parent": 2 if (g, m) == (2, 0) else None,
            "score": score, "best": score, "epochs": 2 * g, "skipped_steps": 0, "seconds": 1.0,
            "beta_f": 10.0 ** (m + g / 10), "dropout": 0.1 * m,
        }
        for g, row in enumerate(scores)
        for m, score in enumerate(row)
    ]  # fmt: skip


def test_a_panel_for_the_score_and_one_for_each_hyperparameter(table):
    axes = plots.plot_tuning(table)
    labels = [ax.get_ylabel() for ax in axes]
    assert labels == ["held-out score (bits/spike)", "beta_f", "dropout"]
    assert [ax.get_yscale() for ax in axes] == ["linear", "log", "linear"]
    assert {ax.get_xlabel() for ax in axes} == {"generation"}


def test_the_line_of_the_best_goes_through_its_parent(table):
    score, beta, _ = plots.plot_tuning(table)
    (line,) = [x for x in score.lines if x.get_label() == "to the best"]
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.3], [2, 0.35], [3, 0.4]])
    (line,) = [x for x in beta.lines if x.get_label() == "to the best"]
    np.testing.assert_allclose(line.get_ydata(), [100.0, 10**2.1, 10**0.2])
    segments = beta.collections[0].get_segments()
    assert any(np.allclose(s, [[2, 10**2.1], [3, 10**0.2]]) for s in segments)
    assert len(segments) == 6 and len(score.collections[0].get_segments()) == 5  # one has -inf


def test_axes_of_ones_own_and_the_table_as_it_is_read_from_a_file(table):
    given = plots.new_axes(1, 3)[0]
    as_read = [{n: x for n, x in row.items() if x is not None} for row in table]
    assert plots.plot_tuning(as_read, axes=given, unit="nats/entry")[0] is given[0]
    with pytest.raises(ValueError, match="axes must be 3"):
        plots.plot_tuning(table, axes=plots.new_axes(1, 2)[0])


@pytest.mark.parametrize("decades", [1.1, 1.4, 2.0, 3.0, 5.0])
def test_ticks_of_a_log_axis_are_a_few_plain_numbers_apart_from_each_other(table, decades):
    for row in table:
        row["beta_f"] = 0.03 * 10 ** (decades * row["member"] / 2)
    axis = plots.plot_tuning(table)[1].yaxis
    axis.figure.canvas.draw()
    shown = [tick for tick in axis.get_ticklabels(which="both") if tick.get_text()]
    low, high = axis.get_view_interval()
    inside = [tick for tick in shown if low <= tick.get_position()[1] <= high]
    assert 2 <= len(inside) <= 6
    assert all("^" not in tick.get_text() for tick in inside)
    boxes = sorted((tick.get_window_extent() for tick in inside), key=lambda box: box.y0)
    assert all(upper.y0 > lower.y1 for lower, upper in itertools.pairwise(boxes))


@pytest.mark.parametrize("rows", [[], [{"generation": 1, "member": 0, "score": -math.inf}]])
def test_without_a_score_there_is_nothing_to_draw(rows):
    with pytest.raises(ValueError, match="finite score"):
        plots.plot_tuning(rows)
