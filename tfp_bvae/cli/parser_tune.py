"""What can be typed after `tfp-bvae tune`. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from tfp_bvae.cli.parser_parts import add_out, add_verb

__all__ = ["add_tune"]


def add_tune(verbs, models: Sequence[str]) -> None:
    """Add the verb.

    Args:
        verbs: of the parser.
        models: names of the models.
    """
    verb = add_verb(verbs, "tune", "search for good hyperparameters on one machine or many")
    verb.add_argument(
        "data", metavar="FILE", nargs="+", help="trials; of several files each is a session"
    )
    verb.add_argument("--model", choices=models, default="lfads", help="which model (lfads)")
    add_out(verb, "RUN", "folder for the best model, and how it was found")
    verb.add_argument(
        "--search",
        choices=("population", "random"),
        default="population",
        help="population based training, or a random search, of sizes too (population)",
    )
    for name, meaning in (
        ("population", "members (20)"),
        ("generations", "generations at most (30)"),
        ("epochs-per-generation", "passes over the training trials in each (10)"),
        ("patience", "generations without a better score before it stops; none: never (6)"),
        ("cpus", "cores for each member that trains (1)"),
        ("gpus", "GPUs for each; parts share one (0)"),
    ):
        verb.add_argument(f"--{name}", metavar="N", help=meaning)
    verb.add_argument("--seed", metavar="N", help="of the search and of the models (0)")
    verb.add_argument(
        "--tune",
        action="append",
        default=[],
        metavar="NAME[=LOW:HIGH]",
        help="search this setting, as often as you like; without, those that are worth it",
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting that is not searched; tfp-bvae settings lists them",
    )
    verb.add_argument(
        "--address", metavar="A", help="of a Ray cluster; auto: the one of this machine"
    )
    verb.add_argument(
        "--resume", action="store_true", help="go on after the last generation of RUN"
    )
    verb.add_argument("--quiet", action="store_true", help="print nothing but errors")
    verb.add_argument(
        "--stream", action="store_true", help="leave trials on disk, in a file that all nodes see"
    )
