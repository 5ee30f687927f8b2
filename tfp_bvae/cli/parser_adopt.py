"""What can be typed after `adopt`. Nothing heavy is imported here."""

from __future__ import annotations

from tfp_bvae.cli.parser_parts import add_out, add_verb

__all__ = ["add_adopt"]

MORE = """
WEIGHTS is an npz file of numpy that holds the state_dict of a model of lfads-torch; the tutorial
"Coming from other packages" has the lines that write it. Nothing in it is run, and torch is not
needed. fit --resume goes on with the run.
"""


def add_adopt(verbs) -> None:
    """Add the verb `adopt`."""
    verb = add_verb(verbs, "adopt", "make a run of weights that lfads-torch has fitted")
    verb.epilog = " ".join(MORE.split())
    verb.add_argument("weights", metavar="WEIGHTS", help="its state_dict, an npz file")
    verb.add_argument(
        "data",
        metavar="FILE",
        nargs="+",
        help="trials that it was fitted to; of several files each is a session, in its order",
    )
    add_out(verb, "RUN", "folder for the model, its rates and scores")
    verb.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of lfads-torch that WEIGHTS does not say: ci_lag=1, cell_clip=5.0, "
        "reconstruction=MSE; as often as you like",
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of this package, of the data (bin_width) or of a fit to come",
    )
    verb.add_argument("--seed", metavar="N", help="short for --set seed=N")
