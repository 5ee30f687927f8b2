"""What `fit`, `infer`, `evaluate` and `demo` leave, on tiny data."""

import functools
import json
import os
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

from tfp_bvae.data import SpikeDataset, lorenz, read_arrays, read_hdf5, write_hdf5


@pytest.fixture
def copied(fitted, tmp_path):
    """A copy of the fitted run, to do something to."""
    return shutil.copytree(fitted, tmp_path / "run")


def test_fit_leaves_a_whole_run(fitted, epochs):
    files = {path.name for path in fitted.iterdir()}
    assert files >= {"run.json", "history.csv", "model.keras", "posterior.h5", "metrics.json"}
    assert not [name for name in files if name.startswith(".")]
    run = json.loads((fitted / "run.json").read_text())
    assert run["params"]["generator_units"] == 8
    assert run["fit"] | {"epochs": epochs, "jit_compile": False} == run["fit"]
    assert run["arguments"]["bin_width"] == 0.02


def test_posterior_holds_rates_and_latents_of_all_trials(fitted, dataset):
    arrays, attrs = read_arrays(fitted / "posterior.h5")
    sizes = {"rates": 6, "factors": 3, "inferred": 1}
    for side, split in (("train", dataset.train), ("valid", dataset.valid)):
        trials, bins, _ = split.recon.shape
        for name, size in sizes.items():
            for suffix in ("", "_scale"):
                array = arrays[f"{side}_{name}{suffix}"]
                assert array.shape == (trials, bins, size)
                assert np.isfinite(array).all()
        assert arrays[f"{side}_f"].shape == arrays[f"{side}_f_scale"].shape == (trials, 4)
        # spikes per bin, not per second
        assert 0.5 < arrays[f"{side}_rates"].mean() / split.recon.mean() < 2
    assert attrs == {"bin_width": 0.02, "rates_unit": "expected spikes per bin"}


def test_metrics_are_those_of_the_rates_that_were_written(fitted, dataset, epochs):
    from tfp_bvae.metrics import bits_per_spike, rate_r2

    scores = json.loads((fitted / "metrics.json").read_text())
    rates, truth = read_arrays(fitted / "posterior.h5")[0]["valid_rates"], dataset.valid.truth
    assert scores["valid"] == {
        "bits_per_spike": pytest.approx(bits_per_spike(rates, dataset.valid.recon)),
        "bits_per_spike_true": pytest.approx(bits_per_spike(truth, dataset.valid.recon)),
        "rate_r2": pytest.approx(rate_r2(rates, truth)),
        "rate_r2_pooled": pytest.approx(rate_r2(rates, truth, "pooled")),
    }
    assert scores["fit"]["epochs"] == epochs
    assert 1 <= scores["fit"]["best_epoch"] <= epochs
    assert scores["fit"]["resumed_at_epoch"] == 0
    assert set(scores["fit"]["kl_nats_per_trial"]) == {"kl_f", "kl_z"}


def test_evaluate_prints_the_same_scores_as_json_and_nothing_else(fitted, call):
    code, out, _ = call("evaluate", fitted)
    printed, written = json.loads(out), json.loads((fitted / "metrics.json").read_text())
    assert code == 0
    for side in ("train", "valid"):
        assert printed[side] == pytest.approx(written[side], rel=1e-4)


def test_infer_gives_what_fit_gave(fitted, data_file, tmp_path, call, refused):
    out = tmp_path / "p.h5"
    assert call("infer", fitted, data_file, "--out", out).code == 0
    ours, theirs = read_arrays(out)[0], read_arrays(fitted / "posterior.h5")[0]
    assert set(ours) == set(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-4)
    assert "exists" in refused("infer", fitted, data_file, "--out", out)


def test_infer_refuses_data_that_the_model_was_not_made_for(fitted, tmp_path, refused, dataset):
    other = tmp_path / "other.h5"
    write_hdf5(other, lorenz(num_conditions=2, num_trials=4, num_valid=1, num_channels=5))
    said = refused("infer", fitted, other, "--out", tmp_path / "p.h5")
    assert "must have 6 encoded channels, as the model, got 5" in said
    write_hdf5(other, SpikeDataset(dataset.train, dataset.valid, 0.01))
    said = refused("evaluate", fitted, other)
    assert "must have bins of 0.02 s, got bins of 0.01 s" in said


def test_a_model_that_is_damaged_or_not_there_is_refused(copied, data_file, tmp_path, refused):
    model = copied / "model.keras"
    model.write_bytes(model.read_bytes()[:2000])
    words = ["infer", copied, data_file, "--out", tmp_path / "p.h5"]
    assert "model.keras must be a model, complete" in refused(*words)
    model.unlink()
    assert "not finished: go on with --resume" in refused(*words)


def test_resume_refuses_other_data_and_other_settings(copied, data_file, tmp_path, refused, epochs):
    words = ["fit", data_file, "--out", copied, "--resume"]
    said = refused(*words, "--epochs", "99", "--set", "factors=4")
    assert f"epochs was {epochs} and is now 99" in said
    assert "factors was 3 and is now 4" in said
    other = tmp_path / "other.h5"
    other.write_bytes(data_file.read_bytes())
    with h5py.File(other, "r+") as file:
        file["train_encod_data"][0, 0, 0] += 1
    said = refused("fit", other, "--out", copied, "--resume")
    assert f"the data are not those of {data_file}" in said


def test_resume_of_what_is_not_there_starts_it(data_file, tmp_path, call, settings, monkeypatch):
    monkeypatch.setattr("tfp_bvae.cli.fit.fit_run", lambda run, data, **_: None)
    words = ["fit", data_file, "--out", tmp_path / "run", "--resume", *settings]
    code, _, err = call(*words)
    assert (code, err.count("\n")) == (0, 1)
    assert "nothing to resume" in err
    assert call(*words, "--quiet") == (0, "", "")


def test_a_fit_that_fails_at_once_leaves_nothing(data_file, tmp_path, refused, monkeypatch):
    def fail(*_, **__):
        raise FloatingPointError("no step of epoch 1 had a finite gradient")

    monkeypatch.setattr("tfp_bvae.cli.fit.fit", fail)
    assert "finite gradient" in refused("fit", data_file, "--out", tmp_path / "run")


def test_a_resumed_fit_that_fails_at_once_leaves_all_that_was_there(
    data_file, tmp_path, call, refused, monkeypatch
):
    def fail(error):
        def fit(*_, **__):
            raise error

        monkeypatch.setattr("tfp_bvae.cli.fit.fit", fit)

    words = ["fit", data_file, "--out", tmp_path / "run"]
    fail(KeyboardInterrupt())
    assert call(*words).code == 130
    (tmp_path / "run" / "notes.txt").write_text("mine")
    fail(FloatingPointError("no step of epoch 1 had a finite gradient"))
    assert "finite gradient" in refused(*words, "--resume")


def test_a_fit_that_is_interrupted_goes_on(
    data_file, tmp_path, call, settings, monkeypatch, fitted, epochs
):
    from tfp_bvae.training import Checkpoints, read_history

    save = Checkpoints.on_epoch_end

    def interrupted(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt
        save(self, epoch, logs)

    run = tmp_path / "run"
    words = ["fit", data_file, "--out", run]
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_epoch_end", interrupted)
        code, _, err = call(*words, "--epochs", epochs, "--quiet", *settings)
    assert code == 130
    assert err.endswith(f"go on with: tfp-bvae fit {data_file} --out {run} --resume\n")

    code, out, _ = call(*words, "--resume")
    assert code == 0
    assert "rate R2" in out and "metrics.json" in out
    assert json.loads((run / "metrics.json").read_text())["fit"]["resumed_at_epoch"] == 3
    assert_same_history(read_history(run / "history.csv"), read_history(fitted / "history.csv"))


@pytest.mark.slow
def test_a_fit_that_is_killed_goes_on(
    data_file, tmp_path, call, settings, executable, fitted, epochs
):
    from tfp_bvae.training import open_run, read_history

    run = tmp_path / "run"
    words = ["fit", str(data_file), "--out", str(run), "--epochs", str(epochs), *settings]
    process = subprocess.Popen([*executable, *words], stdout=subprocess.DEVNULL)
    while not (run / "history.csv").exists() and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    behind = len(read_history(run / "history.csv"))
    assert 1 <= behind < epochs
    assert behind - 1 <= open_run(run).epochs() <= behind

    assert call("fit", data_file, "--out", run, "--resume", "--quiet") == (0, "", "")
    assert_same_history(read_history(run / "history.csv"), read_history(fitted / "history.csv"))
    ours, theirs = (read_arrays(path / "posterior.h5")[0]["valid_rates"] for path in (run, fitted))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def assert_same_history(ours, theirs):
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert our == pytest.approx(their, rel=1e-4)


def test_held_out_channels_and_later_bins_are_scored_apart(tmp_path, call, settings, dataset):
    splits = [side.select(np.arange(8)) for side in (dataset.train, dataset.valid)]
    cut = [type(s)(s.recon[:, :8, :4], s.recon) for s in splits]
    path, run = tmp_path / "wide.h5", tmp_path / "run"
    write_hdf5(path, SpikeDataset(*cut, 0.02))
    words = ["--epochs", "1", "--set", "segment=2"]
    settings = [word.replace("z_size=1", "z_size=0") for word in settings]
    code, out, _ = call("fit", path, "--out", run, *words, *settings)
    assert code == 0
    for said in ("held-out channels (co-smoothing)", "later bins"):
        assert said in out
    scores = json.loads((run / "metrics.json").read_text())["valid"]
    assert set(scores) == {
        "bits_per_spike",
        "bits_per_spike_held_out",
        "bits_per_spike_forward",
    }
    arrays = read_arrays(run / "posterior.h5")[0]
    assert arrays["valid_rates"].shape == (8, 8, 6)
    assert "valid_inferred" not in arrays


def test_demo_makes_all_it_promises(tmp_path, call, refused, monkeypatch):
    pytest.importorskip("matplotlib")
    from tfp_bvae.cli import demo
    from tfp_bvae.training import create_run

    def tiny(*words, fit, **named):
        fit |= {"jit_compile": False}
        params = {"generator_units": 8, "f_encoder_units": 8, "factors": 3}
        return create_run(*words, params=params, fit=fit, **named)

    small = functools.partial(lorenz, num_conditions=2, num_trials=6, num_valid=2, duration_ms=200)
    monkeypatch.setattr(demo, "lorenz", small)
    monkeypatch.setattr(demo, "create_run", tiny)
    run = tmp_path / "runs" / "demo"
    code, out, _ = call("demo", "--out", run, "--epochs", "2")
    assert code == 0
    assert "bits/spike that the true rates give" in out
    assert (run / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert read_hdf5(run / "data.h5").valid.recon.shape == (4, 10, 30)
    assert json.loads((run / "run.json").read_text())["data"]["path"] == str(run / "data.h5")
    assert "exists" in refused("demo", "--out", run)
