"""The folder of a fit, without a fit."""

import dataclasses
import json

import numpy as np
import pytest

from tfp_bvae.data import SpikeDataset, read_hdf5, write_hdf5
from tfp_bvae.models import Arguments
from tfp_bvae.training import create_run, data_arguments, fingerprint, open_run

PARAMS = {"generator_units": 8, "f_encoder_units": 6, "z_encoder_units": 5, "factors": 3}


@pytest.fixture
def created(tmp_path, dataset):
    arguments = data_arguments(dataset, seed=3)
    return create_run(tmp_path / "a" / "run", "lfads", dataset, arguments, PARAMS, {"epochs": 7})


def test_a_run_is_found_again_as_it_was_made(created):
    assert open_run(created.path) == created
    assert (created.fit.epochs, created.arguments.seed, created.params.factors) == (7, 3, 3)
    assert created.data["path"] is None
    assert [path.name for path in created.path.parent.iterdir()] == ["run"]


def test_a_run_that_was_not_begun_says_so(created):
    assert created.epochs() == 0
    assert created.best_epoch() is None
    assert created.history() == []
    with pytest.raises(FileNotFoundError, match="not finished"):
        created.load_model()


def test_a_run_is_not_made_twice(created, dataset):
    with pytest.raises(FileExistsError, match="--resume goes on"):
        create_run(created.path, "lfads", dataset, created.arguments)


def test_a_run_is_made_whole_or_not_at_all(tmp_path, dataset, monkeypatch):
    arguments = data_arguments(dataset)
    with pytest.raises(KeyError, match="did you mean 'factors'"):
        create_run(tmp_path / "run", "lfads", dataset, arguments, {"factor": 3})
    with pytest.raises(ValueError, match=r"model must be one of 'lfads', .*, got 'lfds'"):
        create_run(tmp_path / "run", "lfds", dataset, arguments)

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("tfp_bvae.training.run_folder.write_json", fail)
    with pytest.raises(OSError, match="no space"):
        create_run(tmp_path / "run", "lfads", dataset, arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_another_format_is_refused(created):
    file = created.path / "run.json"
    entries = json.loads(file.read_text())
    file.write_text(json.dumps(entries | {"format": 2}))
    with pytest.raises(ValueError, match="must have format 1, got 2"):
        open_run(created.path)
    del entries["params"]
    file.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match="must describe a fit, params is missing"):
        open_run(created.path)


def test_a_model_is_loaded_as_it_was_saved(created, dataset):
    model = created.build_model(dataset)
    created.save_model(model)
    spikes = {"spikes": dataset.valid.encod}
    loaded = created.load_model()
    assert loaded.hyperparameters == model.hyperparameters
    np.testing.assert_allclose(
        loaded.predict(spikes, verbose=0), model.predict(spikes, verbose=0), rtol=1e-6
    )
    assert {path.name for path in created.path.iterdir()} == {"run.json", "model.keras"}


def test_a_model_that_cannot_be_saved_leaves_the_old_one(created, dataset, monkeypatch):
    model = created.build_model(dataset)
    created.save_model(model)
    before = created.model_file.read_bytes()

    def fail(path):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(model, "save", fail)
    with pytest.raises(OSError, match="no space"):
        created.save_model(model)
    assert created.model_file.read_bytes() == before
    assert {path.name for path in created.path.iterdir()} == {"run.json", "model.keras"}


def test_a_model_with_code_in_it_is_not_run(created):
    import tf_keras

    layers = [tf_keras.Input([2]), tf_keras.layers.Lambda(lambda x: x + 1)]
    tf_keras.Sequential(layers).save(created.model_file)
    with pytest.raises(ValueError, match="layers must be those of tfp_bvae"):
        created.load_model()


def test_a_fingerprint_is_of_the_values_and_not_of_the_file(dataset, tmp_path):
    write_hdf5(tmp_path / "a.h5", dataset)
    assert fingerprint(read_hdf5(tmp_path / "a.h5")) == fingerprint(dataset)
    spikes = dataset.valid.encod.copy()
    spikes[-1, -1, -1] += 1
    changed = dataclasses.replace(dataset.valid, encod=spikes)
    others = [
        SpikeDataset(dataset.train, changed, dataset.bin_width),
        SpikeDataset(dataset.train, dataset.valid, 0.01),
        SpikeDataset(dataset.train, dataset.train, dataset.bin_width),
    ]
    assert len({fingerprint(data) for data in [dataset, *others]}) == 4


def test_arguments_follow_from_the_data(dataset):
    split = dataset.train
    ext_input = np.zeros([*split.recon.shape[:2], 2])
    cut = type(split)(split.encod[:, :7, :4], split.recon, ext_input)
    found = data_arguments(SpikeDataset(cut, cut, 0.05), "gaussian", 4).to_dict()
    assert found == Arguments().to_dict() | {
        "channels": 4,
        "outputs": 6,
        "forward_bins": 3,
        "ext_inputs": 2,
        "num_trials": len(split.recon),
        "bin_width": 0.05,
        "likelihood": "gaussian",
        "seed": 4,
    }
