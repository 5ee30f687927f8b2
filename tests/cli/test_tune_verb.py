"""`tfp-bvae tune`: what is wrong is said at the door, in one line, before Ray begins."""

import subprocess
import sys

import pytest

pytest.importorskip("ray.tune", reason="tuning needs ray: pip install 'tfp_bvae[tune]'")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--population", "1"], "population must be"),
        (["--population", "many"], "population must be"),
        (["--generations", "2", "--epochs-per-generation", "1"], "warm-up of 2 epochs"),
        (["--tune", "bata_f"], "beta_f"),
        (["--tune", "factors"], "hyperparameter to search"),
        (["--tune", "beta_f=1"], "NAME=LOW:HIGH"),
        (["--tune", "beta_f=2:1"], "low <= high"),
        (["--tune", "coordinated_dropout=0:0.5"], "above 0"),
        (["--set", "beta_ff=1"], "beta_f"),
        (["--search", "grid"], "invalid choice"),
        (["--address", "192.0.2.1:1"], "address must be that of a Ray cluster"),
        (["--model", "dsae-full", "--tune", "l2_controller"], "no controller"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    refused, data_file, settings, tmp_path, words, said
):
    out = tmp_path / "run"
    plain = [] if "--model" in words else settings
    assert said in refused("tune", data_file, "--out", out, *plain, *words)


def test_a_folder_that_is_there_is_left_alone(refused, data_file, tmp_path):
    (tmp_path / "run").mkdir()
    assert "--resume goes on" in refused("tune", data_file, "--out", tmp_path / "run")


def test_a_folder_that_another_process_holds_is_left_to_it(call, data_file, settings, tmp_path):
    held = (
        "import sys; from tfp_bvae.training import hold_run\n"
        "with hold_run(sys.argv[1]): print(flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", held, tmp_path / "run"]
    holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    try:
        found = call("tune", data_file, "--out", tmp_path / "run", "--resume", *settings)
        assert found.code == 2 and found.err.count("\n") == 1
        assert f"in use by process {holder.pid}" in found.err
        assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
    finally:
        holder.communicate()


def test_a_fit_is_no_search_to_go_on_with(refused, data_file, fitted, settings):
    said = refused("tune", data_file, "--out", fitted, "--resume", *settings)
    assert "must be a search" in said
