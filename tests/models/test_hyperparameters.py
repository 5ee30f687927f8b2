"""What a set of hyperparameters takes, refuses, and says of itself."""

import dataclasses

import pytest

from tfp_bvae.models import Arguments, Params, create_model, split_settings

CHANGED = {"f_size": 10, "z_prior": "lstm", "generator_cell": "gru", "causal": True, "dropout": 0}


@pytest.mark.parametrize("kind", [Arguments, Params])
def test_every_field_says_what_it_is(kind):
    for field in dataclasses.fields(kind):
        assert len(field.metadata["meaning"]) > 8, field.name


@pytest.mark.parametrize("kind, given", [(Arguments, {"channels": 36}), (Params, CHANGED)])
def test_dicts_and_yaml_give_an_equal_set(kind, given, tmp_path):
    made = kind.of(given)
    assert kind.of(made.to_dict()) == made == kind.from_yaml(made.to_yaml())
    file = tmp_path / "settings.yaml"
    file.write_text(made.to_yaml())
    assert kind.from_yaml(file) == made
    assert isinstance(hash(made), int)


def test_yaml_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Params must be made from YAML"):
        Params.from_yaml("a: [1")
    with pytest.raises(KeyError, match="did you mean 'factors'"):
        Params.from_yaml("factor: 3")


def test_a_flat_dict_parts_into_both():
    arguments, params = split_settings({"channels": 36, "bin_width": 0.01, "factors": 10})
    assert (arguments.channels, arguments.bin_width, params.factors) == (36, 0.01, 10)
    with pytest.raises(KeyError, match="did you mean 'channels'"):
        split_settings({"chanels": 36})


def test_kappa_is_the_variance_of_the_prior():
    assert Params.of({"kappa": 0.25}).p_f_scale == 0.5
    assert Params().p_f_scale == pytest.approx(0.1**0.5)


def test_the_search_space_lies_in_what_is_legal():
    space = Params.search_space()
    assert {"learning_rate", "dropout", "coordinated_dropout", "beta_f", "beta_z"} <= set(space)
    for name, (low, high, scale) in space.items():
        assert low < high and scale in ("log", "linear")
        assert low > 0 or scale == "linear"
        kind = type(getattr(Params(), name))
        for value in (low, high):
            assert getattr(Params.of({name: kind(value)}), name) == value


CONTRADICTIONS = [
    ({"z_size": 0, "lag": 1}, "lag=1 must go with z_size above 0, got z_size=0"),
    ({"z_size": 0, "causal": True}, "causal=True must go with z_size"),
    ({"z_prior": "gru", "z_covariance": "full", "generator_cell": "gru"}, "got z_prior='gru'"),
    ({"z_covariance": "full"}, "got generator_cell='complex'"),
    ({"f_joins": "first"}, "f_joins='first' must go with generator_cell"),
    ({"f_joins": "second", "generator_cell": "gru"}, "z_encoder_units2 above 0"),
    (
        {"scale_rule": "log_variance", "f_covariance": "full"},
        "go with f_covariance 'diagonal', got f_cov",
    ),
    ({"generator_cell": "dense"}, "f_enters 'inputs', got f_enters='initial_state'"),
    ({"f_enters": "both"}, "f_enters='both' must go with generator_cell"),
    ({"inject_ext_input_to_gen": False, "generator_cell": "lstm"}, "'complex', got"),
    ({"coordinated_dropout": 0, "coordinated_pass": 0.1}, "coordinated_dropout above 0"),
]


@pytest.mark.parametrize("given, said", CONTRADICTIONS)
def test_contradictions_name_the_key_the_value_and_what_is_right(given, said):
    with pytest.raises(ValueError) as error:
        Params.of(given)
    assert said in str(error.value)


def test_defaults_claim_nothing():
    assert Params.of({"z_size": 0}).lag == 1
    quiet = Params.of({"z_size": 0})
    assert Params.of(quiet.to_dict()) == quiet


@pytest.mark.parametrize(
    "given, error, said",
    [
        ({"f_size": 0}, ValueError, "f_size must be in"),
        ({"generator_units": 0}, ValueError, "generator_units must be in"),
        ({"z_prior": "ar2"}, ValueError, "z_prior must be one of 'ar1'"),
        ({"f_encoder_cell": "GRU"}, ValueError, "'clipped_gru', 'gru'"),
        ({"channels": 0}, ValueError, "channels must be in"),
        ({"channels": 4, "outputs": 3}, ValueError, "outputs must be in"),
        ({"importance_weighted": True}, ValueError, "num_samples of at least 2, got 1"),
        ({"total_correlation": 1.0}, ValueError, "num_trials must be given"),
    ],
)
def test_a_model_is_refused_with_the_name_of_what_is_wrong(given, error, said):
    with pytest.raises(error) as raised:
        create_model({"channels": 4} | given)
    assert said in str(raised.value)
