"""What can be typed after `tfp-bvae simulate`."""

from __future__ import annotations

import argparse

from tfp_bvae.cli.parser_parts import add_count, add_out, add_verb, whole

__all__ = ["add_simulate"]


def add_simulate(verbs) -> None:
    """Add the verb, and below it each system that can be simulated."""
    verb = add_verb(verbs, "simulate", "write simulated spikes, with their true rates")
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
    system = add_verb(systems, name, summary)
    add_out(system, "F.h5", "the file to write")
    system.add_argument("--seed", type=whole, default=0, metavar="N", help="of the simulation (0)")
    add_count(system, "--channels", channels, "neurons")
    return system


def _add_lorenz(systems) -> None:
    system = _system(systems, "lorenz", "a Lorenz attractor", channels=30)
    system.add_argument(
        "--session",
        type=whole,
        default=0,
        metavar="N",
        help="other neurons of the same system (0)",
    )
    add_count(system, "--conditions", 65, "initial states")
    add_count(system, "--trials", 20, "trials per condition")
    add_count(system, "--valid", 4, "of these, for validation")
    add_count(system, "--duration", 1000, "of a trial, ms", "MS")
    add_count(system, "--bin-width", 20, "of a bin, ms", "MS")
    _add_base_rate(system, 5.0)


def _add_static_dynamic(systems) -> None:
    summary = "the class of the trial, and a noisy oscillator"
    system = _system(systems, "static-dynamic", summary, channels=30)
    add_count(system, "--classes", 4, "of trials")
    add_count(system, "--trials", 300, "trials per class")
    add_count(system, "--valid", 50, "of these, for validation")
    add_count(system, "--bins", 40, "of a trial")
    add_count(system, "--bin-width", 20, "of a bin, ms", "MS")
    _add_base_rate(system, 40.0)


def _add_chaotic_rnn(systems) -> None:
    summary = "a chaotic recurrent network, with or without input pulses"
    system = _system(systems, "chaotic-rnn", summary, channels=50)
    system.add_argument(
        "--gain", type=float, default=1.5, metavar="G", help="of the weights; chaos above 1 (1.5)"
    )
    system.add_argument("--pulses", action="store_true", help="one input pulse in each trial")
    add_count(system, "--conditions", 400, "initial states")
    add_count(system, "--trials", 10, "trials per condition")
    add_count(system, "--valid", 2, "of these, for validation")
    add_count(system, "--bins", 100, "of a trial, of 10 ms")
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
