"""Which hyperparameters are searched: only those that a model has, in ranges that are ranges."""

import pytest

from tfp_bvae.models import RECIPES, Arguments, Params
from tfp_bvae.tuning import TuneSettings, search_space
from tfp_bvae.tuning.space import LIVE, first_values

ARGUMENTS = Arguments(channels=6)


def test_by_default_all_that_can_change_in_training():
    assert sorted(search_space("lfads", ARGUMENTS, Params())) == sorted(LIVE)
    every = search_space("lfads", ARGUMENTS, Params(), live=False)
    assert every == Params.search_space()


@pytest.mark.parametrize(
    ("model", "settings", "lacks"),
    [
        ("dsae-full", {}, {"l2_controller", "controller_units"}),
        ("dsae-factorized", {"z_prior": "tiled"}, {"l2_controller", "tau"}),
        ("fhvae", {}, {"l2_generator", "l2_controller"}),
        ("lfads", {"z_size": 0, "generator_cell": "gru"}, {"beta_z", "tau", "z_size"}),
    ],
)
def test_what_a_model_does_not_have_is_left_out(model, settings, lacks):
    params = RECIPES[model].params(settings)
    assert not lacks & set(search_space(model, ARGUMENTS, params, live=False))
    for name in lacks & set(LIVE):
        with pytest.raises(ValueError, match=f"{name} must not be searched"):
            search_space(model, ARGUMENTS, params, [name])


def test_names_and_ranges_of_ones_own():
    given = {"beta_f": None, "learning_rate": (1e-3, 1e-2), "dropout": (0.1, 0.2, "log")}
    found = search_space("lfads", ARGUMENTS, Params(), given)
    assert list(found) == list(given)
    assert found["beta_f"] == Params.search_space()["beta_f"]
    assert found["learning_rate"] == (1e-3, 1e-2, "log")
    assert found["dropout"] == (0.1, 0.2, "log")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"bata_f": None}, KeyError, "beta_f"),
        (["factors"], KeyError, "hyperparameter to search"),
        ([], ValueError, "at least one"),
        ({"beta_f": (1.0, 0.1)}, ValueError, "low <= high"),
        ({"beta_f": (0.0, 0.1)}, ValueError, "0 < low"),
        ({"beta_f": 0.1}, ValueError, "low, high"),
        ({"beta_f": (0.1, "x")}, TypeError, "range"),
        ({"dropout": (0.0, 1.5)}, ValueError, "dropout"),
        ({"coordinated_dropout": (0.0, 0.5)}, ValueError, "above 0"),
        ({"beta_f": (0.1, 1.0, "lin")}, ValueError, "scale"),
    ],
)
def test_what_is_wrong_is_named(given, error, words):
    with pytest.raises(error, match=words):
        search_space("lfads", ARGUMENTS, Params(), given)


def test_betas_are_not_searched_with_importance_weights():
    arguments = Arguments(channels=6, num_samples=2, importance_weighted=True)
    params = Params.of({"coordinated_dropout": 0.0})
    assert not {"beta_f", "beta_z"} & set(search_space("lfads", arguments, params))


def test_the_first_member_starts_from_the_settings_and_the_others_all_over_the_ranges():
    params = Params.of({"beta_f": 0.5, "l2_generator": 0.0})
    space = search_space("lfads", ARGUMENTS, params, live=False)
    values = first_values(space, params, 50, seed=1)
    assert values[0]["beta_f"] == 0.5 and values[0]["l2_generator"] == space["l2_generator"].low
    assert isinstance(values[3]["factors"], int)
    for name, place in space.items():
        column = [member[name] for member in values]
        assert place.low <= min(column) and max(column) <= place.high
        assert len(set(column[1:])) > 4
    assert values == first_values(space, params, 50, seed=1)
    assert values[1:] != first_values(space, params, 50, seed=2)[1:]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"population": 1}, "population"),
        ({"populaton": 4}, "population"),
        ({"replaced": 0.6}, "replaced"),
    ],
)
def test_settings_of_a_search_are_checked(settings, words):
    with pytest.raises((KeyError, ValueError), match=words):
        TuneSettings.of(settings)
