"""Checks at the door: each raises an error that says what must be so, and what came.

The pattern of every message is «name must ..., got ...». All of them hand the value back,
so that a constructor can check and assign in one line. Nothing here needs TensorFlow.
"""

from .of_keras import TFKerasOnly, not_keras3
from .shapes import distribution, last_dim, rank, same_length
from .values import (
    boolean,
    in_interval,
    known_key,
    one_of,
    positive,
    real_number,
    text,
    whole_number,
)

__all__ = [
    "TFKerasOnly",
    "boolean",
    "distribution",
    "in_interval",
    "known_key",
    "last_dim",
    "not_keras3",
    "one_of",
    "positive",
    "rank",
    "real_number",
    "same_length",
    "text",
    "whole_number",
]
