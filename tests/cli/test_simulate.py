"""Each simulated system from the command line: what it writes, what it refuses, its help."""

import numpy as np
import pytest

from tfp_bvae.cli.parser import build_parser
from tfp_bvae.data import chaotic_rnn, lorenz, read_hdf5, static_dynamic

SYSTEMS = {"lorenz": lorenz, "static-dynamic": static_dynamic, "chaotic-rnn": chaotic_rnn}
FEW = {"--trials": 4, "--valid": 1, "--channels": 5}


def words(options):
    return [word for option in options.items() for word in option]


def parsers():
    (verbs,) = (a for a in build_parser()._actions if a.dest == "verb")
    (systems,) = (a for a in verbs.choices["simulate"]._actions if a.dest == "system")
    return systems.choices


@pytest.mark.parametrize(
    ("system", "given", "expected"),
    [
        (
            "static-dynamic",
            {"--classes": 3, "--bins": 8, "--bin-width": 10, "--base-rate": 20},
            {"num_classes": 3, "num_bins": 8, "bin_width_ms": 10, "base_rate": 20.0},
        ),
        (
            "chaotic-rnn",
            {"--conditions": 3, "--bins": 30, "--gain": 2.5, "--normalize": "global"},
            {"num_conditions": 3, "num_bins": 30, "gain": 2.5, "normalize": "global"},
        ),
        (
            "lorenz",
            {"--conditions": 3, "--duration": 200, "--bin-width": 10, "--base-rate": 9},
            {"num_conditions": 3, "duration_ms": 200, "bin_width_ms": 10, "base_rate": 9.0},
        ),
    ],
)
def test_the_file_holds_what_the_library_simulates(tmp_path, call, system, given, expected):
    path = tmp_path / "a.h5"
    options = {"--out": path, "--seed": 7, **FEW, **given}
    code, out, err = call("simulate", system, *words(options))
    assert (code, err) == (0, "")
    assert out.startswith(f"{path}: SpikeDataset(")
    sizes = {"num_trials": 4, "num_valid": 1, "num_channels": 5}
    data, back = SYSTEMS[system](7, **sizes, **expected), read_hdf5(path)
    np.testing.assert_array_equal(back.train.recon, data.train.recon)
    np.testing.assert_array_equal(back.valid.truth, data.valid.truth)
    assert back.bin_width == data.bin_width
    assert back.attrs.keys() == data.attrs.keys()


def test_pulses_are_asked_for(tmp_path, call):
    options = words({"--conditions": 3, **FEW})
    for name, more in (("without", []), ("with", ["--pulses"])):
        path = tmp_path / f"{name}.h5"
        assert call("simulate", "chaotic-rnn", "--out", path, *options, *more).code == 0
        assert ("train_pulse_time" in read_hdf5(path).attrs) == bool(more)


@pytest.mark.parametrize("system", SYSTEMS)
def test_defaults_are_those_of_the_library(system):
    options = parsers()[system].parse_args(["--out", "a.h5"])
    defaults = SYSTEMS[system].__kwdefaults__ | {"seed": SYSTEMS[system].__defaults__[0]}
    names = {name.removeprefix("num_").removesuffix("_ms"): name for name in defaults}
    given = {name: value for name, value in vars(options).items() if name in names}
    assert given == {name: defaults[full] for name, full in names.items()}


def test_every_system_has_its_help(call):
    assert set(parsers()) == set(SYSTEMS)
    overview = call("simulate", "--help").out
    for system, parser in parsers().items():
        assert system in overview
        code, out, err = call("simulate", system, "--help")
        assert (code, err) == (0, "")
        assert all(action.help for action in parser._actions)
        assert parser.description in out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["chaotic-rnn", "--gain", "-1"], "gain must be in [0, 1000000.0], got -1.0"),
        (["chaotic-rnn", "--gain", "1e300"], "gain must be in [0, 1000000.0], got 1e+300"),
        (["chaotic-rnn", "--gain", "nan"], "gain must be finite"),
        (["chaotic-rnn", "--gain", "high"], "--gain: invalid float value: 'high'"),
        (["chaotic-rnn", "--gain", "1e6", "--channels", "1"], "gain must let the activity"),
        (["chaotic-rnn", "--bins", "1"], "num_bins must be a whole number of at least 2"),
        (["chaotic-rnn", "--normalize", "unit"], "'trial', 'global'"),
        (["chaotic-rnn", "--seed", str(2**32)], "seed must be at most"),
        (["chaotic-rnn", "--classes", "2"], "unrecognized arguments: --classes 2"),
        (["static-dynamic", "--pulses"], "unrecognized arguments: --pulses"),
        (["static-dynamic", "--classes", "0"], "at least 1, got '0'"),
        (["static-dynamic", "--valid", "300"], "num_valid must be below num_trials, 300"),
        (["static-dynamic", "--base-rate", "0"], "base_rate must be above 0"),
        (["lorenz", "--gain", "2"], "unrecognized arguments: --gain 2"),
        (["static_dynamic"], "invalid choice: 'static_dynamic'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(given, said, tmp_path, refused):
    assert said in refused("simulate", *given, "--out", tmp_path / "a.h5")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_file_that_exists_is_left_alone(system, tmp_path, refused, call):
    path = tmp_path / "a.h5"
    path.write_text("mine")
    assert "exists" in refused("simulate", system, "--out", path)
    options = words(FEW | ({"--classes": 2} if system == "static-dynamic" else {"--conditions": 2}))
    assert call("simulate", system, "--out", path, *options, "--overwrite").code == 0
    assert read_hdf5(path).train.num_trials == 6
