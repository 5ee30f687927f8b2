"""Weights of lfads-torch as a run: every verb takes it for one of a fit."""

import json

import numpy as np
import pytest
from peer_weights import random_weights

from tfp_bvae.data import lorenz, read_arrays, write_hdf5
from tfp_bvae.inference import sample_and_average
from tfp_bvae.models import from_lfads_torch
from tfp_bvae.training import open_run


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("peer") / "weights.npz"
    np.savez(path, **random_weights(6, [6]), **{"hyper_parameters.ci_lag": 2})
    return path


@pytest.fixture(scope="module")
def adopted(weights, data_file, tmp_path_factory):
    from tfp_bvae.cli import main

    path = tmp_path_factory.mktemp("runs") / "run"
    words = ["--config", "cell_clip=1.5", "--set", "epochs=1", "--set", "learning_rate=1e-7"]
    words += ["--set", "batch_size=16", "--set", "jit_compile=false", "--set", "warm_up=0"]
    assert main(["adopt", str(weights), str(data_file), "--out", str(path), *words]) == 0
    return path


def test_a_run_is_made_whose_rates_are_those_of_the_weights(adopted, weights, dataset):
    run = open_run(adopted)
    assert (run.params.lag, run.params.clip, run.params.scale_rule) == (2, 1.5, "log_variance")
    assert run.arguments.bin_width == dataset.bin_width
    model = from_lfads_torch(weights, {"cell_clip": 1.5})
    for ours, theirs in zip(run.load_model().weights, model.weights, strict=True):
        if "seed_and_draws" not in ours.name:
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.name)
    arrays, _ = read_arrays(run.posterior_file)
    assert arrays["valid_rates"].shape == dataset.valid.recon.shape
    mean = sample_and_average(model, dataset.valid, 50).rates
    assert np.corrcoef(arrays["valid_rates"].ravel(), mean.ravel())[0, 1] > 0.9


def test_it_says_where_the_weights_are_from(adopted, weights):
    found = json.loads((adopted / "adopted.json").read_text())
    assert found["weights"] == str(weights) and len(found["sha256"]) == 64
    assert found["command"][:3] == ["tfp-bvae", "adopt", str(weights)]


def test_the_other_verbs_take_it(adopted, call, data_file, tmp_path):
    code, out, err = call("evaluate", adopted, "--samples", 2)
    assert (code, err) == (0, "")
    assert json.loads(out)["valid"]["bits_per_spike"] is not None
    assert call("infer", adopted, data_file, "--out", tmp_path / "p.h5", "--samples", 2).code == 0
    code, _, err = call("report", adopted, "--no-floors")
    assert (code, err) == (0, "")
    page = (adopted / "report.html").read_text()
    assert "adopted from a checkpoint of lfads-torch" in page
    assert "tfp-bvae adopt" in page


def test_a_fit_goes_on_from_it(adopted, call, data_file, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("run.json", "model.keras", "adopted.json"):
        (run / name).write_bytes((adopted / name).read_bytes())
    before = open_run(run).load_model().get_weights()
    assert call("fit", data_file, "--out", run, "--resume", "--quiet").code == 0
    model = open_run(run).load_model()
    assert len(open_run(run).history()) == 1
    for ours, old, variable in zip(model.get_weights(), before, model.weights, strict=True):
        if variable.trainable:
            np.testing.assert_allclose(ours, old, atol=1e-5, err_msg=variable.name)


def test_sessions_of_several_files(call, tmp_path):
    files = []
    for number, channels in enumerate((6, 4)):
        files.append(tmp_path / f"{number}.h5")
        data = lorenz(
            num_conditions=2, num_channels=channels, num_trials=4, num_valid=2, duration_ms=200,
            session=number,
        )  # fmt: skip
        write_hdf5(files[-1], data)
    np.savez(tmp_path / "w.npz", **random_weights(3, [6, 4], readin=[6, 4]))
    code, out, err = call("adopt", tmp_path / "w.npz", *files, "--out", tmp_path / "run")
    assert (code, err) == (0, "")
    assert "data.h5" in out and "bits/spike" in out
    assert open_run(tmp_path / "run").arguments.num_sessions == 2


BAD = {
    "no file of weights": (["no.npz"], [], "weights must be an npz file that exists"),
    "a setting of the model": ([], ["--set", "factors=9"], "params must be one of"),
    "a word without a value": ([], ["--config", "ci_lag"], "--config must be given NAME=VALUE"),
    "a word twice": ([], ["--config", "ci_lag=1", "--config", "ci_lag=2"], "give ci_lag once"),
    "an unknown word": ([], ["--config", "co_lag=1"], "did you mean 'ci_lag'"),
    "gamma": ([], ["--config", "reconstruction=Gamma"], "reconstruction must not be 'Gamma'"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_adopted_leaves_nothing(name, weights, data_file, refused, tmp_path):
    first, words, complaint = BAD[name]
    first = [tmp_path / first[0]] if first else [weights]
    assert complaint in refused("adopt", *first, data_file, "--out", tmp_path / "run", *words)


def test_other_channels_are_refused(data_file, refused, tmp_path):
    np.savez(tmp_path / "w.npz", **random_weights(5, [5]))
    said = refused("adopt", tmp_path / "w.npz", data_file, "--out", tmp_path / "run")
    assert "channels must be 5, as the weights and their configuration say, got 6" in said
