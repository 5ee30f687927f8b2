"""Sets of settings: legal ranges, names, and the way from and to text and dicts."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from tfp_bvae import checks
from tfp_bvae.models import Params, split_settings
from tfp_bvae.settings import Settings, setting
from tfp_bvae.training import FitSettings


@dataclasses.dataclass(frozen=True)
class Plant(Settings):
    """Settings of each kind."""

    optional: ClassVar[tuple[str, ...]] = ("age", "height")

    leaves: int = setting(3, "leaves", 0, 10)
    weight: float = setting(0.5, "weight, kg", 0.0)
    alive: bool = setting(True, "whether it grows")
    kind: str = setting("moss", "what it is", choices=("moss", "tree"))
    place: str = setting("bog", "where it grows")
    rings: int = setting(1, "rings", choices=(1, 2, 3))
    age: int | None = setting(None, "age, years", 1)
    height: float | None = setting(None, "height, m", 0.0, 100.0)
    note: str = ""


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1, 2]\nb: *a",
        "!!python/object/apply:os.system [exit]",
        "[" * 5000,
        "leaves: " + "9" * 5000,
        "{",
        "#" * 2**17,
    ],
)
def test_yaml_of_somebody_else_is_refused(text, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    for source in (text, tmp_path / "a.yaml"):
        with pytest.raises(ValueError, match=r"made from|must have at most|must be in"):
            Plant.from_yaml(source)


@pytest.mark.parametrize("text", ["[" * 5000, "9" * 5000, "{"])
def test_a_word_that_is_no_value(text):
    with pytest.raises(ValueError, match="leaves must be of type int"):
        Plant.parse("leaves", text)


def test_defaults_are_legal():
    assert Plant() == Plant.of(None) == Plant.of({})
    assert Plant().age is None


@pytest.mark.parametrize(
    "name, legal",
    [
        ("leaves", [0, 10, np.int64(4)]),
        ("weight", [0.0, 2, 1e9, np.float32(0.5)]),
        ("alive", [True, False]),
        ("kind", ["moss", "tree"]),
        ("place", ["bog", "3", "none"]),
        ("rings", [1, 3]),
        ("age", [None, 1, 500]),
        ("height", [None, 0.0, 100]),
    ],
)
def test_legal_values_are_taken_ends_included(name, legal):
    for value in legal:
        assert getattr(Plant.of({name: value}), name) == value


def test_numbers_are_plain_whatever_they_came_as():
    plant = Plant(leaves=np.int64(4), weight=np.float32(2), height=3)
    assert [type(x) for x in (plant.leaves, plant.weight, plant.height)] == [int, float, float]


@pytest.mark.parametrize(
    "name, value, error, message",
    [
        ("leaves", 11, ValueError, r"leaves must be in \[0, 10\], got 11"),
        ("leaves", -1, ValueError, r"leaves must be in \[0, 10\], got -1"),
        ("leaves", 2.0, TypeError, r"leaves must be a whole number, got 2\.0"),
        ("leaves", True, TypeError, "leaves must be a whole number, got True"),
        ("leaves", "3", TypeError, "leaves must be a whole number, got '3'"),
        ("leaves", None, TypeError, "leaves must be a whole number, got None"),
        ("weight", -0.1, ValueError, r"weight must be in \[0\.0, inf\], got -0\.1"),
        ("weight", float("nan"), ValueError, "weight must be finite, got nan"),
        ("weight", float("inf"), ValueError, "weight must be finite, got inf"),
        ("weight", False, TypeError, "weight must be a real number, got False"),
        ("weight", None, TypeError, "weight must be a real number, got None"),
        ("alive", 1, TypeError, "alive must be True or False, got 1"),
        ("alive", "yes", TypeError, "alive must be True or False, got 'yes'"),
        ("kind", "fern", ValueError, "kind must be one of 'moss', 'tree', got 'fern'"),
        ("place", 3, TypeError, "place must be a string, got 3"),
        ("place", None, TypeError, "place must be a string, got None"),
        ("place", "", ValueError, "place must be a string that is not empty"),
        ("rings", 4, ValueError, "rings must be one of 1, 2, 3, got 4"),
        ("age", 0, ValueError, r"age must be in \[1, inf\], got 0"),
        ("age", 1.5, TypeError, r"age must be a whole number, got 1\.5"),
        ("height", 100.5, ValueError, r"height must be in \[0\.0, 100\.0\], got 100\.5"),
    ],
)
def test_illegal_values_are_refused_in_every_way_in(name, value, error, message):
    with pytest.raises(error, match=message):
        Plant(**{name: value})
    with pytest.raises(error, match=message):
        Plant.of({name: value})
    with pytest.raises(error, match=message):
        Plant().replace({name: value})


@pytest.mark.parametrize(
    "name, nearest", [("leafs", "leaves"), ("hight", "height"), ("Weight", "weight")]
)
def test_the_nearest_name_is_suggested_for_one_unknown(name, nearest):
    message = f"Plant must be one of .* got '{name}'; did you mean '{nearest}'"
    with pytest.raises(KeyError, match=message):
        Plant.of({name: 1})
    with pytest.raises(KeyError, match=message):
        Plant().replace({name: 1})
    with pytest.raises(KeyError, match=message):
        Plant.parse(name, "1")


def test_a_name_like_no_other_lists_them_all():
    with pytest.raises(KeyError, match=r"'leaves', 'weight'.* got 'xyzzy'") as caught:
        Plant.of({"xyzzy": 1})
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("given", [{"bta_f": 1.0}, {"bta_f": 1.0, "channels": 3}])
def test_of_many_names_a_message_has_the_nearest_and_where_all_are_listed(given):
    made = Params.of if len(given) == 1 else split_settings
    with pytest.raises(KeyError, match=r"'bta_f'; did you mean 'beta_f' or 'beta_z'") as caught:
        made(given)
    assert "must be one of the settings of a model (`tfp-bvae settings` lists them)" in str(caught)
    assert len(caught.value.args[0]) < 160


@pytest.mark.parametrize(
    "made, name, said",
    [
        (Params, "epochs", "epochs must be among the settings of the fit, .* got it in Params"),
        (FitSettings, "factors", "factors must be among the settings of the model, .* FitSettings"),
    ],
)
def test_a_setting_in_the_wrong_set_is_sent_to_its_own(made, name, said):
    with pytest.raises(KeyError, match=said):
        made.of({name: 20})


def test_so_is_one_in_a_flat_dict_for_a_builder():
    with pytest.raises(KeyError, match="epochs must be among the settings of the fit"):
        split_settings({"channels": 3, "epochs": 20})


def test_the_sets_of_model_and_fit_know_all_names_of_each_other():
    of_model, of_fit = set(Params.names()), set(FitSettings.names())
    assert set(Params.strays) == of_fit - of_model
    assert set(FitSettings.strays) == of_model - of_fit


def test_of_many_channels_a_message_has_the_first_the_last_and_the_nearest():
    names = [f"unit {number}" for number in range(96)]
    message = "channel must be one of 96 names, 'unit 0' to 'unit 95', got 'unit-95'; did you mean "
    with pytest.raises(KeyError, match=f"{message}'unit 95' or "):
        checks.known_key("channel", "unit-95", names)


@pytest.mark.parametrize("given", [["leaves"], "leaves", 3])
def test_a_set_is_made_from_a_dict(given):
    with pytest.raises(TypeError, match="Plant must be made from a dict, got"):
        Plant.of(given)


def test_a_set_is_handed_through():
    plant = Plant(leaves=4)
    assert Plant.of(plant) is plant


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("leaves", "7", 7),
        ("weight", "2", 2),
        ("weight", "1e-3", 0.001),
        ("alive", "true", True),
        ("alive", "False", False),
        ("kind", "tree", "tree"),
        ("place", "3", "3"),
        ("place", "none", "none"),
        ("rings", "2", 2),
        ("age", "12", 12),
        ("age", "None", None),
        ("age", "none", None),
        ("age", "null", None),
        ("height", "0.5", 0.5),
    ],
)
def test_text_is_read_as_a_person_types_it(name, text, value):
    found = Plant.parse(name, text)
    assert found == value and type(found) is type(value)
    assert getattr(Plant.of({name: found}), name) == value


@pytest.mark.parametrize("name, kind", [("leaves", "int"), ("weight", "float"), ("alive", "bool")])
@pytest.mark.parametrize("text", ["", "seven", "1,5", "nan", "inf"])
def test_text_that_means_nothing_is_refused(name, kind, text):
    with pytest.raises(ValueError, match=f"{name} must be of type {kind}, got '{text}'"):
        Plant.parse(name, text)


@pytest.mark.parametrize(
    "name, text",
    [("leaves", "2.5"), ("leaves", "true"), ("weight", "[1]"), ("alive", "1"), ("kind", "fern")],
)
def test_text_of_another_kind_is_refused_by_the_set(name, text):
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        Plant.of({name: Plant.parse(name, text)})


def test_round_trip_through_a_dict():
    plant = Plant(leaves=7, weight=1.5, alive=False, kind="tree", rings=2, age=12, note="tall")
    found = plant.to_dict()
    assert list(found) == Plant.names()
    assert "optional" not in found
    assert Plant.of(found) == plant


def test_replace_changes_a_copy():
    plant = Plant()
    other = plant.replace({"leaves": 9, "age": 2})
    assert (other.leaves, other.age, other.weight) == (9, 2, plant.weight)
    assert plant == Plant()
    with pytest.raises(dataclasses.FrozenInstanceError):
        plant.leaves = 9


def test_every_field_says_what_it_means():
    for field in dataclasses.fields(Plant):
        if field.metadata:
            assert field.metadata["meaning"]


def test_names_that_lfads_packages_have_lead_to_ours():
    known = Params.elsewhere()
    assert known["co_dim"] == "z_size"
    assert known["kl_ic_scale"] == "beta_f"  # listed as kl_ic_scale * T * N
    assert known["ic_prior_var"] == "kappa"  # and as sqrt(ic_prior_var), of p_f_scale
    assert set(known.values()) <= set(Params.names())
    with pytest.raises(KeyError, match=r"got 'kl_co_scale'; did you mean 'beta_z'"):
        Params.of({"kl_co_scale": 1e-4})
    with pytest.raises(KeyError, match=r"got 'ci_lag'; did you mean 'lag'"):
        split_settings({"channels": 3, "ci_lag": 1})
