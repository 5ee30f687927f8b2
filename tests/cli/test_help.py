"""Help is quick and light, and says what there is."""

import subprocess
import sys
import time

import pytest

import tfp_bvae
from tfp_bvae.cli.parser import MODELS, build_parser

VERBS = (
    "simulate",
    "fetch",
    "convert",
    "chop",
    "fit",
    "adopt",
    "infer",
    "evaluate",
    "export",
    "demo",
    "settings",
)


def test_help_takes_less_than_a_second(executable):
    seconds = []
    for _ in range(3):  # the machine may be busy: the quickest counts
        started = time.monotonic()
        done = subprocess.run([*executable, "--help"], capture_output=True, text=True, check=True)
        seconds.append(time.monotonic() - started)
        assert all(f"\n    {verb} " in done.stdout for verb in VERBS)
        assert done.stderr == ""
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1


def test_no_verb_needs_tensorflow_to_give_help():
    code = (
        "import sys\n"
        "from tfp_bvae.cli import main\n"
        f"for verb in {VERBS!r}:\n"
        "    try: main([verb, '--help'])\n"
        "    except SystemExit as done: assert done.code == 0\n"
        "assert not {'tensorflow', 'numpy', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_says_what_it_is(verb, call):
    code, out, err = call(verb, "--help")
    assert (code, err) == (0, "")
    (verbs,) = (a for a in build_parser()._actions if a.dest == "verb")
    assert all(action.help for action in verbs.choices[verb]._actions)
    assert verbs.choices[verb].description in out


def test_version(call):
    assert call("--version").out == f"tfp-bvae {tfp_bvae.__version__}\n"


def test_models_named_in_help_are_those_there_are():
    from tfp_bvae.models import RECIPES

    assert set(MODELS) == set(RECIPES)


def test_settings_lists_every_setting_once(call):
    from tfp_bvae.models import Params
    from tfp_bvae.training import FitSettings

    code, out, _ = call("settings")
    names = [line.split()[0] for line in out.splitlines() if "  " in line]
    fit = [name for name in FitSettings.names() if name not in Params.names()]
    data = ["bin_width", "likelihood", "group_by", "seed", "num_samples", "importance_weighted"]
    expected = [*Params.names(), *fit, *data]
    assert code == 0
    assert names == ["name", *expected]
    assert len(set(expected)) == len(expected)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "VERB"),
        (["fti"], "invalid choice: 'fti'"),
        (["fit"], "FILE, --out"),
        (["fit", "a.h5", "--out", "run", "--model", "lfds"], "choose from"),
        (["fit", "a.h5", "--out", "run", "--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["simulate", "lorenz", "--out", "a.h5", "--seed", "-1"], "--seed"),
        (["simulate", "lorenz", "--out", "a.h5", "--trials", "0"], "at least 1, got '0'"),
        (["simulate", "rossler", "--out", "a.h5"], "lorenz"),
    ],
)
def test_mistyped_words_are_refused_on_one_line(words, said, refused):
    assert said in refused(*words)


def test_a_process_of_its_own_says_no_more_than_its_error(executable, tmp_path):
    words = ["fit", "gone.h5", "--out", "run"]
    done = subprocess.run([*executable, *words], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "tfp-bvae: error: FILE must be a file of data that exists, got gone.h5\n"
    assert not list(tmp_path.iterdir())
