"""Models other than LFADS on the command line: fitted, evaluated, asked for rates."""

import json

import numpy as np
import pytest

from tfp_bvae.data import read_arrays, static_dynamic, write_hdf5
from tfp_bvae.training import open_run

SMALL = {
    "f_size": 3,
    "f_encoder_units": 4,
    "z_size": 2,
    "z_encoder_units": 4,
    "generator_units": 5,
    "warm_up": 1,
    "jit_compile": "false",
}
ITS_OWN = {
    "dsae-full": {"z_encoder_units2": 4, "z_prior_units": 3},
    "fhvae": {"segment_length": 6, "group_by": "static"},
}


@pytest.fixture(scope="module")
def classes_file(tmp_path_factory):
    """Trials of two classes: 8 for training, 4 for validation, 10 bins, 6 channels."""
    path = tmp_path_factory.mktemp("classes") / "classes.h5"
    data = static_dynamic(num_classes=2, num_trials=6, num_valid=2, num_bins=10, num_channels=6)
    write_hdf5(path, data)
    return path


def words(settings):
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.parametrize("model", ["fhvae", pytest.param("dsae-full", marks=pytest.mark.slow)])
def test_a_model_is_fitted_evaluated_and_asked(model, classes_file, tmp_path, call):
    run = tmp_path / "run"
    settings = words(SMALL | ITS_OWN[model])
    fitted = call("fit", classes_file, "--model", model, "--out", run, "--epochs", 2, *settings)
    assert fitted.code == 0, fitted.err
    arrays, _ = read_arrays(run / "posterior.h5")
    assert arrays["valid_rates"].shape == (4, 10, 6)
    assert arrays["valid_f"].shape == (4, 3)
    assert arrays["valid_inferred"].shape == (4, 10, 2)
    assert all(np.isfinite(array).all() for array in arrays.values())

    evaluated = call("evaluate", run, "--samples", 50)
    assert evaluated.code == 0, evaluated.err
    scores, metrics = json.loads(evaluated.out), json.loads((run / "metrics.json").read_text())
    assert scores["valid"] == pytest.approx(metrics["valid"], rel=1e-5)

    asked = call("infer", run, classes_file, "--out", tmp_path / "p.h5")
    assert asked.code == 0, asked.err
    again, _ = read_arrays(tmp_path / "p.h5")
    np.testing.assert_allclose(again["train_rates"], arrays["train_rates"], rtol=1e-5)


def test_fhvae_knows_its_groups_when_it_goes_on(classes_file, tmp_path, call):
    run = tmp_path / "run"
    settings = words(SMALL | ITS_OWN["fhvae"])
    start = ("fit", classes_file, "--model", "fhvae", "--out", run)
    fitted = call(*start, "--epochs", 1, *settings)
    assert fitted.code == 0 and "nats per segment" in fitted.out
    assert open_run(run).arguments.num_groups == 2
    assert call(*start, "--resume", "--set", "group_by=static").code == 0
    assert "group_by was 'static' and is now 'trial'" in call(
        *start, "--resume", "--set", "group_by=trial"
    ).err  # fmt: skip


@pytest.mark.parametrize(
    "given, said",
    [
        (["group_by=sesion"], "by must name arrays train_NAME and valid_NAME"),
        (["segment_length=11"], "segment_length must be at most the 10 bins"),
        (["segment_length=6", "groups_at_once=3", "group_by=static"], "groups_at_once must be at"),
        (["segment_stride=3"], "segment_stride must go with a segment_length"),
        (["segment_length=4", "segment_stride=5"], "stride must be at most"),
    ],
)
def test_groups_and_segments_that_cannot_be_are_refused(
    given, said, classes_file, tmp_path, refused
):
    sets = [word for pair in given for word in ("--set", pair)]
    out = tmp_path / "run"
    message = refused("fit", classes_file, "--model", "fhvae", "--out", out, *sets)
    assert said in message


def test_a_model_without_groups_takes_no_segments(classes_file, tmp_path, refused):
    message = refused(
        "fit", classes_file, "--model", "lfads", "--out", tmp_path / "run", "--set",
        "segment_length=5",
    )  # fmt: skip
    assert "segment_length must be None in a model without groups" in message
