"""Switches that cannot be had together: one table, one error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tfp_bvae.settings import Settings

__all__ = ["refuse_contradictions", "refuse_with_importance_weights"]

RNNS = ("clipped_gru", "gru", "lstm", "simple_rnn")


class Needs(NamedTuple):
    """`key` (at one of `values`; None: at any that is not off) needs `other` to be in `allowed`."""

    key: str
    values: tuple | None
    other: str
    allowed: tuple | None  # None: anything that is not off


RULES = (
    Needs("z_covariance", ("full",), "z_prior", ("ar1", "tiled")),
    Needs("z_covariance", ("full",), "generator_cell", (*RNNS, "dense")),
    Needs("scale_rule", ("log_variance",), "f_covariance", ("diagonal",)),
    Needs("scale_rule", ("log_variance",), "z_covariance", ("diagonal",)),
    Needs("f_joins", ("first", "second"), "z_size", None),
    Needs("f_joins", ("first", "second"), "generator_cell", (*RNNS, "dense")),
    Needs("f_joins", ("second",), "z_encoder_units2", None),
    Needs("z_encoder_units2", None, "generator_cell", (*RNNS, "dense")),
    Needs("z_encoder_units2", None, "z_size", None),
    Needs("lag", None, "z_size", None),
    Needs("causal", (True,), "z_size", None),
    Needs("z_covariance", ("full",), "z_size", None),
    Needs("free_bits_z", None, "z_size", None),
    Needs("capacity_z", None, "z_size", None),
    Needs("l2_controller", None, "z_size", None),
    Needs("l2_controller", None, "generator_cell", ("complex",)),
    Needs("inject_ext_input_to_gen", (False,), "generator_cell", ("complex",)),
    Needs("inject_ext_input_to_gen", (False,), "z_size", None),
    Needs("f_enters", ("inputs", "both"), "generator_cell", (*RNNS, "dense")),
    Needs("generator_cell", ("dense",), "f_enters", ("inputs",)),
    Needs("coordinated_pass", None, "coordinated_dropout", None),
    Needs("l2_generator", None, "generator_cell", ("complex", *RNNS)),
    Needs("z_encoder_cell2", RNNS, "z_encoder_units2", None),
    Needs("p_z_trainable_tau", (False,), "z_prior", ("ar1",)),
    Needs("p_z_trainable_scale", (False,), "z_prior", ("ar1", "tiled")),
    Needs("p_z_trainable_loc", (False,), "z_prior", ("tiled",)),
    Needs("capacity_f", None, "free_bits_f", (0.0,)),
    Needs("capacity_z", None, "free_bits_z", (0.0,)),
)  # fmt: skip


def refuse_contradictions(params: Settings, explicit: Mapping[str, Any] | None = None) -> None:
    """Raise for the first pair of settings that contradict each other.

    A default is no claim: a rule on a setting that still has its default value holds only if
    `explicit`, a dict of what the caller gave, names it. A dict that names all settings is one
    that was written out, so that there a default is no claim either.

    Raises:
        ValueError: naming the setting, its value, and what would be right.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(params)}
    given = {} if explicit is None or len(explicit) == len(defaults) else explicit
    for rule in RULES:
        value, other = getattr(params, rule.key), getattr(params, rule.other)
        if value == defaults[rule.key] and rule.key not in given:
            continue
        claimed = bool(value) if rule.values is None else value in rule.values
        fine = bool(other) if rule.allowed is None else other in rule.allowed
        if claimed and not fine:
            wanted = "above 0" if rule.allowed is None else ", ".join(map(repr, rule.allowed))
            raise ValueError(
                f"{rule.key}={value!r} must go with {rule.other} {wanted}, "
                f"got {rule.other}={other!r}"
            )


# The weights of the samples see every entry, hidden or not; and they know no beta.
NOT_WITH_IMPORTANCE_WEIGHTS = (
    "coordinated_dropout", "sample_validation", "free_bits_f", "free_bits_z", "capacity_f",
    "capacity_z",
)  # fmt: skip


def refuse_with_importance_weights(params: Settings) -> None:
    """Raise for a setting that the importance-weighted bound cannot honour.

    Raises:
        ValueError: naming the setting, its value, and what would be right.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(params)}
    wrong = {name: "0" for name in NOT_WITH_IMPORTANCE_WEIGHTS if getattr(params, name)}
    for beta in ("beta_f", "beta_z"):
        if getattr(params, beta) not in (1.0, defaults[beta]):
            wrong[beta] = "1 (or left at its default)"
    for name, right in wrong.items():
        raise ValueError(
            f"{name} must be {right} with importance_weighted, got {getattr(params, name)!r}"
        )
