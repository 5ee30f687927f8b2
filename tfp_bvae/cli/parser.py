"""What can be typed. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import argparse

import tfp_bvae
from tfp_bvae.cli.parser_adopt import add_adopt
from tfp_bvae.cli.parser_data import add_convert, add_fetch
from tfp_bvae.cli.parser_export import add_export
from tfp_bvae.cli.parser_parts import Parser, add_out, add_samples, add_verb, positive, whole
from tfp_bvae.cli.parser_simulate import add_simulate
from tfp_bvae.cli.parser_tune import add_tune

__all__ = ["build_parser"]

MODELS = ("lfads", "dsae-full", "dsae-factorized", "fhvae")


def build_parser() -> argparse.ArgumentParser:
    """The parser of `tfp-bvae` with all its verbs.

    >>> build_parser().parse_args(["fit", "a.h5", "--out", "run", "--set", "factors=20"]).set
    ['factors=20']
    """
    parser = Parser(
        prog="tfp-bvae",
        description="Fit beta-VAEs to multi-channel spiking data.",
        epilog="tfp-bvae VERB --help lists the options of a verb.",
    )
    parser.add_argument("--version", action="version", version=f"tfp-bvae {tfp_bvae.__version__}")
    parser.add_argument(
        "--traceback", action="store_true", help="show where an error comes from, to report it"
    )
    parser.add_argument(
        "--max-memory",
        type=float,
        metavar="GB",
        help="what one file may bring into memory (half of what is free)",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    add_simulate(verbs)
    add_fetch(verbs)
    add_convert(verbs)
    _add_chop(verbs)
    _add_fit(verbs)
    add_tune(verbs, MODELS)
    add_adopt(verbs)
    _add_infer(verbs)
    _add_evaluate(verbs)
    add_export(verbs)
    _add_report(verbs)
    _add_demo(verbs)
    _add_settings(verbs)
    return parser


def _add_chop(verbs) -> None:
    verb = add_verb(verbs, "chop", "cut a continuous recording into windows, to fit a model to")
    verb.add_argument("data", metavar="F.h5", help="a recording, [time, channel]")
    add_out(verb, "W.h5", "the file to write")
    _add_windows(verb, required=True)
    verb.add_argument("--bin-width", type=float, metavar="S", help="of a bin, if F.h5 is silent, s")
    verb.add_argument(
        "--valid-fraction",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="of the recording, in blocks spread over it, for validation (0.2)",
    )
    verb.add_argument("--block", type=positive, metavar="N", help="bins of a block (five windows)")
    verb.add_argument("--seed", type=whole, default=0, metavar="N", help="of the blocks (0)")


def _add_windows(verb, required: bool) -> None:
    of = "" if required else "FILE is a recording, [time, channel]: "
    verb.add_argument(
        "--window", type=positive, required=required, metavar="N", help=f"{of}bins of a window"
    )
    verb.add_argument(
        "--overlap", type=whole, default=0, metavar="N", help="bins that windows share (0)"
    )
    verb.add_argument("--key", metavar="NAME", help="dataset of the recording, where it has more")


def _add_stream(verb) -> None:
    verb.add_argument(
        "--stream",
        action="store_true",
        help="read trials when they are needed, for a file larger than memory",
    )


def _add_fit(verbs) -> None:
    verb = add_verb(verbs, "fit", "fit a model to a file, or to several as sessions")
    verb.add_argument(
        "data",
        metavar="FILE",
        nargs="+",
        help="trials: HDF5, npz, MATLAB, netCDF or zarr; else see convert. Of several files each "
        "is a session with channels of its own, named after the file",
    )
    verb.add_argument("--model", choices=MODELS, default="lfads", help="which model (lfads)")
    add_out(verb, "RUN", "folder for the fitted model, its rates and scores")
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


def _add_session(verb) -> None:
    verb.add_argument(
        "--session", metavar="NAME", help="which session of a model of several F.h5 is of"
    )


def _add_infer(verbs) -> None:
    verb = add_verb(verbs, "infer", "write the rates and latents that a fitted model infers")
    verb.add_argument("run_folder", metavar="RUN", help="folder of a fit")
    verb.add_argument("data", metavar="FILE", help="trials")
    _add_session(verb)
    add_out(verb, "P.h5", "the file to write")
    add_samples(verb)
    _add_stream(verb)
    _add_windows(verb, required=False)


def _add_evaluate(verbs) -> None:
    verb = add_verb(verbs, "evaluate", "print the scores of a fitted model as JSON")
    verb.add_argument("run_folder", metavar="RUN", help="folder of a fit")
    verb.add_argument(
        "data", metavar="FILE", nargs="?", help="trials; without, those that it was fitted to"
    )
    _add_session(verb)
    add_samples(verb)
    _add_stream(verb)


def _add_report(verbs) -> None:
    verb = add_verb(verbs, "report", "write RUN/report.html: scores, diagnostics and pictures")
    verb.add_argument("run_folder", metavar="RUN", help="folder of a fit; its report is replaced")
    verb.add_argument(
        "data", metavar="F.h5", nargs="?", help="what it was fitted to, if that is elsewhere now"
    )
    verb.add_argument(
        "--no-floors", action="store_true", help="do not compare with simple methods: quicker"
    )
    _add_stream(verb)


def _add_demo(verbs) -> None:
    verb = add_verb(verbs, "demo", "simulate spikes, fit LFADS to them, and draw what it found")
    add_out(verb, "RUN", "folder for all of it (runs/demo)", default="runs/demo")
    verb.add_argument("--epochs", type=positive, default=50, metavar="N", help="of the fit (50)")
    verb.add_argument("--seed", type=whole, default=0, metavar="N", help="of data and fit (0)")
    verb.add_argument("--resume", action="store_true", help="go on with RUN, as it began")


def _add_settings(verbs) -> None:
    verb = add_verb(verbs, "settings", "list what --set can set, with defaults and legal ranges")
    verb.add_argument("--model", choices=MODELS, default="lfads", help="of which model (lfads)")
