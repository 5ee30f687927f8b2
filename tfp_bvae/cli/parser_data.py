"""What can be typed after `convert` and `fetch`. Nothing heavy is imported here."""

from __future__ import annotations

import argparse

from tfp_bvae.cli.parser_parts import add_out, add_verb, positive, whole

__all__ = ["add_convert", "add_fetch"]

MORE = """
The format is told by the content of FILE, not by its name: NWB; HDF5 with the keys of lfads-torch,
lfads-tf2, lfads-cd or the Neural Latents Benchmark; npz, MATLAB, netCDF, zarr. fit takes all of
them but NWB as they are, too.

examples:
  tfp-bvae convert session.nwb --out trials.h5 --bin-width 0.02 --align go_cue --window -0.2 1.4 \\
      --trials result=R --units quality=good --behavior hand --by target --hold-out-every 4
  tfp-bvae convert counts.npz --out trials.nc --bin-width 0.02 --name spikes=counts
  tfp-bvae convert train_input.h5 eval_input.h5 --out trials.h5 --bin-width 0.005
"""


class WithExamples(argparse.HelpFormatter):
    """Help that leaves lines as they are where there are several."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


def add_convert(verbs) -> None:
    """Add the verb `convert`."""
    verb = add_verb(verbs, "convert", "make trials to fit from NWB, MATLAB, npz and other files")
    verb.epilog = MORE.strip("\n")
    verb.formatter_class = WithExamples
    verb.add_argument(
        "files", metavar="FILE", nargs="+", help="the data; several only of the benchmark's files"
    )
    add_out(verb, "TRIALS", "the file to write, by its ending: .h5, .nc or .zarr")
    _add_reading(verb.add_argument_group("what is in FILE"))
    _add_nwb(verb.add_argument_group("trials of NWB"))
    _add_marks(verb.add_argument_group("what trials and channels are for"))


def _add_reading(group) -> None:
    group.add_argument(
        "--bin-width", type=float, metavar="S", help="of a bin, s; NWB needs it, silent files too"
    )
    group.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="what is called otherwise: spikes=counts, condition=target; as often as you like",
    )
    group.add_argument(
        "--keep-silent", action="store_true", help="keep channels and trials without a spike"
    )
    group.add_argument(
        "--not-counts", action="store_true", help="values need not be counts (Gaussian likelihood)"
    )


def _add_nwb(group) -> None:
    group.add_argument(
        "--align", metavar="COLUMN", help="column of times to cut trials around (start_time)"
    )
    group.add_argument(
        "--window",
        type=float,
        nargs=2,
        metavar=("BEGIN", "END"),
        help="of a trial, relative to that, s; whole trials, of unequal length, without",
    )
    for what, example in (("trials", "result=R"), ("units", "quality=good")):
        group.add_argument(
            f"--{what}",
            action="append",
            default=[],
            metavar="COLUMN=VALUE",
            help=f"only {what} with that value, such as {example}; one column twice: either value",
        )
    group.add_argument(
        "--behavior",
        action="append",
        default=[],
        metavar="NAME",
        help="a time series to average in the same bins; as often as you like",
    )


def _add_marks(group) -> None:
    group.add_argument(
        "--valid-fraction",
        type=float,
        metavar="SHARE",
        help="of trials drawn for validation (0.2, if FILE does not part them already)",
    )
    group.add_argument(
        "--by", metavar="COLUMN", help="label to draw alike from (condition, where there is one)"
    )
    group.add_argument("--seed", type=whole, default=0, metavar="N", help="of that draw (0)")
    group.add_argument(
        "--hold-out-every",
        type=positive,
        metavar="N",
        help="each so many-th channel is not seen by the encoders: co-smoothing",
    )
    group.add_argument(
        "--forward-bins",
        type=positive,
        metavar="N",
        help="so many last bins are not seen by the encoders: forward prediction",
    )


def add_fetch(verbs) -> None:
    """Add the verb `fetch`."""
    verb = add_verb(verbs, "fetch", "bring a public recording, checked, for convert")
    verb.add_argument("name", metavar="NAME", help="which: m1-isometric-day0")
    add_out(verb, "FILE", "the file to write")
    verb.add_argument(
        "--cache", metavar="FOLDER", help="where it is kept for the next time (that of the system)"
    )
