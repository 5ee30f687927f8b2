"""Several files as sessions of one model."""

import json

import numpy as np
import pytest

from tfp_bvae.data import lorenz, read_arrays, read_hdf5, write_hdf5
from tfp_bvae.training import create_run, data_arguments

TINY = {
    "f_size": 4, "f_encoder_units": 6, "z_size": 1, "z_encoder_units": 5, "controller_units": 5,
    "generator_units": 8, "factors": 3, "warm_up": 2, "batch_size": 16, "jit_compile": "false",
}  # fmt: skip
SETTINGS = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
FIT = ["--epochs", "3", "--quiet", *SETTINGS]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two sessions of one system: 6 and 4 neurons."""
    folder = tmp_path_factory.mktemp("sessions")
    for number, (name, channels) in enumerate({"monday": 6, "tuesday": 4}.items()):
        dataset = lorenz(
            num_conditions=4, num_channels=channels, num_trials=6, num_valid=2, duration_ms=200,
            session=number,
        )  # fmt: skip
        write_hdf5(folder / f"{name}.h5", dataset)
    return folder


@pytest.fixture(scope="module")
def run_folder(files):
    from tfp_bvae.cli import main

    words = [str(files / "monday.h5"), str(files / "tuesday.h5"), "--out", str(files / "run")]
    assert main(["fit", *words, *FIT]) == 0
    return files / "run"


def test_files_are_sessions_named_after_them(run_folder):
    described = json.loads((run_folder / "run.json").read_text())
    assert described["data"]["sessions"] == {"monday": [6, 6], "tuesday": [4, 4]}
    assert described["arguments"]["num_sessions"] == 2
    assert described["params"]["input_factors"] == 3  # as many as factors
    joined = read_hdf5(run_folder / "data.h5")
    np.testing.assert_array_equal(joined.train.session, np.repeat([0, 1], 16))
    rates = read_arrays(run_folder / "posterior.h5")[0]["valid_rates"]
    assert rates.shape == (16, 10, 6)


def test_the_run_knows_its_data(run_folder, call):
    found = call("evaluate", run_folder, "--samples", 2)
    assert found.code == 0, found.err
    assert np.isfinite(json.loads(found.out)["valid"]["bits_per_spike"])


def test_a_file_of_one_session(run_folder, files, call):
    out = files / "later.h5"
    found = call(
        "infer", run_folder, files / "tuesday.h5", "--session", "tuesday", "--out", out,
        "--samples", 2,
    )  # fmt: skip
    assert found.code == 0, found.err
    rates = read_arrays(out)[0]["valid_rates"]
    assert rates.shape == (8, 10, 4) and np.isfinite(rates).all()
    words = ("evaluate", run_folder, files / "monday.h5", "--samples", 2, "--session", "monday")
    found = call(*words)
    assert found.code == 0, found.err
    assert np.isfinite(json.loads(found.out)["valid"]["rate_r2"])


def test_the_fit_goes_on_from_the_files(run_folder, files, call):
    names = (files / "monday.h5", files / "tuesday.h5")
    found = call("fit", *names, "--out", run_folder, "--resume", *FIT)
    assert found.code == 0, found.err
    found = call("fit", *names[::-1], "--out", run_folder, "--resume", *FIT)
    assert found.code == 2 and "the data are not those of" in found.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["infer", "RUN", "monday.h5", "--out", "p.h5"], "--session must say which of"),
        (["infer", "RUN", "monday.h5", "--out", "p.h5", "--session", "friday"], "one of"),
        (
            ["infer", "RUN", "monday.h5", "--out", "p.h5", "--session", "tuesday"],
            "must have the channels of session tuesday, [4, 4]",
        ),
        (["evaluate", "RUN", "--session", "monday"], "must go with the file"),
        (
            ["fit", "monday.h5", "monday.h5", "--out", "r"],
            "files must have names of their own, which name sessions, got ['monday']",
        ),
        (["fit", "monday.h5", "tuesday.h5", "--out", "r", "--stream"], "--stream must go with"),
        (["fit", "monday.h5", "absent.h5", "--out", "r"], "must be a file of data that exists"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(words, message, run_folder, files, call, tmp_path):
    words = [str(run_folder) if word == "RUN" else word for word in words]
    words = [str(files / word) if word in ("monday.h5", "tuesday.h5") else word for word in words]
    words = [str(tmp_path / word) if word in ("p.h5", "r") else word for word in words]
    found = call(*words)
    assert found.code == 2 and message in found.err
    assert found.err.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_a_run_of_one_session_takes_no_name(files, call, tmp_path):
    dataset = read_hdf5(files / "monday.h5")
    create_run(tmp_path / "run", "lfads", dataset, data_arguments(dataset))
    found = call(
        "infer", tmp_path / "run", files / "monday.h5", "--session", "monday",
        "--out", tmp_path / "p.h5",
    )  # fmt: skip
    assert found.code == 2 and "--session must go with a run of several sessions" in found.err


@pytest.mark.slow  # plots and metrics of sessions have tests of their own
def test_a_report_looks_at_one_session_at_a_time(run_folder, call):
    pytest.importorskip("matplotlib")
    found = call("report", run_folder)
    assert found.code == 0 and not found.err, found.err
    page = (run_folder / "report.html").read_text()
    assert "6 channels (at most) of 2 sessions" in page
    assert "(Of session monday.)" in page
    assert "not drawn" not in page and "Not compared" not in page
    assert "monday (6), tuesday (4)" in page


def test_exported_rates_are_of_the_channels_that_a_session_has(run_folder, files, call):
    import xarray as xr

    out = files / "rates.nc"
    found = call("export", run_folder, "--out", out)
    assert found.code == 0, found.err
    with xr.open_dataset(out) as rates:
        absent = np.isnan(rates.rates).all("time") & np.isnan(rates.rates_scale).all("time")
        assert not absent.where(rates.session == "monday", drop=True).any()
        tuesday = absent.where(rates.session == "tuesday", drop=True)
        np.testing.assert_array_equal(tuesday, np.broadcast_to([0, 0, 0, 0, 1, 1], tuesday.shape))
        assert np.isfinite(rates.factors).all()
