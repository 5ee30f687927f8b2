"""Bad input: exit code 2, one line that says what is wrong, and nothing left behind."""

import re

import h5py
import numpy as np
import pytest

from tfp_bvae.data import read_hdf5
from tfp_bvae.training import create_run, data_arguments


def change(**arrays):
    """A function that replaces datasets of a file; None removes one."""

    def apply(path):
        with h5py.File(path, "r+") as file:
            for name, make in arrays.items():
                old = file[name][()]
                del file[name]
                if make is not None:
                    file[name] = make(old.astype(np.float64))

    return apply


def put(value):
    """A function that puts a value into the first place of an array."""

    def apply(array):
        array.flat[0] = value
        return array

    return apply


def ragged(path):
    with h5py.File(path, "r+") as file:
        del file["train_encod_data"]
        rows = file.create_dataset("train_encod_data", (2,), h5py.vlen_dtype(np.float32))
        rows[0], rows[1] = np.ones(3), np.ones(4)


BAD_FILES = {
    "infinity": (
        change(valid_encod_data=put(-np.inf)),
        r"valid_encod_data must be finite",
    ),
    "infinite": (change(train_recon_data=put(np.inf)), r"train_recon_data must be finite"),
    "negative": (change(train_encod_data=put(-1)), r"whole numbers of at least 0;.* example -1"),
    "half a spike": (change(train_recon_data=put(0.5)), r"whole numbers.* example 0\.5"),
    "no trial": (change(train_encod_data=lambda x: x[:0]), r"must not be empty"),
    "no bin": (change(valid_recon_data=lambda x: x[:, :0]), r"must not be empty"),
    "two axes": (change(train_encod_data=lambda x: x[0]), r"\[trial, time, channel\], got shape"),
    "fewer trials": (change(train_encod_data=lambda x: x[1:]), r"same number of trials"),
    "narrow recon": (change(train_recon_data=lambda x: x[..., 1:]), r"channels of encod"),
    "other channels": (
        change(valid_encod_data=lambda x: x[..., 1:], valid_recon_data=lambda x: x[..., 1:]),
        r"valid_",
    ),
    "ragged": (ragged, r"train_encod_data must hold numbers, all rows of one length"),
    "no key": (change(valid_encod_data=None), r"must hold the dataset 'valid_encod_data'"),
    "no spike train": (change(train_encod_data=None), r"must hold the dataset 'train_encod_data'"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-4000]), r"not damaged"),
    "empty": (lambda path: path.write_bytes(b""), r"complete and not damaged; it is empty"),
    "text": (lambda path: path.write_text("spikes"), r"its first bytes are b'spikes'"),
    "gone": (lambda path: path.unlink(), r"FILE must be a file of data that exists"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), r"got a folder without zarr keys"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused(case, data_file, tmp_path, refused):
    spoil, pattern = BAD_FILES[case]
    path = tmp_path / "bad.h5"
    path.write_bytes(data_file.read_bytes())
    spoil(path)
    assert re.search(pattern, refused("fit", path, "--out", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


BAD_SETTINGS = {
    ("generator_unit=8",): r"got 'generator_unit'; did you mean 'generator_units'\?",
    ("epoch=8",): r"got 'epoch'; did you mean 'epochs'\?",
    ("likelyhood=gaussian",): r"did you mean 'likelihood'\?",
    ("co_dim=2",): r"got 'co_dim'; did you mean 'z_size'\?",
    ("kl_ic_scale=1e-4",): r"got 'kl_ic_scale'; did you mean 'beta_f'\?",
    ("channels=3",): r"--set must name a setting .*got 'channels'",
    ("xyzzy=3",): r"got 'xyzzy'$",
    ("factors",): r"--set must be given NAME=VALUE, got 'factors'",
    ("=3",): r"--set must be given NAME=VALUE, got '=3'",
    ("factors=0",): r"factors must be in \[1, inf\], got 0",
    ("factors=2.5",): r"factors must be a whole number",
    ("factors=many",): r"factors must be of type int, got 'many'",
    ("factors=",): r"factors must be of type int, got ''",
    ("factors=[3]",): r"factors must be a whole number",
    ("dropout=1.5",): r"dropout must be in \[0.0, 0.99\], got 1.5",
    ("tau=nan",): r"tau must be",
    ("causal=1",): r"causal must be True or False",
    ("likelihood=binomial",): r"likelihood must be one of 'poisson', 'gaussian'",
    ("bin_width=0.05",): r"must have bins of 0.05 s, got bins of 0.02 s",
    ("factors=3", "factors=4"): r"factors must be set once",
}


@pytest.mark.parametrize("given", BAD_SETTINGS, ids=" ".join)
def test_a_bad_setting_is_refused(given, data_file, tmp_path, refused):
    words = [word for setting in given for word in ("--set", setting)]
    said = refused("fit", data_file, "--out", tmp_path / "run", *words)
    assert re.search(BAD_SETTINGS[given], said.strip())


def test_an_option_that_is_short_for_a_setting_counts_as_one(data_file, tmp_path, refused):
    words = ["fit", data_file, "--out", tmp_path / "run", "--epochs"]
    assert "epochs must be in [1, inf], got 0" in refused(*words, "0")
    assert "epochs must be of type int, got 'x'" in refused(*words, "x")
    assert "epochs must be set once" in refused(*words, "3", "--set", "epochs=3")


def test_an_output_that_exists_is_left_alone(data_file, tmp_path, refused):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    for out in ("folder", "file"):
        for words in (["simulate", "lorenz"], ["fit", data_file], ["demo"]):
            assert "exists" in refused(*words, "--out", tmp_path / out)
    words = ["fit", data_file, "--out", tmp_path / "folder"]
    assert "--resume goes on" in refused(*words)
    assert "must not be given both" in refused(*words, "--resume", "--overwrite")


def test_overwrite_removes_nothing_but_a_run(data_file, tmp_path, refused):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("mine")
    for words in (["fit", data_file], ["demo"]):
        said = refused(*words, "--out", tmp_path / "folder", "--overwrite")
        assert "is not a run, so --overwrite leaves it alone" in said


def test_what_is_not_a_run_is_refused(data_file, tmp_path, refused):
    folder, out = tmp_path / "folder", tmp_path / "p.h5"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    for words in (["infer", folder, data_file, "--out", out], ["evaluate", folder]):
        assert "must be the folder of a fit, got one without run.json" in refused(*words)
    assert "without run.json" in refused("fit", data_file, "--out", folder, "--resume")
    for text in ("{", "[]", '{"format": 1}'):
        (folder / "run.json").write_text(text)
        assert "run.json must" in refused("evaluate", folder)
    assert "RUN must be the folder of a fit" in refused("evaluate", tmp_path / "gone")
    assert "RUN must be the folder of a fit" in refused("evaluate", folder / "run.json")


def test_simulate_refuses_what_it_cannot_do(tmp_path, refused):
    words = ["simulate", "lorenz", "--out"]
    assert "folder that exists" in refused(*words, tmp_path / "gone" / "a.h5")
    assert "num_valid must be below" in refused(*words, tmp_path / "a.h5", "--valid", "20")
    assert "multiple of bin_width_ms" in refused(*words, tmp_path / "a.h5", "--duration", "70")
    assert "base_rate must be" in refused(*words, tmp_path / "a.h5", "--base-rate", "-3")


def test_simulate_writes_the_keys_of_lfads_torch(tmp_path, call):
    words = ["--conditions", 2, "--trials", 5, "--valid", 1, "--seed", 3]
    path = tmp_path / "a.h5"
    assert call("simulate", "lorenz", "--out", path, *words).code == 0
    with h5py.File(path) as file:
        sides = ("train", "valid")
        assert {f"{side}_{key}" for side in sides for key in ("encod_data", "truth")} <= set(file)
    first = read_hdf5(path)
    assert first.train.recon.shape == (8, 50, 30)
    assert call("simulate", "lorenz", "--out", path, *words, "--overwrite").code == 0
    assert np.array_equal(read_hdf5(path).train.recon, first.train.recon)


def test_a_traceback_is_there_for_who_asks(tmp_path, call):
    with pytest.raises(FileNotFoundError):
        call("--traceback", "fit", tmp_path / "gone.h5", "--out", tmp_path / "run")


def test_a_run_of_no_file_wants_to_be_told_of_one(refused, dataset, tmp_path):
    create_run(tmp_path / "run", "lfads", dataset, data_arguments(dataset))
    said = refused("evaluate", tmp_path / "run")
    assert "FILE must be given" in said and "was fitted to data of no file" in said
