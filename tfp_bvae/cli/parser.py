"""What can be typed. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import argparse
from typing import NoReturn

import tfp_bvae

__all__ = ["build_parser"]

MODELS = ("lfads", "dsae-full", "dsae-factorized", "fhvae")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose long options are typed in full."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"tfp-bvae: error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of `tfp-bvae` with all its verbs.

    >>> build_parser().parse_args(["fit", "a.h5", "--out", "run", "--set", "factors=20"]).set
    ['factors=20']
    """
    parser = _Parser(
        prog="tfp-bvae",
        description="Fit beta-VAEs to multi-channel spiking data.",
        epilog="tfp-bvae VERB --help lists the options of a verb.",
    )
    parser.add_argument("--version", action="version", version=f"tfp-bvae {tfp_bvae.__version__}")
    parser.add_argument(
        "--traceback", action="store_true", help="show where an error comes from, to report it"
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    _add_simulate(verbs)
    _add_chop(verbs)
    _add_fit(verbs)
    _add_infer(verbs)
    _add_evaluate(verbs)
    _add_demo(verbs)
    _add_settings(verbs)
    return parser


def _verb(verbs, name: str, summary: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")


def _add_out(verb, metavar: str, meaning: str, default: str | None = None) -> None:
    verb.add_argument("--out", metavar=metavar, help=meaning, default=default, required=not default)
    verb.add_argument("--overwrite", action="store_true", help=f"replace {metavar} if it exists")


def _add_samples(verb) -> None:
    verb.add_argument(
        "--samples", type=_positive, default=50, metavar="N", help="posterior samples (50)"
    )


def _add_simulate(verbs) -> None:
    verb = _verb(verbs, "simulate", "write simulated spikes, with their true rates")
    systems = verb.add_subparsers(
        metavar="SYSTEM",
        dest="system",
        required=True,
        help="what drives the neurons; tfp-bvae simulate SYSTEM --help lists its options",
    )
    _add_lorenz(systems)
    _add_static_dynamic(systems)
    _add_chaotic_rnn(systems)


def _system(systems, name: str, summary: str, channels: int) -> argparse.ArgumentParser:
    system = _verb(systems, name, summary)
    _add_out(system, "F.h5", "the file to write")
    system.add_argument("--seed", type=_whole, default=0, metavar="N", help="of the simulation (0)")
    _add_count(system, "--channels", channels, "neurons")
    return system


def _add_count(system, option: str, default: int, meaning: str, metavar: str = "N") -> None:
    system.add_argument(
        option, type=_positive, default=default, metavar=metavar, help=f"{meaning} ({default})"
    )


def _add_lorenz(systems) -> None:
    system = _system(systems, "lorenz", "a Lorenz attractor", channels=30)
    _add_count(system, "--conditions", 65, "initial states")
    _add_count(system, "--trials", 20, "trials per condition")
    _add_count(system, "--valid", 4, "of these, for validation")
    _add_count(system, "--duration", 1000, "of a trial, ms", "MS")
    _add_count(system, "--bin-width", 20, "of a bin, ms", "MS")
    _add_base_rate(system, 5.0)


def _add_static_dynamic(systems) -> None:
    summary = "the class of the trial, and a noisy oscillator"
    system = _system(systems, "static-dynamic", summary, channels=30)
    _add_count(system, "--classes", 4, "of trials")
    _add_count(system, "--trials", 300, "trials per class")
    _add_count(system, "--valid", 50, "of these, for validation")
    _add_count(system, "--bins", 40, "of a trial")
    _add_count(system, "--bin-width", 20, "of a bin, ms", "MS")
    _add_base_rate(system, 40.0)


def _add_chaotic_rnn(systems) -> None:
    summary = "a chaotic recurrent network, with or without input pulses"
    system = _system(systems, "chaotic-rnn", summary, channels=50)
    system.add_argument(
        "--gain", type=float, default=1.5, metavar="G", help="of the weights; chaos above 1 (1.5)"
    )
    system.add_argument("--pulses", action="store_true", help="one input pulse in each trial")
    _add_count(system, "--conditions", 400, "initial states")
    _add_count(system, "--trials", 10, "trials per condition")
    _add_count(system, "--valid", 2, "of these, for validation")
    _add_count(system, "--bins", 100, "of a trial, of 10 ms")
    system.add_argument(
        "--normalize",
        choices=("trial", "global"),
        default="trial",
        help="what gives a neuron's range of rates: each trial, or all of them (trial)",
    )


def _add_base_rate(system, default: float) -> None:
    system.add_argument(
        "--base-rate",
        type=float,
        default=default,
        metavar="R",
        help=f"of a neuron, spikes/s ({default:g})",
    )


def _add_chop(verbs) -> None:
    verb = _verb(verbs, "chop", "cut a continuous recording into windows, to fit a model to")
    verb.add_argument("data", metavar="F.h5", help="a recording, [time, channel]")
    _add_out(verb, "W.h5", "the file to write")
    _add_windows(verb, required=True)
    verb.add_argument("--bin-width", type=float, metavar="S", help="of a bin, if F.h5 is silent, s")
    verb.add_argument(
        "--valid-fraction",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="of the recording, in blocks spread over it, for validation (0.2)",
    )
    verb.add_argument("--block", type=_positive, metavar="N", help="bins of a block (five windows)")
    verb.add_argument("--seed", type=_whole, default=0, metavar="N", help="of the blocks (0)")


def _add_windows(verb, required: bool) -> None:
    of = "" if required else "F.h5 is a recording, [time, channel]: "
    verb.add_argument(
        "--window", type=_positive, required=required, metavar="N", help=f"{of}bins of a window"
    )
    verb.add_argument(
        "--overlap", type=_whole, default=0, metavar="N", help="bins that windows share (0)"
    )
    verb.add_argument("--key", metavar="NAME", help="dataset of the recording, where F.h5 has more")


def _add_stream(verb) -> None:
    verb.add_argument(
        "--stream",
        action="store_true",
        help="read trials when they are needed, for a file larger than memory",
    )


def _add_fit(verbs) -> None:
    verb = _verb(verbs, "fit", "fit a model to a file")
    verb.add_argument("data", metavar="F.h5", help="trials, under the names that lfads-torch uses")
    verb.add_argument("--model", choices=MODELS, default="lfads", help="which model (lfads)")
    _add_out(verb, "RUN", "folder for the fitted model, its rates and scores")
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting, as often as you like; tfp-bvae settings lists them",
    )
    verb.add_argument("--epochs", metavar="N", help="short for --set epochs=N")
    verb.add_argument("--seed", metavar="N", help="short for --set seed=N")
    verb.add_argument(
        "--resume",
        action="store_true",
        help="go on after the last whole epoch of RUN, with its settings; start if there is none",
    )
    _add_stream(verb)
    verb.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _add_infer(verbs) -> None:
    verb = _verb(verbs, "infer", "write the rates and latents that a fitted model infers")
    verb.add_argument("run_folder", metavar="RUN", help="folder of a fit")
    verb.add_argument("data", metavar="F.h5", help="trials")
    _add_out(verb, "P.h5", "the file to write")
    _add_samples(verb)
    _add_stream(verb)
    _add_windows(verb, required=False)


def _add_evaluate(verbs) -> None:
    verb = _verb(verbs, "evaluate", "print the scores of a fitted model as JSON")
    verb.add_argument("run_folder", metavar="RUN", help="folder of a fit")
    verb.add_argument(
        "data", metavar="F.h5", nargs="?", help="trials; without, those that it was fitted to"
    )
    _add_samples(verb)
    _add_stream(verb)


def _add_demo(verbs) -> None:
    verb = _verb(verbs, "demo", "simulate spikes, fit LFADS to them, and draw what it found")
    _add_out(verb, "RUN", "folder for all of it (runs/demo)", default="runs/demo")
    verb.add_argument("--epochs", type=_positive, default=50, metavar="N", help="of the fit (50)")
    verb.add_argument("--seed", type=_whole, default=0, metavar="N", help="of data and fit (0)")


def _add_settings(verbs) -> None:
    verb = _verb(verbs, "settings", "list what --set can set, with defaults and legal ranges")
    verb.add_argument("--model", choices=MODELS, default="lfads", help="of which model (lfads)")


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)
