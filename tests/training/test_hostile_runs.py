"""Run folders of somebody else: what is not as a run writes it is refused with a word."""

import json
import os

import pytest

from tfp_bvae.training import create_run, data_arguments, open_run, read_history


@pytest.fixture
def run(tmp_path, dataset):
    return create_run(tmp_path / "run", "lfads", dataset, data_arguments(dataset))


def changed(run, **entries):
    file = run.path / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))
    return run.path


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"path": 3, "sha256": "x"},
        {"path": None, "sha256": 5},
        {"sha256": "x"},
        {"path": None, "sha256": "x", "sessions": {"a": [1]}},
        {"path": None, "sha256": "x", "sessions": {"a": [1, 2.5]}},
        {"path": None, "sha256": "x", "sessions": [1]},
    ],
)
def test_data_that_are_no_data(data, run):
    with pytest.raises(ValueError, match=r"run\.json: (data|path|sessions)"):
        open_run(changed(run, data=data))


@pytest.mark.parametrize("value", ["many", None, 1e400, -3, [1], True])
def test_settings_that_are_none(value, run):
    params = run.params.to_dict() | {"generator_units": value}
    with pytest.raises((TypeError, ValueError), match=r"run\.json: generator_units"):
        open_run(changed(run, params=params))


def test_a_run_of_an_earlier_release_had_fewer_settings(run):
    params = run.params.to_dict()
    del params["scale_rule"]
    assert open_run(changed(run, params=params)) == run


def test_a_run_that_is_a_pipe(run):
    (run.path / "run.json").unlink()
    os.mkfifo(run.path / "run.json")
    with pytest.raises(ValueError, match=r"without run\.json"):
        open_run(run.path)
    os.mkfifo(run.path / "history.csv")
    with pytest.raises(ValueError, match="must be a file"):
        run.history()


@pytest.mark.parametrize("text", ["a,b\n1,x", "a\n1,2", "a\n\x00"])
def test_a_history_that_is_none(text, tmp_path):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(ValueError, match=r"history\.csv must be a table of numbers"):
        read_history(tmp_path / "history.csv")


def test_a_model_that_no_memory_holds_is_refused(run, dataset):
    params = run.params.to_dict() | {"generator_units": 10**6}
    wide = open_run(changed(run, params=params))
    with pytest.raises(ValueError, match="weights of the model must fit into memory"):
        wide.build_model(dataset)


def test_a_checkpoint_elsewhere_is_refused(run, tmp_path):
    folder = run.path / "checkpoints"
    folder.mkdir()
    for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00001"):
        (tmp_path / name).write_bytes(b"")
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{tmp_path}/ckpt-1"\n')
    with pytest.raises(ValueError, match="must hold the checkpoint of the run"):
        run.epochs()
